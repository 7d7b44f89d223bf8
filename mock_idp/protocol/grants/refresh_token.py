"""The refresh token grant (RFC 6749, section 6), with rotation and detection of reuse (RFC 9700, section 4.14.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mock_idp.protocol.errors import OAuthError
from mock_idp.protocol.table import Table
from mock_idp.protocol.targets import read_scope
from mock_idp.records import Grant, RefreshToken

if TYPE_CHECKING:
    from mock_idp.protocol.table import Flow
    from mock_idp.protocol.token import TokenRequest


def find_refresh_token(flow: TokenRequest) -> None:
    """Known, and what it was based on not revoked."""
    if "refresh_token" not in flow.params:
        raise OAuthError("invalid_request", "refresh_token is missing", "RFC 6749, section 6")
    if flow.refreshed is None:
        raise OAuthError("invalid_grant", "this refresh token was never issued, or long ago", "RFC 6749, section 5.2")
    if flow.grant is None:
        raise OAuthError("invalid_grant", "this refresh token is revoked", "RFC 6749, section 5.2")


def check_refresh_client(flow: TokenRequest) -> None:
    """Only the client that it was issued to (RFC 6749, section 6). It is not used up by others."""
    assert flow.grant is not None and flow.client is not None  # noqa: S101, PT018
    if flow.grant.client_id != flow.client.client_id:
        raise OAuthError("invalid_grant", "this refresh token was issued to another client", "RFC 6749, section 6")


def check_refresh_fresh(flow: TokenRequest) -> None:
    """By the tenant's clock."""
    assert flow.refreshed is not None  # noqa: S101
    if flow.refreshed.expires_at <= flow.now:
        raise OAuthError("invalid_grant", "this refresh token has expired", "RFC 6749, section 5.2")


def check_refresh_key(flow: TokenRequest) -> None:
    """A public client's is bound to the key that was proved when it was issued (RFC 9449, section 5)."""
    assert flow.refreshed is not None  # noqa: S101
    if flow.refreshed.key_thumbprint not in (None, flow.key_thumbprint):
        raise OAuthError(
            "invalid_grant",
            "this refresh token is bound to a key that the request does not prove",
            "RFC 9449, section 5",
        )


def narrow_scope(flow: TokenRequest) -> None:
    """What was granted, or less where less is asked for (RFC 6749, section 6)."""
    assert flow.refreshed is not None  # noqa: S101
    flow.scope = flow.refreshed.scope
    if "scope" in flow.params:
        flow.scope = read_scope(flow)
        beyond = [value for value in flow.scope if value not in flow.refreshed.scope]
        if beyond:
            raise OAuthError("invalid_scope", f"scope {beyond[0][:80]!r} was not granted", "RFC 6749, section 6")


async def spend_refresh_token(flow: TokenRequest) -> None:
    """Where they rotate it is good once, and a second use revokes the whole family (RFC 9700, section 4.14.2)."""
    store, name = flow.provider.store, flow.tenant.name
    if flow.dialect.refresh(flow.tenant.settings) != "rotate":
        return
    text = flow.params["refresh_token"]
    record, first = await store.spend(name, RefreshToken, text)
    if first and record is not None:
        record.used_at = flow.now
        await store.put(name, text, record, record.expires_at - flow.now)
        flow.refreshed = record
        return
    if record is not None and await _within_grace(flow, record):
        flow.entry.notes.append("refresh-token-reused-within-grace")
        flow.refreshed = record
        return
    if flow.tolerates("refresh-token-reuse"):
        return
    assert flow.grant is not None  # noqa: S101
    await store.delete(name, Grant, flow.grant.id)
    raise OAuthError(
        "invalid_grant",
        "this refresh token was used before; all tokens of its family are revoked",
        "RFC 9700, section 4.14.2",
    )


async def _within_grace(flow: Flow, record: RefreshToken) -> bool:
    """Was it used just now, and its successor not yet? Then the answer got lost, or two requests met."""
    if record.successor is None:
        return False
    successor = await flow.provider.store.get(flow.tenant.name, RefreshToken, record.successor)
    # Of two requests that meet, the second may come before the first has written down when it was.
    recent = record.used_at == 0 or flow.now < record.used_at + flow.tenant.settings.refresh_grace
    return recent and (successor is None or successor.used_at == 0)


def keep_signed_in(flow: TokenRequest) -> None:
    """The person of the first token response is still the one."""
    flow.signed_in = True


REFRESH_TOKEN: Table[TokenRequest] = Table(
    "refresh token grant",
    find_refresh_token,
    check_refresh_client,
    check_refresh_fresh,
    check_refresh_key,
    narrow_scope,
    spend_refresh_token,
    keep_signed_in,
)


# --- issuing ----------------------------------------------------------------------------------------------------------


async def new_refresh_token(flow: TokenRequest) -> str:
    """The first of a family, or the successor of the one that was used.

    A family ends at a fixed time: what comes later in it lives no longer than the first one would have.
    """
    settings, grant, used = flow.tenant.settings, flow.grant, flow.refreshed
    assert grant is not None and flow.client is not None  # noqa: S101, PT018
    store, name = flow.provider.store, flow.tenant.name
    text = used.successor if used is not None and used.successor is not None else flow.dialect.refresh_token()
    if used is not None and used.successor is not None and await store.get(name, RefreshToken, text) is not None:
        return text
    lifetime = settings.lifetimes.refresh_token if used is None else used.expires_at - flow.now
    rotates = flow.dialect.refresh(settings) == "rotate"
    record = RefreshToken(
        grant_id=grant.id,
        expires_at=flow.now + lifetime,
        scope=grant.scope if used is None else used.scope,
        successor=flow.dialect.refresh_token() if settings.refresh_grace and rotates else None,
        key_thumbprint=flow.key_thumbprint if flow.method == "none" else None,
    )
    await store.put(name, text, record, lifetime)
    return text
