"""Under which names the provider is known: to browsers, to servers, and in tokens."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from mock_idp.records import Tenant

BROWSER_ENDPOINTS = frozenset({"authorization_endpoint", "end_session_endpoint"})
"""Where browsers are sent; all other endpoints are asked by servers."""

FOLLOWED = frozenset({"localhost", "127.0.0.1", "[::1]", "host.docker.internal"})
"""Names in a Host header that are taken at their word where no issuer is set."""


@dataclass(slots=True)
class Addresses:
    """The names of one provider.

    Attributes:
        listening: scheme, host and port that it listens on.
        public: base of all issuers, browser-facing; None follows the Host header, where it is a known name.
        server: base of the endpoints that servers ask, where they know the provider by another name.
        prefix: the path under which a proxy serves it.
        names: further names that are followed.
        forwarded: believe ``X-Forwarded-Proto``, ``-Host`` and ``-Prefix``.

    """

    listening: str = "http://127.0.0.1:8080"
    public: str | None = None
    server: str | None = None
    prefix: str = ""
    names: list[str] = field(default_factory=list)
    forwarded: bool = False

    def base(self, scheme: str, host: str) -> str:
        """The base that a sender used, from its Host header: scheme, host and port, without a slash at the end."""
        name = host.lower()
        if not name.endswith("]"):
            name = name.rpartition(":")[0] or name
        if name in FOLLOWED or name.endswith(".localhost") or name in self.names:
            return f"{scheme}://{host}{self.prefix}"
        return self.listening + self.prefix

    def issuer(self, tenant: Tenant, base: str) -> str:
        """What ``iss`` of a tenant's tokens says, to a sender who used `base`."""
        return tenant.settings.issuer or f"{self.public or base}/{quote(tenant.name, safe='/')}"

    def endpoint(self, tenant: Tenant, base: str, name: str, path: str) -> str:
        """The URL of an endpoint as discovery tells it."""
        override = tenant.settings.endpoints.get(name)
        if override is not None:
            return override
        root = self.public if name in BROWSER_ENDPOINTS else self.server or self.public
        return f"{root or base}/{quote(tenant.name, safe='/')}/{path}"
