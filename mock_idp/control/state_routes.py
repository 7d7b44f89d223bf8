"""Snapshots, resets, and dumps of everything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, Response

from mock_idp.configuration import state
from mock_idp.control.wire import Body, Chosen, Controlled, gives, nothing, say, takes
from mock_idp.records import Clock

if TYPE_CHECKING:
    from mock_idp.records import Tenant

router = APIRouter(tags=["state"])


@router.get("/tenants/{tenant}/state", responses=gives("The state.", "State"))
async def take_snapshot(provider: Controlled, tenant: Chosen) -> Response:
    """Take a snapshot of a tenant: settings, clients, accounts, keys, clock, faults, sessions, grants and tokens."""
    return say(await state.snapshot(provider, tenant.name))


@router.put("/tenants/{tenant}/state", status_code=204, openapi_extra=takes("State"))
async def restore_snapshot(provider: Controlled, tenant: Chosen, body: Body) -> Response:
    """Make a tenant what a snapshot says."""
    await state.restore(provider, tenant.name, body)
    return nothing()


@router.post("/tenants/{tenant}/reset", status_code=204)
async def reset(provider: Controlled, tenant: Chosen) -> Response:
    """Forget sessions, grants, tokens, journal and faults, and let the clock tell the machine's time again.

    Settings, clients, accounts and keys stay.
    """

    def edit(tenant: Tenant) -> None:
        tenant.armed = []
        tenant.clock = Clock()

    await provider.store.change(tenant.name, edit)
    await provider.store.clear(tenant.name)
    return nothing()


@router.get("/state", responses=gives("The state of all tenants.", "State"))
async def dump(provider: Controlled) -> Response:
    """Dump the state of all tenants."""
    return say(await state.dump(provider))


@router.put("/state", status_code=204, openapi_extra=takes("State"))
async def load(provider: Controlled, body: Body) -> Response:
    """Load the tenants of a dump; others stay as they are."""
    await state.load(provider, body)
    return nothing()
