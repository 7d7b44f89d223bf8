"""The same requests over clear-text HTTP, with nothing worth stealing until it is known that they are answered."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from harness.flows import body_of
from harness.flows.credentials import Credentials
from harness.flows.pages import point_text
from harness.user_agent import Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.flows import Flows
    from harness.flows.credentials import Captured
    from harness.target import Account
    from harness.user_agent import Answer

_TURNED_AWAY = frozenset({403, 404, 405, 410, 421, 426})


@dataclass(slots=True)
class Attempt:
    """What came of something tried in clear text."""

    scope: str
    accepted: bool = False
    said: str = ""
    evidence: list[int] = field(default_factory=list)


def probe(flows: Flows, held: Captured) -> Attempt:
    """Ask the probe in clear text, with the credential where somebody answers."""
    attempt = Attempt("the probe")
    url = clear(flows, flows.target.probe.path)
    if not _answered(attempt, lambda: flows.agent("clear text").send("GET", url, cookies="none")):
        return attempt
    answer = flows.agent("clear text").send(
        "GET", url, headers=held.access.headers, cookies=held.access.cookies or "none"
    )
    found = flows.read_probe(answer)
    attempt.evidence.append(found.exchange)
    attempt.accepted, attempt.said = not found.anonymous, f"In clear text, with the credential: {found.said()}."
    return attempt


def log_in(flows: Flows, account: Account, access_cookies: frozenset[str]) -> Attempt:
    """Sign in in clear text: as nobody first, with the password where the login answers."""
    attempt = Attempt("the login")
    nobody = f"nobody{secrets.token_hex(4)}"
    if not _answered(attempt, lambda: _send(flows, nobody, secrets.token_urlsafe(12))):
        return attempt
    answer = _send(flows, account.username, account.password.get_secret_value())
    attempt.evidence.append(answer.exchange)
    issued = {s.cookie.name: s.cookie.value for s in answer.set_cookies if s.cookie and s.cookie.value}
    token = point_text(answer.json(), flows.target.login.access_token)
    got = Credentials({n: v for n, v in issued.items() if n in access_cookies}, f"Bearer {token}" if token else None)
    if got.cookies or got.authorization:
        found = flows.probe(got)
        attempt.evidence.append(found.exchange)
        attempt.accepted = not found.anonymous
        asked = f"{answer.method} {answer.shown} answered {answer.status}"
        attempt.said = f"{asked} and issued a credential in clear text; with it {found.said()}."
    return attempt


def clear(flows: Flows, path: str) -> str:
    """A path of the target on its clear-text port."""
    parts = urlsplit(flows.target.url(path))
    port = flows.target.at.plain_http_port
    return parts._replace(scheme="http", netloc=f"{parts.hostname}:{port}" if port else str(parts.hostname)).geturl()


def _send(flows: Flows, username: str, password: str) -> Answer:
    login = flows.target.login
    fields = {login.username_field: username, login.password_field: password, **login.fields}
    body = body_of("json" if login.encoding == "json" else "form", fields)
    return flows.agent("clear text").send(login.method, clear(flows, login.path), body=body, cookies="none")


def _answered(attempt: Attempt, ask: Callable[[], Answer]) -> bool:
    """Whether the application itself answers in clear text, or sends everybody to https, or is not there."""
    try:
        answer = ask()
    except Unreachable as error:
        attempt.evidence += [error.exchange] if error.exchange else []
        return False
    attempt.evidence.append(answer.exchange)
    return answer.status not in _TURNED_AWAY and not (answer.redirect_to or "").startswith("https:")
