"""Taking one value out of an answer: a form's hidden field, a JSON pointer, a header."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any


class _Fields(HTMLParser):
    """Names and values of inputs, and of `meta` elements, which carry anti-forgery tokens too."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        name = values.get("name")
        value = values.get("value") if tag == "input" else values.get("content") if tag == "meta" else None
        if name and value is not None:
            self.found.setdefault(name, value)


def fields(html: str) -> dict[str, str]:
    """Every input and `meta` of a page, name to value; the first of a name counts."""
    parser = _Fields()
    parser.feed(html)
    return parser.found


def point(document: Any, pointer: str) -> Any:
    """What a JSON pointer (RFC 6901) points at; None where it points at nothing."""
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(document, dict) and key in document:
            document = document[key]
        elif isinstance(document, list) and key.isdecimal() and int(key) < len(document):
            document = document[int(key)]
        else:
            return None
    return document


def point_text(document: Any, pointer: str | None) -> str | None:
    """As `point`, as text: strings and numbers; None for anything else."""
    if pointer is None:
        return None
    found = point(document, pointer)
    if isinstance(found, bool) or not isinstance(found, str | int | float):
        return None
    return str(found)
