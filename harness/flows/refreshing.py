"""Refreshing: a fresh access credential for the one that was given at login, and what a thief could copy of both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.flows.calling import Pairs, filled
from harness.flows.credentials import Captured, Credentials, Login, Proof, Refreshed
from harness.flows.pages import point_text
from harness.flows.signing_in import SigningIn
from harness.verdict import Inconclusive, NotApplicable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from harness.evidence.exchange import Recorder
    from harness.flows.functions import LoginFunction
    from harness.target import Refresh, Target
    from harness.user_agent import Answer, UserAgent, Wire


class Refreshing(SigningIn):
    """Whoever can keep a login alive, and copy what authenticates it."""

    def __init__(
        self, target: Target, wire: Wire, recorder: Recorder, login_function: LoginFunction | None = None
    ) -> None:
        super().__init__(target, wire, recorder, login_function)
        self._refresh_cookie: str | None = None

    def credentials(self, login: Login) -> Credentials:
        """All that a request to the probe would carry."""
        held = self.cookies(login.agent, self.target.url(self.target.probe.path))
        return Credentials(held, login.header[0][1] if login.header else None)

    def capture(self, login: Login) -> Captured:
        """A copy of everything a thief could have taken now, to be replayed later."""
        name = self._refresh_cookie
        held = self.cookies(login.agent)
        refresh = login.refresh_token or held.get(name or "")
        return Captured(self.credentials(login), refresh, held, self.proof(login))

    def refresh(self, login: Login) -> Refreshed:
        """Ask for a fresh access credential as the front end does; the login goes on with what came."""
        refresh = self._refresh_section()
        before = self.capture(login)
        answer = self._send_refresh(login.agent, before.proof, before.refresh, as_front=True)
        got = self._refreshed(login.agent, answer, before)
        if got.access and got.access.authorization and not login.authorization:
            login.access_token = got.access.authorization.removeprefix("Bearer ")
        if refresh.carrier != "cookie":
            login.refresh_token = got.refresh
        return got

    def refresh_with(
        self,
        held: Captured,
        value: str | None = None,
        *,
        label: str = "clean client",
        headers: Iterable[tuple[str, str]] = (),
    ) -> Refreshed:
        """Ask from a clean client with a captured refresh credential (or ``value``) and no access credential."""
        section = self._refresh_section()
        agent = self.agent(label)
        chosen = held.refresh if value is None else value
        cookies = {
            name: text
            for name, text in held.cookies.items()
            if name not in held.access.cookies or name in self._proof_cookies()
        }
        if section.carrier == "cookie":
            cookies.pop(self._refresh_cookie or "", None)
            if chosen:
                cookies[self._refresh_cookie or ""] = chosen
        answer = self._send_refresh(agent, held.proof, chosen, as_front=False, cookies=cookies, headers=headers)
        return self._refreshed(agent, answer, held)

    def _send_refresh(  # noqa: PLR0913 - whose refresh, and how it differs from the front end's
        self,
        agent: UserAgent,
        proof: Proof,
        value: str | None,
        *,
        as_front: bool,
        cookies: Mapping[str, str] | None = None,
        headers: Iterable[tuple[str, str]] = (),
    ) -> Answer:
        section = self._refresh_section()
        url = self.target.url(section.path)
        sent: Pairs = [*proof.headers, *headers]
        fields: dict[str, Any] = {**section.fields, **dict(proof.fields)}
        if section.carrier == "body" and value is not None:
            fields[section.field] = value
        if section.carrier == "header" and value is not None:
            sent.append(("Authorization", f"Bearer {value}"))
        url, body = filled(section.method, url, section.encoding, fields)
        if as_front:
            return self.call(agent, section.method, url, body=body, headers=sent)
        return agent.send(
            section.method,
            url,
            headers=[("Origin", self.target.front_origin), *sent],
            body=body,
            cookies=cookies or "none",
        )

    def _refreshed(self, agent: UserAgent, answer: Answer, before: Captured) -> Refreshed:
        section, login = self._refresh_section(), self.target.login
        tokens = answer.json()
        token = point_text(tokens, section.access_token or login.access_token)
        renewed = point_text(tokens, section.refresh_token or login.refresh_token)
        self.recorder.redactor.learn(*(t for t in (token, renewed) if t))
        fresh = {
            s.cookie.name: s.cookie.value
            for s in answer.set_cookies
            if s.cookie and s.accepted and s.cookie.value and self.cookies(agent).get(s.cookie.name) == s.cookie.value
        }
        if section.carrier == "cookie":
            renewed = fresh.get(self._refresh_cookie or "")
        access: Credentials | None = None
        if token:
            access = Credentials.bearer(token)
        elif names := [n for n in fresh if n in before.access.cookies and n != self._refresh_cookie]:
            access = Credentials({**before.access.cookies, **{n: fresh[n] for n in names}})
        rotated = renewed is not None and renewed != before.refresh
        return Refreshed(answer, access, renewed or before.refresh, rotated)

    def find_refresh_cookie(self, login: Login, access: Iterable[str]) -> str | None:
        """The name of the cookie that carries the refresh credential: declared, or the one left over after login."""
        section = self.target.refresh
        if section is None or section.carrier != "cookie":
            return None
        if section.cookie:
            self._refresh_cookie = section.cookie
        else:
            set_at_login = {
                s.cookie.name
                for a in login.answers
                for s in a.set_cookies
                if s.cookie and s.effect in {"stored", "replaced"} and s.cookie.http_only
            }
            left = sorted(set_at_login - set(access) - self._proof_cookies())
            self._refresh_cookie = left[0] if len(left) == 1 else None
        if self._refresh_cookie is None:
            raise Inconclusive(
                "which cookie carries the refresh credential could not be told; name it in refresh.cookie",
                cause="refresh cookie unknown",
            )
        return self._refresh_cookie

    def _refresh_section(self) -> Refresh:
        if self.target.refresh is None:
            raise NotApplicable("the profile declares no [refresh]")
        return self.target.refresh
