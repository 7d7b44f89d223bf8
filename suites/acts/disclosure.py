"""Where a script could read a credential, and in which disguise."""

from __future__ import annotations

import base64
import html
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from suites.acts.auth_cookies import lines

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.user_agent import Answer

SHORTEST = 12
"""Characters below which a match may be chance."""


@dataclass(frozen=True, slots=True)
class Place:
    """A text within reach of scripts, and the exchange that shows it."""

    name: str
    text: str
    exchange: int


def readable_places(answers: Iterable[Answer]) -> list[Place]:
    """Bodies and cookies without HttpOnly. URLs of redirects are judged by transport.no-token-in-redirects."""
    found = []
    for answer in answers:
        asked = f"{answer.method} {answer.url}"
        found.append(Place(f"the body of {asked}", answer.text, answer.exchange))
        found += [
            Place(f"the readable cookie {line.name}, set by {asked},", line.parsed.value, answer.exchange)
            for line in lines([answer])
            if not line.parsed.http_only
        ]
    return found


def shows(text: str, secret: str) -> bool:
    """Whether a text holds a secret as it stands, for a URL, in base64, or, of a JWT, all but its header."""
    if not text or len(secret) < SHORTEST:
        return False
    encoded = base64.b64encode(secret.encode()).decode().rstrip("=")
    forms = {secret, unquote(secret), quote(secret, safe=""), html.escape(secret), encoded}
    forms.add(encoded.replace("+", "-").replace("/", "_"))
    segments = secret.split(".")
    if len(segments) == 3:  # a JWT may be split over two cookies, its header kept apart
        forms.add(".".join(segments[1:]))
    return any(len(form) >= SHORTEST and form in text for form in forms)
