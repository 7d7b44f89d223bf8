"""Flows: what users do (log in, use, refresh, write, log out), driven as the target's own front end would.

A flow acts and records; it judges nothing. Logged in means: the probe answers as that user. A flow that cannot do
its part raises `Inconclusive` with one cause, the same for everything that depends on it.
"""

from __future__ import annotations

import base64
import secrets
import traceback
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from harness.credentials import Captured, Credentials, Login, Probe, Proof, Refreshed
from harness.pages import fields as page_fields
from harness.pages import point_text
from harness.user_agent import Answer, Body, Form, TooManyRedirects, Unreachable, UserAgent
from harness.verdict import Inconclusive, NotApplicable

if TYPE_CHECKING:
    from harness.exchange import Recorder
    from harness.functions import LoginFunction
    from harness.target import Account, AntiForgery, Encoding, Target
    from harness.user_agent import Wire

LOGIN_BROKEN: Final = "login.success-authenticates"
OWN: Final = object()
"""In `Flows.attempt`: the account's own password."""
MISSING: Final = object()
"""In `Flows.attempt`: this field is not sent at all."""

Pairs = list[tuple[str, str]]


class Flows:
    """The flows of one target in one run.

    Attributes:
        target: what is under test.
        recorder: where every exchange goes.
        logins: every login that `log_in` made, in order.

    """

    def __init__(self, target: Target, wire: Wire, recorder: Recorder, login_function: LoginFunction | None = None) -> None:
        self.target = target
        self.recorder = recorder
        self.logins: list[Login] = []
        self._wire = wire
        self._function = login_function
        self._wrong: Counter[str] = Counter()
        self._closed: Inconclusive | None = None
        self._refresh_cookie: str | None = None
        self._clock_confirmed = False
        for account in target.accounts.values():
            recorder.redactor.learn(account.password.get_secret_value())
        recorder.redactor.learn(*target.at.headers.values())

    # -- user agents and single calls

    def agent(self, label: str = "user") -> UserAgent:
        """A clean user agent: no cookies, no storage."""
        agent = UserAgent(self._wire, self.recorder, label=label)
        agent.allowed = frozenset({self.target.origin, self.target.front_origin, *self.target.cors.origins})
        return agent

    def call(
        self, agent: UserAgent, method: str, url: str, *, body: Body | None = None, headers: Iterable[tuple[str, str]] = ()
    ) -> Answer:
        """One call by the target's own front end, with the cookies of ``agent``.

        Where front end and API share an origin this is a script's fetch(). Where they do not, the request is sent with
        the headers a browser would add, but CORS does not decide whether the flow goes on: that is a requirement's matter.
        """
        front = self.target.front_origin
        if agent.origin_of(url) == front:
            return agent.fetch(url, initiator=front, method=method, headers=headers, body=body, credentials="include")
        return agent.send(method, url, headers=[("Origin", front), *headers], body=body)

    def probe(
        self, credentials: Credentials | None = None, *, headers: Iterable[tuple[str, str]] = (), label: str = "clean client", query: str = ""
    ) -> Probe:
        """Ask the probe from a clean client that holds these credentials and nothing else."""
        held = credentials or Credentials()
        url = self.target.url(self.target.probe.path) + (f"?{query}" if query else "")
        answer = self.agent(label).send("GET", url, headers=[*held.headers, *headers], cookies=held.cookies or "none")
        return self.read_probe(answer)

    def probe_in(self, agent: UserAgent, headers: Iterable[tuple[str, str]] = ()) -> Probe:
        """Ask the probe as the front end in this user agent."""
        return self.read_probe(self.call(agent, "GET", self.target.url(self.target.probe.path), headers=headers))

    def read_probe(self, answer: Answer) -> Probe:
        """Who an answer of the probe says is signed in."""
        pointer = self.target.probe.identity
        if not 200 <= answer.status < 300:
            return Probe(answer, None)
        if pointer is not None:
            return Probe(answer, point_text(answer.json(), pointer))
        named = (a.known_as for a in self.target.accounts.values() if a.known_as in answer.text)
        return Probe(answer, next(named, None))

    # -- login

    def attempt(
        self,
        account: Account,
        *,
        agent: UserAgent | None = None,
        username: str | None = None,
        password: Any = OWN,
        query: str = "",
        fields: Mapping[str, str] | None = None,
    ) -> Login:
        """Send credentials to the login, whatever comes of it.

        Args:
            account: whose.
            agent: in this user agent; a clean one where not given.
            username: instead of the account's.
            password: instead of the account's: any JSON value (None is null), or `MISSING`.
            query: added to the login's URL.
            fields: added to the login's fields.

        Raises:
            Inconclusive: the account must not be tried any more (locked, or its right password refused).

        """
        self._count(account, username, password)
        agent = agent or self.agent(account.username)
        login = self.target.login
        name = username if username is not None else account.username
        word = account.password.get_secret_value() if password is OWN else password
        if isinstance(word, str):
            self.recorder.redactor.learn(word)
        if self._function is not None:
            return Login(account, agent, [], access_token=self._own(self._function, agent, account))
        if login.steps:
            return self._steps(account, agent, name, word)
        if login.encoding == "basic":
            return Login(account, agent, [], authorization=_basic(name, str(word)))
        values: dict[str, Any] = {login.username_field: name, login.password_field: word, **login.fields, **(fields or {})}
        values = {key: value for key, value in values.items() if value is not MISSING}
        url = self.target.url(login.path) + (f"?{query}" if query else "")
        proof = self._proof(agent, login.anti_forgery) if login.anti_forgery else Proof()
        answer = self._send_login(agent, url, values, proof)
        answers = [answer]
        if answer.redirect_to:
            answers += _hops(agent, answer)
        return self._signed_in(account, agent, answers)

    def log_in(self, account: Account | None = None, *, agent: UserAgent | None = None) -> Login:
        """Sign in and see that the probe agrees.

        Raises:
            Inconclusive: the probe does not answer as the user; no further password is tried then.

        """
        account = account or self.target.user
        login = self.attempt(account, agent=agent)
        probe = self.probe_in(login.agent, login.header)
        if not probe.names(account):
            raise self.refused(login, probe)
        self._wrong[account.username] = 0
        self.logins.append(login)
        return login

    @staticmethod
    def _own(function: LoginFunction, agent: UserAgent, account: Account) -> str | None:
        try:
            return function(agent, account)
        except (Inconclusive, Unreachable):
            raise
        except Exception as error:
            # The message may quote what the function sent: only its kind is safe to show.
            reason = f"login.function raised {type(error).__name__} in line {_line_of(error)} of its file"
            raise Inconclusive(reason, cause=LOGIN_BROKEN) from error

    def refused(self, login: Login, probe: Probe) -> Inconclusive:
        """Why a login did not sign its user in; no password is tried any more after it."""
        account = login.account
        first = login.answers[0] if login.answers else probe.answer
        said = f"{first.method} {first.url} answered {first.status}, then {probe.said()}"
        if first.status in {423, 429} or self._wrong[account.username]:
            reason = f"the right password of {account.username} is refused after wrong ones ({said}): the account is locked or throttled; no further password was tried"
            cause = "account locked or throttled"
        else:
            reason, cause = f"login as {account.username} failed: {said}; check [login], [probe] and [accounts]", LOGIN_BROKEN
        self._closed = Inconclusive(reason, first, probe, cause=cause)
        return self._closed

    def _count(self, account: Account, username: str | None, password: Any) -> None:
        """Keep within the wrong passwords in a row that the profile allows."""
        if self._closed:
            raise Inconclusive(str(self._closed), *self._closed.evidence, cause=self._closed.cause)
        right = username is None and (password is OWN or password == account.password.get_secret_value())
        if right or account.disposable or username is not None:
            return
        if self._wrong[account.username] >= self.target.limits.wrong_passwords:
            self.log_in(account)
        self._wrong[account.username] += 1

    def _send_login(self, agent: UserAgent, url: str, values: Mapping[str, Any], proof: Proof) -> Answer:
        login = self.target.login
        if login.encoding == "json" or login.method != "POST" or any(not isinstance(v, str) for v in values.values()):
            encoding = "json" if login.encoding == "json" else login.encoding
            body = body_of(encoding, {**values, **dict(proof.fields)})  # type: ignore[arg-type]
            return self.call(agent, login.method, url, body=body, headers=proof.headers)
        pairs = [*values.items(), *proof.fields]
        if proof.headers or login.page is None:
            return self.call(agent, login.method, url, body=body_of(login.encoding, dict(pairs)), headers=proof.headers)  # type: ignore[arg-type]
        form = Form(action=url, fields=tuple(pairs), enctype="multipart" if login.encoding == "multipart" else "urlencoded")
        return agent.submit(form, initiator=agent.origin_of(url))

    def _signed_in(self, account: Account, agent: UserAgent, answers: list[Answer]) -> Login:
        login = self.target.login
        tokens = next((a.json() for a in answers if a.json() is not None), None)
        access = point_text(tokens, login.access_token)
        refresh = point_text(tokens, login.refresh_token)
        self.recorder.redactor.learn(*(t for t in (access, refresh) if t))
        return Login(account, agent, answers, access, refresh)

    def _steps(self, account: Account, agent: UserAgent, username: str, password: Any) -> Login:
        taken: dict[str, str] = {"username": username, "password": str(password)}
        answers: list[Answer] = []
        for number, step in enumerate(self.target.login.steps, start=1):
            filled = {key: _fill(value, taken) for key, value in step.fields.items()}
            body = body_of(step.encoding, filled) if filled else None
            headers = [(key, _fill(value, taken)) for key, value in step.headers.items()]
            answer = self.call(agent, step.method, self.target.url(_fill(step.path, taken)), body=body, headers=headers)
            answers.append(answer)
            for name, take in step.take.items():
                cookie = self.cookies(agent, answer.url).get(take.cookie or "")
                header = answer.headers.get(take.header) if take.header else None
                value = cookie or header or point_text(answer.json(), take.pointer) or page_fields(answer.text).get(take.field or "")
                if not value:
                    raise Inconclusive(f"login step {number}: {name} is not in the answer of {answer.method} {answer.url}", answer, cause=LOGIN_BROKEN)
                self.recorder.redactor.learn(value)
                taken[name] = value
        return self._signed_in(account, agent, list(reversed(answers)))

    # -- credentials

    def cookies(self, agent: UserAgent, url: str | None = None) -> dict[str, str]:
        """Name to value of the cookies in a user agent's store; those that a request to ``url`` carries, where given."""
        found = agent.cookies.all() if url is None else agent.cookies.matching(url)
        return {cookie.name: cookie.value for cookie in found}

    def credentials(self, login: Login) -> Credentials:
        """All that a request to the probe would carry."""
        held = self.cookies(login.agent, self.target.url(self.target.probe.path))
        return Credentials(held, login.header[0][1] if login.header else None)

    def capture(self, login: Login) -> Captured:
        """A copy of everything a thief could have taken now, to be replayed later."""
        name = self._refresh_cookie
        held = self.cookies(login.agent)
        refresh = login.refresh_token if login.refresh_token else held.get(name or "")
        return Captured(self.credentials(login), refresh, held, self.proof(login))

    # -- anti-forgery

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
            for hop in agent.follow_all(answer, limit=5) if answer.redirect_to else []:
                answer = hop
            value = point_text(answer.json(), source.pointer) if source.pointer else page_fields(answer.text).get(source.field or "")
        if source.cookie:
            stored = self.cookies(agent)
            value = next((stored[name] for name in _spellings(source.cookie) if name in stored), None)
        if value is None:
            where = f"cookie {source.cookie}" if source.cookie else f"{source.field or source.pointer} on {page}"
            raise Inconclusive(f"the anti-forgery token was not found ({where}); check the profile", cause="anti-forgery token not found")
        self.recorder.redactor.learn(value)
        return Proof(
            headers=((source.header, value),) if source.header else (),
            fields=((source.field, value),) if source.field and not source.header else (),
        )

    # -- refresh

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

    def refresh_with(self, held: Captured, value: str | None = None, *, label: str = "clean client", headers: Iterable[tuple[str, str]] = ()) -> Refreshed:
        """Ask from a clean client that holds a captured refresh credential, or ``value`` in its place, and no access credential."""
        section = self._refresh_section()
        agent = self.agent(label)
        chosen = held.refresh if value is None else value
        cookies = {name: text for name, text in held.cookies.items() if name not in held.access.cookies or name in self._proof_cookies()}
        if section.carrier == "cookie":
            cookies.pop(self._refresh_cookie or "", None)
            if chosen:
                cookies[self._refresh_cookie or ""] = chosen
        answer = self._send_refresh(agent, held.proof, chosen, as_front=False, cookies=cookies, headers=headers)
        return self._refreshed(agent, answer, held)

    def _send_refresh(
        self, agent: UserAgent, proof: Proof, value: str | None, *, as_front: bool, cookies: Mapping[str, str] | None = None, headers: Iterable[tuple[str, str]] = ()
    ) -> Answer:
        section = self._refresh_section()
        url = self.target.url(section.path)
        sent: Pairs = [*proof.headers, *headers]
        fields: dict[str, Any] = {**section.fields, **dict(proof.fields)}
        if section.carrier == "body" and value is not None:
            fields[section.field] = value
        if section.carrier == "header" and value is not None:
            sent.append(("Authorization", f"Bearer {value}"))
        body = body_of(section.encoding, fields) if fields else None
        if as_front:
            return self.call(agent, section.method, url, body=body, headers=sent)
        return agent.send(section.method, url, headers=[("Origin", self.target.front_origin), *sent], body=body, cookies=cookies or "none")

    def _refreshed(self, agent: UserAgent, answer: Answer, before: Captured) -> Refreshed:
        section, login = self._refresh_section(), self.target.login
        tokens = answer.json()
        token = point_text(tokens, section.access_token or login.access_token)
        renewed = point_text(tokens, section.refresh_token or login.refresh_token)
        self.recorder.redactor.learn(*(t for t in (token, renewed) if t))
        fresh = {s.cookie.name: s.cookie.value for s in answer.set_cookies if s.cookie and s.accepted and s.cookie.value and self.cookies(agent).get(s.cookie.name) == s.cookie.value}
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
            set_at_login = {s.cookie.name for a in login.answers for s in a.set_cookies if s.cookie and s.effect in {"stored", "replaced"} and s.cookie.http_only}
            left = sorted(set_at_login - set(access) - self._proof_cookies())
            self._refresh_cookie = left[0] if len(left) == 1 else None
        if self._refresh_cookie is None:
            raise Inconclusive("which cookie carries the refresh credential could not be told; name it in refresh.cookie", cause="refresh cookie unknown")
        return self._refresh_cookie

    def _proof_cookies(self) -> set[str]:
        csrf = self.target.csrf
        return set(_spellings(csrf.token.cookie)) if csrf and csrf.token and csrf.token.cookie else set()

    def _refresh_section(self) -> Any:
        if self.target.refresh is None:
            raise NotApplicable("the profile declares no [refresh]")
        return self.target.refresh

    # -- logout, writes

    def log_out(self, login: Login) -> Answer:
        """Sign out as the front end does."""
        section = self.target.logout
        if section is None:
            raise NotApplicable("the profile declares no [logout]")
        proof = self.proof(login)
        fields = {key: value.replace("{refresh_token}", login.refresh_token or "") for key, value in section.fields.items()}
        fields.update(proof.fields)
        body = body_of(section.encoding, fields) if fields else None
        return self.call(login.agent, section.method, self.target.url(section.path), body=body, headers=[*login.header, *proof.headers])

    def write(self, login: Login) -> tuple[str, Answer]:
        """The declared write as the front end does it; the marker to look for, and the answer."""
        section = self.target.write
        if section is None:
            raise NotApplicable("the profile declares no [write]")
        marker = new_marker()
        proof = self.proof(login)
        body = body_of(section.encoding, {**self.write_fields(marker), **dict(proof.fields)})
        return marker, self.call(login.agent, section.method, self.target.url(section.path), body=body, headers=[*login.header, *proof.headers])

    def write_fields(self, marker: str) -> dict[str, str]:
        """The declared write's fields with a marker filled in."""
        section = self.target.write
        return {key: value.replace("{marker}", marker) for key, value in section.fields.items()} if section else {}

    def shows(self, login: Login, marker: str) -> tuple[bool, Answer]:
        """Whether a write took effect: the user's own view shows its marker."""
        section = self.target.write
        if section is None:
            raise NotApplicable("the profile declares no [write]")
        answer = self.call(login.agent, "GET", self.target.url(section.check), headers=login.header)
        return marker in answer.text, answer

    def later(self, seconds: float) -> Pairs:
        """The header that moves a test deployment's clock for one request; empty where there is none.

        Raises:
            Inconclusive: the target does not confirm the header by sending it back, so nothing could be told from it.

        """
        header = self.target.hooks.clock_header
        if header is None:
            return []
        if not self._clock_confirmed:
            probe = self.probe(headers=[(header, "1")], label="clock")
            if probe.answer.headers.get(header) != "1":
                raise Inconclusive(f"the target does not send {header} back, so it may not honour it (hooks.clock_header)", probe, cause="clock hook not confirmed")
            self._clock_confirmed = True
        return [(header, str(int(seconds)))]


def _hops(agent: UserAgent, answer: Answer) -> list[Answer]:
    """Where a login's redirects lead. What came of the login is the probe's to say, not that of a page after it."""
    try:
        return agent.follow_all(answer, limit=5)
    except TooManyRedirects as error:
        return error.answers
    except Unreachable:
        return []


def body_of(encoding: Encoding, fields: Mapping[str, Any]) -> Body:
    """Fields as a request body in one of the profile's encodings."""
    if encoding == "json":
        return Body.json(dict(fields))
    pairs = [(key, value if isinstance(value, str) else str(value)) for key, value in fields.items()]
    return Body.multipart(pairs) if encoding == "multipart" else Body.form(pairs)


def new_marker() -> str:
    """A text that occurs nowhere yet, and that reports show: digits alone are not taken for a secret."""
    return f"authconform-{secrets.randbelow(10**12):012d}"


def _line_of(error: BaseException) -> int:
    """Where an error of somebody else's function was raised: the innermost frame of its own file."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename == frames[1].filename] if len(frames) > 1 else frames
    return own[-1].lineno or 0


def _spellings(cookie: str) -> tuple[str, str]:
    """A cookie's name as declared, and without the prefix, which the same application drops where it is served over http."""
    return cookie, cookie.removeprefix("__Host-").removeprefix("__Secure-")


def _basic(username: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


def _fill(text: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return text
