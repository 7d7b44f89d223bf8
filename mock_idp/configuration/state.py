"""The state of tenants as a document: snapshots, and dumps of a whole run.

A document holds everything, secrets and private keys included: it is for giving back, not for showing. The journal is
no part of it, nor are codes and tokens that were used up, which stay refused either way.
"""

from __future__ import annotations

import dataclasses
import json
import time
from typing import TYPE_CHECKING, Any, get_args

from mock_idp.configuration.reading import DocumentError, join
from mock_idp.configuration.tenants import check_name
from mock_idp.records import Record, Tenant
from mock_idp.store import codec

if TYPE_CHECKING:
    from mock_idp.provider import Provider

FORMAT = "mock_idp state 1"
TABLES: dict[str, type[Any]] = {kind.__name__: kind for kind in get_args(Record)}
MARGIN = 600.0
"""Seconds that a record outlives its own expiry, so that lateness is told as such."""


async def snapshot(provider: Provider, name: str) -> dict[str, Any]:
    """One tenant as a document.

    Raises:
        KeyError: there is no such tenant.

    """
    tenant = await provider.store.tenant(name)
    if tenant is None:
        raise KeyError(name)
    records = {}
    for table, kind in TABLES.items():
        found = await provider.store.records(name, kind)
        if found:
            records[table] = {key: _plain(record) for key, record in found.items()}
    return {"format": FORMAT, "tenant": _plain(tenant), "records": records}


async def restore(provider: Provider, name: str, document: Any, where: str = "") -> None:
    """Make a tenant what a document says; what happened since is gone, except for the journal.

    Raises:
        DocumentError: it is no snapshot.

    """
    check_name(name, where)
    then, rows = _read(name, document, where)
    if await provider.store.tenant(name) is None:
        await provider.make(then)
    else:
        await provider.store.change(name, lambda tenant: _become(tenant, then))
    for kind in TABLES.values():
        for key in await provider.store.records(name, kind):
            await provider.store.delete(name, kind, key)
    now = then.clock.now(time.time())
    for key, record in rows:
        await provider.store.delete(name, type(record), key)  # one that was used since is good again
        await provider.store.put(name, key, record, _lifetime(record, then, now))


async def dump(provider: Provider) -> dict[str, Any]:
    """All tenants as a document."""
    return {
        "format": FORMAT,
        "tenants": {name: await snapshot(provider, name) for name in await provider.store.names()},
    }


async def load(provider: Provider, document: Any) -> None:
    """Bring back the tenants of a dump; others stay as they are.

    Raises:
        DocumentError: it is no dump.

    """
    _check_format(document, "")
    tenants = document.get("tenants")
    if not isinstance(tenants, dict):
        raise DocumentError("tenants", "expected the tenants of a dump, by name")
    for name, one in tenants.items():
        await restore(provider, name, one, join("tenants", name))


def _plain(record: Any) -> Any:
    return json.loads(codec.dump(record))


def _check_format(document: Any, where: str) -> None:
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise DocumentError(where, f"this is no state of a tenant: expected an object whose format is {FORMAT!r}")


def _read(name: str, document: Any, where: str) -> tuple[Tenant, list[tuple[str, Any]]]:
    _check_format(document, where)
    try:
        tenant = codec.load(Tenant, json.dumps(document["tenant"]).encode())
        rows = [
            (key, codec.load(TABLES[table], json.dumps(record).encode()))
            for table, records in document["records"].items()
            for key, record in records.items()
        ]
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise DocumentError(where, f"this state was damaged, or is of another release: {error}"[:200]) from None
    return dataclasses.replace(tenant, name=name), rows


def _become(tenant: Tenant, then: Tenant) -> None:
    for field in dataclasses.fields(Tenant):
        if field.name not in {"name", "version"}:
            setattr(tenant, field.name, getattr(then, field.name))


def _lifetime(record: Any, tenant: Tenant, now: float) -> float:
    ends = getattr(record, "expires_at", None)
    if ends is None:  # a grant lives as long as what points at it
        return float(tenant.settings.lifetimes.refresh_token)
    return max(0.0, float(ends) - now) + MARGIN
