"""What a configuration file holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mock_idp.records import Tenant


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
