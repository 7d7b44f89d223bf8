"""The device code grant (RFC 8628): what the device asks, and what the person decides."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING

from mock_idp.protocol.errors import OAuthError
from mock_idp.protocol.table import Table
from mock_idp.records import DeviceCode, Grant, Polling, UserCode, unguessable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mock_idp.protocol.token import TokenRequest
    from mock_idp.provider import Provider
    from mock_idp.records import Account, Tenant

SLOWER_S = 5
"""By how much the interval grows each time a device asks too soon (section 3.5)."""
TIMER_SLACK_S = 0.1
"""Timers of some systems go off a little early."""
USER_CODE_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
"""No vowels, so that no words come out (section 6.1)."""
_HALF = 4
REMEMBERED = 10
"""For how many lifetimes a code is known, so that one that has expired is not taken for one never issued."""


# --- the device -------------------------------------------------------------------------------------------------------


def find_device_code(flow: TokenRequest) -> None:
    """Known; `look_up_authorization` has looked."""
    if "device_code" not in flow.params:
        raise OAuthError("invalid_request", "device_code is missing", "RFC 8628, section 3.4")
    if flow.device is None:
        raise OAuthError("invalid_grant", "this device code was never issued, or long ago", "RFC 6749, section 5.2")


def check_device_client(flow: TokenRequest) -> None:
    """Only the client that it was issued to (section 3.4)."""
    assert flow.device is not None and flow.client is not None  # noqa: S101, PT018
    if flow.device.client_id != flow.client.client_id:
        raise OAuthError("invalid_grant", "this device code was issued to another client", "RFC 8628, section 3.4")


def check_device_fresh(flow: TokenRequest) -> None:
    """By the tenant's clock (section 3.5)."""
    assert flow.device is not None  # noqa: S101
    if flow.device.expires_at <= flow.now:
        raise OAuthError("expired_token", "this device code has expired; ask for a new one", "RFC 8628, section 3.5")


def refuse_denied(flow: TokenRequest) -> None:
    """The person said no (section 3.5)."""
    assert flow.device is not None  # noqa: S101
    if flow.device.denied:
        raise OAuthError("access_denied", "the user said no", "RFC 8628, section 3.5")


async def keep_pace(flow: TokenRequest) -> None:
    """Who asks again before the interval is over has to wait longer from now on (section 3.5)."""
    assert flow.device is not None  # noqa: S101
    if flow.device.grant is not None:
        return
    store, name, code = flow.provider.store, flow.tenant.name, flow.params["device_code"]
    last = await store.get(name, Polling, code)
    interval = last.interval if last else flow.tenant.settings.device_interval
    # Time passes for a test that moves the tenant's clock, and for a device that waits although that clock stands.
    elapsed = max(flow.now - last.at, flow.entry.at - last.machine_at) if last else float(interval)
    early = elapsed < interval - TIMER_SLACK_S
    polling = Polling(flow.now, flow.entry.at, interval + SLOWER_S if early else interval)
    await store.put(name, code, polling, flow.tenant.settings.lifetimes.device_code * REMEMBERED)
    if early:
        raise OAuthError(
            "slow_down",
            f"asked again after {max(elapsed, 0):.1f} seconds; {interval} were agreed, now it is {polling.interval}",
            "RFC 8628, section 3.5",
        )


def wait_for_decision(flow: TokenRequest) -> None:
    """Nobody has decided yet (section 3.5)."""
    assert flow.device is not None  # noqa: S101
    if flow.device.grant is None:
        raise OAuthError("authorization_pending", "the user has not decided yet", "RFC 8628, section 3.5")


async def check_decision_stands(flow: TokenRequest) -> None:
    """What was allowed may have been taken back since, as by signing out."""
    assert flow.grant is not None  # noqa: S101 # somebody has decided
    if await flow.provider.store.get(flow.tenant.name, Grant, flow.grant.id) is None:
        raise OAuthError("invalid_grant", "what this device code stands for is revoked", "RFC 6749, section 5.2")


async def spend_device_code(flow: TokenRequest) -> None:
    """Once decided it gives tokens once."""
    record, first = await flow.provider.store.spend(flow.tenant.name, DeviceCode, flow.params["device_code"])
    if record is None or not first:
        raise OAuthError("invalid_grant", "this device code was used before", "RFC 6749, section 5.2")


def take_grant(flow: TokenRequest) -> None:
    """All that the person has allowed."""
    assert flow.grant is not None  # noqa: S101
    flow.scope = flow.grant.scope
    flow.signed_in = True


DEVICE_CODE: Table[TokenRequest] = Table(
    "device code grant",
    find_device_code,
    check_device_client,
    check_device_fresh,
    refuse_denied,
    keep_pace,
    wait_for_decision,
    check_decision_stands,
    spend_device_code,
    take_grant,
)


# --- the person -------------------------------------------------------------------------------------------------------


def new_user_code() -> str:
    """Two groups of four letters, easily read and typed (section 6.1)."""
    letters = [secrets.choice(USER_CODE_LETTERS) for _ in range(2 * _HALF)]
    return f"{''.join(letters[:_HALF])}-{''.join(letters[_HALF:])}"


def normal_user_code(typed: str) -> str:
    """A user code as it is kept: whoever types it may leave out the hyphen, or use small letters (section 6.1)."""
    return "".join(letter for letter in typed.upper() if letter.isalnum())


async def find_device(provider: Provider, tenant: Tenant, user_code: str, now: float) -> DeviceCode:
    """What a user code stands for, so that a page can say who asks for what.

    Args:
        provider: that gave out the code.
        tenant: in which it did.
        user_code: as typed.
        now: the tenant's time.

    Raises:
        OAuthError: there is no such code, it has expired, or was decided about before.

    """
    leads_to = await provider.store.get(tenant.name, UserCode, normal_user_code(user_code))
    device = await provider.store.get(tenant.name, DeviceCode, leads_to.device_code) if leads_to else None
    if device is None:
        raise OAuthError("invalid_request", "no device shows this code; look at it again", "RFC 8628, section 3.3")
    if device.expires_at <= now:
        raise OAuthError(
            "expired_token", "this code has expired; let the device show a new one", "RFC 8628, section 3.3"
        )
    if device.grant is not None or device.denied:
        raise OAuthError("invalid_request", "this code was used before", "RFC 8628, section 3.3")
    return device


async def decide_device(  # noqa: PLR0913 # who, what, when and how are different things
    provider: Provider,
    tenant: Tenant,
    user_code: str,
    account: Account | None,
    *,
    now: float,
    auth_time: float | None = None,
    sid: str | None = None,
    acr: str | None = None,
    faults: Iterable[str] = (),
) -> DeviceCode:
    """Let a person allow or deny what a device asks for. A code can be decided about once.

    Args:
        provider: that gave out the code.
        tenant: in which it did.
        user_code: as typed.
        account: who allows it; None denies it.
        now: the tenant's time.
        auth_time: when the person signed in; None is now.
        sid: of the sign-in session.
        acr: how well the person has authenticated.
        faults: that the person signed in with.

    Returns:
        what was decided about.

    Raises:
        OAuthError: there is no such code, it has expired, or was decided about before.

    """
    device = await find_device(provider, tenant, user_code, now)
    leads_to, first = await provider.store.spend(tenant.name, UserCode, normal_user_code(user_code))
    if leads_to is None or not first:
        raise OAuthError("invalid_request", "this code was used before", "RFC 8628, section 3.3")
    if account is None:
        decided = replace(device, denied=True)
    else:
        decided = replace(device, grant=_grant(provider, tenant, device, account, now))
        assert decided.grant is not None  # noqa: S101 # just made
        decided.grant.auth_time = int(now if auth_time is None else auth_time)
        decided.grant.sid, decided.grant.acr = sid, acr
        decided.grant.faults = [*device.faults, *faults]
        await provider.keep_grant(tenant, decided.grant)
    lifetime = tenant.settings.lifetimes.device_code * REMEMBERED
    await provider.store.put(tenant.name, leads_to.device_code, decided, lifetime)
    return decided


def _grant(provider: Provider, tenant: Tenant, device: DeviceCode, account: Account, now: float) -> Grant:
    return Grant(
        id=unguessable(),
        client_id=device.client_id,
        account=account.name,
        sub=provider.dialect(tenant).sub(account),
        scope=device.scope,
        created_at=now,
        issuer=device.issuer,
        audience=device.resources,
    )
