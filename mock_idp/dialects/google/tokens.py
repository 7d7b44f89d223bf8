"""What Google tells of tokens, and how one is taken back: ``/tokeninfo`` and ``/revoke``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from mock_idp.accounts import claims_of
from mock_idp.dialects.approvals import forget
from mock_idp.dialects.avatars import home
from mock_idp.dialects.google.authorization import OFFLINE, long_names
from mock_idp.keys.ring import jwk
from mock_idp.protocol.access_token import live_token
from mock_idp.protocol.endpoint import Endpoint
from mock_idp.protocol.errors import OAuthError
from mock_idp.protocol.table import Flow, Table
from mock_idp.records import Grant, RefreshToken
from mock_idp.tokens import jws
from mock_idp.wire.http import Answer, Params, json_answer

if TYPE_CHECKING:
    from mock_idp.protocol.userinfo import UserInfo


@dataclass(slots=True)
class TokenQuestion(Flow):
    """A question about a token, or its end.

    Attributes:
        text: the token.
        document: what is answered.

    """

    text: str = ""
    document: dict[str, Any] = field(default_factory=dict)


def read_parameters(flow: TokenQuestion) -> None:
    """In the query or in a form."""
    flow.params = Params.parse(flow.request.query)
    if flow.request.method == "POST" and flow.request.body:
        flow.params.update(flow.request.form())


def add_picture(flow: UserInfo) -> None:
    """``picture``, with the scope ``profile``: one that is drawn here, where none is configured."""
    if flow.account is not None and flow.token is not None and "profile" in flow.token.scope:
        flow.profile.setdefault("picture", f"{home(flow)}/avatars/{quote(flow.account.name)}")


# --- tokeninfo --------------------------------------------------------------------------------------------------------


async def describe_access_token(flow: TokenQuestion) -> None:
    """``access_token``: for whom, what for, and how long. Numbers and truth values are texts."""
    if "access_token" not in flow.params:
        return
    token, grant = await live_token(flow, flow.params["access_token"])
    if token is None or grant is None:
        raise _invalid("Invalid Value")
    flow.use_grant(grant)
    flow.document = {
        "azp": grant.client_id,
        "aud": grant.client_id,
        "sub": grant.sub,
        "scope": " ".join(long_names(token.scope)),
        "exp": str(int(token.expires_at)),
        "expires_in": str(int(token.expires_at - flow.now)),
        "access_type": "offline" if OFFLINE in grant.scope else "online",
    }
    if "email" in token.scope and grant.account is not None:
        known = claims_of(await flow.provider.account(flow.tenant, grant.account))
        flow.document["email"] = known["email"]
        flow.document["email_verified"] = _text(known["email_verified"])


def describe_id_token(flow: TokenQuestion) -> None:
    """``id_token``: its header and claims, once its signature is found good. Numbers and truth values are texts."""
    if "id_token" not in flow.params:
        return
    keys = {"keys": [jwk(key) for key in flow.tenant.keys.published()]}
    settings = flow.tenant.settings
    try:
        found = jws.verify(
            flow.params["id_token"],
            keys,
            algs=[settings.signing_alg],
            iss=flow.dialect.iss(settings, flow.issuer),
            now=flow.now,
        )
    except jws.TokenRefusedError as error:
        raise _invalid(f"Invalid Value: {error}") from error
    flow.document = {name: _text(value) for name, value in {**found.claims, **found.header}.items()}


def send(flow: TokenQuestion) -> Answer:
    """JSON."""
    if not flow.document:
        raise _invalid("either access_token, id_token, or token_handle required")
    return json_answer(200, flow.document)


def _text(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else value


# --- revocation -------------------------------------------------------------------------------------------------------


async def find_grant(flow: TokenQuestion) -> None:
    """Of an access token or of a refresh token. The client does not authenticate: whoever has a token may end it."""
    flow.text = flow.params.get("token", "")
    _, grant = await live_token(flow, flow.text)
    if grant is None:
        store, name = flow.provider.store, flow.tenant.name
        refresh = await store.get(name, RefreshToken, flow.text)
        grant = await store.get(name, Grant, refresh.grant_id) if refresh else None
    if grant is None:
        raise OAuthError("invalid_token", "Token expired or revoked")
    flow.use_grant(grant)


async def revoke(flow: TokenQuestion) -> Answer:
    """The person's consent to this client ends, and every token that rests on it."""
    own = flow.grant
    assert own is not None  # noqa: S101 # the step before found it
    store, name = flow.provider.store, flow.tenant.name
    for key, grant in (await store.records(name, Grant)).items():
        if (grant.client_id, grant.account) == (own.client_id, own.account):
            await store.delete(name, Grant, key)
    await forget(flow, own.account or "", own.client_id)
    return json_answer(200, {})


def _invalid(description: str) -> OAuthError:
    return OAuthError("invalid_token", description)


def refuse(_: TokenQuestion, error: OAuthError) -> Answer:
    """Error and description."""
    return json_answer(error.status, {"error": error.error, "error_description": error.description})


TOKEN_INFO = Endpoint(
    Table("tokeninfo", read_parameters, describe_access_token, describe_id_token, send), TokenQuestion, refuse
)
REVOCATION = Endpoint(Table("revocation", read_parameters, find_grant, revoke), TokenQuestion, refuse, ("POST",))
