"""Cookies that browsers discard: which they are, and whether somebody would have needed them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.flows.credentials import Credentials
from harness.user_agent.cookie_rules import subresource_context
from harness.user_agent.cookies import CookieStore
from harness.user_agent.sites import Origin, same_origin
from harness.user_agent.urls import parse_url
from harness.verdict import Inconclusive

if TYPE_CHECKING:
    from harness.flows import Flows
    from harness.flows.credentials import Login, Probe
    from harness.target import Target
    from suites.acts.auth_cookies import Line


def discarded(target: Target, received: list[Line]) -> list[tuple[Line, str]]:
    """The lines that a browser would not store, each with the reason.

    Where scripts of another origin sign in, the answer is one to a subresource request of that origin's page: SameSite
    then decides, too, whether a cookie is stored.
    """
    front = Origin.of(target.front_origin)
    found = []
    store = CookieStore()
    for line in received:
        outcome = line.outcome
        url = parse_url(line.answer.url)
        if target.login.encoding == "json" and not same_origin(front, Origin.of(url)):
            outcome = store.receive(url, outcome.line, subresource_context(url, front, line.answer.method))
        if not outcome.accepted:
            found.append((line, outcome.why))
    return found


def needed(flows: Flows, opening: tuple[Login, Probe], received: list[Line], line: Line) -> str:
    """Whether the cookie of a discarded line authenticates where it is sent by hand, in words; empty: it does not."""
    login, probe = opening
    target = flows.target
    declared = {*target.session.credential_cookies, target.refresh.cookie if target.refresh else None}
    if line.name in declared:
        return f"The profile names {line.name} as a credential."
    every = Credentials({kept.name: kept.parsed.value for kept in received})
    without = every.without(line.name)
    if not probe.names(login.account) and flows.probe(every, label="by hand").names(login.account):
        if not flows.probe(without, label="by hand").names(login.account):
            return f"Sent by hand it authenticates: with {line.name} the probe names the user, without it nobody."
    elif line.parsed.http_only and not _refreshes(flows, login, without) and _refreshes(flows, login, every):
        return f"Sent by hand it refreshes: with {line.name} the refresh is answered with success, without it refused."
    return ""


def _refreshes(flows: Flows, login: Login, sent: Credentials) -> bool:
    """Whether the refresh endpoint answers these cookies with success."""
    section = flows.target.refresh
    if section is None or section.carrier != "cookie":
        return False
    try:
        proof = flows.proof(login)
    except Inconclusive:
        return False  # without the anti-forgery token a refusal would say nothing
    headers = [("Origin", flows.target.front_origin), *proof.headers]
    url = flows.target.url(section.path)
    answer = flows.agent("by hand").send(section.method, url, headers=headers, cookies=sent.cookies)
    return 200 <= answer.status < 300
