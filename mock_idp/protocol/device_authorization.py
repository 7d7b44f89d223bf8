"""The device authorization endpoint (RFC 8628, section 3.1): a device without a browser begins a sign-in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mock_idp.accounts import parse_account
from mock_idp.protocol.client_authentication import CLIENT_AUTHENTICATION, ClientRequest, read_form
from mock_idp.protocol.errors import OAuthError
from mock_idp.protocol.grants.device_code import REMEMBERED, decide_device, new_user_code, normal_user_code
from mock_idp.protocol.table import Table
from mock_idp.protocol.targets import read_resources, read_scope
from mock_idp.protocol.vocabulary import DEVICE_CODE
from mock_idp.records import DeviceCode, UserCode, unguessable
from mock_idp.wire.http import json_answer

if TYPE_CHECKING:
    from mock_idp.wire.http import Answer

PAGE = "device_verification"
"""Name of the page where the user code is typed; for overrides in the tenant's ``endpoints``."""


@dataclass(slots=True)
class DeviceAuthorization(ClientRequest):
    """A device's request on its way to its codes.

    Attributes:
        device_code: what the device will ask with.
        user_code: what the person will type.
        members: of the response.

    """

    scope: list[str] = field(default_factory=list)
    resources: list[str] = field(default_factory=list)
    device_code: str = ""
    user_code: str = ""
    members: dict[str, Any] = field(default_factory=dict)


def check_client_may(flow: DeviceAuthorization) -> None:
    """A client for which the grant is not switched off."""
    assert flow.client is not None  # noqa: S101 # it was found before
    if flow.client.grant_types and DEVICE_CODE not in flow.client.grant_types:
        raise OAuthError("unauthorized_client", f"this client may not use {DEVICE_CODE}", "RFC 8628, section 3.2")


def take_scope(flow: DeviceAuthorization) -> None:
    """``scope``: what the device wants to do."""
    flow.scope = read_scope(flow)


def take_resources(flow: DeviceAuthorization) -> None:
    """``resource``: where it wants to do it (RFC 8707)."""
    flow.resources = read_resources(flow)


async def make_codes(flow: DeviceAuthorization) -> None:
    """Two codes for the same thing: one that nobody guesses, one that is easily typed (section 3.2)."""
    assert flow.client is not None  # noqa: S101
    lifetime = flow.tenant.settings.lifetimes.device_code
    flow.device_code, flow.user_code = unguessable(), new_user_code()
    faults = flow.params.get("mock_fault", "").split()
    flow.bind(faults)  # an unknown one is refused here, where it was named
    device = DeviceCode(
        client_id=flow.client.client_id,
        scope=flow.scope,
        expires_at=flow.now + lifetime,
        issuer=flow.issuer,
        resources=flow.resources,
        faults=faults,
    )
    store, name = flow.provider.store, flow.tenant.name
    await store.put(name, flow.device_code, device, lifetime * REMEMBERED)
    leads_to = UserCode(flow.device_code, device.expires_at)
    await store.put(name, normal_user_code(flow.user_code), leads_to, lifetime * REMEMBERED)


async def approve_at_once(flow: DeviceAuthorization) -> None:
    """Where the tenant approves everything as one account, nobody has to type the code."""
    chosen = flow.tenant.settings.auto_approve
    if chosen is None:
        return
    name, faults = parse_account(chosen)
    account = await flow.provider.account(flow.tenant, name or next(iter(flow.tenant.accounts), "alice"))
    await decide_device(flow.provider, flow.tenant, flow.user_code, account, now=flow.now, faults=faults)


def name_codes(flow: DeviceAuthorization) -> None:
    """``device_code`` and ``user_code`` (section 3.2)."""
    flow.members.update(device_code=flow.device_code, user_code=flow.user_code)


def name_page(flow: DeviceAuthorization) -> None:
    """``verification_uri``, and the same with the code filled in (section 3.2)."""
    page = flow.provider.addresses.endpoint(flow.tenant, flow.request.base, PAGE, flow.dialect.device_page)
    flow.members["verification_uri"] = page
    flow.members["verification_uri_complete"] = f"{page}?user_code={flow.user_code}"


def name_times(flow: DeviceAuthorization) -> None:
    """``expires_in`` and ``interval`` (section 3.2)."""
    settings = flow.tenant.settings
    flow.members.update(expires_in=settings.lifetimes.device_code, interval=settings.device_interval)


def send(flow: DeviceAuthorization) -> Answer:
    """The response, in the encoding of the dialect."""
    return json_answer(200, flow.members)


DEVICE_AUTHORIZATION: Table[DeviceAuthorization] = Table(
    "device authorization",
    read_form,
    *CLIENT_AUTHENTICATION,
    check_client_may,
    take_scope,
    take_resources,
    make_codes,
    approve_at_once,
    name_codes,
    name_page,
    name_times,
    send,
)


def refuse(flow: DeviceAuthorization, error: OAuthError) -> Answer:
    """As the token endpoint refuses (section 3.2)."""
    return flow.dialect.token_error(flow, error)
