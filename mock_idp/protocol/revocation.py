"""Revocation (RFC 7009), with effect: a revoked token is dead at once."""

from __future__ import annotations

from dataclasses import dataclass

from mock_idp.protocol.client_authentication import CLIENT_AUTHENTICATION, ClientRequest, read_form
from mock_idp.protocol.errors import OAuthError
from mock_idp.protocol.table import Table
from mock_idp.records import AccessToken, Grant, RefreshToken
from mock_idp.wire.http import NO_STORE, Answer


@dataclass(slots=True)
class Revocation(ClientRequest):
    """A client gives a token back.

    Attributes:
        token: as presented.
        access: what stands behind it, where it is an access token.
        refresh: what stands behind it, where it is a refresh token.

    """

    token: str = ""
    access: AccessToken | None = None
    refresh: RefreshToken | None = None


def read_token(flow: Revocation) -> None:
    """``token``; the hint what kind it is is not needed (section 2.1)."""
    if "token" not in flow.params:
        raise OAuthError("invalid_request", "token is missing", "RFC 7009, section 2.1")
    flow.token = flow.params["token"]


async def find_token(flow: Revocation) -> None:
    """A token that nobody knows is as good as revoked (section 2.2)."""
    store, name = flow.provider.store, flow.tenant.name
    flow.access = await store.get(name, AccessToken, flow.token)
    flow.refresh = await store.get(name, RefreshToken, flow.token)
    found = flow.access or flow.refresh
    grant = await store.get(name, Grant, found.grant_id) if found else None
    if grant is not None:
        flow.use_grant(grant)


def check_owner(flow: Revocation) -> None:
    """Only the client that it was issued to (section 2.1)."""
    assert flow.client is not None  # noqa: S101 # it was found before
    if flow.grant is not None and flow.grant.client_id != flow.client.client_id:
        raise OAuthError("invalid_grant", "this token was issued to another client", "RFC 7009, section 2.1")


async def revoke_access_token(flow: Revocation) -> None:
    """The token itself, and nothing else of its grant (section 2.1)."""
    if flow.access is not None:
        await flow.provider.store.delete(flow.tenant.name, AccessToken, flow.token)


async def revoke_refresh_token(flow: Revocation) -> None:
    """The whole grant, hence all its access tokens too (section 2.1)."""
    if flow.refresh is not None:
        await flow.provider.store.delete(flow.tenant.name, Grant, flow.refresh.grant_id)


def send(_: Revocation) -> Answer:
    """200 and nothing else (section 2.2)."""
    return Answer(200, [*NO_STORE])


REVOCATION: Table[Revocation] = Table(
    "revocation",
    read_form,
    *CLIENT_AUTHENTICATION,
    read_token,
    find_token,
    check_owner,
    revoke_access_token,
    revoke_refresh_token,
    send,
)


def refuse(flow: Revocation, error: OAuthError) -> Answer:
    """As the token endpoint refuses (section 2.2.1)."""
    return flow.dialect.token_error(flow, error)
