"""Authorizations without a page, and the tokens they lead to: the endpoints themselves, asked from within."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote_plus, urlencode, urlsplit

from fastapi import HTTPException

from mock_idp.control.minting import CONTROL_CLIENT
from mock_idp.dialects import DIALECTS
from mock_idp.records import unguessable
from mock_idp.tokens.pkce import challenge_of
from mock_idp.wire.http import FORM, Request

if TYPE_CHECKING:
    from mock_idp.provider import Provider
    from mock_idp.records import Client, Tenant
    from mock_idp.wire.http import Answer

REDIRECT_URI = "http://127.0.0.1/callback"
"""Of clients that have registered none."""


@dataclass(slots=True)
class Authorize:
    """An authorization request that is approved at once.

    Attributes:
        account: who approves; the tenant's auto_approve, or its first account, where none is named.
        client: who asks.
        redirect_uri: one of the client's; its first where none is named.
        scope: what is asked for, words with spaces between them.
        parameters: further parameters of the authorization request, or others in place of the usual ones; "" leaves
            one out.
        faults: what goes wrong, in this authorization and in what follows from it.
        exchange: redeem the code, too, with PKCE.

    """

    account: str | None = None
    client: str = CONTROL_CLIENT
    redirect_uri: str | None = None
    scope: str = "openid profile email"
    parameters: dict[str, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    exchange: bool = False


async def authorize(provider: Provider, tenant: Tenant, asked: Authorize, base: str) -> dict[str, Any]:
    """Let an authorization happen.

    Args:
        provider: whose.
        tenant: in which.
        asked: by whom, for whom.
        base: the base under which the provider is known to the client.

    Returns:
        what the browser would be sent (`status`, `location`, `set_cookie`, `body`), the parameters in it, and with
        `exchange` what the token endpoint answered.

    """
    provider.faults.bind(asked.faults)  # a fault that does not exist is the caller's mistake, not an answer
    client = tenant.clients.get(asked.client)
    registered = client.redirect_uris[0] if client and client.redirect_uris else REDIRECT_URI
    verifier = unguessable()
    parameters = {
        "response_type": "code",
        "client_id": asked.client,
        "redirect_uri": asked.redirect_uri or registered,
        "scope": asked.scope,
        "state": unguessable(),
        "nonce": unguessable(),
        "mock_fault": " ".join(asked.faults),
        **({"code_challenge": challenge_of(verifier), "code_challenge_method": "S256"} if asked.exchange else {}),
        **asked.parameters,
    }
    parameters = {name: value for name, value in parameters.items() if value}
    query = urlencode(parameters).encode()
    request = Request("GET", base, _path(tenant, "authorization_endpoint"), query)
    approve = asked.account or tenant.settings.auto_approve or next(iter(tenant.accounts), "alice")
    answer = await provider.answer(request, approve=approve)
    location = answer.header(b"location")
    found = _parameters(location)
    told = {
        "status": answer.status,
        "location": location,
        "parameters": found,
        "state": parameters.get("state"),
        "nonce": parameters.get("nonce"),
        "set_cookie": [value.decode("latin-1") for name, value in answer.headers if name == b"set-cookie"],
        "body": answer.body.decode("utf-8", "replace"),
    }
    if asked.exchange and "code" in found:
        form = {"grant_type": "authorization_code", "code": found["code"]}
        if "redirect_uri" in parameters:
            form["redirect_uri"] = parameters["redirect_uri"]
        if parameters.get("code_challenge") == challenge_of(verifier):
            form["code_verifier"] = verifier
        headers = _credentials(form, asked.client, client)
        path = _path(tenant, "token_endpoint")
        told["token_response"] = _told(
            await provider.answer(Request("POST", base, path, b"", headers, urlencode(form).encode()))
        )
    return told


def _path(tenant: Tenant, endpoint: str) -> str:
    dialect = DIALECTS[tenant.settings.dialect]
    routes = dialect.routes(tenant.settings)
    for path, name in dialect.names(tenant.settings).items():
        if name == endpoint and path in routes:
            return f"/{tenant.name}/{path}"
    raise HTTPException(409, f"the tenant has no {endpoint}")


def _parameters(location: str | None) -> dict[str, str]:
    if location is None:
        return {}
    parts = urlsplit(location)
    return dict(parse_qsl(parts.query, keep_blank_values=True) + parse_qsl(parts.fragment, keep_blank_values=True))


def _credentials(form: dict[str, str], client_id: str, client: Client | None) -> list[tuple[bytes, bytes]]:
    """The headers of a token request; where the client does not authenticate by header, the form is completed."""
    headers = [(b"content-type", FORM.encode()), (b"accept", b"application/json")]
    if client is None or client.secret is None:
        form["client_id"] = client_id
    elif client.auth_methods and "client_secret_basic" not in client.auth_methods:
        form.update(client_id=client_id, client_secret=client.secret)
    else:
        pair = f"{quote_plus(client_id)}:{quote_plus(client.secret)}"
        headers.append((b"authorization", b"Basic " + base64.b64encode(pair.encode())))
    return headers


def _told(answer: Answer) -> dict[str, Any]:
    text = answer.body.decode("utf-8", "replace")
    try:
        members = json.loads(text)
    except ValueError:
        members = dict(parse_qsl(text)) if FORM in (answer.header(b"content-type") or "") else None
    return {"status": answer.status, "body": text, "members": members if isinstance(members, dict) else None}
