"""Tenants, clients and accounts from documents: what configuration files and control requests have in common."""

from __future__ import annotations

import dataclasses
import re
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from mock_idp.accounts import LONGEST_NAME, is_name, parse_account, usual_accounts
from mock_idp.configuration.reading import DocumentError, hints_of, join, patched, read, refuse_unknown
from mock_idp.dialects import DIALECTS
from mock_idp.provider import LONGEST_TENANT, RESERVED
from mock_idp.records import Account, Armed, Client, Clock, Settings, Tenant, unguessable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

RESPONSE_TYPES = tuple(Settings().response_types)
TENANT_KEYS = (*hints_of(Settings), "clients", "accounts", "clock", "faults")
CLIENT_FIXED = ("client_id", "registered", "registration_token")
"""Members of a client that its document does not hold: its key, and what the provider keeps for itself."""
ACCOUNT_FIXED = ("name",)
YEAR_10000 = 253402300800.0


def read_tenant(name: str, data: Any, where: str = "") -> Tenant:
    """A tenant; without accounts of its own it has the usual ones. Its keys are made when it is kept.

    Raises:
        DocumentError: something of it cannot be used.

    """
    check_name(name, where)
    table = {} if data is None else data
    if not isinstance(table, dict):
        raise DocumentError(where, "expected a table")
    refuse_unknown(table, TENANT_KEYS, where)
    settings = {key: value for key, value in table.items() if key in hints_of(Settings)}
    if "dialect" not in settings and name.rpartition("/")[2] in _dialects():
        settings["dialect"] = name.rpartition("/")[2]
    tenant = Tenant(
        name,
        check_settings(read(Settings, settings, where), where),
        {key: read_client(key, value, path) for key, value, path in _tables(table, "clients", where)},
        {key: read_account(key, value, path) for key, value, path in _tables(table, "accounts", where)},
        clock=read_clock(table.get("clock", {}), Clock(), join(where, "clock")),
        armed=[read_fault(value, path) for value, path in _list(table, "faults", where)],
    )
    tenant.accounts = tenant.accounts or usual_accounts()
    check_auto_approve(tenant, where)
    return tenant


def _tables(table: Mapping[str, Any], key: str, where: str) -> Iterable[tuple[str, Any, str]]:
    """Name, value and path of each entry of a table."""
    inner, path = table.get(key, {}), join(where, key)
    if not isinstance(inner, dict):
        raise DocumentError(path, f"expected a table, one entry a name, as in [{path}.NAME]")
    return [(name, value, join(path, name)) for name, value in inner.items()]


def _list(table: Mapping[str, Any], key: str, where: str) -> Iterable[tuple[Any, str]]:
    """Value and path of each entry of a list."""
    inner, path = table.get(key, []), join(where, key)
    if not isinstance(inner, list):
        raise DocumentError(path, "expected a list")
    return [(value, f"{path}[{number}]") for number, value in enumerate(inner)]


def _dialects() -> Iterable[str]:
    from mock_idp.dialects import DIALECTS  # noqa: PLC0415 # see `_dialects`

    return DIALECTS


def check_name(name: str, where: str = "") -> None:
    """Refuse names that no URL can lead to.

    Raises:
        DocumentError: it is one of those.

    """
    parts = name.split("/")
    if not name or len(name) > LONGEST_TENANT:
        raise DocumentError(where, f"a tenant's name has 1 to {LONGEST_TENANT} characters")
    if not name.isprintable() or any(part in {"", ".", ".."} for part in parts) or ".well-known" in parts:
        raise DocumentError(where, "a tenant's name is segments of printable characters, with / between them")
    if parts[0] in RESERVED:
        raise DocumentError(where, f"no tenant's name begins with {parts[0]}, which is the provider's own")


# --- settings ---------------------------------------------------------------------------------------------------------


def patched_settings(settings: Settings, data: Any, where: str = "") -> Settings:
    """Settings with some of them replaced.

    Raises:
        DocumentError: see `read`.

    """
    return check_settings(patched(settings, data, where), where)


def check_settings(settings: Settings, where: str = "") -> Settings:
    """What the types alone do not say.

    Raises:
        DocumentError: a URL is none, a lifetime is not positive, a response type or a dialect's option is unknown.

    """
    for name in hints_of(type(settings.lifetimes)):
        lifetime = getattr(settings.lifetimes, name)
        if lifetime is not None and lifetime <= 0:
            raise DocumentError(join(join(where, "lifetimes"), name), "expected seconds, at least 1")
    for name in ("refresh_grace", "device_interval"):
        if getattr(settings, name) < 0:
            raise DocumentError(join(where, name), "expected seconds, at least 0")
    if settings.issuer is not None:
        _check_url(settings.issuer, join(where, "issuer"), parameters=False)
    for name, url in settings.endpoints.items():
        _check_url(url, join(join(where, "endpoints"), name))
    for number, origin in enumerate(settings.cors_origins):
        _check_origin(origin, f"{join(where, 'cors_origins')}[{number}]")
    _check_response_types(settings.response_types, where)
    _check_dialect_options(settings, where)
    return settings


def _check_url(url: str, where: str, *, parameters: bool = True) -> None:
    try:
        parts = urlsplit(url)
        sound = parts.scheme in {"http", "https"} and bool(parts.hostname) and not parts.fragment
        sound = sound and parts.port != 0 and (parameters or not parts.query)
    except ValueError:
        sound = False
    if not sound or not url.isprintable() or " " in url:
        without = "fragment" if parameters else "query or fragment"
        raise DocumentError(where, f"expected an absolute http or https URL without a {without}")


def _check_origin(origin: str, where: str) -> None:
    if origin != "*" and not re.fullmatch(r"[a-z][a-z0-9+.-]*://[^/?#\s]+", origin):
        raise DocumentError(where, "expected an origin such as http://localhost:3000, without a slash at the end, or *")


def _check_response_types(asked: list[str], where: str) -> None:
    for number, one in enumerate(asked):
        if " ".join(sorted(one.split())) not in RESPONSE_TYPES:
            path = f"{join(where, 'response_types')}[{number}]"
            raise DocumentError(path, f"expected one of {', '.join(map(repr, RESPONSE_TYPES))}")


def _check_dialect_options(settings: Settings, where: str) -> None:
    if not settings.dialect_options:
        return
    from mock_idp.dialects import DIALECTS  # noqa: PLC0415 # see `_dialects`

    try:
        DIALECTS[settings.dialect].options_of(settings)
    except ValueError as error:
        raise DocumentError(join(where, "dialect_options"), str(error)) from None


def check_auto_approve(tenant: Tenant, where: str = "") -> None:
    """A strict tenant approves only as an account that it has.

    Raises:
        DocumentError: it does not have that one.

    """
    name = tenant.settings.auto_approve
    account = parse_account(name)[0] if name else None
    if tenant.settings.strict and account is not None and account not in tenant.accounts:
        raise DocumentError(join(where, "auto_approve"), "there is no such account, and the tenant is strict")


# --- clients and accounts ---------------------------------------------------------------------------------------------


def read_client(client_id: str, data: Any, where: str = "") -> Client:
    """A registered client.

    Raises:
        DocumentError: see `read` and `check_client`.

    """
    _check_key(client_id, where)
    return check_client(read(Client, data, where, given={"client_id": client_id, **_KEPT_OF_CLIENT}), where)


_KEPT_OF_CLIENT = {"registered": True, "registration_token": None}


def patched_client(client: Client, data: Any, where: str = "") -> Client:
    """A client with some members replaced.

    Raises:
        DocumentError: see `read` and `check_client`.

    """
    return check_client(patched(client, data, where, fixed=CLIENT_FIXED), where)


def check_client(client: Client, where: str = "") -> Client:
    """What the types alone do not say.

    Raises:
        DocumentError: a URI is not absolute, or a way to authenticate lacks its secret or key.

    """
    for key in ("redirect_uris", "post_logout_redirect_uris"):
        for number, uri in enumerate(getattr(client, key)):
            if not re.match(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s#]+\Z", uri):
                raise DocumentError(f"{join(where, key)}[{number}]", "expected an absolute URI without a fragment")
    for key in ("jwks_uri", "backchannel_logout_uri", "frontchannel_logout_uri"):
        if getattr(client, key) is not None:
            _check_url(getattr(client, key), join(where, key))
    if client.secret == "":
        raise DocumentError(join(where, "secret"), "is empty; leave it out for a public client")
    if client.secret is None and any(method.startswith("client_secret") for method in client.auth_methods):
        raise DocumentError(join(where, "auth_methods"), "a method by secret needs a secret")
    if "private_key_jwt" in client.auth_methods and not (client.jwks or client.jwks_uri):
        raise DocumentError(join(where, "auth_methods"), "private_key_jwt needs jwks or jwks_uri")
    if client.jwks is not None and not isinstance(client.jwks.get("keys"), list):
        raise DocumentError(join(where, "jwks"), 'expected a JWK set, a table with "keys"')
    _check_response_types(client.response_types, where)
    return client


def read_account(name: str, data: Any, where: str = "") -> Account:
    """An account.

    Raises:
        DocumentError: see `read`.

    """
    _check_key(name, where)
    if name.startswith("fault:"):
        raise DocumentError(where, "no account's name begins with fault:, which chooses faults at sign-in")
    return read(Account, data, where, given={"name": name})


def patched_account(account: Account, data: Any, where: str = "") -> Account:
    """An account with some members replaced; its claims are patched one by one, and null removes one.

    Raises:
        DocumentError: see `read`.

    """
    changed = patched(account, data, where, fixed=ACCOUNT_FIXED)
    if isinstance(data, dict) and "claims" in data:
        changed.claims = {k: v for k, v in {**account.claims, **changed.claims}.items() if v is not None}
    return changed


def _check_key(name: str, where: str) -> None:
    if not is_name(name):
        raise DocumentError(where, f"a name has 1 to {LONGEST_NAME} printable characters")


# --- faults and clock -------------------------------------------------------------------------------------------------


def endpoints() -> set[str]:
    """What the journal calls the endpoints, of all makes of provider."""
    settings = (Settings(dialect=name) for name in DIALECTS)
    routes = (DIALECTS[one.dialect].routes(one) for one in settings)
    return {endpoint.table.name for served in routes for endpoint in served.values()}


def read_fault(data: Any, where: str = "") -> Armed:
    """A fault to arm: its name, or a table with ``fault``, ``match`` and ``times``.

    Raises:
        DocumentError: there is no such fault, or its match cannot be used.

    """
    from mock_idp.faults import find  # noqa: PLC0415 # only who wants a fault loads them
    from mock_idp.protocol.errors import OAuthError  # noqa: PLC0415 # as above

    table = {"fault": data} if isinstance(data, str) else data
    armed = read(Armed, table, where, given={"id": unguessable()[:12], "seen": 0})
    try:
        find(armed.fault)
    except OAuthError as error:
        raise DocumentError(join(where, "fault") if isinstance(data, dict) else where, error.description) from None
    if armed.times is not None and armed.times < 1:
        raise DocumentError(join(where, "times"), "expected at least 1; without it the fault strikes until removed")
    if armed.match.endpoint is not None and armed.match.endpoint not in (known := endpoints()):
        raise DocumentError(join(join(where, "match"), "endpoint"), f"expected one of {', '.join(sorted(known))}")
    if armed.match.nth is not None and armed.match.nth < 1:
        raise DocumentError(join(join(where, "match"), "nth"), "expected at least 1")
    return armed


@dataclasses.dataclass(slots=True)
class ClockChange:
    """What a clock may be told.

    Attributes:
        at: the time it shows from now on: RFC 3339, or seconds since 1970.
        advance: seconds to go forward by.
        frozen: stand still, or go on.

    """

    at: Any = None
    advance: float = 0.0
    frozen: bool | None = None


def read_clock(data: Any, clock: Clock, where: str = "", *, wall: float | None = None) -> Clock:
    """A clock changed as a document says. It never goes back, since tokens of the future would come to life again.

    Args:
        data: see `ClockChange`.
        clock: as it is now.
        where: path of the document.
        wall: the machine's time; where given, a tenant runs by this clock, and it may not go back.

    Raises:
        DocumentError: it would go back, or the time cannot be read.

    """
    change = read(ClockChange, data, where)
    machine = time.time() if wall is None else wall
    before = clock.now(machine)
    now = before if change.at is None else _time(change.at, join(where, "at"))
    if change.advance < 0:
        raise DocumentError(join(where, "advance"), "a clock does not go back; reset the tenant, or restore a snapshot")
    now = _sane(now + change.advance, join(where, "advance"))
    if wall is not None and now < before:
        raise DocumentError(join(where, "at"), "a clock does not go back; reset the tenant, or restore a snapshot")
    frozen = clock.frozen is not None if change.frozen is None else change.frozen
    return Clock(0.0, now) if frozen else Clock(now - machine, None)


def _time(value: Any, where: str) -> float:
    if type(value) in {int, float}:
        moment = float(value)
    else:
        try:
            moment = datetime.fromisoformat(value).timestamp()
        except (TypeError, ValueError, OverflowError):
            raise DocumentError(where, "expected a time such as 2026-01-31T12:00:00Z, or seconds since 1970") from None
    return _sane(moment, where)


def _sane(moment: float, where: str) -> float:
    if not 0 <= moment < YEAR_10000:
        raise DocumentError(where, "expected a time between 1970 and the year 9999")
    return moment
