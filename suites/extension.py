"""Whether refreshing moves the end of a session, and whether it ends at all."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.requirement import INFO
from harness.verdict import NotRun
from suites.renewal import deadline, present, refresh_as, said, shown

if TYPE_CHECKING:
    from harness.credentials import Captured, Login
    from harness.flows import Flows
    from harness.verdict import Expect
    from suites.renewal import Outcome

AN_HOUR_S = 3600
A_MOMENT_S = 2.1
"""Long enough that a deadline in whole seconds, counted anew, has moved by two."""
SLACK_S = 60


@dataclass
class Extension:
    """One login, its refresh credential, and what a later refresh makes of its end."""

    flows: Flows
    login: Login
    held: Captured
    refresh_cookie: str | None

    def judge(self, expect: Expect) -> None:
        """Refresh later and compare; where nothing can be compared, go beyond the declared limit."""
        started = time.time()
        later = self.flows.later(AN_HOUR_S)
        ahead_s = float(AN_HOUR_S) if later else 0.0
        if not later:
            time.sleep(A_MOMENT_S)
        outcome = refresh_as(self.flows, self.held, later)
        got = outcome[0]
        first = deadline(self.held.refresh, self.login.answers, self.refresh_cookie)
        second = deadline(got.refresh, [got.answer], self.refresh_cookie, ahead_s) if got.rotated else first
        if outcome[1] is None:
            second = first  # refused later on: then it ends by itself
        if first is None or second is None:
            self._go_beyond(expect, outcome)
            return
        moved_s = second[0] - first[0]
        limit_s = self._limit_s
        within = limit_s is not None and second[0] <= started + limit_s + SLACK_S
        if moved_s > (SLACK_S if later else A_MOMENT_S / 2 + 0.5) and not within and limit_s is not None and not second[1]:
            self._go_beyond(expect, outcome)
            return
        expect.that(
            within or moved_s <= (SLACK_S if later else A_MOMENT_S / 2 + 0.5),
            expected="the new refresh credential ends when the old one would have" + (f", or within the declared {limit_s} s" if limit_s else ""),
            observed=f"refreshed {ahead_s or A_MOMENT_S:.0f} s after login: {said(outcome)}; it may be used {moved_s:.0f} s longer than the one before, and so on",
            evidence=[*self.login.answers[:1], *shown(outcome)],
        )
