"""Whether refreshing moves the end of a session, and whether a session that is refreshed ends at all."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.requirement import INFO
from harness.tokens import find_jwts
from harness.verdict import NotApplicable, NotRun
from suites.acts.auth_cookies import ends_at, lines, live_lines
from suites.acts.refreshed import present, refresh_as, said, shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.flows import Flows
    from harness.flows.credentials import Captured, Login
    from harness.user_agent import Answer
    from harness.verdict import Expect
    from suites.acts.refreshed import Outcome

AN_HOUR_S = 3600
A_MOMENT_S = 2.1
"""Long enough that an end counted anew, in whole seconds, has moved by two; one that stays may seem to move by one."""
SLACK_S = 60
BETWEEN_S = 1.5


@dataclass
class Extension:
    """One login, and what a later refresh makes of its end."""

    flows: Flows
    login: Login
    held: Captured
    refresh_cookie: str | None

    def judge(self, expect: Expect) -> None:
        """Refresh later and compare ends; where that settles nothing, refresh on until beyond the declared limit.

        Raises:
            NotRun: there is a declared limit, nothing shows it, and time cannot be made to pass.
            NotApplicable: the declared limit ends no session at all.

        """
        started = time.time()
        later = self.flows.later(AN_HOUR_S)
        ahead_s = float(AN_HOUR_S) if later else 0.0
        if not later:
            time.sleep(A_MOMENT_S)
        outcome = refresh_as(self.flows, self.held, later)
        if outcome[1] is None:
            expect.that(True, expected="refreshing comes to an end", observed="", evidence=shown(outcome))
            return
        got = outcome[0]
        first = deadline(self.held.refresh, self.login.answers, self.refresh_cookie)
        second = deadline(got.refresh, [got.answer], self.refresh_cookie, ahead_s) if got.rotated else first
        limit_s = self._limit_s
        if first is None or second is None:
            self._go_beyond(expect, outcome)
            return
        moved_s = second[0] - first[0]
        stays = moved_s <= (SLACK_S if later else BETWEEN_S)
        within = limit_s is not None and moved_s <= limit_s - (first[0] - started) - SLACK_S
        if not second[1] and limit_s is not None and not stays and not within:
            self._go_beyond(expect, outcome)  # the server may know better than the cookie
            return
        declared = f" beyond the declared {limit_s} s" if limit_s else ""
        expect.that(
            stays or within,
            expected=f"refreshing does not move the end of the session{declared}",
            observed=f"refreshed {ahead_s or A_MOMENT_S:.0f} s after the login: {said(outcome)}; "
            f"the new refresh credential ends {moved_s:.0f} s after the old one, and so on with every refresh",
            evidence=[*self.login.answers[:1], *shown(outcome)],
        )

    @property
    def _limit_s(self) -> int | None:
        """The declared end of refreshing, in seconds after the login."""
        target = self.flows.target
        return (target.refresh.absolute_lifetime_s if target.refresh else None) or target.session.absolute_timeout_s

    def _go_beyond(self, expect: Expect, outcome: Outcome) -> None:
        """Refresh at 60 % and at 110 % of the declared limit: the second must be refused."""
        limit_s = self._limit_s
        if limit_s is None:
            expect.that(
                False,
                expected="an end of refreshing that can be seen or is declared",
                observed=f"{said(outcome)}; neither token nor cookie shows when refreshing ends, "
                "and refresh.absolute_lifetime_s is not declared",
                evidence=shown(outcome),
                level=INFO,
            )
            return
        if not self.flows.later(limit_s):
            raise NotRun(
                f"nothing shows that refreshing ends after the declared {limit_s} s (hooks.clock_header would)"
            )
        middle = refresh_as(self.flows, present(self.held, outcome[0].refresh), self.flows.later(0.6 * limit_s))
        if middle[1] is None:
            raise NotRun(f"a refresh at 60 % of the declared {limit_s} s is refused; nothing shows which limit did it")
        last = refresh_as(self.flows, present(self.held, middle[0].refresh), self.flows.later(1.1 * limit_s))
        if last[1] is not None and self._unenforced(1.1 * limit_s):
            raise NotApplicable(
                "sessions outlive the declared limit unrefreshed, too; session.timeouts-enforced judges it"
            )
        expect.that(
            last[1] is None,
            expected=f"refreshing ends {limit_s} s after the login, as declared",
            observed=f"refreshed along the way and once more {1.1 * limit_s:.0f} s after the login: {said(last)}",
            evidence=shown(middle, last),
        )

    def _unenforced(self, after_s: float) -> bool:
        """Whether the declared end of sessions is no end for one that was never refreshed before either."""
        if self.flows.target.session.absolute_timeout_s is None:
            return False
        untouched = self.flows.capture(self.flows.log_in())
        return refresh_as(self.flows, untouched, self.flows.later(after_s))[1] is not None


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
