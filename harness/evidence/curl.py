"""Exchanges as curl commands."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Final

from harness.evidence.redaction import MASK

if TYPE_CHECKING:
    from collections.abc import Iterable

# What curl writes itself, and what a browser adds to everything and no application decides by: a line that a person
# can read shows the act.
_LEFT_OUT: Final = frozenset(
    {
        "accept",
        "accept-encoding",
        "accept-language",
        "connection",
        "content-length",
        "sec-fetch-dest",
        "sec-fetch-mode",
        "sec-fetch-user",
        "upgrade-insecure-requests",
        "user-agent",
    }
)
_NAME_BEFORE: Final = re.compile(r"([\w.-]+)(?:\"(?:\r?\n){2}|[\"']?\s*[=:]\s*[\"']?(?:[A-Za-z]+ )?)\Z")


def curl_command(method: str, url: str, headers: Iterable[tuple[str, str]], body: str | None) -> str:
    """One command, quoted for a POSIX shell; masks become variables: ``-H 'Cookie: sid='"$SID"``."""
    variables: dict[str, str] = {}

    def quoted(text: str) -> str:
        return _quoted(text, variables)

    host = re.sub(r"^[a-z]+://|[/?#].*$", "", url)
    words = ["curl", "-i", "-g", "--path-as-is", "-X", quoted(method), quoted(url)]
    for name, value in headers:
        if name.lower() not in _LEFT_OUT and (name.lower() != "host" or value != host):
            # A trailing semicolon is how curl is told to send a header without a value.
            words += ["-H", quoted(f"{name}: {value}" if value else f"{name};")]
    if body is not None:
        words += ["--data-binary", quoted(body)]
    return " ".join(words)


def _quoted(text: str, variables: dict[str, str]) -> str:
    """``text`` for the shell; ``variables`` maps each mask met so far to its variable."""
    words, start = [], 0
    for mask in MASK.finditer(text):
        before = text[start : mask.start()]
        words.append(shlex.quote(before) if before else "")
        words.append(f'"${_variable(mask[0], text[: mask.start()], variables)}"')
        start = mask.end()
    if start == 0 or start < len(text):
        words.append(shlex.quote(text[start:]))
    return "".join(words)


def _variable(mask: str, before: str, variables: dict[str, str]) -> str:
    if mask not in variables:
        named = _NAME_BEFORE.search(before[-120:])
        stem = re.sub(r"\W", "_", named[1] if named else "SECRET").upper().lstrip("0123456789") or "SECRET"
        taken = set(variables.values())
        names = (stem if number == 1 else f"{stem}_{number}" for number in range(1, len(taken) + 2))
        variables[mask] = next(name for name in names if name not in taken)
    return variables[mask]
