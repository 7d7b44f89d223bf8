"""Introspection (RFC 7662): a resource server asks what a token stands for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mock_idp.protocol.access_token import live_token
from mock_idp.protocol.client_authentication import (
    CLIENT_AUTHENTICATION,
    ClientRequest,
    read_form,
    require_authentication,
)
from mock_idp.protocol.errors import OAuthError
from mock_idp.protocol.table import Table
from mock_idp.records import Grant, RefreshToken
from mock_idp.wire.http import json_answer

if TYPE_CHECKING:
    from mock_idp.records import AccessToken
    from mock_idp.wire.http import Answer


@dataclass(slots=True)
class Introspection(ClientRequest):
    """A question about a token.

    Attributes:
        token: as presented.
        access: what stands behind it, where it is a live access token.
        refresh: what stands behind it, where it is a live refresh token of the client that asks.
        document: the answer.

    """

    token: str = ""
    access: AccessToken | None = None
    refresh: RefreshToken | None = None
    document: dict[str, Any] = field(default_factory=lambda: {"active": False})


def read_token(flow: Introspection) -> None:
    """``token``; the hint what kind it is is not needed (section 2.1)."""
    if "token" not in flow.params:
        raise OAuthError("invalid_request", "token is missing", "RFC 7662, section 2.1")
    flow.token = flow.params["token"]


async def find_access_token(flow: Introspection) -> None:
    """Known, not expired, not revoked (section 4)."""
    flow.access, grant = await live_token(flow, flow.token)
    if grant is not None:
        flow.use_grant(grant)


async def find_refresh_token(flow: Introspection) -> None:
    """The same for refresh tokens; only their own client learns of them, and one that was used up is no longer live."""
    if flow.access is not None or flow.client is None:
        return
    store, name = flow.provider.store, flow.tenant.name
    found = await store.get(name, RefreshToken, flow.token)
    if found is None or found.expires_at <= flow.now or found.used_at:
        return
    grant = await store.get(name, Grant, found.grant_id)
    if grant is not None and grant.client_id == flow.client.client_id:
        flow.refresh = found
        flow.use_grant(grant)


def tell_active(flow: Introspection) -> None:
    """``active``; of a token that is not, nothing else is told (section 2.2)."""
    flow.document["active"] = flow.access is not None or flow.refresh is not None


def tell_grant(flow: Introspection) -> None:
    """Whose it is and who gave it: ``client_id``, ``sub``, ``username``, ``iss`` (section 2.2)."""
    grant = flow.grant
    if not flow.document["active"] or grant is None:
        return
    flow.document.update(client_id=grant.client_id, sub=grant.sub, iss=grant.issuer)
    if grant.account is not None:
        flow.document["username"] = grant.account


def tell_scope(flow: Introspection) -> None:
    """``scope``, as one text (section 2.2)."""
    token = flow.access or flow.refresh
    if token is not None:
        flow.document["scope"] = " ".join(token.scope)


def tell_times(flow: Introspection) -> None:
    """``exp`` and ``iat``, numbers (section 2.2)."""
    token = flow.access or flow.refresh
    if token is not None:
        flow.document["exp"] = int(token.expires_at)
    if flow.access is not None:
        flow.document["iat"] = int(flow.access.issued_at)


def tell_audience(flow: Introspection) -> None:
    """``aud``: where it may be used (section 2.2)."""
    if flow.access is not None:
        audience = flow.access.audience
        flow.document["aud"] = audience[0] if len(audience) == 1 else audience


def tell_type(flow: Introspection) -> None:
    """``token_type``, and ``cnf`` where a key has to be proved with each use (RFC 9449, section 6.2)."""
    if flow.access is None:
        return
    thumbprint = flow.access.key_thumbprint
    flow.document["token_type"] = "Bearer" if thumbprint is None else "DPoP"
    if thumbprint is not None:
        flow.document["cnf"] = {"jkt": thumbprint}


def tell_authentication(flow: Introspection) -> None:
    """``auth_time`` and ``acr`` (RFC 9470, section 6.2), and ``act`` (RFC 8693, section 4.1)."""
    grant = flow.grant
    if flow.access is None or grant is None:
        return
    told = {"auth_time": grant.auth_time or None, "acr": grant.acr, "act": grant.actor}
    flow.document.update({name: value for name, value in told.items() if value is not None})


def send(flow: Introspection) -> Answer:
    """JSON (section 2.2)."""
    return json_answer(200, flow.document)


INTROSPECTION: Table[Introspection] = Table(
    "introspection",
    read_form,
    *CLIENT_AUTHENTICATION,
    require_authentication,
    read_token,
    find_access_token,
    find_refresh_token,
    tell_active,
    tell_grant,
    tell_scope,
    tell_times,
    tell_audience,
    tell_type,
    tell_authentication,
    send,
)


def refuse(flow: Introspection, error: OAuthError) -> Answer:
    """As the token endpoint refuses (section 2.3)."""
    return flow.dialect.token_error(flow, error)
