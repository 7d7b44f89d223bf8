"""Strict-Transport-Security (RFC 6797)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from harness.user_agent import Answer

YEAR_S: Final = 31_536_000

_MAX_AGE = re.compile(r"(?:^|;)\s*max-age\s*=\s*\"?(\d{1,18})", re.IGNORECASE)


def policy(answer: Answer) -> tuple[str, int]:
    """The policy that an answer states, and its max-age in seconds; empty and 0 where it states none.

    Of several headers only the first counts (section 8.1).
    """
    stated = next(iter(answer.headers.all("Strict-Transport-Security")), "")
    found = _MAX_AGE.search(stated)
    return stated, int(found[1]) if found else 0
