"""How many bits of a credential an attacker has to guess, as far as can be seen from outside."""

from __future__ import annotations

import base64
import binascii
import math
import string
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ENOUGH_BITS = 128
ENOUGH_VALUES = 20
"""So many values that a character which happens to be the same in all of them is hardly random."""
FEWEST_TO_ORDER = 8
"""So few random values stand in order by chance once in 20,000 times."""

_ALPHABETS = (
    string.digits, "0123456789abcdef", "0123456789ABCDEF", string.ascii_lowercase, string.ascii_uppercase,
    string.ascii_uppercase + "234567", string.ascii_lowercase + string.digits, string.ascii_letters + string.digits,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Strength:
    """What varies in a series of values: how many characters, of how many possible ones each."""

    characters: int
    alphabet: int

    @property
    def bits(self) -> float:
        """An upper bound: as if every varying character were drawn at random."""
        return self.characters * math.log2(self.alphabet)


def fault(values: Sequence[str], *, self_contained: bool) -> str | None:
    """What is wrong with a series of credentials, in words; None where nothing is."""
    if len(set(values)) < len(values):
        return f"{len(values)} logins gave only {len(set(values))} different values"
    if self_contained:
        return None
    found = strength(values)
    if found.bits >= ENOUGH_BITS:
        return None
    ordered = "; read as numbers, they only grow" if in_order(values) else ""
    return (
        f"{found.characters} characters out of {found.alphabet} vary between {len(values)} values, "
        f"{found.bits:.0f} bits at most{ordered}"
    )


def strength(values: Sequence[str]) -> Strength:
    """Measure a series of values after stripping what is the same in all of them."""
    plain = [unquote(value) for value in values]
    columns = [set(column) for column in zip(*plain, strict=False)]
    varying = [column for column in columns if len(column) > 1]
    used = set().union(*varying)
    alphabet = next((len(known) for known in _ALPHABETS if used <= set(known)), 64)
    return Strength(len(varying), alphabet)


def in_order(values: Sequence[str]) -> bool:
    """Whether the values, read as numbers in some plain way, only ever grow."""
    if len(values) < FEWEST_TO_ORDER:
        return False
    readings = [list(_numbers(unquote(value))) for value in values]
    return any(
        None not in series and all(a < b for a, b in pairwise(number for number in series if number is not None))
        for series in zip(*readings, strict=True)
    )


def _numbers(value: str) -> Iterator[int | None]:
    """A value as a decimal number, a hexadecimal one, and the base64 of either or of bytes."""
    decoded = _base64(value)
    yield _integer(value, 10)
    yield _integer(value.replace("-", ""), 16)
    yield _integer(decoded.decode("latin-1"), 10) if decoded else None
    yield int.from_bytes(decoded, "big") if decoded else None


def _integer(text: str, base: int) -> int | None:
    try:
        return int(text, base)
    except ValueError:
        return None


def _base64(value: str) -> bytes | None:
    try:
        return base64.b64decode(value.replace("-", "+").replace("_", "/") + "=" * (-len(value) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
