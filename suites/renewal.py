"""What refreshing gave: whether a fresh credential works, and until when one may refresh."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.credentials import Credentials
from harness.tokens import find_jwts
from harness.verdict import Inconclusive, NotApplicable
from suites.auth_cookies import ends_at, lines, live_lines

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.credentials import Captured, Login, Probe, Refreshed
    from harness.flows import Flows
    from harness.user_agent import Answer

_NOT_THERE = frozenset({404, 405})

Outcome = tuple["Refreshed", "Probe | None"]
"""What a refresh gave, and who its access credential makes one; None: nobody."""


@dataclass(frozen=True, slots=True)
class Rotations:
    """One login that was refreshed again and again.

    Attributes:
        login: the login; its session lives on.
        held: what a thief could have taken before the first refresh, and after each.
        steps: the refreshes by the front end.
        bare: a last one with the refresh credential alone; None where an earlier one gave nothing.

    """

    login: Login
    held: tuple[Captured, ...]
    steps: tuple[Outcome, ...]
    bare: Outcome | None

    @property
    def works(self) -> bool:
        """Whether an honest refresh gives a working credential: what every refusal is held against."""
        return self.bare is not None and self.bare[1] is not None and self.bare[1].names(self.login.account)

    @property
    def rotates(self) -> bool:
        """Whether every refresh by the front end replaced the refresh credential."""
        return all(got.rotated for got, _ in self.steps)


@dataclass(frozen=True, slots=True)
class Renewal:
    """What every requirement about refreshing starts from: an honest refresh, the positive control of all refusals.

    Attributes:
        flows: what users do.
        access_cookies: names of the cookies that authenticate.
        cookie: the name of the cookie that carries the refresh credential, where one does.
        rotations: a login that was refreshed.

    """

    flows: Flows
    access_cookies: frozenset[str]
    cookie: str | None
    rotations: Rotations

    @property
    def grace_s(self) -> int:
        """Seconds for which a replaced refresh credential may be accepted, as declared."""
        return self.flows.target.refresh.grace_s if self.flows.target.refresh else 0

    def sign_in(self) -> Login:
        """A login of one's own, once it is known that it can be refreshed.

        Raises:
            NotApplicable: an honest refresh does not work.

        """
        self.control()
        return self.flows.log_in()

    def control(self) -> None:
        """See that an honest refresh works.

        Raises:
            NotApplicable: it does not.

        """
        if not self.rotations.works:
            raise NotApplicable("an honest refresh gives no working access credential; refresh.renews-access judges it")

    def separate(self, held: Captured) -> str:
        """The refresh credential, where it is one of its own.

        Raises:
            NotApplicable: the access credential is the only one.

        """
        access = access_values(held, self.access_cookies)
        if held.refresh is None or self.cookie in self.access_cookies or held.refresh in access:
            raise NotApplicable("there is no refresh credential apart from the access credential")
        return held.refresh

    def hidden(self) -> bool:
        """Whether scripts cannot read the refresh credential: it travels in HttpOnly cookies alone."""
        name = self.cookie or ""
        set_by = live_lines(lines(self.rotations.login.answers), [name]).get(name, [])
        return bool(set_by) and all(line.parsed.http_only for line in set_by)


def rotate(flows: Flows, times: int) -> Rotations:
    """Sign in, refresh so many times as the front end does, then once from a clean client that holds nothing else.

    Raises:
        Inconclusive: there is nothing to refresh with, or nothing where the profile says that one refreshes.

    """
    login = flows.log_in()
    held = [flows.capture(login)]
    if held[0].refresh is None:
        reason = "the login gave no refresh credential; check login.refresh_token or refresh.cookie"
        raise Inconclusive(reason, *login.answers[:1], cause="no refresh credential")
    steps: list[Outcome] = []
    for _ in range(times):
        got = flows.refresh(login)
        if got.answer.status in _NOT_THERE:
            asked = f"{got.answer.method} {got.answer.url}"
            reason = f"{asked} answered {got.answer.status}; check refresh.path and refresh.method"
            raise Inconclusive(reason, got.answer, cause="no refresh endpoint")
        steps.append((got, user_of(flows, got)))
        held.append(flows.capture(login))
        if steps[-1][1] is None:
            return Rotations(login, tuple(held), tuple(steps), None)
    return Rotations(login, tuple(held), tuple(steps), refresh_as(flows, held[-1]))


def refresh_as(flows: Flows, held: Captured, headers: Iterable[tuple[str, str]] = ()) -> Outcome:
    """Refresh from a clean client with what was captured, and see whom that signs in."""
    sent = list(headers)
    got = flows.refresh_with(held, headers=sent)
    return got, user_of(flows, got, sent)


def user_of(flows: Flows, got: Refreshed, headers: Iterable[tuple[str, str]] = ()) -> Probe | None:
    """Who the fresh access credential makes one; None where none was issued, or it makes one nobody."""
    if got.access is None or got.answer.status >= 500:
        return None
    probe = flows.probe(got.access, headers=headers)
    return None if probe.anonymous else probe


def said(outcome: Outcome) -> str:
    """A refresh and what came of it, in words."""
    got, probe = outcome
    asked = f"{got.answer.method} {got.answer.url} answered {got.answer.status}"
    return (
        f"{asked}; what it issued signs nobody in"
        if probe is None
        else f"{asked}, and with what it issued {probe.said()}"
    )


def shown(*outcomes: Outcome) -> list[Refreshed | Probe]:
    """The evidence of refreshes, each with its probe."""
    return [item for outcome in outcomes for item in outcome if item is not None]


def access_values(held: Captured, access_cookies: frozenset[str]) -> list[str]:
    """The values of the access credential: one, or several where it is spread over cookies."""
    if held.access.authorization:
        return [held.access.authorization.partition(" ")[2]]
    return [held.access.cookies[name] for name in sorted(access_cookies) if name in held.access.cookies]


def same_access(held: Captured, got: Refreshed) -> bool:
    """Whether a refresh gave the access credential that was there before."""
    return got.access == Credentials(held.access.cookies, held.access.authorization)


def present(held: Captured, value: str | None) -> Captured:
    """The same, with another refresh credential; None: with none."""
    return replace(held, refresh=value)


def deadline(
    value: str | None, answers: Iterable[Answer], refresh_cookie: str | None, ahead_s: float = 0.0
) -> tuple[float, bool] | None:
    """Until when the refresh credential says it may be used, in seconds since the epoch.

    Returns:
        The end, and whether a token says so (True) or only its cookie (False); None where nothing shows it.

    """
    for jwt in find_jwts(value or ""):
        if jwt.expires_at is not None:
            return jwt.expires_at, True
    name = refresh_cookie or ""
    set_by = live_lines(lines(answers), [name]).get(name)
    ends = ends_at(set_by[-1], ahead_s) if set_by else None
    return None if ends is None else (ends, False)
