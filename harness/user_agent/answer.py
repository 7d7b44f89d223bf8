"""What came back: live, in memory only; nothing of it is written anywhere but as a masked Exchange."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.user_agent.cookies import SetCookie
    from harness.user_agent.request import Request

_CHARSET = re.compile(r"charset\s*=\s*\"?([^\s;\"]+)", re.IGNORECASE)


class Headers:
    """Header fields as they came: order, case and repetitions kept."""

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self._pairs = tuple(pairs)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._pairs)

    def __len__(self) -> int:
        return len(self._pairs)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and bool(self.all(name))

    def __repr__(self) -> str:
        return f"<Headers {[name for name, _ in self._pairs]}>"

    def all(self, name: str) -> list[str]:
        """Every value of ``name``, in order."""
        return [value for present, value in self._pairs if present.lower() == name.lower()]

    def get(self, name: str) -> str | None:
        """The value of ``name``, several joined by ``, `` (RFC 9110, section 5.3); None when absent."""
        values = self.all(name)
        return ", ".join(values) if values else None


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one request.

    Attributes:
        exchange: number of its record.
        status: 0 when the request was not sent.
        set_cookies: every Set-Cookie line, in order, and what became of it.
        readable: the page that caused the request may read the answer.
        exposed: lower-case names of the headers it may read; None: all but Set-Cookie.
        blocked: why the browser did not send the request, or does not go on with it; None when it did.
        redirect_to: where a redirect leads, absolute; None when it is none, or leads nowhere.
        request: what it answers, redirects included; `UserAgent.follow` goes on from it.
    """

    exchange: int
    method: str
    url: str
    status: int
    reason: str
    headers: Headers
    body: bytes
    set_cookies: tuple[SetCookie, ...]
    readable: bool
    exposed: frozenset[str] | None
    blocked: str | None
    redirect_to: str | None
    request: Request
    shown: str = field(compare=False)  # the URL, masked

    def __repr__(self) -> str:
        return f"<Answer {self.status} to {self.method} {self.shown}, exchange {self.exchange}>"

    @property
    def text(self) -> str:
        """The body in the charset it declares, UTF-8 by default; what does not decode is replaced."""
        return decode(self.body, self.headers.get("Content-Type") or "")

    def json(self) -> Any:
        """The body as JSON, whatever its Content-Type; None when it is none."""
        try:
            return json.loads(self.text)
        except (ValueError, RecursionError):
            return None


def decode(body: bytes, content_type: str) -> str:
    """``body`` as text, by the charset parameter of ``content_type``."""
    match = _CHARSET.search(content_type)
    try:
        return body.decode(match[1] if match else "utf-8", "replace").removeprefix("\ufeff")
    except LookupError:
        return body.decode("utf-8", "replace")
