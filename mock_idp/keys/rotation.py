"""Rotation of the keys of a stored tenant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mock_idp.keys.ring import BRINGS_KEY, make

if TYPE_CHECKING:
    from mock_idp.keys.ring import Algorithm, KeyRef, Rotation
    from mock_idp.records import Tenant
    from mock_idp.store import Store


async def rotate(store: Store, name: str, mode: Rotation, alg: Algorithm | None = None) -> None:
    """Change a tenant's keys in one call (see `KeyRing.rotate` for the modes).

    Args:
        store: where the tenant lives.
        name: the tenant's.
        mode: what happens.
        alg: whose keys; None is every algorithm that the tenant has keys for.

    Raises:
        KeyError: there is no such tenant.
        ValueError: ``use`` where nothing is announced, or no such mode.
    """
    tenant = await _tenant(store, name)
    for each in [alg] if alg else tenant.keys.algorithms():
        new = await new_key(store, name, each) if mode in BRINGS_KEY else None
        await _change(store, name, mode, each, new)


async def _change(store: Store, name: str, mode: Rotation, alg: Algorithm, new: KeyRef | None) -> None:
    def edit(tenant: Tenant) -> None:
        tenant.keys.rotate(mode, alg, new)

    await store.change(name, edit)


async def new_key(store: Store, name: str, alg: Algorithm) -> KeyRef:
    """The next key of a tenant, which no other tenant has; not in its ring yet.

    Raises:
        KeyError: there is no such tenant.
    """
    ring = (await _tenant(store, name)).keys
    return await make(name, alg, ring.made, await taken_slots(store))


async def signing_key(store: Store, tenant: Tenant, alg: Algorithm) -> KeyRef:
    """The tenant's key for an algorithm; where it has none it gets one, which its JWKS lists from then on.

    Raises:
        KeyError: there is no such tenant.
    """
    try:
        return tenant.keys.active(alg)
    except LookupError:
        new = await new_key(store, tenant.name, alg)

    def install(there: Tenant) -> KeyRef:
        try:
            return there.keys.active(alg)
        except LookupError:
            there.keys.install(new, "active")
            return new

    return await store.change(tenant.name, install)


async def taken_slots(store: Store) -> set[int]:
    """Slots of the key pool that tenants hold."""
    tenants = [await store.tenant(name) for name in await store.names()]
    return set[int]().union(*(tenant.keys.slots() for tenant in tenants if tenant is not None))


async def _tenant(store: Store, name: str) -> Tenant:
    tenant = await store.tenant(name)
    if tenant is None:
        raise KeyError(name)
    return tenant
