"""Signing in: one request, several, HTTP Basic, or a function of the user's own."""

from __future__ import annotations

import base64
import traceback
from collections import Counter
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from harness.flows.calling import body_of, filled, with_query
from harness.flows.credentials import Login, Probe, Proof
from harness.flows.pages import fields as page_fields
from harness.flows.pages import point_text
from harness.flows.proving import Proving
from harness.user_agent import Answer, Form, TooManyRedirects, Unreachable, UserAgent
from harness.verdict import Inconclusive

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.evidence.exchange import Recorder
    from harness.flows.functions import LoginFunction
    from harness.target import Account, Target
    from harness.user_agent import Wire

LOGIN_BROKEN: Final = "login.success-authenticates"
THROTTLED: Final = "account locked or throttled"
OWN: Final = object()
"""In `SigningIn.attempt`: the account's own password."""
MISSING: Final = object()
"""In `SigningIn.attempt`: this field is not sent at all."""


class SigningIn(Proving):
    """Whoever can sign in, and stops before an account is locked.

    Attributes:
        logins: every login that `log_in` made, in order.

    """

    def __init__(
        self, target: Target, wire: Wire, recorder: Recorder, login_function: LoginFunction | None = None
    ) -> None:
        super().__init__(target, wire, recorder)
        self.logins: list[Login] = []
        self._function = login_function
        self._wrong: Counter[str] = Counter()
        self._closed: dict[str, Inconclusive] = {}

    def attempt(  # noqa: PLR0913 - all in which a login may differ from the right one
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
        values: dict[str, Any] = {
            login.username_field: name,
            login.password_field: word,
            **login.fields,
            **(fields or {}),
        }
        values = {key: value for key, value in values.items() if value is not MISSING}
        url = with_query(self.target.url(login.path), query)
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
        """Why a login did not sign its user in; no password of that account is tried any more."""
        account = login.account
        first = login.answers[0] if login.answers else probe.answer
        said = f"{first.method} {first.url} answered {first.status}, then {probe.said()}"
        if first.status in {423, 429} or self._wrong[account.username]:
            reason = (
                f"the right password of {account.username} is refused ({said}) after {len(self.logins)} logins "
                "and wrong passwords: locked or throttled, and no further password was tried. "
                f"Lower limits.wrong_passwords (now {self.target.limits.wrong_passwords}); "
                "where the target counts every login, raise its limit for the "
                "test, or set limits.requests_per_second"
            )
            cause = THROTTLED
        else:
            hint = self.hint(login, probe) or "Check [login], [probe] and [accounts]."
            reason, cause = f"login as {account.username} failed: {said}. {hint}", LOGIN_BROKEN
        closed = self._closed[account.username] = Inconclusive(reason, first, probe, cause=cause)
        return closed

    def hint(self, login: Login, probe: Probe) -> str:  # noqa: PLR0911 - one a mistake
        """What of the profile may be wrong where a login did not sign its user in; empty where nothing shows."""
        target, status = self.target, probe.answer.status
        first = login.answers[0].status if login.answers else status
        if target.login.access_token and login.access_token is None and first < HTTPStatus.BAD_REQUEST:
            return f"Nothing is at {target.login.access_token} of the login's answer: is login.access_token right?"
        if probe.identity is not None:
            known_as = login.account.known_as
            return f"The probe names {probe.identity!r}, not {known_as!r}: is the account's identity right?"
        if status < HTTPStatus.MULTIPLE_CHOICES:
            what = f"nothing at {target.probe.identity}" if target.probe.identity else "none of the declared identities"
            return f"The probe answered {status} and holds {what}: is probe.identity right?"
        if status in {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED}:
            return f"The probe answered {status}: is probe.path right?"
        if first in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            return f"The login answered {first}: are the account's username and password right?"
        if HTTPStatus.BAD_REQUEST <= first < HTTPStatus.INTERNAL_SERVER_ERROR:
            return f"The login answered {first}: are login.path, login.encoding and the names of its fields right?"
        return ""

    def _count(self, account: Account, username: str | None, password: Any) -> None:
        """Keep within the wrong passwords in a row that the profile allows."""
        closed = self._closed.get(account.username)
        if closed:
            raise Inconclusive(str(closed), *closed.evidence, cause=closed.cause)
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
            url, body = filled(login.method, url, encoding, {**values, **dict(proof.fields)})  # type: ignore[arg-type]
            return self.call(agent, login.method, url, body=body, headers=proof.headers)
        pairs = [*values.items(), *proof.fields]
        if proof.headers or login.page is None:
            return self.call(agent, login.method, url, body=body_of(login.encoding, dict(pairs)), headers=proof.headers)  # type: ignore[arg-type]
        form = Form(
            action=url, fields=tuple(pairs), enctype="multipart" if login.encoding == "multipart" else "urlencoded"
        )
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
            fields = {key: _fill(value, taken) for key, value in step.fields.items()}
            path = _fill(step.path, {name: quote(value, safe="") for name, value in taken.items()})
            url, body = filled(step.method, self.target.url(path), step.encoding, fields)
            headers = [(key, _fill(value, taken)) for key, value in step.headers.items()]
            answer = self.call(agent, step.method, url, body=body, headers=headers)
            answers.append(answer)
            for name, take in step.take.items():
                cookie = self.cookies(agent, answer.url).get(take.cookie or "")
                header = answer.headers.get(take.header) if take.header else None
                value = (
                    cookie
                    or header
                    or point_text(answer.json(), take.pointer)
                    or page_fields(answer.text).get(take.field or "")
                )
                if not value:
                    raise Inconclusive(
                        f"login step {number}: {name} is not in the answer of {answer.method} {answer.url}",
                        answer,
                        cause=LOGIN_BROKEN,
                    )
                self.recorder.redactor.learn(value)
                taken[name] = value
        return self._signed_in(account, agent, list(reversed(answers)))


def _hops(agent: UserAgent, answer: Answer) -> list[Answer]:
    """Where a login's redirects lead. What came of the login is the probe's to say, not that of a page after it."""
    try:
        return agent.follow_all(answer, limit=5)
    except TooManyRedirects as error:
        return error.answers
    except Unreachable:
        return []


def _line_of(error: BaseException) -> int:
    """Where an error of somebody else's function was raised: the innermost frame of its own file."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename == frames[1].filename] if len(frames) > 1 else frames
    return own[-1].lineno or 0


def _basic(username: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


def _fill(text: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return text
