"""One logout, and what was left of the session after it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.flows import filled
from harness.flows.credentials import Credentials
from harness.user_agent import TooManyRedirects
from harness.verdict import Inconclusive, NotApplicable
from suites.acts.refreshed import refresh_as, user_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.flows import Flows
    from harness.flows.credentials import Captured, Login, Probe
    from harness.user_agent import Answer, UserAgent
    from suites.acts.refreshed import Outcome


@dataclass
class Ended:
    """A session that was used, refreshed and signed out of.

    Attributes:
        login: its login.
        held: what a thief could have taken just before the logout.
        refreshed: the honest refresh before it; None where refreshing is not declared.
        answers: the answer to the logout first, then every redirect hop.
        replay: the probe's answer, after the logout, to the access credential of before.

    """

    flows: Flows
    login: Login
    held: Captured
    refreshed: Outcome | None
    answers: list[Answer]
    replay: Probe
    _late: Outcome | None = None

    @property
    def could_refresh(self) -> bool:
        """Whether refreshing worked before the logout: the positive control of its refusal."""
        return self.refreshed is not None and self.refreshed[1] is not None

    def refresh_after(self) -> Outcome:
        """The refresh credential of before, sent after the logout from a clean client; once, whoever asks."""
        if self._late is None:
            self._late = refresh_as(self.flows, self.held)
        return self._late


def end(flows: Flows) -> Ended:
    """Sign in, refresh where that is declared, sign out as the front end does, and replay the access credential.

    Raises:
        Inconclusive: the logout was refused, so that nothing can be told from what still works.

    """
    login = flows.log_in()
    refreshed: Outcome | None = None
    if flows.target.refresh is not None:
        got = flows.refresh(login)
        refreshed = (got, user_of(flows, got))
        if refreshed[1] is None:
            login = flows.log_in()  # a failed refresh may have ended the session
    held = flows.capture(login)
    answers = hops(login.agent, flows.log_out(login))
    if answers[0].status >= 400:
        said = f"{answers[0].method} {answers[0].url} answered {answers[0].status}"
        reason = f"the signed-in user's logout was refused: {said}; check [logout] and [csrf]"
        raise Inconclusive(reason, answers[0], cause="logout refused")
    return Ended(flows, login, held, refreshed, answers, flows.probe(held.access))


def hops(agent: UserAgent, answer: Answer) -> list[Answer]:
    """An answer and the redirects it leads to, as far as they stay with the target and end."""
    if not answer.redirect_to:
        return [answer]
    try:
        return [answer, *agent.follow_all(answer, limit=5)]
    except TooManyRedirects as endless:
        return [answer, *endless.answers]


def sign_out_again(flows: Flows, held: Captured, label: str) -> Answer:
    """A logout from a clean client that holds what was captured, whatever it is still worth.

    Raises:
        NotApplicable: the profile declares no logout.

    """
    section = flows.target.logout
    if section is None:
        raise NotApplicable("the profile declares no [logout]")
    fields = {key: value.replace("{refresh_token}", held.refresh or "") for key, value in section.fields.items()}
    fields.update(held.proof.fields)
    url, body = filled(section.method, flows.target.url(section.path), section.encoding, fields)
    headers = [("Origin", flows.target.front_origin), *held.access.headers, *held.proof.headers]
    return flows.agent(label).send(section.method, url, headers=headers, body=body, cookies=held.cookies or "none")


def worthless(held: Captured, names: Iterable[str]) -> dict[str, Captured]:
    """What was captured, as it is after the logout, with no credential, and with garbage in the place of each."""
    cookies = {name: value for name, value in held.cookies.items() if name not in set(names)}
    nothing = replace(held, access=Credentials(), refresh=None, cookies=cookies)
    header = "Bearer garbage" if held.access.authorization else None
    spoilt = dict.fromkeys(held.cookies.keys() - cookies.keys(), "garbage")
    garbage = replace(held, access=Credentials({}, header), refresh="garbage", cookies={**cookies, **spoilt})
    return {"a second time": held, "without credentials": nothing, "with garbage": garbage}
