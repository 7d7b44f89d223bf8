"""How records look from outside: everything but secrets, passwords and private keys."""

from __future__ import annotations

import time
from dataclasses import fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mock_idp.keys.ring import KeyRef
    from mock_idp.records import Account, Client, Clock, Tenant


def _members(record: Any) -> dict[str, Any]:
    return {field.name: getattr(record, field.name) for field in fields(record)}


def client_view(client: Client) -> dict[str, Any]:
    """A client; `has_secret` stands for its secret."""
    shown = _members(client)
    del shown["registration_token"]
    shown["has_secret"] = shown.pop("secret") is not None
    return shown


def account_view(account: Account) -> dict[str, Any]:
    """An account; `has_password` stands for its password."""
    shown = _members(account)
    shown["has_password"] = shown.pop("password") is not None
    return shown


def key_view(key: KeyRef) -> dict[str, Any]:
    """A key without its private half."""
    return {"kid": key.kid, "alg": key.alg, "state": key.state}


def clock_view(clock: Clock) -> dict[str, Any]:
    """What a tenant's clock shows now."""
    now = clock.now(time.time())
    at = datetime.fromtimestamp(now, UTC).isoformat()
    return {"now": now, "at": at, "frozen": clock.frozen is not None}


def tenant_view(tenant: Tenant, issuer: str) -> dict[str, Any]:
    """A tenant with all that is configured in it."""
    return {
        "name": tenant.name,
        "issuer": issuer,
        "settings": tenant.settings,
        "clients": {name: client_view(client) for name, client in tenant.clients.items()},
        "accounts": {name: account_view(account) for name, account in tenant.accounts.items()},
        "keys": [key_view(key) for key in tenant.keys.keys],
        "clock": clock_view(tenant.clock),
        "faults": tenant.armed,
    }
