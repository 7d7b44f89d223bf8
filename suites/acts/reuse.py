"""A refresh credential used a second time: one after the other, and at the same moment."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier
from typing import TYPE_CHECKING

from harness.requirement import SHOULD
from harness.verdict import NotApplicable, NotRun
from suites.acts.refreshed import present, refresh_as, said, shown
from suites.acts.waiting import Clock

if TYPE_CHECKING:
    from harness.flows import Flows
    from harness.flows.credentials import Captured, Refreshed
    from harness.run import Run
    from harness.verdict import Expect
    from suites.acts.refreshed import Outcome
    from suites.acts.renewal import Renewal

_TOGETHER_S = 60.0


@dataclass
class Reuse:
    """A refresh credential and what replaced it.

    Attributes:
        flows: what users do.
        old: what a thief copied.
        new: what the user holds now.
        later: headers of every request, where time is to have passed.

    """

    flows: Flows
    old: Captured
    new: Captured
    later: list[tuple[str, str]]

    @classmethod
    def after(cls, renewal: Renewal, refreshes: int) -> Reuse:
        """Sign in, copy, and refresh so many times."""
        login = renewal.sign_in()
        old = renewal.flows.capture(login)
        for _ in range(refreshes):
            renewal.flows.refresh(login)
        return cls(renewal.flows, old, renewal.flows.capture(login), [])

    def replay(self) -> Outcome:
        """The replaced value sent again from a clean client.

        Where the refusal may speak of forgery, not of the value, it is sent once more with today's anti-forgery token.
        """
        outcome = refresh_as(self.flows, self.old, self.later)
        if outcome[1] is None and outcome[0].answer.status != 401 and self.old.proof != self.new.proof:
            return refresh_as(self.flows, present(self.new, self.old.refresh), self.later)
        return outcome

    def judge(self, expect: Expect, outcome: Outcome, when: str) -> None:
        """The replay must have been refused, and must have ended the family."""
        refused = expect.that(
            outcome[1] is None,
            expected="a refresh credential that was replaced is refused",
            observed=f"the replaced refresh credential was sent again {when}: {said(outcome)}",
            evidence=shown(outcome),
            scope=when,
        )
        if not refused:
            return
        successor = refresh_as(self.flows, self.new, self.later)
        expect.that(
            successor[1] is None,
            expected="the reuse of a replaced refresh credential ends the family: its successor is dead, too",
            observed=f"the replaced one was refused {when}, yet its successor lives on: {said(successor)}",
            evidence=shown(outcome, successor),
            scope=f"successor, {when}",
            level=SHOULD,
        )


def judge_reuse(renewal: Renewal, expect: Expect, run: Run) -> None:
    """Right after its replacement a value must be dead; within a declared grace, once no answer can have been lost."""
    at_once = Reuse.after(renewal, 1)
    outcome = at_once.replay()
    if outcome[1] is None or not renewal.grace_s:
        at_once.judge(expect, outcome, "right after its replacement")
        return
    used = Reuse.after(renewal, 2)
    used.judge(expect, used.replay(), "after its successor was used")
    over_s = 1.1 * renewal.grace_s + 1
    expired = Reuse.after(renewal, 1)
    try:
        expired.later = Clock(renewal.flows, run, over_s).at(over_s)
    except NotRun:
        return  # what was judged counts; that the grace ends was not asked to be waited for
    expired.judge(expect, expired.replay(), f"after the declared grace of {renewal.grace_s} s")


def refresh_twice(flows: Flows, held: Captured) -> list[Refreshed]:
    """The same refresh credential sent twice at the same moment, from two clean clients."""
    start = Barrier(2, timeout=_TOGETHER_S)

    def one(_: int) -> Refreshed:
        start.wait()
        return flows.refresh_with(held)

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(one, range(2), timeout=_TOGETHER_S))


def independent(renewal: Renewal, held: Captured, pair: list[Refreshed]) -> list[Outcome]:
    """The next refreshes of both successors, where two different ones live side by side; empty where they do not.

    Raises:
        NotApplicable: a replaced value is accepted at any time; the race is no fault of its own.

    """
    if not all(got.rotated for got in pair) or pair[0].refresh == pair[1].refresh:
        return []
    onward = [refresh_as(renewal.flows, present(held, got.refresh)) for got in pair]
    if any(probe is None for _, probe in onward):
        return []
    if not renewal.grace_s and refresh_as(renewal.flows, held)[1] is not None:
        raise NotApplicable("a replaced refresh credential works at any time; refresh.reuse-detected judges it")
    return onward
