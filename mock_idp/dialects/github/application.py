"""What an app may ask of its own tokens (REST: check, reset and delete a token, delete a grant)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING

from mock_idp.dialects.approvals import forget
from mock_idp.dialects.avatars import home
from mock_idp.dialects.bodies import json_object
from mock_idp.dialects.github import user
from mock_idp.protocol.access_token import live_token
from mock_idp.protocol.client_authentication import CLIENT_AUTHENTICATION, ClientRequest
from mock_idp.protocol.endpoint import Endpoint
from mock_idp.protocol.errors import OAuthError
from mock_idp.protocol.table import Table
from mock_idp.records import AccessToken, Grant
from mock_idp.wire.http import NO_STORE, Answer, json_answer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_NOT_FOUND, _UNPROCESSABLE = 404, 422


@dataclass(slots=True)
class ApplicationRequest(ClientRequest):
    """An app's question about a token.

    Attributes:
        action: ``token`` or ``grant``.
        text: the token in question.
        token: what stands behind it.

    """

    action: str = ""
    text: str = ""
    token: AccessToken | None = None


def read_path(flow: ApplicationRequest) -> None:
    """``/applications/{client_id}/token`` or ``/grant``."""
    client_id, _, flow.action = flow.rest.rpartition("/")
    if not client_id or (flow.request.method, flow.action) not in _ACTIONS:
        raise OAuthError("not_found", "Not Found", status=_NOT_FOUND)
    flow.params["client_id"] = client_id


def read_token(flow: ApplicationRequest) -> None:
    """``access_token`` of a JSON body."""
    text = json_object(flow.request).get("access_token")
    if not isinstance(text, str):
        raise OAuthError("unprocessable", "Invalid request. access_token wasn't supplied.", status=_UNPROCESSABLE)
    flow.text = text


async def find_token(flow: ApplicationRequest) -> None:
    """Alive, and this app's own."""
    flow.token, grant = await live_token(flow, flow.text)
    if grant is None or flow.client is None or grant.client_id != flow.client.client_id:
        raise OAuthError("not_found", "Not Found", status=_NOT_FOUND)
    flow.use_grant(grant)


async def act(flow: ApplicationRequest) -> Answer:
    """What method and path ask for."""
    return await _ACTIONS[flow.request.method, flow.action](flow)


async def _check(flow: ApplicationRequest) -> Answer:
    return await _describe(flow, flow.text)


async def _reset(flow: ApplicationRequest) -> Answer:
    assert flow.token is not None  # noqa: S101 # the step before found it
    text = flow.dialect.access_token()
    store, name = flow.provider.store, flow.tenant.name
    await store.put(name, text, flow.token, flow.token.expires_at - flow.now)
    await store.delete(name, AccessToken, flow.text)
    return await _describe(flow, text)


async def _delete_token(flow: ApplicationRequest) -> Answer:
    await flow.provider.store.delete(flow.tenant.name, AccessToken, flow.text)
    return Answer(204, [*NO_STORE])


async def _delete_grant(flow: ApplicationRequest) -> Answer:
    assert flow.grant is not None  # noqa: S101 # the step before found it
    store, name, own = flow.provider.store, flow.tenant.name, flow.grant
    for key, grant in (await store.records(name, Grant)).items():
        if (grant.client_id, grant.account) == (own.client_id, own.account):
            await store.delete(name, Grant, key)
    await forget(flow, own.account or "", own.client_id)
    return Answer(204, [*NO_STORE])


_ACTIONS: dict[tuple[str, str], Callable[[ApplicationRequest], Awaitable[Answer]]] = {
    ("POST", "token"): _check,
    ("PATCH", "token"): _reset,
    ("DELETE", "token"): _delete_token,
    ("DELETE", "grant"): _delete_grant,
}


async def _describe(flow: ApplicationRequest, text: str) -> Answer:
    token, grant, client = flow.token, flow.grant, flow.client
    assert token is not None and grant is not None and client is not None  # noqa: S101, PT018 # found above
    account = await flow.provider.account(flow.tenant, grant.account or "")
    expiring = flow.dialect.options_of(flow.tenant.settings).expiring_tokens
    number = int(sha256(text.encode()).hexdigest()[:7], 16)
    return json_answer(
        200,
        {
            "id": number,
            "url": f"{home(flow)}/authorizations/{number}",
            "scopes": token.scope,
            "token": text,
            "token_last_eight": text[-8:],
            "hashed_token": sha256(text.encode()).hexdigest(),
            "app": {"url": home(flow), "name": client.name or client.client_id, "client_id": client.client_id},
            "note": None,
            "note_url": None,
            "updated_at": _time(token.issued_at),
            "created_at": _time(token.issued_at),
            "fingerprint": None,
            "expires_at": _time(token.expires_at) if expiring else None,
            "user": {**flow.dialect.subject(account, grant, flow.tenant.settings), **user.profile(account, ())},
        },
    )


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def refuse(_: ApplicationRequest, error: OAuthError) -> Answer:
    """As the rest of the REST API."""
    return user.message(error.status, "Bad credentials" if error.error == "invalid_client" else error.description)


APPLICATION: Table[ApplicationRequest] = Table(
    "application", read_path, *CLIENT_AUTHENTICATION, read_token, find_token, act
)
ENDPOINT = Endpoint(APPLICATION, ApplicationRequest, refuse, ("POST", "PATCH", "DELETE"))
