"""Under which names the provider is known: to browsers, to servers, and in tokens."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mock_idp.wire.http import quoted

if TYPE_CHECKING:
    from mock_idp.records import Tenant

BROWSER_ENDPOINTS = frozenset({"authorization_endpoint", "end_session_endpoint", "device_verification"})
"""Where browsers are sent; all other endpoints are asked by servers."""

FOLLOWED = frozenset({"localhost", "127.0.0.1", "[::1]", "host.docker.internal"})
"""Names in a Host header that are taken at their word where no issuer is set."""


MOST_FORWARDED = 200
"""Characters of a forwarded value; more is nobody's name."""


@dataclass(slots=True)
class Addresses:
    """The names of one provider.

    Attributes:
        listening: scheme, host and port that it listens on.
        public: base of all issuers, browser-facing; None follows the Host header, where it is a known name.
        server: base of the endpoints that servers ask, where they know the provider by another name.
        prefix: the path under which a proxy serves it.
        names: further names that are followed.
        forwarded: believe ``X-Forwarded-Proto``, ``-Host``, ``-Port`` and ``-Prefix``.

    """

    listening: str = "http://127.0.0.1:8080"
    public: str | None = None
    server: str | None = None
    prefix: str = ""
    names: list[str] = field(default_factory=list)
    forwarded: bool = False

    def base(self, scheme: str, host: str) -> str:
        """The base that a sender used, from its Host header: scheme, host and port, without a slash at the end."""
        return f"{scheme}://{host}{self.prefix}" if self.follows(host) else self.listening + self.prefix

    def follows(self, host: str) -> bool:
        """Is the name in a Host header, with or without port, taken at its word?"""
        name, _, port = host.lower().rpartition(":") if not host.endswith("]") else (host.lower(), "", "")
        if not name:
            name, port = port, ""
        if port and not port.isdecimal():
            return False
        return name in FOLLOWED or (name.endswith(".localhost") and _is_host(name)) or name in self.names

    def forwarded_base(self, scheme: str, host: bytes, headers: list[tuple[bytes, bytes]]) -> str:
        """The base that a sender used, as the proxy in front tells it; values that are none count as absent."""
        told = {name[12:]: _first(value) for name, value in headers if name.startswith(b"x-forwarded-")}
        proto, name, prefix = told.get(b"proto", ""), told.get(b"host", ""), told.get(b"prefix", "")
        if proto not in {"http", "https"}:
            proto = scheme
        if not _is_host(name):
            return self.base(proto, host.decode("latin-1"))
        port = told.get(b"port", "")
        if port.isdecimal() and not re.search(r":[0-9]+$", name) and port != _USUAL_PORTS[proto]:
            name = f"{name}:{port}"
        try:
            prefix = path_prefix(prefix)
        except ValueError:
            prefix = ""
        return f"{proto}://{name}{prefix or self.prefix}"

    def told(self, scheme: str, host: str, headers: list[tuple[bytes, bytes]]) -> str:
        """The base that a sender used: by the proxy in front, where that is believed, or by its Host header."""
        if self.forwarded:
            return self.forwarded_base(scheme, host.encode("latin-1", "replace"), headers)
        return self.base(scheme, host)

    def below(self, path: str) -> str:
        """A path without the prefix, which some proxies take off and others leave."""
        if not self.prefix:
            return path
        for before in ("", *_WELL_KNOWN):  # RFC 8414, section 3.1, puts the well-known part before the issuer's path
            if path.startswith(f"{before}{self.prefix}/"):
                return before + path[len(before) + len(self.prefix) :]
        return path

    def issuer(self, tenant: Tenant, base: str) -> str:
        """What ``iss`` of a tenant's tokens says, to a sender who used `base`."""
        return tenant.settings.issuer or f"{self.public or base}/{quoted(tenant.name, '/')}"

    def endpoint(self, tenant: Tenant, base: str, name: str, path: str) -> str:
        """The URL of an endpoint as discovery tells it."""
        override = tenant.settings.endpoints.get(name)
        if override is not None:
            return override
        root = self.public if name in BROWSER_ENDPOINTS else self.server or self.public
        return f"{root or base}/{quoted(tenant.name, '/')}/{path}"


_USUAL_PORTS = {"http": "80", "https": "443"}
_WELL_KNOWN = ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server")


def _first(value: bytes) -> str:
    """Each proxy adds its own value; the first one is the sender's."""
    return value[:MOST_FORWARDED].decode("latin-1").partition(",")[0].strip()


def _is_host(name: str) -> bool:
    return bool(re.fullmatch(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?", name))


def base_url(text: str) -> str:
    """A base URL without its last slash.

    Raises:
        ValueError: it is no absolute http or https URL, or has a query or fragment.

    """
    parts = urlsplit(text)  # raises ValueError itself where brackets do not match
    if parts.scheme not in _USUAL_PORTS or not _is_host(parts.netloc) or parts.query or parts.fragment:
        raise ValueError("expected a URL such as https://idp.example.test, without a query or fragment")
    return text.rstrip("/")


def path_prefix(text: str) -> str:
    """A path prefix as ``/idp``, or "".

    Raises:
        ValueError: it has anything that a plain path has not.

    """
    text = text.rstrip("/")
    if text and not re.fullmatch(r"/?[A-Za-z0-9._~/-]+", text):
        raise ValueError("expected a path such as /idp")
    return f"/{text.lstrip('/')}" if text else ""
