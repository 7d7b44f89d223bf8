"""Configuration files: TOML of our own (or the same as JSON), and navikt's JSON."""

from __future__ import annotations

import difflib
import json
import logging
import os
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mock_idp.addresses import base_url, path_prefix
from mock_idp.documents import DocumentError, join, read, refuse_unknown
from mock_idp.running.options import StartError
from mock_idp.tenants import check_name, read_tenant

if TYPE_CHECKING:
    from mock_idp.records import Tenant
    from mock_idp.running.options import Options

_log = logging.getLogger(__name__)

VARIABLE = "env:"
"""Begins a file name, a secret or a password that is taken from an environment variable."""


@dataclass(slots=True)
class ProviderTable:
    """What belongs to the provider as a whole; options of the command line go before it.

    Attributes:
        issuer: base of all issuers, as browsers reach it.
        server_url: base of the endpoints that servers ask, where they reach it by another name.
        prefix: the path under which a proxy serves it.
        names: further names that are followed in the Host header.
        forwarded: believe the X-Forwarded headers of a proxy.
        open: make unknown tenants on first use.

    """

    issuer: str | None = None
    server_url: str | None = None
    prefix: str = ""
    names: list[str] = field(default_factory=list)
    forwarded: bool = False
    open: bool = True


@dataclass(slots=True)
class Config:
    """A configuration file, read.

    Attributes:
        defaults: what tenants that are made on first use begin as.
        notes: what could not be carried over from another make's file, a line each.

    """

    provider: ProviderTable = field(default_factory=ProviderTable)
    defaults: Tenant | None = None
    tenants: list[Tenant] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def load(source: str) -> Config:
    """Read a configuration.

    Args:
        source: a file, or ``env:NAME`` for a variable that holds one.

    Raises:
        StartError: it cannot be read, or something in it cannot be used: one line with file, key and remedy.

    """
    text = _text(source)
    try:
        document = json.loads(text) if text.lstrip().startswith("{") else tomllib.loads(text)
    except json.JSONDecodeError as error:
        raise StartError(f"{source}: is not JSON: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise StartError(f"{source}: is not TOML: {error}") from None
    except RecursionError:
        raise StartError(f"{source}: is nested too deep") from None
    try:
        from mock_idp import navikt  # noqa: PLC0415 # next to its only use

        if navikt.recognises(document):
            return navikt.config(document)
        return config(document)
    except DocumentError as error:
        raise StartError(f"{source}: {error}") from None


def settle(options: Options, config: Config) -> None:
    """Let a configuration fill in what the command line left open, and say what could not be carried over."""
    addresses, table = options.addresses, config.provider
    addresses.public = addresses.public or table.issuer
    addresses.server = addresses.server or table.server_url
    addresses.prefix = addresses.prefix or table.prefix
    addresses.names += table.names
    addresses.forwarded = addresses.forwarded or table.forwarded
    options.open = options.open and table.open
    options.template = config.defaults
    options.first_tenant = config.tenants[0].name if config.tenants else ""
    for note in config.notes:
        _log.warning("%s: %s", options.config, note)


def _text(source: str) -> str:
    if source.startswith(VARIABLE):
        text = os.environ.get(source.removeprefix(VARIABLE))
        if not text:
            raise StartError(f"{source}: the environment variable is not set")
        return text
    path = Path(source)
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        names = [one.name for one in path.parent.glob("*") if one.suffix in {".toml", ".json"}]
        near = difflib.get_close_matches(path.name, names, 1)
        raise StartError(
            f"{source}: no such file" + (f"; did you mean {path.parent / near[0]}?" if near else "")
        ) from None
    except OSError as error:
        raise StartError(f"{source}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise StartError(f"{source}: is not UTF-8 text (byte {error.start})") from None


def config(document: Any) -> Config:
    """The configuration that a document holds.

    Raises:
        DocumentError: something of it cannot be used.

    """
    if not isinstance(document, dict):
        raise DocumentError("", "expected tables: [provider], [defaults], [tenants.NAME]")
    refuse_unknown(document, ("provider", "defaults", "tenants"), "")
    tenants = document.get("tenants", {})
    if not isinstance(tenants, dict):
        raise DocumentError("tenants", "expected a table, one entry a tenant, as in [tenants.NAME]")
    found = Config(_provider(document.get("provider", {})))
    if "defaults" in document:
        found.defaults = read_tenant("defaults", with_secrets(document["defaults"], "defaults"), "defaults")
    for name, table in tenants.items():
        where = join("tenants", name)
        check_name(name, where)
        found.tenants.append(read_tenant(name, with_secrets(table, where), where))
    return found


def _provider(table: Any) -> ProviderTable:
    provider = read(ProviderTable, table, "provider")
    where = "issuer"
    try:
        provider.issuer = base_url(provider.issuer) if provider.issuer else None
        where = "server_url"
        provider.server_url = base_url(provider.server_url) if provider.server_url else None
        where = "prefix"
        provider.prefix = path_prefix(provider.prefix)
    except ValueError as error:
        raise DocumentError(join("provider", where), str(error)) from None
    return provider


def with_secrets(tenant: Any, where: str) -> Any:
    """A tenant's table with ``env:NAME`` replaced in secrets of clients and passwords of accounts.

    Raises:
        DocumentError: a variable is not set.

    """
    if not isinstance(tenant, dict):
        return tenant
    filled = dict(tenant)
    for table, member in (("clients", "secret"), ("accounts", "password")):
        entries = tenant.get(table)
        if isinstance(entries, dict):
            filled[table] = {
                name: _filled(entry, member, join(join(where, table), name)) for name, entry in entries.items()
            }
    return filled


def _filled(entry: Any, member: str, where: str) -> Any:
    value = entry.get(member) if isinstance(entry, dict) else None
    if not isinstance(value, str) or not value.startswith(VARIABLE):
        return entry
    name = value.removeprefix(VARIABLE)
    if not os.environ.get(name):
        raise DocumentError(join(where, member), f"the environment variable {name} is not set")
    return {**entry, member: os.environ[name]}
