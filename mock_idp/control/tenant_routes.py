"""Tenants, and the clients and accounts in them."""

from __future__ import annotations

import copy
import secrets
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Request, Response

from mock_idp.configuration.reading import DocumentError
from mock_idp.configuration.tenants import (
    check_auto_approve,
    check_name,
    patched_account,
    patched_client,
    patched_settings,
    read_account,
    read_client,
    read_tenant,
)
from mock_idp.control import views
from mock_idp.control.wire import (
    Body,
    Chosen,
    Controlled,
    base_of,
    decoded,
    gives,
    missing,
    nothing,
    say,
    takes,
)
from mock_idp.keys.rotation import new_key

if TYPE_CHECKING:
    from mock_idp.provider import Provider
    from mock_idp.records import Tenant

router = APIRouter()
Name = Annotated[str, Path(min_length=1, max_length=600, description="A slash in it is written %2F.")]


def _issuer(provider: Provider, tenant: Tenant, request: Request) -> str:
    return provider.addresses.issuer(tenant, base_of(request))


@router.get("/tenants", tags=["tenants"], responses=gives("Names.", "Names"))
async def list_tenants(provider: Controlled) -> Response:
    """List the names of all tenants."""
    return say(await provider.store.names())


@router.post(
    "/tenants",
    status_code=201,
    tags=["tenants"],
    openapi_extra=takes("Tenant"),
    responses=gives("The tenant.", "TenantShown", 201),
)
async def create_tenant(provider: Controlled, body: Body, request: Request) -> Response:
    """Make a tenant; what is not said begins as in a tenant that is made on first use."""
    document = dict(body) if isinstance(body, dict) else body
    name = document.pop("name", None) if isinstance(document, dict) else None
    if name is None:
        name = f"t-{secrets.token_hex(6)}"
    if not isinstance(name, str):
        raise DocumentError("name", "expected text")
    check_name(name, "name")
    tenant = read_tenant(name, document)
    if await provider.store.tenant(name) is not None or await provider.make(tenant) is not tenant:
        raise HTTPException(409, f"there is a tenant {name!r} already; patch or delete it")
    return say(views.tenant_view(tenant, _issuer(provider, tenant, request)), 201)


@router.get("/tenants/{tenant}", tags=["tenants"], responses=gives("The tenant.", "TenantShown"))
async def get_tenant(provider: Controlled, tenant: Chosen, request: Request) -> Response:
    """Show a tenant, but for secrets, passwords and private keys."""
    return say(views.tenant_view(tenant, _issuer(provider, tenant, request)))


@router.patch(
    "/tenants/{tenant}",
    tags=["tenants"],
    openapi_extra=takes("SettingsPatch"),
    responses=gives("The tenant.", "TenantShown"),
)
async def change_settings(provider: Controlled, tenant: Chosen, body: Body, request: Request) -> Response:
    """Change settings of a tenant; those that are not named stay."""
    alg = patched_settings(tenant.settings, body).signing_alg
    new = None if alg in tenant.keys.algorithms() else await new_key(provider.store, tenant.name, alg)

    def edit(tenant: Tenant) -> Tenant:
        settings = patched_settings(tenant.settings, body)
        changed = copy.copy(tenant)
        changed.settings = settings
        check_auto_approve(changed)
        tenant.settings = settings
        if new is not None and alg not in tenant.keys.algorithms():
            tenant.keys.install(new, "active")
        return tenant

    changed = await provider.store.change(tenant.name, edit)
    return say(views.tenant_view(changed, _issuer(provider, changed, request)))


@router.delete("/tenants/{tenant}", status_code=204, tags=["tenants"])
async def drop_tenant(provider: Controlled, tenant: Chosen) -> Response:
    """Drop a tenant with all that belongs to it."""
    await provider.store.drop(tenant.name)
    return nothing()


# --- clients ----------------------------------------------------------------------------------------------------------


@router.get(
    "/tenants/{tenant}/clients",
    tags=["clients"],
    responses=gives("By client id.", "ClientsShown"),
)
async def list_clients(tenant: Chosen) -> Response:
    """List the registered clients."""
    return say({name: views.client_view(client) for name, client in tenant.clients.items()})


@router.get("/tenants/{tenant}/clients/{client}", tags=["clients"], responses=gives("The client.", "ClientShown"))
async def get_client(tenant: Chosen, client: Name) -> Response:
    """Show a client, but for its secret."""
    return say(views.client_view(_found("client", tenant.clients, decoded(client))))


@router.put(
    "/tenants/{tenant}/clients/{client}",
    tags=["clients"],
    openapi_extra=takes("Client"),
    responses=gives("The client.", "ClientShown"),
)
async def put_client(provider: Controlled, tenant: Chosen, client: Name, body: Body) -> Response:
    """Register a client, or register it anew."""
    record = read_client(decoded(client), body)

    def edit(tenant: Tenant) -> None:
        tenant.clients[record.client_id] = record

    await provider.store.change(tenant.name, edit)
    return say(views.client_view(record))


@router.patch(
    "/tenants/{tenant}/clients/{client}",
    tags=["clients"],
    openapi_extra=takes("ClientPatch"),
    responses=gives("The client.", "ClientShown"),
)
async def change_client(provider: Controlled, tenant: Chosen, client: Name, body: Body) -> Response:
    """Change a client; what is not named stays."""
    name = decoded(client)

    def edit(tenant: Tenant) -> dict[str, Any]:
        changed = tenant.clients[name] = patched_client(_found("client", tenant.clients, name), body)
        return views.client_view(changed)

    return say(await provider.store.change(tenant.name, edit))


@router.delete("/tenants/{tenant}/clients/{client}", status_code=204, tags=["clients"])
async def drop_client(provider: Controlled, tenant: Chosen, client: Name) -> Response:
    """Forget a client."""
    name = decoded(client)

    def edit(tenant: Tenant) -> None:
        _found("client", tenant.clients, name)
        del tenant.clients[name]

    await provider.store.change(tenant.name, edit)
    return nothing()


# --- accounts ---------------------------------------------------------------------------------------------------------


@router.get(
    "/tenants/{tenant}/accounts",
    tags=["accounts"],
    responses=gives("By name.", "AccountsShown"),
)
async def list_accounts(tenant: Chosen) -> Response:
    """List the accounts."""
    return say({name: views.account_view(account) for name, account in tenant.accounts.items()})


@router.get("/tenants/{tenant}/accounts/{account}", tags=["accounts"], responses=gives("The account.", "AccountShown"))
async def get_account(tenant: Chosen, account: Name) -> Response:
    """Show an account, but for its password."""
    return say(views.account_view(_found("account", tenant.accounts, decoded(account))))


@router.put(
    "/tenants/{tenant}/accounts/{account}",
    tags=["accounts"],
    openapi_extra=takes("Account"),
    responses=gives("The account.", "AccountShown"),
)
async def put_account(provider: Controlled, tenant: Chosen, account: Name, body: Body) -> Response:
    """Make an account, or make it anew."""
    record = read_account(decoded(account), body)

    def edit(tenant: Tenant) -> None:
        tenant.accounts[record.name] = record

    await provider.store.change(tenant.name, edit)
    return say(views.account_view(record))


@router.patch(
    "/tenants/{tenant}/accounts/{account}",
    tags=["accounts"],
    openapi_extra=takes("AccountPatch"),
    responses=gives("The account.", "AccountShown"),
)
async def change_account(provider: Controlled, tenant: Chosen, account: Name, body: Body) -> Response:
    """Change an account; claims that are not named stay, and null removes one."""
    name = decoded(account)

    def edit(tenant: Tenant) -> dict[str, Any]:
        changed = tenant.accounts[name] = patched_account(_found("account", tenant.accounts, name), body)
        return views.account_view(changed)

    return say(await provider.store.change(tenant.name, edit))


@router.delete("/tenants/{tenant}/accounts/{account}", status_code=204, tags=["accounts"])
async def drop_account(provider: Controlled, tenant: Chosen, account: Name) -> Response:
    """Delete an account."""
    name = decoded(account)

    def edit(tenant: Tenant) -> None:
        _found("account", tenant.accounts, name)
        del tenant.accounts[name]

    await provider.store.change(tenant.name, edit)
    return nothing()


def _found(what: str, records: dict[str, Any], name: str) -> Any:
    if name not in records:
        raise missing(what, name, records)
    return records[name]
