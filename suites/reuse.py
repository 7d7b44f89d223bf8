"""A refresh credential used a second time: one after the other, and at the same moment."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING

from harness.requirement import SHOULD
from harness.verdict import NotApplicable
from suites.renewal import present, refresh_as, said, shown
from suites.waiting import let_pass

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from harness.credentials import Captured, Refreshed
    from harness.fixtures import SignIn
    from harness.flows import Flows
    from harness.verdict import Expect
    from suites.renewal import Outcome

REFUSED = "a refresh credential that was replaced is refused"
_TOGETHER_S = 30.0


def replay(flows: Flows, old: Captured, new: Captured, headers: Iterable[tuple[str, str]] = ()) -> Outcome:
    """The replaced value sent again from a clean client.

    Where the refusal may speak of forgery rather than of the value, it is sent once more with the anti-forgery token of today.
    """
    sent = list(headers)
    outcome = refresh_as(flows, old, sent)
    if outcome[1] is None and outcome[0].answer.status != 401 and old.proof != new.proof:
        return refresh_as(flows, present(new, old.refresh), sent)
    return outcome


def reused_at_once(flows: Flows, sign_in: SignIn, expect: Expect, *, grace_s: int) -> bool:
    """R1 right after R2 was issued. Returns whether it was accepted as a retry, which a declared grace allows."""
    own = sign_in()
    old = flows.capture(own)
    flows.refresh(own)
    new = flows.capture(own)
    outcome = replay(flows, old, new)
    if outcome[1] is not None and grace_s:
        return True
    _judge(flows, expect, outcome, new, scope="right after its replacement")
    return False


def reused_after_two(flows: Flows, sign_in: SignIn, expect: Expect) -> None:
    """R1 after R2 was used: no answer was lost, so no grace covers it."""
    own = sign_in()
    old = flows.capture(own)
    flows.refresh(own)
    flows.refresh(own)
    new = flows.capture(own)
    _judge(flows, expect, replay(flows, old, new), new, scope="after its successor was used")


def reused_after_grace(flows: Flows, sign_in: SignIn, expect: Expect, *, grace_s: int, allow: Collection[str]) -> None:
    """R1 when the declared grace is over, where time can be made to pass."""
    own = sign_in()
    old = flows.capture(own)
    flows.refresh(own)
    new = flows.capture(own)
    later = let_pass(flows, allow, 1.1 * grace_s + 1)
    if later is not None:
        _judge(flows, expect, replay(flows, old, new, later), new, scope="after the grace", headers=later)


def _judge(
    flows: Flows,
    expect: Expect,
    outcome: Outcome,
    new: Captured,
    *,
    scope: str,
    headers: Iterable[tuple[str, str]] = (),
) -> None:
    refused = expect.that(
        outcome[1] is None,
        expected=REFUSED,
        observed=f"the replaced refresh credential was sent again {scope}: {said(outcome)}",
        evidence=shown(outcome),
        scope=scope,
    )
    if refused:
        after = refresh_as(flows, new, headers)
        expect.that(
            after[1] is None,
            expected="the reuse of a replaced refresh credential ends the family: its successor is dead, too",
            observed=f"the replaced refresh credential was refused, yet its successor works on: {said(after)}",
            evidence=shown(outcome, after),
            scope="successor",
            level=SHOULD,
        )


def at_once(flows: Flows, held: Captured) -> list[Refreshed]:
    """The same refresh credential sent twice at the same moment, from two clean clients."""
    start = Barrier(2, timeout=_TOGETHER_S)

    def one(_: int) -> Refreshed:
        start.wait()
        return flows.refresh_with(held)

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(one, range(2), timeout=_TOGETHER_S))


def independent(flows: Flows, held: Captured, pair: list[Refreshed], *, grace_s: int) -> list[Outcome]:
    """The next refreshes of both successors, where two different ones live side by side; empty where they do not.

    Raises:
        NotApplicable: a replaced value is accepted one after the other, too; the race is no fault of its own.

    """
    if not all(got.rotated for got in pair) or pair[0].refresh == pair[1].refresh:
        return []
    onward = [refresh_as(flows, present(held, got.refresh)) for got in pair]
    if any(probe is None for _, probe in onward):
        return []
    if not grace_s and refresh_as(flows, held)[1] is not None:
        raise NotApplicable("a replaced refresh credential is accepted at any time, which is judged by refresh.reuse-detected")
    return onward
