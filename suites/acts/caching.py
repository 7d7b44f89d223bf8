"""What an answer says about being stored (RFC 9111)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.flows.pages import point_text
from harness.requirement import INFO, SHOULD, Level

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.fixtures import SignIn
    from harness.flows import Flows
    from harness.flows.credentials import Login, Probe
    from harness.user_agent import Answer

_CACHEABLE = frozenset({200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501})
"""Statuses that caches may store on their own judgement (RFC 9110, section 15.1)."""


@dataclass(frozen=True, slots=True)
class Storage:
    """Whether an answer may be stored.

    Attributes:
        forbidden: neither the browser nor a shared cache may.
        level: how much it matters where they may.
        said: what the answer says, in words.

    """

    forbidden: bool
    level: Level
    said: str


def directives(answer: Answer) -> dict[str, str]:
    """The Cache-Control directives, lower case, each with its argument or nothing."""
    parts = (part.strip().partition("=") for part in (answer.headers.get("Cache-Control") or "").lower().split(","))
    return {name.strip(): value.strip(' "') for name, _, value in parts if name}


def storage(answer: Answer, *, by_header: bool) -> Storage:
    """Judge the answer to a request that was authenticated, or that issued a credential.

    Args:
        answer: the answer.
        by_header: the credential travels in Authorization, which keeps shared caches off unless they are invited
            (RFC 9111, section 3.5).

    """
    found = directives(answer)
    said = f"Cache-Control: {answer.headers.get('Cache-Control') or 'absent'}"
    if "no-store" in found or answer.status >= 400:
        return Storage(forbidden=True, level=SHOULD, said=said)
    if "public" in found or "s-maxage" in found:
        return Storage(forbidden=False, level=SHOULD, said=f"{said}: shared caches may store it")
    if "private" in found or "no-cache" in found or "no-cache" in (answer.headers.get("Pragma") or "").lower():
        return Storage(forbidden=False, level=INFO, said=f"{said}: the browser may store it")
    fresh = found.get("max-age", "0") != "0" or "Expires" in answer.headers
    if not fresh and (answer.status not in _CACHEABLE):
        return Storage(forbidden=True, level=SHOULD, said=said)
    safe = answer.method in {"GET", "HEAD"}
    level = SHOULD if safe and (fresh or not by_header) else INFO
    return Storage(
        forbidden=False,
        level=level,
        said=f"{said}: {'any cache' if safe and not by_header else 'the browser'} may store it",
    )


def personal_answers(flows: Flows, opening: tuple[Login, Probe], sign_in: SignIn) -> Iterator[tuple[str, Answer]]:
    """Answers for one user, or with a credential in a cookie: login, probe, refresh and logout, as far as declared."""
    login, probe = opening
    yield from (
        ("login", answer) for answer in login.answers if answer.set_cookies and not _carries_token(flows, answer)
    )
    yield "probe", probe.answer
    if flows.target.refresh is None and flows.target.logout is None:
        return
    own = sign_in()
    if flows.target.refresh is not None:
        answer = flows.refresh(own).answer
        if not _carries_token(flows, answer):
            yield "refresh", answer
    if flows.target.logout is not None:
        yield "logout", flows.log_out(own)


def _carries_token(flows: Flows, answer: Answer) -> bool:
    refresh = flows.target.refresh
    pointers = {flows.target.login.access_token, refresh.access_token if refresh else None}
    return any(point_text(answer.json(), pointer) for pointer in pointers)
