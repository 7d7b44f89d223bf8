"""What people have allowed a client before: makes that ask once do not ask again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mock_idp.protocol.authorization.person import ask_consent
from mock_idp.records import Approval, approval_key

if TYPE_CHECKING:
    from mock_idp.protocol.authorization import Authorization
    from mock_idp.protocol.table import Flow
    from mock_idp.wire.http import Answer

_LIFETIME = 366 * 24 * 3600


async def approved(flow: Authorization) -> list[str] | None:
    """The scopes that this account has allowed this client so far; None where it has never been asked."""
    assert flow.account is not None  # noqa: S101 # somebody was chosen
    assert flow.client is not None  # noqa: S101 # every authorization has a client
    found = await flow.provider.store.get(
        flow.tenant.name, Approval, approval_key(flow.account.name, flow.client.client_id)
    )
    return found.scope if found is not None else None


async def remember(flow: Authorization, scope: list[str]) -> None:
    """Keep what was allowed, beside what was allowed before."""
    assert flow.account is not None  # noqa: S101 # somebody was chosen
    assert flow.client is not None  # noqa: S101 # every authorization has a client
    together = list(dict.fromkeys([*(await approved(flow) or []), *scope]))
    key = approval_key(flow.account.name, flow.client.client_id)
    await flow.provider.store.put(flow.tenant.name, key, Approval(together), _LIFETIME)


async def remember_approval(flow: Authorization) -> None:
    """What was allowed now is approved from here on."""
    await remember(flow, flow.scope)


async def forget(flow: Flow, account: str, client_id: str) -> None:
    """The person takes it back: the next authorization asks again."""
    await flow.provider.store.delete(flow.tenant.name, Approval, approval_key(account, client_id))


async def ask_consent_once(flow: Authorization) -> Answer | None:
    """Whoever has allowed all this before is not asked again, unless the client wants it (``prompt=consent``)."""
    before = await approved(flow)
    if before is not None and set(flow.scope) <= set(before) and "consent" not in flow.prompt:
        return None
    return await ask_consent(flow)
