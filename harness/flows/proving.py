"""Anti-forgery proof: what a front end adds to a request so that it is not taken for a forged one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.flows.calling import Calling
from harness.flows.credentials import Login, Proof
from harness.flows.pages import fields as page_fields
from harness.flows.pages import point_text
from harness.user_agent import TooManyRedirects
from harness.verdict import Inconclusive

if TYPE_CHECKING:
    from harness.target import AntiForgery
    from harness.user_agent import Answer, UserAgent


class Proving(Calling):
    """Whoever can show that a request comes from the target's own pages."""

    def proof(self, login: Login) -> Proof:
        """What the front end adds to a write so that it is not taken for a forgery."""
        csrf = self.target.csrf
        if csrf is None or login.header:
            return Proof()
        if csrf.defence == "custom-header" and csrf.header:
            name, _, value = csrf.header.partition(":")
            return Proof(headers=((name.strip(), value.strip()),))
        return self._proof(login.agent, csrf.token) if csrf.token else Proof()

    def _proof(self, agent: UserAgent, source: AntiForgery) -> Proof:
        value = None
        page = self.target.url(source.page) if source.page else None
        if page:
            answer = agent.navigate(page)
            if answer.redirect_to:
                answer = _where_it_leads(agent, answer)
            value = (
                point_text(answer.json(), source.pointer)
                if source.pointer
                else page_fields(answer.text).get(source.field or "")
            )
        if source.cookie:
            stored = self.cookies(agent)
            value = next((stored[name] for name in _spellings(source.cookie) if name in stored), None)
        if value is None:
            where = f"cookie {source.cookie}" if source.cookie else f"{source.field or source.pointer} on {page}"
            raise Inconclusive(
                f"the anti-forgery token was not found ({where}); check the profile",
                cause="anti-forgery token not found",
            )
        self.recorder.redactor.learn(value)
        return Proof(
            headers=((source.header, value),) if source.header else (),
            fields=((source.field, value),) if source.field and not source.header else (),
        )

    def _proof_cookies(self) -> set[str]:
        csrf = self.target.csrf
        return set(_spellings(csrf.token.cookie)) if csrf and csrf.token and csrf.token.cookie else set()


def _where_it_leads(agent: UserAgent, answer: Answer) -> Answer:
    try:
        return [answer, *agent.follow_all(answer, limit=5)][-1]
    except TooManyRedirects as error:
        raise Inconclusive(
            f"the page with the anti-forgery token, {answer.url}, redirects without end",
            error.answers[-1],
            cause="anti-forgery token not found",
        ) from error


def _spellings(cookie: str) -> tuple[str, str]:
    """A cookie's name as declared, and without the prefix, which the same application drops over http."""
    return cookie, cookie.removeprefix("__Host-").removeprefix("__Secure-")
