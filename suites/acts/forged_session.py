"""Forged logins, refreshes and logouts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from harness.flows.credentials import Credentials
from harness.flows.pages import point_text
from harness.user_agent import Body, Form
from suites.acts.cross_origin import ATTACKER
from suites.acts.forgery import CROSS_SITE, json_in_form

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from harness.fixtures import SignIn
    from harness.flows import Flows
    from harness.flows.credentials import Login, Probe
    from harness.target import Account
    from harness.user_agent import Answer, UserAgent

BODIES = (None, Body.text("{}", "text/plain"))
"""What a page can send to an endpoint that asks for no body."""


def logins(flows: Flows, attacker: Account) -> Iterator[tuple[str, UserAgent, Answer]]:
    """The attacker's credentials, sent to the login by another site's page: how, by whose user agent, the answer."""
    login = flows.target.login
    url = flows.target.url(login.path)
    fields = {
        login.username_field: attacker.username,
        login.password_field: attacker.password.get_secret_value(),
        **login.fields,
    }
    plain = tuple(fields.items())
    for enctype, pairs in (("urlencoded", plain), ("multipart", plain), ("text/plain", json_in_form(fields))):
        agent = flows.agent("visitor")
        yield f"a form ({enctype})", agent, agent.submit(Form(url, "POST", pairs, enctype), initiator=ATTACKER)  # type: ignore[arg-type]
    agent = flows.agent("visitor")
    body = Body.text(json.dumps(fields), "text/plain")
    answer = agent.fetch(url, initiator=ATTACKER, method="POST", body=body, mode="no-cors", credentials="include")
    yield "a script (text/plain)", agent, answer


def body_less(
    flows: Flows, sign_in: SignIn, names: Collection[str]
) -> Iterator[tuple[str, bool, list[Answer | Probe]]]:
    """Refresh and logout from another site, cookies attached: which, whether it was carried out, and what shows it.

    One that does not work for the user either is left out: that is another requirement's finding.
    """
    refresh, logout = flows.target.refresh, flows.target.logout
    user = sign_in()
    if refresh is not None and refresh.carrier == "cookie" and refresh.method == "POST":
        answers = _sent(flows, user, refresh.path)
        acted = any(renewed(flows, answer, names) for answer in answers)
        if acted or flows.refresh(user).access is not None:
            yield "refresh", acted, [*answers]
        user = sign_in() if acted else user
    if logout is not None and logout.method == "POST":
        held = Credentials(flows.credentials(user).only(*names).cookies)
        answers = _sent(flows, user, logout.path)
        probe = flows.probe(held)
        acted = ended(answers, probe, names)
        if acted or ended([flows.log_out(user)], flows.probe(held), names):
            yield "logout", acted, [*answers, probe]


def renewed(flows: Flows, answer: Answer, names: Collection[str]) -> bool:
    """Whether an answer issues an access credential, in a cookie or in its body."""
    refresh, login = flows.target.refresh, flows.target.login
    pointer = (refresh.access_token if refresh else None) or login.access_token
    token: Any = point_text(answer.json(), pointer)
    cookies = [s.cookie for s in answer.set_cookies if s.cookie and s.accepted]
    return answer.status < 400 and (bool(token) or any(c.name in names and c.value for c in cookies))


def ended(answers: list[Answer], probe: Probe, names: Collection[str]) -> bool:
    """Whether a session ended, for the target or for the browser that was told to drop its cookies."""
    dropped = [
        s.cookie for answer in answers for s in answer.set_cookies if s.cookie and s.accepted and not s.cookie.value
    ]
    return probe.anonymous or any(cookie.name in names for cookie in dropped)


def _sent(flows: Flows, user: Login, path: str) -> list[Answer]:
    """A request without fields, from another site, with the user's cookies."""
    url = flows.target.url(path)
    cookies = flows.cookies(user.agent, url)
    agent = flows.agent("forger")
    return [agent.send("POST", url, headers=CROSS_SITE, body=body, cookies=cookies, store=False) for body in BODIES]
