"""Signing in with what is not quite the right password, and seeing who one is then."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from harness.flows import MISSING
from harness.verdict import Inconclusive, NotApplicable, numbers
from suites.acts.accounts import new_password, sign_in_spare, sign_up, who

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.flows import Flows
    from harness.flows.credentials import Login, Probe
    from harness.target import Account, Target
    from harness.user_agent import Answer

THROTTLED = frozenset({423, 429})
"""Statuses by which an application says that it no longer looks at the password."""


@dataclass(frozen=True, slots=True)
class Guess:
    """What came of one attempt: who the probe said one was, the exchanges that show it, and both in words."""

    probe: Probe
    evidence: tuple[int, ...]
    said: str


def guess(flows: Flows, account: Account, anonymous: Probe, password: Any) -> Guess:
    """Try a password and ask the probe with whatever came back.

    Raises:
        Inconclusive: the application no longer looks at passwords, so that a refusal tells nothing.
        NotApplicable: the profile's own function signs in; it cannot be given another password.

    """
    if flows.target.login.function:
        raise NotApplicable("a function of the profile signs in; no other password can be given to it (login.function)")
    try:
        login = flows.attempt(account, password=password)
    except Inconclusive as error:
        if not str(error).startswith("login step"):
            raise
        return Guess(anonymous, (*error.evidence, anonymous.exchange), f"the login stopped ({error})")
    refuse_throttled(login.answers)
    probe = flows.probe_in(login.agent, login.header) if holds_something(flows, login) else anonymous
    return Guess(probe, numbers([*login.answers, probe]), f"{sent(login.answers)}, then {probe.said()}")


def holds_something(flows: Flows, login: Login) -> bool:
    """Whether a login left anything that could authenticate; if not, the run's anonymous probe speaks for it."""
    return bool(login.header or flows.cookies(login.agent))


def sent(answers: list[Answer]) -> str:
    """The answer to the credentials, in words."""
    if not answers:
        return "no login request was needed"
    return f"{answers[0].method} {answers[0].shown} answered {answers[0].status}"


def discarded(answers: list[Answer]) -> str:
    """The cookies that the user agent would not keep, in words; empty where there are none."""
    refused = [f"{s.cookie.name} ({s.why})" for a in answers for s in a.set_cookies if s.cookie and not s.accepted]
    return f" Cookies that browsers discard: {', '.join(refused)}." if refused else ""


def refuse_throttled(answers: list[Answer]) -> None:
    """Stop where the application no longer looks at passwords.

    Raises:
        Inconclusive: it said so.

    """
    for answer in answers[:1]:
        if answer.status in THROTTLED:
            said = f"the target answered {answer.status} after wrong passwords and no longer looks at them"
            raise Inconclusive(f"{said}; lower limits.wrong_passwords", answer, cause="account locked or throttled")


def wrong_passwords(target: Target) -> dict[str, Any]:
    """What is tried in place of the password, under a name for people: text where only text can be sent."""
    tried: dict[str, Any] = {"another password": f"wrong-{secrets.token_urlsafe(9)}", "an empty password": ""}
    if target.login.encoding != "basic" and not target.login.steps:
        tried["no password at all"] = MISSING
        if target.login.encoding == "json":
            tried |= {
                "null": None,
                "an empty list": [],
                "an object that some databases take for a condition": {"$ne": ""},
            }
    return tried


def almost_right(password: str) -> Iterator[tuple[str, str]]:
    """Passwords that a careless comparison takes for `password`."""
    variants = {
        "upper and lower case swapped": password.swapcase(),
        "without its last character": password[:-1],
        "a space before it": f" {password}",
        "a space after it": f"{password} ",
    }
    yield from ((name, variant) for name, variant in variants.items() if variant != password)


def cut_password(flows: Flows, anonymous: Probe) -> Guess | None:
    """A login with the first 72 of a password's 90 characters; None where no such password can be had.

    72 is where bcrypt stops reading.
    """
    if flows.target.signup is None or flows.target.login.function:
        return None
    try:
        account = sign_up(flows, new_password(90))
        sign_in_spare(flows, account)
    except Inconclusive:
        return None  # passwords of that length are not taken
    tried = guess(flows, account, anonymous, account.password.get_secret_value()[:72])
    return replace(tried, probe=who(flows, account, tried.probe))
