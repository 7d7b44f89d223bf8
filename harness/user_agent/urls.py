r"""URLs as a browser reads them (WHATWG URL Standard, the part that http and https need).

Redirect targets are attacker-controlled in the tests that matter most: ``/\\evil.example`` and ``///evil.example`` lead
to another host in every browser, while ``urllib.parse`` takes them for paths.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_to_bytes

DEFAULT_PORTS: Final = {"http": 80, "https": 443, "ws": 80, "wss": 443}

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(.*)", re.DOTALL)
_AUTHORITY_END = re.compile(r"[/\\?#]")
# "Forbidden domain code points" of the URL Standard.
_FORBIDDEN_IN_HOST = re.compile(r"[\x00-\x20\"#%/:<>?@\[\\\]^`{|}\x7f]")
_MAX_PORT = 65535

# Code points to percent-encode, beyond controls and everything above U+007E.
_IN_FRAGMENT = frozenset(' "<>`')
_IN_QUERY = frozenset(" \"#<>'")
_IN_PATH = _IN_FRAGMENT | frozenset("#?^{}")


class BadUrl(ValueError):  # noqa: N818 - reads as what it is where it is caught
    """The text is no URL a browser would load."""


@dataclass(frozen=True, slots=True)
class Url:
    """A parsed URL. ``opaque`` holds everything after the colon of a scheme that is not http or https (or ws, wss)."""

    scheme: str
    host: str = ""  # lower case, ASCII; IPv6 in brackets
    port: int | None = None  # None: the scheme's default
    path: str = ""
    query: str | None = None
    fragment: str | None = None
    userinfo: str = ""
    opaque: str | None = None

    @property
    def is_http(self) -> bool:
        """True when a request can be sent to it."""
        return self.scheme in {"http", "https"}

    @property
    def effective_port(self) -> int:
        """The port to connect to."""
        return self.port if self.port is not None else DEFAULT_PORTS[self.scheme]

    @property
    def authority(self) -> str:
        """Host, and port where it is not the default: the Host header."""
        return self.host if self.port is None else f"{self.host}:{self.port}"

    @property
    def target(self) -> str:
        """The request-target in origin form (RFC 9112, section 3.2.1)."""
        return self.path if self.query is None else f"{self.path}?{self.query}"

    def __str__(self) -> str:
        if self.opaque is not None:
            return f"{self.scheme}:{self.opaque}"
        user = f"{self.userinfo}@" if self.userinfo else ""
        fragment = "" if self.fragment is None else f"#{self.fragment}"
        return f"{self.scheme}://{user}{self.authority}{self.target}{fragment}"


def parse_url(text: str, base: Url | None = None) -> Url:
    """Parse ``text``, relative to ``base`` where one is given.

    Raises:
        BadUrl: it is no URL, or it is relative and there is no base.
    """
    cleaned = re.sub(r"[\t\n\r]", "", text.strip("".join(map(chr, range(0x21)))))
    scheme, rest = "", cleaned
    if match := _SCHEME.fullmatch(cleaned):
        scheme, rest = match[1].lower(), match[2]
        if scheme not in DEFAULT_PORTS:
            return Url(scheme, opaque=rest)
        if base is None or base.scheme != scheme:
            return _with_authority(scheme, rest.lstrip("/\\"))
        # "http:path" is relative to a base of the same scheme.
    if base is None or base.opaque is not None:
        raise BadUrl(f"{text!r} is not an absolute http or https URL")
    if re.match(r"[/\\]{2}", rest):
        return _with_authority(base.scheme, rest.lstrip("/\\"))
    return _relative(rest, base)


def _with_authority(scheme: str, rest: str) -> Url:
    end = match.start() if (match := _AUTHORITY_END.search(rest)) else len(rest)
    authority, tail = rest[:end], rest[end:]
    userinfo, _, host_port = authority.rpartition("@")
    host, port = _split_port(host_port)
    path, query, fragment = _split_tail(tail)
    number = _port(port)
    return Url(
        scheme,
        host=_host(host),
        port=None if number == DEFAULT_PORTS[scheme] else number,
        path=_resolve_path(path or "/", []),
        query=query,
        fragment=fragment,
        userinfo=userinfo,
    )


def _relative(rest: str, base: Url) -> Url:
    path, query, fragment = _split_tail(rest)
    if not path:
        kept = base.query if query is None and not rest.startswith("?") else query
        resolved = base.path
        return Url(base.scheme, base.host, base.port, resolved, kept, fragment, base.userinfo)
    directory = [] if path[0] in "/\\" else base.path.split("/")[1:-1]
    resolved = _resolve_path(path, directory)
    return Url(base.scheme, base.host, base.port, resolved, query, fragment, base.userinfo)


def _split_tail(tail: str) -> tuple[str, str | None, str | None]:
    before, hash_, fragment = tail.partition("#")
    path, question, query = before.partition("?")
    return (
        path,
        _percent_encode(query, _IN_QUERY) if question else None,
        _percent_encode(fragment, _IN_FRAGMENT) if hash_ else None,
    )


def _split_port(host_port: str) -> tuple[str, str]:
    if host_port.startswith("["):
        host, bracket, port = host_port.partition("]")
        return host + bracket, port.removeprefix(":")
    host, _, port = host_port.partition(":")
    return host, port


def _port(digits: str) -> int | None:
    if not digits:
        return None
    if not (digits.isascii() and digits.isdigit()) or int(digits[:6]) > _MAX_PORT:
        raise BadUrl(f"{digits[:20]!r} is not a port")
    return int(digits)


def _host(text: str) -> str:
    if text.startswith("["):
        return _ipv6(text)
    decoded = unquote_to_bytes(text.encode("utf-8", "surrogateescape")).decode("utf-8", "replace")
    host = decoded.lower() if decoded.isascii() else _to_ascii(decoded)
    if not host or _FORBIDDEN_IN_HOST.search(host):
        raise BadUrl(f"{text[:80]!r} is not a host name")
    return _ipv4(host) if _ends_in_number(host) else host


def _to_ascii(host: str) -> str:
    try:
        return host.encode("idna").decode("ascii").lower()
    except UnicodeError:
        raise BadUrl(f"{host[:80]!r} is not an internationalised host name") from None


def _ipv6(text: str) -> str:
    import ipaddress  # noqa: PLC0415 - rarely needed

    # A bracket that is not closed is left in, and makes it no address.
    inner = text[1:-1] if text.endswith("]") else text
    try:
        return f"[{ipaddress.IPv6Address(inner).compressed}]"
    except ValueError:
        raise BadUrl(f"{text[:80]!r} is not an IPv6 address") from None


def _ends_in_number(host: str) -> bool:
    last = host.removesuffix(".").rpartition(".")[2]
    return last.isdigit() or re.fullmatch(r"0x[0-9a-f]*", last) is not None


def _ipv4(host: str) -> str:
    """``0x7f.1``, ``2130706433`` and ``127.0.0.1`` are one address to a browser."""
    try:
        numbers = [_ipv4_part(part) for part in host.removesuffix(".").split(".")]
    except ValueError:
        raise BadUrl(f"{host[:80]!r} is not an IPv4 address") from None
    *leading, last = numbers
    if len(leading) > 3 or any(n > 255 for n in leading) or last >= 256 ** (4 - len(leading)):  # noqa: PLR2004
        raise BadUrl(f"{host[:80]!r} is not an IPv4 address")
    value = last + sum(n << (24 - 8 * i) for i, n in enumerate(leading))
    return ".".join(str(value >> shift & 0xFF) for shift in (24, 16, 8, 0))


def _ipv4_part(part: str) -> int:
    if part.startswith("0x"):
        return int(part[2:] or "0", 16)
    return int(part, 8 if len(part) > 1 and part.startswith("0") else 10)


def _resolve_path(path: str, directory: list[str]) -> str:
    segments = re.split(r"[/\\]", path)
    if path[0] in "/\\":
        segments = segments[1:]
    resolved = list(directory)
    for position, segment in enumerate(segments):
        plain = segment.lower().replace("%2e", ".")
        is_last = position == len(segments) - 1
        if plain == "..":
            del resolved[-1:]
        elif plain != ".":
            resolved.append(_percent_encode(segment, _IN_PATH))
            continue
        if is_last:
            resolved.append("")
    return "/" + "/".join(resolved)


def _percent_encode(text: str, also: frozenset[str]) -> str:
    return "".join(
        "".join(f"%{byte:02X}" for byte in char.encode("utf-8", "surrogateescape"))
        if char in also or not " " <= char <= "~"
        else char
        for char in text
    )
