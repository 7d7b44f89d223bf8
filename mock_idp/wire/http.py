"""Requests and answers as plain values. Nothing here knows OAuth, and nothing else knows ASGI."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote_to_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

type_json = (b"content-type", b"application/json")
NO_STORE = ((b"cache-control", b"no-store"), (b"pragma", b"no-cache"))
"""RFC 6749, section 5.1: answers that hold tokens are not stored."""

FORM = "application/x-www-form-urlencoded"
MOST_PARAMETERS = 500
"""More than any honest request has; a flood of them is refused before it is parsed."""
SHORT = 200
"""Up to so many characters a text is remembered with what it decodes or encodes to."""

_encode = json.JSONEncoder(separators=(",", ":")).encode  # made once: `json.dumps` makes one for every call


class BadRequestError(Exception):
    """The request cannot be read; the sentence says why."""


class Params(dict[str, str]):
    """Parameters of one request, decoded. Those sent twice are named in `repeated`, with every value.

    Parameters sent without a value count as omitted (RFC 6749, section 3.1).
    """

    __slots__ = ("repeated",)

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        super().__init__()
        self.repeated: dict[str, list[str]] = {}
        for name, value in pairs:
            if not value:
                continue
            if name in self:
                self.repeated.setdefault(name, [self[name]]).append(value)
            else:
                self[name] = value

    def every(self, name: str) -> list[str]:
        """All values of a parameter that may stand several times (``resource``, RFC 8707)."""
        return self.repeated.get(name) or ([self[name]] if name in self else [])

    @classmethod
    def parse(cls, raw: bytes) -> Params:
        """Read a query or a form.

        Raises:
            BadRequestError: it is no UTF-8, or has more than `MOST_PARAMETERS`.

        """
        if not raw:
            return cls()
        if raw.count(b"&") >= MOST_PARAMETERS:
            raise BadRequestError(f"more than {MOST_PARAMETERS} parameters")
        try:
            return cls(_pairs(raw.decode("ascii")))
        except UnicodeDecodeError as error:
            raise BadRequestError("the parameters are not UTF-8, percent-encoded (WHATWG URL, section 5)") from error


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    """Names and values, decoded (WHATWG URL, section 5.1); a third of what `urllib.parse.parse_qsl` costs."""
    for pair in text.split("&"):
        name, _, value = pair.partition("=")
        if "%" in pair or "+" in pair:
            yield _decoded(name), _decoded(value)
        else:
            yield name, value


def _decoded(text: str) -> str:
    return _decoded_before(text) if len(text) <= SHORT else _decoded_before.__wrapped__(text)


@lru_cache(maxsize=1024)
def _decoded_before(text: str) -> str:
    """The same redirect URIs and scopes come again and again."""
    return unquote_to_bytes(text.replace("+", " ")).decode()


def quoted(text: str, safe: str = "") -> str:
    """Percent-encoded (RFC 3986, section 2.1), for texts that come again and again: issuers, names of tenants."""
    return _quoted_before(text, safe) if len(text) <= SHORT else quote(text, safe=safe)


_quoted_before = lru_cache(maxsize=1024)(quote)


def raw_value(raw: bytes, name: bytes) -> bytes | None:
    """The value of a parameter as it was sent, still encoded: what is echoed is echoed byte for byte."""
    for pair in raw.split(b"&"):
        key, equals, value = pair.partition(b"=")
        if equals and (key == name or (b"%" in key and unquote_to_bytes(key) == name)):
            return value
    return None


@dataclass(slots=True)
class Request:
    """One request as it arrived.

    Attributes:
        base: scheme, host and port (and a prefix, behind a proxy) under which the sender knows this server.
        path: decoded, below the prefix.
        query: the raw query.
        headers: names in lower case, in the order of arrival.
        peer: address of the sender.

    """

    method: str
    base: str
    path: str
    query: bytes = b""
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""
    peer: str = ""

    def header(self, name: bytes) -> str | None:
        """The first header of that (lower-case) name."""
        for key, value in self.headers:
            if key == name:
                return value.decode("latin-1")
        return None

    def headers_named(self, name: bytes) -> list[str]:
        """Every header of that (lower-case) name."""
        return [value.decode("latin-1") for key, value in self.headers if key == name]

    @property
    def prefix(self) -> str:
        """The path under which the sender knows this server, "" or "/idp"."""
        _, slash, path = self.base.partition("://")[2].partition("/")
        return slash + path

    @property
    def media_type(self) -> str:
        """The type of the body, in lower case, without parameters."""
        return (self.header(b"content-type") or "").partition(";")[0].strip().lower()

    def form(self) -> Params:
        """The body as a form.

        Raises:
            BadRequestError: it is something else.

        """
        if self.body and self.media_type != FORM:
            raise BadRequestError(f"the body is {self.media_type or 'of no type'}, not {FORM}")
        return Params.parse(self.body)

    def cookie(self, name: str) -> str | None:
        """The first cookie of that name."""
        for line in self.headers_named(b"cookie"):
            for pair in line.split(";"):
                key, _, value = pair.strip().partition("=")
                if key == name:
                    return value
        return None

    def accepts(self, media_type: str) -> bool:
        """Does the sender ask for this type by name? Parameters such as ``charset`` or ``q`` do not matter."""
        asked = self.header(b"accept") or ""
        return any(part.partition(";")[0].strip().lower() == media_type for part in asked.split(","))


@dataclass(slots=True)
class Transport:
    """How an answer is brought to the wire when it is not simply sent.

    Attributes:
        delay: seconds before the first byte.
        cut: bytes of the body after which the connection is closed; 0 closes it before the status line.
        drip: seconds between single bytes of the body.

    """

    delay: float = 0.0
    cut: int | None = None
    drip: float = 0.0


@dataclass(slots=True)
class Answer:
    """One answer. Its length is written by the edge."""

    status: int
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""
    transport: Transport | None = None

    def header(self, name: bytes) -> str | None:
        """The first header of that (lower-case) name."""
        for key, value in self.headers:
            if key == name:
                return value.decode("latin-1")
        return None


def json_bytes(document: Any) -> bytes:
    """Compact JSON. Lone surrogates, which some clients send, are escaped and so survive."""
    return _encode(document).encode()


def json_answer(status: int, document: Mapping[str, Any], headers: Iterable[tuple[bytes, bytes]] = NO_STORE) -> Answer:
    """An answer with a JSON body that nobody stores."""
    return Answer(status, [type_json, *headers], json_bytes(document))


def redirect(location: str, headers: Iterable[tuple[bytes, bytes]] = (), *, status: int = 303) -> Answer:
    """A redirect by GET (RFC 9700, section 4.12: 303, so that no form is posted onward)."""
    return Answer(status, [(b"location", location.encode("latin-1", "replace")), *NO_STORE, *headers])
