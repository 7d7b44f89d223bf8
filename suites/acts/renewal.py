"""What requirements about refreshing start from: a login that was refreshed, honestly and with success."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.verdict import Inconclusive, NotApplicable
from suites.acts.auth_cookies import lines, live_lines
from suites.acts.refreshed import access_values, refresh_as, user_of

if TYPE_CHECKING:
    from harness.flows import Flows
    from harness.flows.credentials import Captured, Login
    from suites.acts.refreshed import Outcome

_NOT_THERE = frozenset({404, 405})


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
