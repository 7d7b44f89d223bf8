"""What the provider refuses, and where the specification says so."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_UNSAYABLE = re.compile(r"[^\x20\x21\x23-\x5b\x5d-\x7e]")


def sayable(text: str) -> str:
    """Text with a question mark for what no ``error_description`` may hold (RFC 6749, section 4.1.2.1)."""
    return _UNSAYABLE.sub("?", text)


class OAuthError(Exception):
    """A refusal.

    Args:
        error: the code of the specification, such as ``invalid_grant``.
        description: one sentence: what the relying party did wrong. What no description may hold (RFC 6749, section
            5.2), control characters and quotes among it, becomes a question mark: it goes into headers too.
        source: where the specification says so.
        status: of the answer, where it is not a redirect.
        challenge: value of ``WWW-Authenticate``, where one is due.
        tell: extra members of a JSON error answer.
        headers: further headers of the answer.

    """

    def __init__(  # noqa: PLR0913 # each is a different part of the answer
        self,
        error: str,
        description: str,
        source: str = "",
        *,
        status: int = 400,
        challenge: str | None = None,
        tell: dict[str, object] | None = None,
        headers: Sequence[tuple[bytes, bytes]] = (),
    ) -> None:
        super().__init__(f"{error}: {description}")
        self.error = error
        self.description = sayable(description)
        self.source = source
        self.status = status
        self.challenge = challenge
        self.tell = tell or {}
        self.headers = headers
