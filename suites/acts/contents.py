"""What a self-contained token tells whoever holds it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from harness.tokens import find_jwts
from harness.tokens.jwt import json_segment

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = "a secret"  # noqa: S105
PERSONAL = "about a person"

_HASH = re.compile(
    r"\$(?:argon2\w*|2[abxy]|scrypt|pbkdf2[\w-]*|[156y])\$|(?:pbkdf2_|bcrypt|scrypt:|argon2)\w*\$|\{SSHA"
)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_SECRET = re.compile(r"passw|pwd|secret|api_?key|private_?key|(?:access|refresh|provider|id)_?token$", re.IGNORECASE)
_PERSONAL = re.compile(
    r"e?mail$|^(?:full_?|first_?|last_?|given_?|family_?|nick)?name$|phone|birth|address$"
    r"|^(?:roles?|groups|permissions|is_admin)$",
    re.IGNORECASE,
)


def contents(value: str) -> list[dict[str, Any]]:
    """The JSON objects that a credential holds for everyone to read; empty for an opaque or encrypted one."""
    jwts = find_jwts(value)
    if jwts:
        return [jwt.claims for jwt in jwts]
    parts = unquote(value).strip(".").replace(":", ".").split(".")
    return [found for part in parts if (found := json_segment(part)) is not None and "enc" not in found]


def telling(claims: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Claims that tell too much: the name of the claim, and `SECRET` or `PERSONAL`."""
    if isinstance(claims, dict):
        for name, value in claims.items():
            yield from _of_name(str(name), value, f"{path}{name}")
            yield from telling(value, f"{path}{name}.")
    elif isinstance(claims, list):
        for value in claims:
            yield from telling(value, path)
    elif isinstance(claims, str):
        if _HASH.search(claims):
            yield path.rstrip("."), SECRET
        elif _EMAIL.fullmatch(claims):
            yield path.rstrip("."), PERSONAL


def _of_name(name: str, value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str) and value and _SECRET.search(name) and not _HASH.search(value):
        yield path, SECRET
    elif (
        value not in (None, "", [], {})
        and _PERSONAL.search(name)
        and not (isinstance(value, str) and _EMAIL.fullmatch(value))
    ):
        yield path, PERSONAL
