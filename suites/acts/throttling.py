"""Guessing passwords until something stops it."""

from __future__ import annotations

import re
import secrets
import time
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from harness.needs import loopback
from suites.acts.accounts import who
from suites.acts.guessing import THROTTLED

if TYPE_CHECKING:
    from harness.flows import Flows
    from harness.flows.credentials import Login
    from harness.target import Account

GUESSES = 30
PAUSE_S = 0.5
SLOWER = 5
SLOW_S = 1.0
FIRST, LAST = 5, 3
"""A delay counts when the last three answers are slower than the first five: one may be chance."""

_CAPTCHA = re.compile(r"captcha|turnstile|too many|rate.?limit", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Met:
    """How far guessing came.

    Attributes:
        limit: what stopped it, in words; None: nothing did.
        guesses: how many wrong passwords were sent.
        status: how the last one was answered.
        evidence: exchanges that show it.

    """

    limit: str | None
    guesses: int
    status: int
    evidence: list[int]


def guess_until_limited(flows: Flows, account: Account) -> Met:
    """Send wrong passwords, then the right one, until a control is met."""
    elapsed: list[float] = []
    statuses: list[int] = []
    evidence: list[int] = []
    for number in range(1, GUESSES + 1):
        started = time.monotonic()
        answers = flows.attempt(account, password=f"wrong-{secrets.token_urlsafe(9)}").answers
        elapsed.append(time.monotonic() - started)
        statuses.append(answers[0].status)
        evidence = [*evidence[:1], answers[0].exchange]
        limit = _limit(answers[-1].text, statuses, elapsed)
        if limit is not None:
            return Met(limit, number, statuses[-1], evidence)
        if not loopback(flows.target.origin):
            time.sleep(max(0.0, PAUSE_S - elapsed[-1]))
    login = flows.attempt(account)
    return _right_password(flows, login, Met(None, GUESSES, statuses[-1], evidence))


def _limit(text: str, statuses: list[int], elapsed: list[float]) -> str | None:
    if statuses[-1] in THROTTLED or (statuses[-1] == 403 and statuses[0] != 403):
        return f"status {statuses[-1]}"
    if _CAPTCHA.search(text) and statuses[-1] >= 400:
        return "a captcha, or words to that effect"
    slow = max(SLOW_S, SLOWER * median(elapsed[:FIRST]))
    if len(elapsed) >= FIRST + LAST and min(elapsed[-LAST:]) > slow:
        return f"answers {SLOWER} times slower"
    return None


def _right_password(flows: Flows, login: Login, met: Met) -> Met:
    probe = who(flows, login.account, flows.probe_in(login.agent, login.header))
    evidence = [*met.evidence, *(answer.exchange for answer in login.answers), probe.exchange]
    limit = None if probe.names(login.account) else "the right password is refused for now"
    return Met(limit, met.guesses, met.status, evidence)
