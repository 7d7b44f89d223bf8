"""Single calls: user agents of the run, what the target's own front end sends, and the probe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from harness.flows.credentials import Credentials, Probe
from harness.flows.pages import point_text
from harness.user_agent import Answer, Body, UserAgent
from harness.verdict import Inconclusive

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from harness.evidence.exchange import Recorder
    from harness.target import Encoding, Target
    from harness.user_agent import Wire

Pairs = list[tuple[str, str]]


class Calling:
    """Whoever can call the target.

    Attributes:
        target: what is under test.
        recorder: where every exchange goes.

    """

    def __init__(self, target: Target, wire: Wire, recorder: Recorder) -> None:
        self.target = target
        self.recorder = recorder
        self._wire = wire
        self._clock_confirmed = False
        for account in target.accounts.values():
            recorder.redactor.learn(account.password.get_secret_value())
        recorder.redactor.learn(*target.at.headers.values())

    def agent(self, label: str = "user") -> UserAgent:
        """A clean user agent: no cookies, no storage."""
        agent = UserAgent(self._wire, self.recorder, label=label)
        agent.allowed = frozenset({self.target.origin, self.target.front_origin, *self.target.cors.origins})
        return agent

    def call(
        self,
        agent: UserAgent,
        method: str,
        url: str,
        *,
        body: Body | None = None,
        headers: Iterable[tuple[str, str]] = (),
    ) -> Answer:
        """One call by the target's own front end, with the cookies of ``agent``.

        Where front end and API share an origin this is a script's fetch(). Where they do not, the request is sent with
        the headers a browser would add, but CORS does not decide whether the flow goes on: a requirement does that.
        """
        front = self.target.front_origin
        if agent.origin_of(url) == front:
            return agent.fetch(url, initiator=front, method=method, headers=headers, body=body, credentials="include")
        return agent.send(method, url, headers=[("Origin", front), *headers], body=body)

    def probe(
        self,
        credentials: Credentials | None = None,
        *,
        headers: Iterable[tuple[str, str]] = (),
        label: str = "clean client",
        query: str = "",
    ) -> Probe:
        """Ask the probe from a clean client that holds these credentials and nothing else."""
        held = credentials or Credentials()
        url = with_query(self.target.url(self.target.probe.path), query)
        answer = self.agent(label).send("GET", url, headers=[*held.headers, *headers], cookies=held.cookies or "none")
        return self.read_probe(answer)

    def probe_in(self, agent: UserAgent, headers: Iterable[tuple[str, str]] = ()) -> Probe:
        """Ask the probe as the front end in this user agent."""
        return self.read_probe(self.call(agent, "GET", self.target.url(self.target.probe.path), headers=headers))

    def read_probe(self, answer: Answer) -> Probe:
        """Who an answer of the probe says is signed in."""
        pointer = self.target.probe.identity
        if not 200 <= answer.status < 300:  # noqa: PLR2004
            return Probe(answer, None)
        if pointer is not None:
            return Probe(answer, point_text(answer.json(), pointer) or None)
        named = (a.known_as for a in self.target.accounts.values() if a.known_as in answer.text)
        return Probe(answer, next(named, None))

    def cookies(self, agent: UserAgent, url: str | None = None) -> dict[str, str]:
        """Name to value of the cookies in a user agent's store, or of those that a request to ``url`` carries."""
        found = agent.cookies.all() if url is None else agent.cookies.matching(url)
        return {cookie.name: cookie.value for cookie in found}

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
                raise Inconclusive(
                    f"the target does not send {header} back, so it may not honour it (hooks.clock_header)",
                    probe,
                    cause="clock hook not confirmed",
                )
            self._clock_confirmed = True
        return [(header, str(int(seconds)))]


def with_query(url: str, query: str) -> str:
    """A URL with more parameters behind those it has."""
    return f"{url}{'&' if '?' in url else '?'}{query}" if query else url


def filled(method: str, url: str, encoding: Encoding, fields: Mapping[str, Any]) -> tuple[str, Body | None]:
    """Where fields travel: in the query of a GET, as those of a form do (HTML, form submission), else in the body."""
    if not fields:
        return url, None
    if method in {"GET", "HEAD"}:
        return with_query(url, urlencode({key: str(value) for key, value in fields.items()})), None
    return url, body_of(encoding, fields)


def body_of(encoding: Encoding, fields: Mapping[str, Any]) -> Body:
    """Fields as a request body in one of the profile's encodings."""
    if encoding == "json":
        return Body.json(dict(fields))
    pairs = [(key, value if isinstance(value, str) else str(value)) for key, value in fields.items()]
    return Body.multipart(pairs) if encoding == "multipart" else Body.form(pairs)
