"""The token endpoint (RFC 6749, section 3.2): what grants have in common; `mock_idp.protocol.grants` has the rest."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mock_idp.protocol import dpop
from mock_idp.protocol.access_token import new_access_token
from mock_idp.protocol.client_authentication import CLIENT_AUTHENTICATION, ClientRequest, read_form
from mock_idp.protocol.errors import OAuthError
from mock_idp.protocol.grants import GRANTS
from mock_idp.protocol.grants.jwt_bearer import implied_client
from mock_idp.protocol.grants.refresh_token import new_refresh_token
from mock_idp.protocol.grants.token_exchange import JWT
from mock_idp.protocol.id_token import ID_TOKEN, IdToken
from mock_idp.protocol.mapped_claims import map_claims
from mock_idp.protocol.table import Table
from mock_idp.protocol.targets import read_resources
from mock_idp.protocol.vocabulary import DEVICE_CODE, JWT_BEARER
from mock_idp.records import Code, DeviceCode, Grant, RefreshToken

if TYPE_CHECKING:
    from mock_idp.protocol.grants.token_exchange import Party
    from mock_idp.wire.http import Answer


@dataclass(slots=True)
class TokenRequest(ClientRequest):
    """A token request on its way to its response.

    Attributes:
        code: what stands behind the authorization code presented.
        refreshed: what stands behind the refresh token presented.
        device: what stands behind the device code presented.
        asserted: claims of the assertion presented (RFC 7523).
        subject, actor: whom the tokens presented for exchange speak of (RFC 8693).
        key_thumbprint: of the key that the request proves (RFC 9449).
        scope: what the tokens are for.
        resources: where the access token is to be used, as asked for here (RFC 8707).
        audience: where it may be used; None until that is settled.
        signed_in: a person signed in for this, so that an ID Token and a refresh token may be due.
        issued_type: kind of the token, where the response has to say so (RFC 8693).
        members: of the response.
        access_token: as issued.

    """

    grant_type: str = ""
    code: Code | None = None
    refreshed: RefreshToken | None = None
    device: DeviceCode | None = None
    asserted: dict[str, Any] = field(default_factory=dict)
    subject: Party | None = None
    actor: Party | None = None
    key_thumbprint: str | None = None
    scope: list[str] = field(default_factory=list)
    resources: list[str] = field(default_factory=list)
    audience: list[str] | None = None
    signed_in: bool = False
    issued_type: str | None = None
    members: dict[str, Any] = field(default_factory=dict)
    access_token: str | None = None


# --- the request ------------------------------------------------------------------------------------------------------


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
    elif flow.grant_type == DEVICE_CODE and "device_code" in params:
        flow.device = await store.get(name, DeviceCode, params["device_code"])
        if flow.device is not None and flow.device.grant is not None:
            flow.use_grant(flow.device.grant)
    elif flow.grant_type == JWT_BEARER:
        flow.implied_client_id = implied_client(flow)


def bind_faults(flow: TokenRequest) -> None:
    """Grants without an authorization request name their faults here."""
    if flow.grant is None and "mock_fault" in flow.params:
        flow.bind(flow.params["mock_fault"].split())


async def check_proof(flow: TokenRequest) -> None:
    """A DPoP proof binds the tokens to its key; some clients have to bring one (RFC 9449, section 5)."""
    assert flow.client is not None  # noqa: S101 # the step before found it
    if flow.request.header(dpop.HEADER) is None:
        if flow.client.dpop_bound:
            raise OAuthError(
                "invalid_dpop_proof",
                "this client's tokens are bound to a key; the DPoP proof is missing",
                "RFC 9449, section 5.2",
            )
        return
    if "dpop" in flow.dialect.token_schemes:
        flow.key_thumbprint = await dpop.prove(flow, "token_endpoint")


def check_grant_type(flow: TokenRequest) -> None:
    """One that tenant and client may use."""
    if not flow.grant_type:
        raise OAuthError("invalid_request", "grant_type is missing", "RFC 6749, section 4.1.3")
    if flow.grant_type not in flow.dialect.grant_types(flow.tenant.settings) or flow.grant_type not in GRANTS:
        raise OAuthError(
            "unsupported_grant_type",
            f"grant_type {flow.grant_type[:80]!r} is switched off here",
            "RFC 6749, section 5.2",
        )
    assert flow.client is not None  # noqa: S101
    if flow.client.grant_types and flow.grant_type not in flow.client.grant_types:
        raise OAuthError("unauthorized_client", f"this client may not use {flow.grant_type}", "RFC 6749, section 5.2")


def take_resources(flow: TokenRequest) -> None:
    """``resource``: where the access token is to be used (RFC 8707, section 2.2)."""
    flow.resources = read_resources(flow)


async def redeem(flow: TokenRequest) -> Answer | None:
    """The part that differs from grant to grant; it leaves `grant` and `scope`."""
    return await GRANTS[flow.grant_type].walk(flow)


def choose_audience(flow: TokenRequest) -> None:
    """Of the resources that were authorized the one that is asked for (RFC 8707, section 2.2)."""
    assert flow.grant is not None  # noqa: S101 # every grant leaves one
    if flow.audience is not None or not flow.resources:
        return
    beyond = [resource for resource in flow.resources if flow.grant.audience and resource not in flow.grant.audience]
    if beyond:
        raise OAuthError("invalid_target", f"resource {beyond[0][:200]!r} was not authorized", "RFC 8707, section 2.2")
    flow.audience = flow.resources


# --- the response -----------------------------------------------------------------------------------------------------


async def issue_access_token(flow: TokenRequest) -> None:
    """``access_token``: opaque, or a JWT (RFC 9068)."""
    assert flow.grant is not None  # noqa: S101
    flow.access_token = await new_access_token(
        flow,
        flow.grant,
        flow.scope,
        audience=flow.audience,
        key_thumbprint=flow.key_thumbprint,
        as_jwt=flow.issued_type == JWT,
    )
    flow.members["access_token"] = flow.access_token


def issued_token_type(flow: TokenRequest) -> None:
    """``issued_token_type``, where tokens were exchanged (RFC 8693, section 2.2.1)."""
    if flow.issued_type is not None:
        flow.members["issued_token_type"] = flow.issued_type


def token_type(flow: TokenRequest) -> None:
    """``token_type`` (RFC 6749, section 7.1; RFC 9449, section 5)."""
    flow.members["token_type"] = "Bearer" if flow.key_thumbprint is None else "DPoP"


def expires_in(flow: TokenRequest) -> None:
    """``expires_in``: seconds, a number."""
    flow.members["expires_in"] = flow.dialect.access_token_lifetime(flow.tenant.settings)


async def issue_refresh_token(flow: TokenRequest) -> None:
    """``refresh_token``, where the tenant gives them and the client may use them."""
    settings, client = flow.tenant.settings, flow.client
    assert client is not None  # noqa: S101
    if not flow.signed_in or flow.dialect.refresh(settings) == "omit" or "refresh_token" not in settings.grant_types:
        return
    if client.grant_types and "refresh_token" not in client.grant_types:
        return
    if flow.refreshed is not None and flow.dialect.refresh(settings) != "rotate":
        return
    if flow.dialect.refreshes(flow):
        flow.members["refresh_token"] = await new_refresh_token(flow)


def granted_scope(flow: TokenRequest) -> None:
    """``scope``: always said, so that nobody has to guess (RFC 6749, section 5.1)."""
    flow.members["scope"] = " ".join(flow.scope)


async def issue_id_token(flow: TokenRequest) -> None:
    """``id_token``, where ``openid`` was granted to a person's client."""
    grant = flow.grant
    assert grant is not None  # noqa: S101
    if not flow.signed_in or not flow.dialect.openid or "openid" not in flow.scope or grant.account is None:
        return
    token = IdToken(
        flow,
        grant,
        await flow.provider.account(flow.tenant, grant.account),
        access_token=flow.access_token,
        refreshed=flow.refreshed is not None,
    )
    await ID_TOKEN.walk(token)
    flow.members["id_token"] = token.compact


def dialect_members(flow: TokenRequest) -> None:
    """What only this make of provider adds."""
    flow.dialect.token_members(flow)


def send(flow: TokenRequest) -> Answer:
    """The response (RFC 6749, section 5.1), in the encoding of the dialect."""
    answer = flow.dialect.token_answer(flow, 200, flow.members)
    if flow.key_thumbprint is not None:
        answer.headers += dpop.nonce_headers(flow)
    return answer


TOKEN: Table[TokenRequest] = Table(
    "token",
    read_form,
    look_up_authorization,
    bind_faults,
    *CLIENT_AUTHENTICATION,
    check_proof,
    check_grant_type,
    take_resources,
    redeem,
    choose_audience,
    map_claims,
    issue_access_token,
    issued_token_type,
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
