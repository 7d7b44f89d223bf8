"""What a login does with what its URL says."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from harness.flows.pages import fields as page_fields
from harness.flows.pages import point_text
from suites.acts.destinations import payloads, sends_on, with_query

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.flows import Flows
    from harness.flows.credentials import Login, Probe
    from harness.target import Account
    from harness.user_agent import Answer

AT_LOGIN = 4
"""How many of the payloads are tried at the login too: each is a login of its own."""


def log_in_by_query(flows: Flows, account: Account, method: str, anonymous: Probe) -> tuple[Answer, Probe]:
    """Send user name and password in the query, nothing in the body; who one is then."""
    login = flows.target.login
    values = {login.username_field: account.username, login.password_field: account.password.get_secret_value()}
    agent = flows.agent("credentials in the URL")
    url = f"{flows.target.url(login.path)}?{urlencode({**values, **login.fields})}"
    answer = agent.send(method, url, headers=[("Origin", flows.target.front_origin)] if method == "POST" else [])
    token = point_text(answer.json(), login.access_token)
    if token is None and not flows.cookies(agent):
        return answer, anonymous
    return answer, flows.probe_in(agent, [("Authorization", f"Bearer {token}")] if token else [])


def visits(flows: Flows, user: Login, parameter: str) -> Iterator[tuple[str, Answer]]:
    """Every foreign return address and where it was tried: the login page, and the login where it redirects."""
    page = flows.target.url(flows.target.login.page or flows.target.login.path)
    goes_on = True
    for address in payloads(flows.target.origin):
        url = with_query(page, parameter, address)
        if flows.target.login.page:
            yield address, user.agent.navigate(url)
        if goes_on:
            anonymous = flows.agent("anonymous").navigate(url)
            yield address, anonymous
            goes_on = sends_on(anonymous)  # a page that only shows a form: one look is enough
    if any(answer.redirect_to for answer in user.answers[:1]):
        yield from _at_login(flows, user.account, page, parameter)


def _at_login(flows: Flows, account: Account, page: str, parameter: str) -> Iterator[tuple[str, Answer]]:
    for address in payloads(flows.target.origin)[:AT_LOGIN]:
        agent = flows.agent(account.username)
        form = agent.navigate(with_query(page, parameter, address)).text if flows.target.login.page else ""
        field = {parameter: address} if parameter in page_fields(form) else {}
        answers = flows.attempt(account, agent=agent, query=urlencode({parameter: address}), fields=field).answers
        yield from ((address, answer) for answer in answers[:1])
