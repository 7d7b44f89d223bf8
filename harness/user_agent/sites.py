"""Origins and sites: who counts as the same party (RFC 6454, HTML "same site", Secure Contexts)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from harness.user_agent.urls import BadUrl, Url, parse_url

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList

_SECURE_SCHEMES = frozenset({"https", "wss"})
_IPV4 = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port; without a scheme it is an opaque origin, which serialises as ``null``."""

    scheme: str = ""
    host: str = ""
    port: int | None = None  # None: the scheme's default

    @property
    def is_opaque(self) -> bool:
        """True for sandboxed frames, ``data:`` and ``file:`` pages: same-origin with nothing, themselves included."""
        return not self.scheme

    @property
    def is_potentially_trustworthy(self) -> bool:
        """Secure Contexts, section 3.1: encrypted, or never leaving the machine."""
        return self.scheme in _SECURE_SCHEMES or is_loopback(self.host)

    def __str__(self) -> str:
        if self.is_opaque:
            return "null"
        return f"{self.scheme}://{self.host}" + ("" if self.port is None else f":{self.port}")

    @classmethod
    def of(cls, url: Url | str) -> Origin:
        """The origin of a URL, or of a serialised origin; opaque for ``null`` and for schemes other than http(s)."""
        if url == "null":
            return cls()
        parsed = parse_url(url) if isinstance(url, str) else url
        return cls(parsed.scheme, parsed.host, parsed.port) if parsed.opaque is None else cls()


def origin_of(url: str) -> str:
    """The serialised origin of ``url``: ``https://app.example``.

    Raises:
        BadUrl: ``url`` is not absolute.
    """
    return str(Origin.of(url))


def same_origin(one: Origin, other: Origin) -> bool:
    """True when neither is opaque and all three parts agree."""
    return not one.is_opaque and one == other


def same_site(one: Origin, other: Origin) -> bool:
    """Schemeful same-site: scheme and registrable domain agree, ports do not matter."""
    return not one.is_opaque and not other.is_opaque and site_of(one) == site_of(other)


def site_of(origin: Origin) -> str:
    """``https://example.org`` for ``https://app.example.org:8443``; hosts without a registrable domain stand alone."""
    if origin.is_opaque:
        return "null"
    return f"{origin.scheme}://{registrable_domain(origin.host) or origin.host}"


def is_loopback(host: str) -> bool:
    """True for names and addresses that Chromium keeps on the machine without asking DNS."""
    name = host.removesuffix(".")
    if name == "localhost" or name.endswith(".localhost") or name == "[::1]":
        return True
    return is_ip_address(name) and name.startswith("127.")


def is_ip_address(host: str) -> bool:
    """True for ``192.0.2.1`` and ``[2001:db8::1]``, as parsed URLs carry them."""
    return host.startswith("[") or _IPV4.fullmatch(host) is not None


def registrable_domain(host: str) -> str | None:
    """The public suffix and the label before it; None for addresses, public suffixes and single labels."""
    if is_ip_address(host) or "." not in host.strip("."):
        return None
    # Chromium keeps "example.org." apart from "example.org"; the list's reader would drop the dot.
    dot = "." if host.endswith(".") else ""
    suffix = _public_suffixes().privatesuffix(host.removesuffix("."))
    return f"{suffix}{dot}" if suffix else None


def is_public_suffix(domain: str) -> bool:
    """True when nobody may own a cookie for the whole of ``domain``: ``com``, ``co.uk``, ``localhost``."""
    return not is_ip_address(domain) and registrable_domain(domain) is None


@cache
def _public_suffixes() -> PublicSuffixList:
    # Reading the list takes a tenth of a second and runs against loopback never need it.
    from publicsuffixlist import PublicSuffixList  # noqa: PLC0415

    return PublicSuffixList()


__all__ = [
    "BadUrl",
    "Origin",
    "is_ip_address",
    "is_loopback",
    "is_public_suffix",
    "origin_of",
    "registrable_domain",
    "same_origin",
    "same_site",
    "site_of",
]
