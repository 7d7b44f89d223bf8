"""How records look from outside: everything but secrets, passwords and private keys."""

from __future__ import annotations

import time
from dataclasses import fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mock_idp.records import Account, Armed, Client, Lifetimes, Settings
from mock_idp.schema import schema_of
from mock_idp.tenants import CLIENT_FIXED, ClockChange

if TYPE_CHECKING:
    from mock_idp.keys.ring import KeyRef
    from mock_idp.records import Clock, Tenant


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
    try:
        at = datetime.fromtimestamp(now, UTC).isoformat()
    except (ValueError, OverflowError, OSError):  # advanced beyond the year 9999
        at = None
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


# --- what OpenAPI says of them ----------------------------------------------------------------------------------------

SETTINGS = schema_of(Settings)
SETTINGS_PATCH = schema_of(Settings, partial=True)
SETTINGS_PATCH["properties"]["lifetimes"] = schema_of(Lifetimes, partial=True)
CLIENT = schema_of(Client, without=CLIENT_FIXED)
CLIENT_PATCH = schema_of(Client, without=CLIENT_FIXED, partial=True)
ACCOUNT = schema_of(Account, without=("name",))
ACCOUNT_PATCH = schema_of(Account, without=("name",), partial=True)
FAULT = schema_of(Armed, without=("id", "seen"))
CLOCK = schema_of(ClockChange, partial=True)
TENANT = {
    **SETTINGS,
    "properties": {
        "name": {"type": "string", "description": "Segments with / between them; without it one is made up."},
        **SETTINGS["properties"],
        "clients": {"type": "object", "additionalProperties": CLIENT, "description": "By client id."},
        "accounts": {
            "type": "object",
            "additionalProperties": ACCOUNT,
            "description": "By the name they sign in with.",
        },
        "clock": CLOCK,
        "faults": {
            "type": "array",
            "items": {"anyOf": [FAULT, {"type": "string"}]},
            "description": "Armed at the start.",
        },
    },
}


def _shown(schema: dict[str, Any], hidden: str, **more: Any) -> dict[str, Any]:
    members = {name: value for name, value in schema["properties"].items() if name != hidden}
    return {"type": "object", "properties": {**members, f"has_{hidden}": {"type": "boolean"}, **more}}


_TEXT = {"type": "string"}
CLIENT_SHOWN = _shown(CLIENT, "secret", client_id=_TEXT, registered={"type": "boolean"})
ACCOUNT_SHOWN = _shown(ACCOUNT, "password", name=_TEXT)
CLOCK_SHOWN = {
    "type": "object",
    "properties": {
        "now": {"type": "number", "description": "Seconds since 1970."},
        "at": {"anyOf": [_TEXT, {"type": "null"}], "description": "The same as RFC 3339."},
        "frozen": {"type": "boolean"},
    },
}
FAULT_SHOWN = {"type": "object", "properties": {**FAULT["properties"], "id": _TEXT, "seen": {"type": "integer"}}}
KEY_SHOWN = {"type": "object", "properties": {"kid": _TEXT, "alg": _TEXT, "state": _TEXT}}
TENANT_SHOWN = {
    "type": "object",
    "properties": {
        "name": _TEXT,
        "issuer": _TEXT,
        "settings": {"type": "object", "properties": SETTINGS["properties"]},
        "clients": {"type": "object", "additionalProperties": CLIENT_SHOWN},
        "accounts": {"type": "object", "additionalProperties": ACCOUNT_SHOWN},
        "keys": {"type": "array", "items": KEY_SHOWN},
        "clock": CLOCK_SHOWN,
        "faults": {"type": "array", "items": FAULT_SHOWN},
    },
}
