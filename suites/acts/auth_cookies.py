"""Set-Cookie lines as they stood on the wire, read for what they say about cookies that authenticate."""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from harness.requirement import INFO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from harness.requirement import Level
    from harness.user_agent import Answer
    from harness.user_agent.cookies import SetCookie
    from harness.user_agent.set_cookie import ParsedSetCookie
    from harness.verdict import Expect


@dataclass(frozen=True, slots=True)
class Line:
    """One Set-Cookie line, the answer that brought it, and what a user agent made of it."""

    answer: Answer
    outcome: SetCookie

    @property
    def exchange(self) -> int:
        """The exchange that shows it."""
        return self.answer.exchange

    @property
    def parsed(self) -> ParsedSetCookie:
        """The line taken apart."""
        return self.outcome.parsed

    @property
    def name(self) -> str:
        """The cookie's name."""
        return self.parsed.name

    @property
    def live(self) -> bool:
        """Whether it gives a value, rather than taking one away."""
        ends, cookie = ends_at(self), self.outcome.cookie
        return bool(self.parsed.value) and not (ends is not None and cookie is not None and ends <= cookie.created)

    def said(self) -> str:
        """The act in words, without the value."""
        attributes = "; ".join(f"{name}={value}" if value else name for name, value in self.parsed.attributes)
        return f"{self.answer.method} {self.answer.url} set {self.name} with {attributes or 'no attributes'}"


def lines(answers: Iterable[Answer]) -> list[Line]:
    """Every Set-Cookie line of these answers, in order."""
    return [Line(answer, outcome) for answer in answers for outcome in answer.set_cookies]


def live_lines(seen: Iterable[Line], names: Iterable[str]) -> dict[str, list[Line]]:
    """The lines that give these cookies a value, by name."""
    found: dict[str, list[Line]] = {}
    wanted = set(names)
    for line in seen:
        if line.name in wanted and line.live:
            found.setdefault(line.name, []).append(line)
    return found


def judge(
    expect: Expect,
    credentials: Mapping[str, list[Line]],
    expected: str,
    wrong: Callable[[Line], str],
    level: Level | None = None,
) -> None:
    """Judge cookie by cookie what all its lines should say.

    Args:
        expect: collects.
        credentials: the lines, by the cookie's name.
        expected: what a sound line says, after the cookie's name.
        wrong: what is wrong with a line; empty where nothing is.
        level: replaces the requirement's level.

    """
    for name, set_by in credentials.items():
        bad = [line for line in set_by if wrong(line)]
        expect.that(
            not bad,
            expected=f"{name} {expected}",
            observed="".join(f"{line.said()}: {wrong(line)}" for line in bad[:1]),
            evidence=bad or set_by,
            scope=name,
            level=level,
        )


def judge_syntax(expect: Expect, seen: Iterable[Line]) -> None:
    """Judge line by line the grammar of RFC 6265bis, and that no answer sets a cookie to two live values."""
    values: dict[tuple[int, str, str, str], str] = {}
    for line in seen:
        cookie = line.outcome.cookie
        key = (line.exchange, line.name, cookie.domain if cookie else "", cookie.path if cookie else "")
        expect.that(
            not line.live or values.setdefault(key, line.parsed.value) == line.parsed.value,
            expected=f"{line.name} is set once in an answer",
            observed=f"{line.said()}, and before, in the same answer, set it to another value",
            evidence=[line],
            scope=line.name,
        )
        expect.that(
            not line.parsed.deviations,
            expected=f"the Set-Cookie line of {line.name} follows RFC 6265bis section 4.1.1",
            observed=f"{line.said()}: {'; '.join(line.parsed.deviations)}",
            evidence=[line],
            scope=line.name,
            level=INFO,
        )


def ends_at(line: Line, ahead_s: float = 0.0) -> float | None:
    """When the cookie ends, in seconds since the epoch; None: with the browser's session.

    Args:
        line: the line.
        ahead_s: by how much the target's clock was ahead when it wrote the line; Max-Age counts from there.

    """
    cookie = line.outcome.cookie
    if line.parsed.max_age is not None:
        return (cookie.created if cookie else 0.0) + ahead_s + line.parsed.max_age
    return line.parsed.expires.timestamp() if line.parsed.expires else None


def lifetime_s(line: Line) -> float | None:
    """For how many seconds the cookie lasts, by the target's clock; None: until the browser is closed."""
    if line.parsed.max_age is not None:
        return float(line.parsed.max_age)
    if line.parsed.expires is None:
        return None
    return line.parsed.expires.timestamp() - _received_at(line)


def _received_at(line: Line) -> float:
    try:
        return parsedate_to_datetime(line.answer.headers.get("Date") or "").timestamp()
    except ValueError:
        return line.outcome.cookie.created if line.outcome.cookie else 0.0
