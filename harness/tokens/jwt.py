"""Reading signed JSON Web Tokens (RFC 7515, RFC 7519) as anyone could: nothing is verified, nothing raises."""

from __future__ import annotations

import base64
import json
import math
import re
from dataclasses import dataclass, field
from typing import Any, Self

LONGEST = 64 * 1024
"""Characters beyond which a text is not taken for a token: no header or cookie carries so much."""

_SEGMENT = re.compile(r"[A-Za-z0-9_-]+")
# A JSON object starts with '{' and then '"' or white space, hence "ey" or "ew" in base64url. A percent-encoded
# character may stand right before it, as in the signed cookies of several frameworks ("s%3AeyJ…").
_IN_TEXT = re.compile(r"(?:(?<![\w-])|(?<=%[0-9A-Fa-f]{2}))e[yw][\w-]+\.[\w-]+\.[\w-]*(?![\w-]|\.[\w-])", re.ASCII)


@dataclass(frozen=True, slots=True)
class Jwt:
    """A signed token, taken apart. Its repr shows no value of the token.

    Attributes:
        raw: the token as it was found.
        header: the JOSE header.
        claims: the payload.
        signature: the signature's bytes, empty where there is none.
        segments: header, payload and signature as they stand in the token.

    """

    raw: str = field(repr=False)
    header: dict[str, Any] = field(repr=False)
    claims: dict[str, Any] = field(repr=False)
    signature: bytes = field(repr=False)
    segments: tuple[str, str, str] = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """The token that `text` is, or None where it is none."""
        if len(text) > LONGEST:
            return None
        parts = text.split(".")
        if len(parts) != 3:  # noqa: PLR2004 - the compact serialisation has three parts
            return None
        header, claims, signature = json_segment(parts[0]), json_segment(parts[1]), decode(parts[2])
        if header is None or claims is None or signature is None or not isinstance(header.get("alg"), str):
            return None
        return cls(text, header, claims, signature, (parts[0], parts[1], parts[2]))

    @property
    def algorithm(self) -> str:
        """The header's ``alg``, as it is spelt."""
        return str(self.header["alg"])

    @property
    def subject(self) -> str | None:
        """The ``sub`` claim, where it is a string."""
        value = self.claims.get("sub")
        return value if isinstance(value, str) else None

    @property
    def issued_at(self) -> float | None:
        """The ``iat`` claim, in seconds since the epoch."""
        return self._date("iat")

    @property
    def expires_at(self) -> float | None:
        """The ``exp`` claim, in seconds since the epoch."""
        return self._date("exp")

    @property
    def lifetime_s(self) -> float | None:
        """Seconds from issue to expiry, where the token states both."""
        if self.expires_at is None or self.issued_at is None:
            return None
        return self.expires_at - self.issued_at

    def _date(self, claim: str) -> float | None:
        value = self.claims.get(claim)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        try:
            return float(value) if math.isfinite(value) else None
        except OverflowError:  # an integer beyond any float
            return None


def looks_like_jwt(text: str) -> bool:
    """Whether `text` is a signed token in the compact serialisation, as far as one can see without its key."""
    return Jwt.parse(text) is not None


def find_jwts(text: str) -> list[Jwt]:
    """The signed tokens that occur in `text`, each once, in order."""
    found = dict.fromkeys(match.group() for match in _IN_TEXT.finditer(text))
    return [token for token in map(Jwt.parse, found) if token is not None]


def encode(data: bytes) -> str:
    """`data` in base64url without padding (RFC 7515, section 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode(segment: str) -> bytes | None:
    """The inverse of `encode`; None where `segment` is not base64url."""
    if not segment:
        return b""
    if not _SEGMENT.fullmatch(segment) or len(segment) % 4 == 1:
        return None
    return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))


def json_segment(segment: str) -> dict[str, Any] | None:
    """The JSON object that a segment holds; None where it holds none."""
    data = decode(segment)
    try:
        value = json.loads(data) if data else None
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
