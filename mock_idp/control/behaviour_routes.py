"""What a tenant does: faults, keys, clock, and logout."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, HTTPException, Path, Response

from mock_idp.configuration.reading import DocumentError, read
from mock_idp.configuration.tenants import read_clock, read_fault
from mock_idp.control import views
from mock_idp.control.wire import Body, Chosen, Controlled, decoded, gives, missing, nothing, say, takes
from mock_idp.keys import rotation
from mock_idp.keys.ring import Algorithm, Rotation  # noqa: TC001 # `read` looks at the hints
from mock_idp.protocol.errors import OAuthError
from mock_idp.protocol.logout import send_logout

if TYPE_CHECKING:
    from mock_idp.records import Clock, Tenant

router = APIRouter()


@router.get("/faults", tags=["faults"], responses=gives("All of them.", "Catalogue"))
async def list_catalogue(provider: Controlled) -> Response:
    """List every fault there is."""
    return say(
        [
            {key: getattr(fault, key) for key in ("name", "sentence", "correct", "positive", "of_tenant", "takes")}
            for fault in provider.faults.FAULTS.values()
        ]
    )


@router.get(
    "/tenants/{tenant}/faults",
    tags=["faults"],
    responses=gives("Armed ones.", "FaultsShown"),
)
async def list_faults(tenant: Chosen) -> Response:
    """List the faults that wait in a tenant, and how many requests each has seen."""
    return say(tenant.armed)


@router.post(
    "/tenants/{tenant}/faults",
    status_code=201,
    tags=["faults"],
    openapi_extra=takes("Fault"),
    responses=gives("As armed.", "FaultShown", 201),
)
async def arm_fault(provider: Controlled, tenant: Chosen, body: Body) -> Response:
    """Arm a fault: for all requests, for those that match, once, some times, or until it is removed."""
    armed = read_fault(body)
    await provider.store.change(tenant.name, lambda tenant: tenant.armed.append(armed))
    return say(armed, 201)


@router.delete("/tenants/{tenant}/faults", status_code=204, tags=["faults"])
async def remove_faults(provider: Controlled, tenant: Chosen) -> Response:
    """Disarm all faults of a tenant."""
    await provider.store.change(tenant.name, lambda tenant: tenant.armed.clear())
    return nothing()


@router.delete("/tenants/{tenant}/faults/{fault}", status_code=204, tags=["faults"])
async def remove_fault(
    provider: Controlled, tenant: Chosen, fault: Annotated[str, Path(description="The id it was armed with.")]
) -> Response:
    """Disarm one fault; one that has struck as often as it should is gone already."""
    armed_id = decoded(fault)

    def edit(tenant: Tenant) -> None:
        kept = [armed for armed in tenant.armed if armed.id != armed_id]
        if len(kept) == len(tenant.armed):
            raise missing("armed fault", armed_id, [])
        tenant.armed = kept

    await provider.store.change(tenant.name, edit)
    return nothing()


# --- keys -------------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Rotate:
    """A change of keys.

    Attributes:
        mode: announce (a new key is published, the old one signs), use (the announced key signs, the old one stays
            published), swap (a new key signs, the old one is gone at once), retire (keys that no longer sign are
            gone), unknown (a key signs that is never published).
        alg: the algorithm whose keys change; all that the tenant has keys for where none is named.

    """

    mode: Rotation
    alg: Algorithm | None = None


@router.get("/tenants/{tenant}/keys", tags=["keys"], responses=gives("Oldest first.", "Keys"))
async def list_keys(tenant: Chosen) -> Response:
    """List a tenant's keys, published or not."""
    return say([views.key_view(key) for key in tenant.keys.keys])


@router.post(
    "/tenants/{tenant}/keys/rotate",
    tags=["keys"],
    openapi_extra=takes("Rotate"),
    responses=gives("All keys afterwards.", "Keys"),
)
async def rotate_keys(provider: Controlled, tenant: Chosen, body: Body) -> Response:
    """Change a tenant's keys in one step."""
    asked = read(Rotate, body)
    if asked.alg is not None and asked.alg not in tenant.keys.algorithms():
        raise HTTPException(409, f"the tenant has no {asked.alg} key; its signing_alg is {tenant.settings.signing_alg}")
    try:
        await rotation.rotate(provider.store, tenant.name, asked.mode, asked.alg)
    except ValueError as error:
        raise HTTPException(409, str(error)) from None
    changed = await provider.store.tenant(tenant.name)
    return say([views.key_view(key) for key in changed.keys.keys] if changed else [])


# --- clock ------------------------------------------------------------------------------------------------------------


@router.get("/tenants/{tenant}/clock", tags=["clock"], responses=gives("The time.", "ClockShown"))
async def get_clock(tenant: Chosen) -> Response:
    """What time it is for a tenant."""
    return say(views.clock_view(tenant.clock))


@router.patch(
    "/tenants/{tenant}/clock",
    tags=["clock"],
    openapi_extra=takes("Clock"),
    responses=gives("The time afterwards.", "ClockShown"),
)
async def change_clock(provider: Controlled, tenant: Chosen, body: Body) -> Response:
    """Set, advance, freeze or release a tenant's clock. It never goes back."""

    def edit(tenant: Tenant) -> Clock:
        tenant.clock = read_clock(body, tenant.clock, wall=time.time())
        return tenant.clock

    return say(views.clock_view(await provider.store.change(tenant.name, edit)))


# --- logout -----------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Logout:
    """Whose sessions have ended.

    Attributes:
        account: all sessions of this account.
        sub: all sessions of this subject.
        sid: this session.
        client: tell this client only, whether it took part or not.
        faults: what is wrong with the logout tokens.

    """

    account: str | None = None
    sub: str | None = None
    sid: str | None = None
    client: str | None = None
    faults: list[str] | None = None


@router.post(
    "/tenants/{tenant}/logout",
    tags=["logout"],
    openapi_extra=takes("Logout"),
    responses=gives("Each client that was told, and what it answered.", "Told"),
)
async def log_out(provider: Controlled, tenant: Chosen, body: Body) -> Response:
    """Send logout tokens to clients (OpenID Connect Back-Channel Logout 1.0)."""
    asked = read(Logout, body)
    sub = asked.sub
    if asked.account is not None:
        if asked.account not in tenant.accounts:
            raise missing("account", asked.account, tenant.accounts)
        sub = tenant.accounts[asked.account].sub
    if sub is None and asked.sid is None:
        raise DocumentError("account", "missing; name an account, a sub or a sid")
    if asked.client is not None and asked.client not in tenant.clients:
        raise missing("client", asked.client, tenant.clients)
    try:
        told = await send_logout(
            provider, tenant, sid=asked.sid, sub=sub, client=asked.client, faults=asked.faults or ()
        )
    except OAuthError as error:
        raise DocumentError("faults", error.description) from None
    return say({"told": told})
