"""Cross-Origin Resource Sharing as the Fetch Standard has it: pure functions from headers to decisions.

Header fields are pairs; names are compared without case. A decision is ``None`` when all is well, else one sentence.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Credentials = Literal["omit", "same-origin", "include"]
Pair = tuple[str, str]

SAFELISTED_METHODS: Final = frozenset({"GET", "HEAD", "POST"})
SAFELISTED_RESPONSE_HEADERS: Final = frozenset(
    {"cache-control", "content-language", "content-length", "content-type", "expires", "last-modified", "pragma"}
)
_SIMPLE_TYPES: Final = frozenset({"application/x-www-form-urlencoded", "multipart/form-data", "text/plain"})
_MAX_VALUE: Final = 128
_MAX_VALUES: Final = 1024
_UNSAFE_OCTET = re.compile(r'[\x00-\x08\x0a-\x1f"():<>?@\[\\\]{}\x7f]')
_LANGUAGE = re.compile(r"[0-9A-Za-z *,.;=-]*")
_RANGE = re.compile(r"bytes=\d+-\d*")

_FORBIDDEN_METHODS: Final = frozenset({"CONNECT", "TRACE", "TRACK"})
_FORBIDDEN_HEADERS: Final = frozenset(
    {
        "accept-charset",
        "accept-encoding",
        "access-control-request-headers",
        "access-control-request-method",
        "connection",
        "content-length",
        "cookie",
        "cookie2",
        "date",
        "dnt",
        "expect",
        "host",
        "keep-alive",
        "origin",
        "referer",
        "set-cookie",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "via",
    }
)
_METHOD_OVERRIDES: Final = frozenset({"x-http-method", "x-http-method-override", "x-method-override"})
_NORMALISED: Final = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"})


def normalise_method(method: str) -> str:
    """Upper case for the six methods that fetch() knows; ``patch`` stays as it is, and fails at most servers."""
    return method.upper() if method.upper() in _NORMALISED else method


def is_forbidden_method(method: str) -> bool:
    """True for what no script may send."""
    return method.upper() in _FORBIDDEN_METHODS


def is_forbidden_header(name: str, value: str) -> bool:
    """True for request headers that the browser alone writes ("forbidden request-header")."""
    lower = name.lower()
    if lower in _METHOD_OVERRIDES:
        return any(is_forbidden_method(method.strip()) for method in value.split(","))
    return lower in _FORBIDDEN_HEADERS or lower.startswith(("proxy-", "sec-"))


def is_safelisted_header(name: str, value: str) -> bool:
    """CORS-safelisted request-header: a form could have sent it."""
    if len(value.encode("utf-8", "surrogateescape")) > _MAX_VALUE:
        return False
    match name.lower():
        case "accept":
            return not _UNSAFE_OCTET.search(value)
        case "accept-language" | "content-language":
            return _LANGUAGE.fullmatch(value) is not None
        case "content-type":
            return not _UNSAFE_OCTET.search(value) and value.partition(";")[0].strip().lower() in _SIMPLE_TYPES
        case "range":
            return _RANGE.fullmatch(value) is not None
    return False


def unsafe_header_names(headers: Iterable[Pair]) -> list[str]:
    """CORS-unsafe request-header names: lower case, sorted, each once; what Access-Control-Request-Headers lists."""
    unsafe, maybe_unsafe, size = set(), set(), 0
    for name, value in headers:
        if is_safelisted_header(name, value):
            maybe_unsafe.add(name.lower())
            size += len(value)
        else:
            unsafe.add(name.lower())
    return sorted(unsafe | maybe_unsafe if size > _MAX_VALUES else unsafe)


def needs_preflight(method: str, headers: Iterable[Pair]) -> str | None:
    """Why the browser asks first; None for a simple request."""
    if method not in SAFELISTED_METHODS:
        return f"{method} is not a CORS-safelisted method"
    if names := unsafe_header_names(headers):
        return f"not CORS-safelisted: {', '.join(names)}"
    return None


def cors_check(headers: Sequence[Pair], origin: str, credentials: Credentials) -> str | None:
    """Why a page of ``origin`` may not read the answer (Fetch, "CORS check")."""
    allowed = _combined(headers, "access-control-allow-origin")
    if allowed is None:
        return "no Access-Control-Allow-Origin"
    if allowed == "*":
        return None if credentials != "include" else "Access-Control-Allow-Origin: * does not cover credentials"
    if allowed != origin:
        return f"Access-Control-Allow-Origin is {allowed[:100]!r}, the page's origin {origin!r}"
    if credentials == "include" and _combined(headers, "access-control-allow-credentials") != "true":
        return "no Access-Control-Allow-Credentials: true"
    return None


def preflight_check(  # noqa: PLR0913 - two messages meet
    status: int,
    answer: Sequence[Pair],
    *,
    method: str,
    headers: Sequence[Pair],
    origin: str,
    credentials: Credentials,
) -> str | None:
    """Why the actual request may not be sent (Fetch, "CORS-preflight fetch"); ``headers`` are those of its author."""
    if (reason := cors_check(answer, origin, credentials)) is not None:
        return reason
    if not 200 <= status <= 299:  # noqa: PLR2004 - "ok status"
        return f"status {status}"
    star = credentials != "include"  # "*" is a wildcard only without credentials
    methods = _listed(answer, "access-control-allow-methods")
    if method not in methods and method not in SAFELISTED_METHODS and not (star and "*" in methods):
        return f"Access-Control-Allow-Methods does not list {method}"
    names = {name.lower() for name in _listed(answer, "access-control-allow-headers")}
    for name in unsafe_header_names(headers):
        # Authorization has to be named: a wildcard never covers it.
        if name not in names and not (star and "*" in names and name != "authorization"):
            return f"Access-Control-Allow-Headers does not list {name}"
    return None


def exposed_headers(answer: Sequence[Pair], credentials: Credentials) -> frozenset[str]:
    """Lower-case names of the headers that a script may read of a cross-origin answer; never Set-Cookie."""
    listed = {name.lower() for name in _listed(answer, "access-control-expose-headers")}
    if "*" in listed and credentials != "include":
        listed |= {name.lower() for name, _ in answer}
    present = {name.lower() for name, _ in answer}
    return frozenset((listed | SAFELISTED_RESPONSE_HEADERS) & present - {"set-cookie", "set-cookie2"})


def _combined(headers: Sequence[Pair], wanted: str) -> str | None:
    values = [value.strip(" \t") for name, value in headers if name.lower() == wanted]
    return ", ".join(values) if values else None


def _listed(headers: Sequence[Pair], wanted: str) -> set[str]:
    return {item.strip() for item in (_combined(headers, wanted) or "").split(",")} - {""}
