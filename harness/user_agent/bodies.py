"""What requests carry: bodies as scripts make them, forms as browsers encode them (HTML, "form submission")."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Self
from urllib.parse import quote_plus

if TYPE_CHECKING:
    from collections.abc import Iterable

Encoding = Literal["urlencoded", "multipart", "text/plain"]


@dataclass(frozen=True, slots=True)
class Body:
    """A request body and its Content-Type; None: the header is not sent."""

    content: bytes = field(repr=False)
    content_type: str | None

    @classmethod
    def json(cls, value: Any) -> Self:
        """``value`` as JSON."""
        return cls(json.dumps(value).encode(), "application/json")

    @classmethod
    def form(cls, pairs: Iterable[tuple[str, str]]) -> Self:
        """Fields as ``application/x-www-form-urlencoded``."""
        return cls(urlencoded(pairs).encode(), "application/x-www-form-urlencoded")

    @classmethod
    def multipart(cls, pairs: Iterable[tuple[str, str]]) -> Self:
        """Fields as ``multipart/form-data``."""
        boundary = f"----authconform{os.urandom(8).hex()}"
        parts = [
            f'--{boundary}\r\nContent-Disposition: form-data; name="{_escaped(name)}"\r\n\r\n{_lines(value)}\r\n'
            for name, value in pairs
        ]
        content = "".join([*parts, f"--{boundary}--\r\n"])
        return cls(_octets(content), f"multipart/form-data; boundary={boundary}")

    @classmethod
    def text(cls, text: str, content_type: str | None = "text/plain;charset=UTF-8") -> Self:
        """Text as it stands."""
        return cls(_octets(text), content_type)


@dataclass(frozen=True, slots=True)
class Form:
    """An HTML form about to be submitted; ``action`` may be relative to the page it is on."""

    action: str = field(repr=False)
    method: str = "POST"
    fields: Iterable[tuple[str, str]] = field(default=(), repr=False)
    enctype: Encoding = "urlencoded"

    def body(self) -> Body:
        """What a POST sends."""
        match self.enctype:
            case "urlencoded":
                return Body.form(self.fields)
            case "multipart":
                return Body.multipart(self.fields)
            case "text/plain":
                text = "".join(f"{_lines(name)}={_lines(value)}\r\n" for name, value in self.fields)
                return Body.text(text, "text/plain")


def urlencoded(pairs: Iterable[tuple[str, str]]) -> str:
    """The urlencoded serialiser of the URL Standard, line breaks normalised as forms do."""
    return "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in pairs)


def _quoted(text: str) -> str:
    return quote_plus(_octets(_lines(text)), safe="*-._").replace("~", "%7E")


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n")


def _escaped(name: str) -> str:
    return _lines(name).replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
