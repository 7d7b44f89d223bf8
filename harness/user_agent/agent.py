"""The user agent: a browser without a window.

Three doors have browser rules (`navigate`, `submit`, `fetch`), one has none (`send`, an attacker's tool). Nothing is
followed behind the caller's back: a redirect is an answer, and `follow` takes the next step.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from harness.user_agent import cors
from harness.user_agent.bodies import urlencoded
from harness.user_agent.cookies import CookieStore
from harness.user_agent.request import Pair, Request
from harness.user_agent.sites import Origin, origin_of
from harness.user_agent.transmission import Transmitter, author_headers
from harness.user_agent.urls import Url, parse_url

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.evidence.exchange import Recorder
    from harness.user_agent.answer import Answer
    from harness.user_agent.bodies import Body, Form
    from harness.user_agent.wire import Wire

HeaderLines = Mapping[str, str] | Iterable[Pair]


class TooManyRedirects(Exception):  # noqa: N818 - reads as what happened
    """A chain of redirects did not end.

    Attributes:
        line: one sentence.
        answers: what came up to then.
    """

    def __init__(self, line: str, answers: list[Answer]) -> None:
        super().__init__(line)
        self.line = line
        self.answers = answers


class UserAgent:
    """A browser without a window, its cookies its own.

    An ``initiator`` is a page, named by its URL or just by its origin (``https://evil.example``; ``null`` for an opaque
    one). Every method that sends may raise `Unreachable`, with the exchange already recorded.

    Args:
        wire: shared by all user agents of a run.
        recorder: where every exchange goes, masked.
        label: who this is, in reports: ``alice``, ``attacker``.
        header: header fields sent with every request.
        clock: seconds since the epoch, for cookies.

    Attributes:
        cookies: the cookie store; may be replaced, by a copy of another's say.
        allowed: origins that `follow_all` may go to; None for any.
    """

    def __init__(
        self,
        wire: Wire,
        recorder: Recorder,
        *,
        label: str,
        header: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.label = label
        self.cookies = CookieStore(clock)
        self.allowed: frozenset[str] | None = None
        self._clock = clock
        self._transmitter = Transmitter(wire, recorder, label, header or {})

    def __repr__(self) -> str:
        return f"<UserAgent {self.label}, {len(self.cookies)} cookies>"

    def navigate(
        self,
        url: str,
        *,
        initiator: str | None = None,
        method: str = "GET",
        headers: HeaderLines = (),
        referrer: str | None = None,
    ) -> Answer:
        """Go to ``url`` at top level: typed by the user, or caused by a page of ``initiator`` (a link, a script).

        Args:
            url: absolute, or relative to the initiator's URL.
            initiator: the page.
            method: as a form without fields could have it.
            headers: set in place of the browser's own.
            referrer: the Referer to send, whatever the referrer policy; empty for none.
        """
        page, origin = _page(initiator)
        target = _http_url(url, page)
        request = Request("navigate", method, (target,), _pairs(headers), None, origin, page, referrer=referrer)
        return self._perform(request)

    def submit(self, form: Form, *, initiator: str) -> Answer:
        """Submit ``form``, which a page of ``initiator`` holds."""
        page, origin = _page(initiator)
        target = _http_url(form.action, page)
        method = form.method.upper()
        body = form.body() if method == "POST" else None
        if body is None:
            target = replace(target, query=urlencoded(form.fields), fragment=None)
        return self._perform(Request("submit", method, (target,), (), body, origin, page))

    def fetch(  # noqa: PLR0913 - the parameters of fetch()
        self,
        url: str,
        *,
        initiator: str,
        method: str = "GET",
        headers: HeaderLines = (),
        body: Body | None = None,
        mode: Literal["cors", "no-cors", "same-origin"] = "cors",
        credentials: cors.Credentials = "same-origin",
    ) -> Answer:
        """Do what ``fetch()`` does in a script of a page of ``initiator``, with ``redirect`` left to the caller.

        Where the browser would not send the request, the answer has status 0 and says why in ``blocked``.
        """
        page, origin = _page(initiator)
        method = cors.normalise_method(method)
        if body is not None and method in {"GET", "HEAD"}:
            raise ValueError(f"fetch(): a {method} request has no body")
        target = _http_url(url, page)
        request = Request("fetch", method, (target,), _pairs(headers), body, origin, page, mode, credentials)
        allowed, notes = _script_headers(request)
        return self._perform(replace(request, headers=allowed), notes)

    def send(  # noqa: PLR0913 - all that a plain client may choose
        self,
        method: str,
        url: str,
        *,
        headers: HeaderLines = (),
        body: Body | None = None,
        cookies: Literal["store", "none"] | Mapping[str, str] = "store",
        store: bool = True,
        target: str | None = None,
    ) -> Answer:
        """Send a request as a plain HTTP client does: no browser rules, what an attacker's tool sends.

        Args:
            method: any token.
            url: absolute.
            headers: in place of the defaults; ``Host``, ``Origin`` and ``Cookie`` too.
            body: sent with any method.
            cookies: those the store has for the URL, none, or these.
            store: keep the cookies that come back.
            target: the request-target to write in place of the URL's.
        """
        request = Request(
            "send",
            method,
            (_http_url(url, None),),
            _pairs(headers),
            body,
            mode="plain",
            cookies=cookies,
            keeps=store,
            target=target,
        )
        return self._perform(request)

    def follow(self, answer: Answer) -> Answer:
        """Take one step along a redirect, with the rules of the request it answers.

        Raises:
            ValueError: ``answer`` is no redirect to an http or https URL.
        """
        if answer.redirect_to is None:
            raise ValueError(f"{answer!r} is no redirect")
        target = _http_url(answer.redirect_to, None)
        if answer.request.tainting == "cors" and not answer.readable:
            return self._transmitter.blocked(answer.request, "a redirect without CORS permission is not followed")
        return self._perform(answer.request.redirected(answer.status, target))

    def follow_all(self, answer: Answer, limit: int = 5) -> list[Answer]:
        """Follow redirects until an answer is none, or leads out of ``allowed`` or out of http.

        Returns:
            The answers after ``answer``, in order; the last one may still be a redirect, to where one may not go.

        Raises:
            TooManyRedirects: more than ``limit`` of them, or a loop; its ``answers`` hold what came.
        """
        answers: list[Answer] = []
        seen: set[tuple[str, str, str]] = set()
        while (url := answer.redirect_to) is not None and self._may_follow(url):
            shown = self._transmitter.recorder.redactor.url(url)
            if len(answers) >= limit:
                raise TooManyRedirects(f"more than {limit} redirects, the next to {shown}", answers)
            state = (answer.request.method, url, self.cookies.as_header(url))
            if state in seen:
                raise TooManyRedirects(f"the redirects go round in a circle, by way of {shown}", answers)
            seen.add(state)
            answer = self.follow(answer)
            answers.append(answer)
        return answers

    def clone(self, label: str) -> UserAgent:
        """Another user agent on the same wire and recorder, without cookies."""
        transmitter = self._transmitter
        twin = UserAgent(
            transmitter.wire, transmitter.recorder, label=label, header=transmitter.header, clock=self._clock
        )
        twin.allowed = self.allowed
        return twin

    def origin_of(self, url: str) -> str:
        """The origin of ``url``: ``https://app.example``."""
        return origin_of(url)

    def cookie_names(self, url: str) -> list[str]:
        """Names of the cookies that a same-site request to ``url`` would carry."""
        return [cookie.name for cookie in self.cookies.matching(url)]

    def _perform(self, request: Request, notes: Iterable[str] = ()) -> Answer:
        if (why := _why_blocked(request)) is not None:
            return self._transmitter.blocked(request, why)
        if request.tainting == "cors" and (reason := cors.needs_preflight(request.method, author_headers(request))):
            exchange, refusal = self._transmitter.preflight(request, reason)
            if refusal is not None:
                return self._transmitter.blocked(request, f"preflight: {refusal}", exchange)
        return self._transmitter.transmit(request, self.cookies, [*notes, *_warnings(request)])

    def _may_follow(self, url: str) -> bool:
        parsed = parse_url(url)
        return parsed.is_http and (self.allowed is None or str(Origin.of(parsed)) in self.allowed)


def _why_blocked(request: Request) -> str | None:
    """What the Fetch Standard calls a network error or a TypeError, before anything is sent."""
    if request.purpose != "fetch":
        return None
    if cors.is_forbidden_method(request.method):
        return f"a script may not send {request.method}"
    if request.mode == "no-cors" and request.method not in cors.SAFELISTED_METHODS:
        return f"mode no-cors does not allow {request.method}"
    if request.mode == "same-origin" and request.initiator != request.origin:
        return "mode same-origin, and the URL is of another origin"
    if request.url.userinfo and request.tainting == "cors":
        return "a URL with a user name or a password is not fetched across origins"
    return None


def _warnings(request: Request) -> list[str]:
    secure = request.initiator is not None and request.initiator.scheme == "https"
    if request.purpose == "fetch" and secure and not request.origin.is_potentially_trustworthy:
        return ["browsers block this request as mixed content (an https page, an http URL); it was sent all the same"]
    return []


def _script_headers(request: Request) -> tuple[tuple[Pair, ...], list[str]]:
    """The headers that a script may set, and notes on those it may not."""
    kept, notes = [], []
    for name, value in request.headers:
        if cors.is_forbidden_header(name, value):
            notes.append(f"header {name} not sent: a script may not set it")
        elif request.mode == "no-cors" and not cors.is_safelisted_header(name, value):
            notes.append(f"header {name} not sent: mode no-cors")
        else:
            kept.append((name, value))
    return tuple(kept), notes


def _page(initiator: str | None) -> tuple[Url | None, Origin | None]:
    if initiator is None:
        return None, None
    if initiator == "null":
        return None, Origin()
    page = parse_url(initiator)
    return page, Origin.of(page)


def _http_url(text: str, base: Url | None) -> Url:
    url = parse_url(text, base)
    if not url.is_http:
        raise ValueError(f"{url.scheme}: is not a scheme that requests are sent to")
    return url


def _pairs(headers: HeaderLines) -> tuple[Pair, ...]:
    return tuple(headers.items() if isinstance(headers, Mapping) else headers)
