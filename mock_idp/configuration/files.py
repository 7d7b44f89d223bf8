"""Configuration files: TOML of our own (or the same as JSON), and navikt's JSON."""

from __future__ import annotations

import difflib
import json
import os
import tomllib
from pathlib import Path
from typing import Any

from mock_idp.addresses import base_url, path_prefix
from mock_idp.configuration import navikt
from mock_idp.configuration.config import Config, ProviderTable
from mock_idp.configuration.reading import DocumentError, join, read, refuse_unknown
from mock_idp.configuration.tenants import check_name, read_tenant

VARIABLE = "env:"
"""Begins a file name, a secret or a password that is taken from an environment variable."""


class ConfigError(Exception):
    """A configuration cannot be used; one line with file, key and remedy."""


def load(source: str) -> Config:
    """Read a configuration.

    Args:
        source: a file, or ``env:NAME`` for a variable that holds one.

    Raises:
        ConfigError: it cannot be read, or something in it cannot be used: one line with file, key and remedy.

    """
    text = _text(source)
    try:
        document = json.loads(text) if text.lstrip().startswith("{") else tomllib.loads(text)
    except json.JSONDecodeError as error:
        raise ConfigError(f"{source}: is not JSON: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{source}: is not TOML: {error}") from None
    except RecursionError:
        raise ConfigError(f"{source}: is nested too deep") from None
    try:
        if navikt.recognises(document):
            return navikt.config(document)
        return config(document)
    except DocumentError as error:
        raise ConfigError(f"{source}: {error}") from None


def _text(source: str) -> str:
    if source.startswith(VARIABLE):
        text = os.environ.get(source.removeprefix(VARIABLE))
        if not text:
            raise ConfigError(f"{source}: the environment variable is not set")
        return text
    path = Path(source)
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        names = [one.name for one in path.parent.glob("*") if one.suffix in {".toml", ".json"}]
        near = difflib.get_close_matches(path.name, names, 1)
        raise ConfigError(
            f"{source}: no such file" + (f"; did you mean {path.parent / near[0]}?" if near else "")
        ) from None
    except OSError as error:
        raise ConfigError(f"{source}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{source}: is not UTF-8 text (byte {error.start})") from None


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
