"""The token endpoint (RFC 6749, section 3.2): what all grants have in common. `GRANTS` holds what they have not."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from hashlib import sha256
from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING, Any

from mock_idp.protocol.client_authentication import (
    ClientRequest,
    authenticate_client,
    find_client,
    read_client_credentials,
    read_form,
)
from mock_idp.protocol.errors import OAuthError
from mock_idp.protocol.id_token import ID_TOKEN, IdToken
from mock_idp.protocol.table import Flow, Table
from mock_idp.records import AccessToken, Code, Grant, RefreshToken

if TYPE_CHECKING:
    from mock_idp.wire.http import Answer


@dataclass(slots=True)
class TokenRequest(ClientRequest):
    """A token request on its way to its response.

    Attributes:
        code: what stands behind the authorization code presented.
        refreshed: what stands behind the refresh token presented.
        scope: what the tokens are for.
        members: of the response.
        access_token: as issued.

    """

    grant_type: str = ""
    code: Code | None = None
    refreshed: RefreshToken | None = None
    scope: list[str] = field(default_factory=list)
    members: dict[str, Any] = field(default_factory=dict)
    access_token: str | None = None


async def look_up_authorization(flow: TokenRequest) -> None:
    """Which authorization this is about, so that its faults strike here too. Judged later."""
    store, name, params = flow.provider.store, flow.tenant.name, flow.params
    flow.grant_type = params.get("grant_type", "")
    if flow.grant_type == "authorization_code" and "code" in params:
        flow.code = await store.get(name, Code, params["code"])
        if flow.code is not None:
            flow.use_grant(flow.code.grant)
    elif flow.grant_type == "refresh_token" and "refresh_token" in params:
        flow.refreshed = await store.get(name, RefreshToken, params["refresh_token"])
        grant = await store.get(name, Grant, flow.refreshed.grant_id) if flow.refreshed else None
        if grant is not None:
            flow.use_grant(grant)


def check_grant_type(flow: TokenRequest) -> None:
    """One that tenant and client may use."""
    if not flow.grant_type:
        raise OAuthError("invalid_request", "grant_type is missing", "RFC 6749, section 4.1.3")
    if flow.grant_type not in flow.tenant.settings.grant_types or flow.grant_type not in GRANTS:
        raise OAuthError(
            "unsupported_grant_type", f"grant_type {flow.grant_type[:80]!r} is switched off here", "RFC 6749, section 5.2"
        )
    assert flow.client is not None  # noqa: S101
    if flow.client.grant_types and flow.grant_type not in flow.client.grant_types:
        raise OAuthError("unauthorized_client", f"this client may not use {flow.grant_type}", "RFC 6749, section 5.2")


async def redeem(flow: TokenRequest) -> Answer | None:
    """The part that differs from grant to grant; it leaves `grant` and `scope`."""
    return await GRANTS[flow.grant_type].walk(flow)


# --- authorization code -----------------------------------------------------------------------------------------------


async def spend_code(flow: TokenRequest) -> None:
    """A code is good once (RFC 6749, section 4.1.2). A second use revokes what the first one gave."""
    if "code" not in flow.params:
        raise OAuthError("invalid_request", "code is missing", "RFC 6749, section 4.1.3")
    record, first = await flow.provider.store.spend(flow.tenant.name, Code, flow.params["code"])
    if record is None:
        raise OAuthError("invalid_grant", "this code was never issued, or long ago", "RFC 6749, section 5.2")
    if not first and not flow.tolerates("code-reuse"):
        await flow.provider.store.delete(flow.tenant.name, Grant, record.grant.id)
        raise OAuthError(
            "invalid_grant", "this code was used before; what it gave is revoked", "RFC 6749, section 4.1.2"
        )
    flow.code = record


def check_code_fresh(flow: TokenRequest) -> None:
    """By the tenant's clock; ten minutes at most (RFC 6749, section 4.1.2)."""
    assert flow.code is not None  # noqa: S101
    if flow.code.expires_at <= flow.now:
        raise OAuthError("invalid_grant", "this code has expired", "RFC 6749, section 4.1.2")


def check_code_client(flow: TokenRequest) -> None:
    """Only the client that it was issued to (RFC 6749, section 4.1.3)."""
    assert flow.code is not None and flow.client is not None  # noqa: S101, PT018
    if flow.code.grant.client_id != flow.client.client_id:
        raise OAuthError("invalid_grant", "this code was issued to another client", "RFC 6749, section 4.1.3")


def check_same_redirect_uri(flow: TokenRequest) -> None:
    """Identical to that of the authorization request, where one was sent there (RFC 6749, section 4.1.3)."""
    assert flow.code is not None  # noqa: S101
    expected, sent = flow.code.redirect_uri, flow.params.get("redirect_uri")
    if expected is not None and sent != expected and not flow.tolerates("redirect-uri-not-compared"):
        raise OAuthError(
            "invalid_grant",
            "redirect_uri is missing here" if sent is None else "redirect_uri differs from the authorization request's",
            "RFC 6749, section 4.1.3",
        )


def check_verifier(flow: TokenRequest) -> None:
    """A challenge makes the verifier compulsory (RFC 7636, section 4.6), and none is taken without a challenge
    (RFC 9700, section 4.8.2)."""
    assert flow.code is not None  # noqa: S101
    challenge, verifier = flow.code.challenge, flow.params.get("code_verifier")
    if challenge is None:
        if verifier is not None and not flow.tolerates("verifier-unasked"):
            raise OAuthError(
                "invalid_grant", "code_verifier without a code_challenge at the start", "RFC 9700, section 4.8.2"
            )
        return
    if verifier is None:
        if flow.tolerates("verifier-missing"):
            return
        raise OAuthError("invalid_grant", "code_verifier is missing", "RFC 7636, section 4.6")
    derived = challenge_of(verifier) if flow.code.challenge_method == "S256" else verifier
    if not hmac.compare_digest(derived.encode("utf-8", "replace"), challenge.encode("utf-8", "replace")) and not flow.tolerates(
        "verifier-wrong"
    ):
        raise OAuthError("invalid_grant", "code_verifier does not match the code_challenge", "RFC 7636, section 4.6")


def challenge_of(verifier: str) -> str:
    """S256 (RFC 7636, section 4.2)."""
    return urlsafe_b64encode(sha256(verifier.encode("utf-8", "replace")).digest()).rstrip(b"=").decode()


async def keep_grant(flow: TokenRequest) -> None:
    """From here on tokens may point at the grant."""
    assert flow.code is not None  # noqa: S101
    flow.scope = flow.code.grant.scope
    await flow.provider.keep_grant(flow.tenant, flow.code.grant)


AUTHORIZATION_CODE: Table[TokenRequest] = Table(
    "authorization code grant",
    spend_code,
    check_code_fresh,
    check_code_client,
    check_same_redirect_uri,
    check_verifier,
    keep_grant,
)

GRANTS: dict[str, Table[TokenRequest]] = {"authorization_code": AUTHORIZATION_CODE}
"""One table a grant type."""


# --- the response -----------------------------------------------------------------------------------------------------


async def issue_access_token(flow: TokenRequest) -> None:
    """``access_token``: opaque, or a JWT (RFC 9068)."""
    assert flow.grant is not None  # noqa: S101
    flow.access_token = await access_token(flow, flow.grant, flow.scope)
    flow.members["access_token"] = flow.access_token


async def access_token(flow: Flow, grant: Grant, scope: list[str]) -> str:
    """Make and keep an access token."""
    lifetime = flow.tenant.settings.lifetimes.access_token
    record = AccessToken(
        grant_id=grant.id,
        expires_at=flow.now + lifetime,
        scope=scope,
        audience=grant.audience,
        issued_at=flow.now,
        key_thumbprint=grant.key_thumbprint,
    )
    text = flow.dialect.access_token()
    await flow.provider.store.put(flow.tenant.name, text, record, lifetime)
    return text


def token_type(flow: TokenRequest) -> None:
    """``token_type`` (RFC 6749, section 7.1)."""
    flow.members["token_type"] = "Bearer"


def expires_in(flow: TokenRequest) -> None:
    """``expires_in``: seconds, a number."""
    flow.members["expires_in"] = flow.tenant.settings.lifetimes.access_token


async def issue_refresh_token(flow: TokenRequest) -> None:
    """``refresh_token``, where the tenant gives them."""
    settings, grant = flow.tenant.settings, flow.grant
    assert grant is not None  # noqa: S101
    if settings.refresh == "omit" or grant.account is None or not flow.dialect.refreshes(flow):
        return
    text = flow.dialect.refresh_token()
    lifetime = settings.lifetimes.refresh_token
    await flow.provider.store.put(
        flow.tenant.name, text, RefreshToken(grant.id, flow.now + lifetime, grant.scope), lifetime
    )
    flow.members["refresh_token"] = text


def granted_scope(flow: TokenRequest) -> None:
    """``scope``: always said, so that nobody has to guess (RFC 6749, section 5.1)."""
    flow.members["scope"] = " ".join(flow.scope)


async def issue_id_token(flow: TokenRequest) -> None:
    """``id_token``, where ``openid`` was granted to a person's client."""
    grant = flow.grant
    assert grant is not None  # noqa: S101
    if not flow.dialect.openid or "openid" not in flow.scope or grant.account is None:
        return
    token = IdToken(flow, grant, await flow.provider.account(flow.tenant, grant.account), access_token=flow.access_token)
    await ID_TOKEN.walk(token)
    flow.members["id_token"] = token.compact


def dialect_members(flow: TokenRequest) -> None:
    """What only this make of provider adds."""
    flow.dialect.token_members(flow)


def send(flow: TokenRequest) -> Answer:
    """The response (RFC 6749, section 5.1), in the encoding of the dialect."""
    return flow.dialect.token_answer(flow, 200, flow.members)


TOKEN: Table[TokenRequest] = Table(
    "token",
    read_form,
    look_up_authorization,
    read_client_credentials,
    find_client,
    authenticate_client,
    check_grant_type,
    redeem,
    issue_access_token,
    token_type,
    expires_in,
    issue_refresh_token,
    granted_scope,
    issue_id_token,
    dialect_members,
    send,
)


def refuse(flow: TokenRequest, error: OAuthError) -> Answer:
    """The error response (RFC 6749, section 5.2), in the encoding of the dialect."""
    return flow.dialect.token_error(flow, error)
