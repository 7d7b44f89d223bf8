"""Refresh credentials that nobody issued."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from harness.tokens import Jwt, forgeries, tamper_opaque

if TYPE_CHECKING:
    from collections.abc import Iterator

TELLING: Final = (
    "payload changed",
    "character of the signature",
    "signature removed",
    "alg 'none' without",
    "empty HMAC key",
)
"""The forgeries worth a request: one for each way of not verifying."""


def forged(value: str) -> Iterator[tuple[str, str | None]]:
    """What an attacker may send in place of a genuine refresh credential, each with its name; None: nothing at all."""
    yield "no credential", None
    yield "a random credential", secrets.token_urlsafe(32)
    if Jwt.parse(value) is None:
        yield "a credential with one character changed", tamper_opaque(value)
        return
    made = forgeries(value)
    for words in TELLING:
        forgery = next((one for one in made if words in one.name), None)
        if forgery is not None:
            yield f"a forged token ({forgery.name})", forgery.token
