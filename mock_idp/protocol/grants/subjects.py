"""Whom a token that somebody presents speaks of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mock_idp.keys.ring import jwk

if TYPE_CHECKING:
    from mock_idp.protocol.table import Flow
    from mock_idp.records import Account


async def account_of(flow: Flow, sub: str) -> Account:
    """The account with that subject identifier, or else of that name; where the tenant is not strict, it is made.

    Raises:
        OAuthError: the tenant is strict and does not know it.

    """
    for account in flow.tenant.accounts.values():
        if flow.dialect.sub(account) == sub:
            return account
    return await flow.provider.account(flow.tenant, sub)


def own_keys(flow: Flow) -> dict[str, Any]:
    """All keys that the tenant signs with or did, as a JWK Set."""
    return {"keys": [jwk(key) for key in flow.tenant.keys.keys]}
