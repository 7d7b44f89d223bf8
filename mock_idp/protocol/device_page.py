"""The page on which a person connects a device (RFC 8628, section 3.3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mock_idp.accounts import parse_account
from mock_idp.protocol.authorization.person import known_account, typed_account
from mock_idp.protocol.errors import OAuthError
from mock_idp.protocol.grants.device_code import decide_device, find_device
from mock_idp.protocol.table import Flow, Table
from mock_idp.wire.http import Answer, Params

if TYPE_CHECKING:
    from mock_idp.records import Account, DeviceCode


@dataclass(slots=True)
class DevicePage(Flow):
    """Somebody who wants to connect a device.

    Attributes:
        user_code: as typed, or as the link had it.
        device: what the code stands for.
        name: who signs in, with which faults.
        account: the one of that name; None denies.

    """

    user_code: str = ""
    device: DeviceCode | None = None
    name: str = ""
    account: Account | None = None


def read_parameters(flow: DevicePage) -> None:
    """From the link, which may hold the code (RFC 8628, section 3.3.1), or from the form."""
    posted = flow.request.method == "POST"
    flow.params = flow.request.form() if posted else Params.parse(flow.request.query)
    flow.user_code = flow.params.get("user_code", "").strip()


async def look_up_device(flow: DevicePage) -> Answer | None:
    """Which device it is; a code that is none is asked for again."""
    if not flow.user_code:
        return None
    try:
        flow.device = await find_device(flow.provider, flow.tenant, flow.user_code, flow.now)
    except OAuthError as error:
        return await _again(flow, error)
    flow.use_client(flow.provider.client(flow.tenant, flow.device.client_id))
    return None


async def _again(flow: DevicePage, error: OAuthError) -> Answer:
    flow.entry.refused = str(error)
    return await flow.provider.pages.device(flow, flow.user_code, problem=error.description)


async def show_form(flow: DevicePage) -> Answer | None:
    """The code, and who connects the device."""
    if flow.request.method == "GET" or flow.device is None:
        return await flow.provider.pages.device(flow, flow.user_code)
    return None


async def read_person(flow: DevicePage) -> Answer | None:
    """Who signs in, and with which faults; or nobody, where the person says no."""
    pages, form = flow.provider.pages, flow.params
    if form.get("action") == "deny":
        return None
    name = typed_account(form)
    if name is None:
        return await pages.device(flow, flow.user_code, problem="Choose an account, or type a name.")
    try:
        account = await known_account(flow, name)
    except OAuthError as error:
        return await _again(flow, error)
    if account.password is not None and form.get("password") != account.password:
        wrong = "That password is wrong." if "password" in form else ""
        path = flow.request.path.removeprefix(f"/{flow.tenant.name}/")
        return await pages.password(flow, path, [("user_code", flow.user_code)], name, problem=wrong)
    flow.name, flow.account = name, account
    return None


async def decide(flow: DevicePage) -> Answer | None:
    """Once for each code (RFC 8628, section 3.5)."""
    _, faults = parse_account(flow.name)
    try:
        await decide_device(flow.provider, flow.tenant, flow.user_code, flow.account, now=flow.now, faults=faults)
    except OAuthError as error:
        return await _again(flow, error)
    return None


async def tell(flow: DevicePage) -> Answer:
    """The device hears of it the next time that it asks."""
    if flow.account is None:
        return await flow.provider.pages.told(flow, "Denied", "The device will be told that you said no.")
    flow.entry.account = flow.account.name
    return await flow.provider.pages.told(
        flow, "The device is connected", f"It goes on as {flow.account.name}. You may close this page."
    )


DEVICE_PAGE: Table[DevicePage] = Table(
    "device page", read_parameters, look_up_device, show_form, read_person, decide, tell
)


async def refuse(flow: DevicePage, error: OAuthError) -> Answer:
    """Shown."""
    return await flow.provider.pages.error(flow, error)
