"""Challenges in WWW-Authenticate (RFC 9110, section 11.6.1)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.user_agent import Answer

_SCHEME = re.compile(r"(?:^|,)\s*([A-Za-z][\w!#$%&'*+.^`|~-]*)(?=\s+[^=\s,]|\s*,|\s*$)(?!\s*=)")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_ERROR = re.compile(r"\berror\s*=")


def schemes(answer: Answer) -> set[str]:
    """The schemes of an answer's challenges, lower case."""
    lines = (_QUOTED.sub('""', value) for value in answer.headers.all("WWW-Authenticate"))
    return {name.lower() for line in lines for name in _SCHEME.findall(line)}


def has_error_code(answer: Answer) -> bool:
    """Whether a challenge says what was wrong with the credential (RFC 6750, section 3.1)."""
    return any(_ERROR.search(value) for value in answer.headers.all("WWW-Authenticate"))
