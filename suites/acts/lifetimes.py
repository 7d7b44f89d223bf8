"""Whether what was taken from a session still works after something that should have ended it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from harness.flows.credentials import Probe
from harness.verdict import Inconclusive, NotApplicable, NotRun, numbers
from suites.acts.accounts import who
from suites.acts.guessing import sent
from suites.acts.waiting import Clock

if TYPE_CHECKING:
    from harness.flows import Flows
    from harness.flows.credentials import Captured, Login
    from harness.run import Run
    from harness.target import Account, Target
    from harness.user_agent import Answer
    from harness.verdict import Expect

STATELESS_S = 900
"""Seconds for which access tokens that cannot be revoked are tolerated, where they are declared."""
MOST_USES = 40


@dataclass(frozen=True, slots=True)
class After:
    """What should have ended a session.

    Attributes:
        said: it, in words.
        proof: the answers that show it.
        late: headers that say how much later it is.
        prefix: put before the scope of what is judged.

    """

    said: str
    proof: list[Answer]
    late: list[tuple[str, str]] = field(default_factory=list)
    prefix: str = ""


def still_alive(flows: Flows, expect: Expect, held: Captured, account: Account, after: After) -> None:
    """Replay access and refresh credential from clean clients and judge both.

    Access tokens that are declared as stateless are accepted for 15 minutes where the refresh credential is dead.
    """
    shown = numbers(after.proof)
    renewed = _renewed(flows, held, account, after.late)
    access = who(flows, account, flows.probe(held.access, headers=after.late))
    stateless = flows.target.session.stateless_access_s or STATELESS_S + 1
    tolerated = stateless <= STATELESS_S and (renewed is None or not renewed[0].names(account))
    residual = f"access tokens are declared as stateless: a stolen one works for up to {stateless} s."
    expect.that(
        not access.names(account),
        expected="the access credential from before is refused",
        observed=f"After {after.said}, the access credential from before still works: {access.said()}.",
        evidence=[*shown, access],
        scope=f"{after.prefix}access credential",
        accepted=residual if tolerated else "",
    )
    if renewed is not None:
        expect.that(
            not renewed[0].names(account),
            expected="the refresh credential from before is refused",
            observed=f"After {after.said}, the refresh credential from before still works: {renewed[0].said()}.",
            evidence=[*shown, *renewed[1]],
            scope=f"{after.prefix}refresh credential",
        )


def _renewed(
    flows: Flows, held: Captured, account: Account, late: list[tuple[str, str]]
) -> tuple[Probe, tuple[int, ...]] | None:
    """Who the refresh credential still makes one, and what shows it; None where there is none to try."""
    if flows.target.refresh is None or held.refresh is None:
        return None
    got = flows.refresh_with(held, headers=late)
    if got.access is None:
        return Probe(got.answer, None), numbers([got])
    probe = who(flows, account, flows.probe(got.access, headers=late))
    return probe, numbers([got, probe])


def sign_in_again(flows: Flows, login: Login) -> Login:
    """Sign in once more in the same user agent.

    Raises:
        NotApplicable: a signed-in user agent cannot do so: the form is not shown to it, or not taken from it.

    """
    before = flows.cookies(login.agent)
    try:
        again = flows.log_in(login.account, agent=login.agent)
    except Inconclusive as error:
        if error.cause == "anti-forgery token not found":
            raise NotApplicable("a signed-in user agent is not shown the login form") from None
        raise
    page = flows.target.login.anti_forgery is not None
    if flows.cookies(again.agent) == before and (page or any(answer.status >= 400 for answer in again.answers[:1])):
        raise NotApplicable(f"a signed-in user agent cannot sign in again: {sent(again.answers)}, and changed nothing")
    return again


def limits(target: Target) -> list[tuple[str, int]]:
    """The declared limits of a session in seconds, the shorter one first.

    Raises:
        NotApplicable: there are no sessions (HTTP Basic).

    """
    if target.login.encoding == "basic":
        raise NotApplicable("there is no session: the password itself travels with every request (HTTP Basic)")
    declared = {"idle": target.session.idle_timeout_s, "absolute": target.session.absolute_timeout_s}
    return sorted(((name, limit) for name, limit in declared.items() if limit), key=lambda pair: pair[1])


def past(limit: int) -> float:
    """A moment at which a session with that limit must have ended: a tenth later, and no less than two seconds."""
    return max(limit * 1.1, limit + 2.0)


def clock(flows: Flows, run: Run, limit: int) -> Clock:
    """The target's time, as far as that moment."""
    return Clock(flows, run, past(limit))


def refreshed_once(flows: Flows, login: Login) -> Captured:
    """What a thief could take from a login; its refresh credential has been seen to work where it is there at all."""
    held = flows.capture(login)
    if flows.target.refresh is None or held.refresh is None:
        return held
    got = flows.refresh_with(held)
    return replace(held, refresh=got.refresh if got.access is not None else None)


def keep_in_use(flows: Flows, held: Captured, time: Clock, name: str, limit: int) -> None:
    """For the absolute limit: use the session often enough that no idle limit ends it before."""
    if name != "absolute":
        return
    idle = flows.target.session.idle_timeout_s
    end = past(limit)
    uses = math.ceil(end / (idle * 0.8)) - 1 if idle else 1
    if uses > MOST_USES:
        raise NotRun(
            f"the absolute limit was not judged: an idle limit of {idle} s ends the session first, unless it is used "
            f"{uses} times on the way"
        )
    for number in range(1, uses + 1):
        flows.probe(held.access, headers=time.at(end * number / (uses + 1)))
