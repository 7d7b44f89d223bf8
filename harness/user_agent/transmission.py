"""One request on its way: headers put together, cookies chosen, sent, recorded, cookies stored, answer made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from harness.evidence.exchange import Received, Sent
from harness.user_agent import cors
from harness.user_agent.answer import Answer, Headers
from harness.user_agent.cookie_rules import Relation
from harness.user_agent.reading import exposed, redirect_target, why_unreadable
from harness.user_agent.unreachable import Unreachable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from harness.evidence.exchange import Recorder
    from harness.user_agent.cookies import CookieStore, Selection, SetCookie
    from harness.user_agent.request import Pair, Purpose, Request
    from harness.user_agent.wire import Wire, WireResponse

USER_AGENT: Final = "Mozilla/5.0 authconform"
_NAVIGATION: Final = (
    ("User-Agent", USER_AGENT),
    ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
    ("Accept-Language", "en"),
    ("Upgrade-Insecure-Requests", "1"),
)
_FETCH: Final = (("User-Agent", USER_AGENT), ("Accept", "*/*"), ("Accept-Language", "en"))
_PLAIN: Final = (("User-Agent", USER_AGENT), ("Accept", "*/*"))


@dataclass(frozen=True, slots=True)
class _Flight:
    """What went over the wire and when, not yet recorded: the notes depend on what the user agent makes of it."""

    request: Request
    purpose: Purpose
    sent: Sent
    started_ms: float
    elapsed_ms: float
    response: WireResponse


class Transmitter:
    """Sends the requests of one user agent. ``header`` goes with each of them, preflights included."""

    def __init__(self, wire: Wire, recorder: Recorder, label: str, header: Mapping[str, str]) -> None:
        self.wire = wire
        self.recorder = recorder
        self.label = label
        self.header = dict(header)

    def transmit(self, request: Request, store: CookieStore, notes: Iterable[str] = ()) -> Answer:
        """Send ``request`` with the cookies it may carry, and store those that come back.

        Raises:
            Unreachable: no whole answer came; it is recorded.
        """
        cookies, cookie_notes = _cookie_header(request, store)
        flight = self._fly(request, request.purpose, [*self._headers(request), *cookies])
        response = flight.response
        outcomes = tuple(_receive(request, line, store) for line in Headers(response.headers).all("Set-Cookie"))
        unreadable = why_unreadable(request, response.headers)
        target, lost = redirect_target(request, response.status, response.headers)
        told = [*notes, *cookie_notes]
        told += [f"Set-Cookie {o.parsed.name!r} refused: {o.why}" for o in outcomes if not o.accepted]
        if unreadable is not None and not request.is_navigation:
            told.append(f"the page may not read the answer: {unreadable}")
        if lost is not None:
            told.append(lost)
        number = self._record(flight, told)
        url = str(request.url)
        return Answer(
            exchange=number,
            method=request.method,
            url=url,
            status=response.status,
            reason=response.reason,
            headers=Headers(response.headers),
            body=response.body,
            set_cookies=outcomes,
            readable=unreadable is None,
            exposed=exposed(request, response.headers),
            blocked=None,
            redirect_to=target,
            request=request,
            shown=self.recorder.redactor.url(url),
        )

    def preflight(self, request: Request, reason: str) -> tuple[int, str | None]:
        """Ask whether ``request`` may be sent; ``reason`` says why that is asked.

        Returns:
            The number of the exchange, and why the request may not be sent (None: it may).
        """
        author = author_headers(request)
        names = ",".join(cors.unsafe_header_names(author))
        headers = [
            *_merged(_FETCH, self.header.items()),
            ("Access-Control-Request-Method", request.method),
            *([("Access-Control-Request-Headers", names)] if names else []),
            *request.browser_headers(),
        ]
        flight = self._fly(request, "preflight", headers)
        refusal = cors.preflight_check(
            flight.response.status,
            flight.response.headers,
            method=request.method,
            headers=author,
            origin=request.serialised_origin,
            credentials=request.credentials,
        )
        verdict = f"the {request.method} is not sent: {refusal}" if refusal else f"the {request.method} may be sent"
        return self._record(flight, [f"preflight, because {reason}", verdict]), refusal

    def blocked(self, request: Request, why: str, exchange: int | None = None) -> Answer:
        """The answer to a request that is not sent; recorded here unless ``exchange`` already tells of it."""
        if exchange is None:
            exchange = self.recorder.record(
                agent=self.label,
                initiator=_initiator(request),
                purpose=request.purpose,
                sent=_as_sent(request, request.headers),
                error=f"not sent: {why}",
            ).number
        url = str(request.url)
        return Answer(
            exchange=exchange,
            method=request.method,
            url=url,
            status=0,
            reason="",
            headers=Headers(),
            body=b"",
            set_cookies=(),
            readable=False,
            exposed=frozenset(),
            blocked=why,
            redirect_to=None,
            request=request,
            shown=self.recorder.redactor.url(url),
        )

    def _headers(self, request: Request) -> list[Pair]:
        defaults = _PLAIN if request.is_plain else _NAVIGATION if request.is_navigation else _FETCH
        headers = _merged(defaults, self.header.items(), author_headers(request))
        return [*headers, *request.browser_headers()]

    def _fly(self, request: Request, purpose: Purpose, headers: Sequence[Pair]) -> _Flight:
        from harness.user_agent.wire import WireRequest  # noqa: PLC0415 - loads httpcore, when something is sent

        is_preflight = purpose == "preflight"
        outgoing = self.wire.prepare(
            WireRequest(
                method="OPTIONS" if is_preflight else request.method,
                url=request.url,
                headers=tuple(headers),
                body=request.body.content if request.body and not is_preflight else None,
                target=request.target,
            )
        )
        sent = Sent(outgoing.method, _url_on_the_wire(request), outgoing.headers, outgoing.body)
        started = self.recorder.now_ms()
        try:
            response = self.wire.send(outgoing)
        except Unreachable as error:
            error.exchange = self.recorder.record(
                agent=self.label,
                initiator=_initiator(request),
                purpose=purpose,
                sent=sent,
                error=error.line,
                started_ms=started,
            ).number
            raise
        return _Flight(request, purpose, sent, started, self.recorder.now_ms() - started, response)

    def _record(self, flight: _Flight, notes: Iterable[str]) -> int:
        response = flight.response
        return self.recorder.record(
            agent=self.label,
            initiator=_initiator(flight.request),
            purpose=flight.purpose,
            sent=flight.sent,
            received=Received(response.status, response.reason, response.headers, response.body),
            started_ms=flight.started_ms,
            elapsed_ms=flight.elapsed_ms,
            notes=[*notes, *response.notes],
        ).number


def author_headers(request: Request) -> list[Pair]:
    """What the page's author (or a plain client's) set, the body's Content-Type included: what CORS judges."""
    content_type = request.body.content_type if request.body else None
    return _merged([("Content-Type", content_type)] if content_type else [], request.headers)


def _merged(*layers: Iterable[Pair]) -> list[Pair]:
    """Later layers replace what earlier ones say under the same name; within a layer names may repeat."""
    merged: list[Pair] = []
    for layer in layers:
        pairs = list(layer)
        names = {name.lower() for name, _ in pairs}
        merged = [pair for pair in merged if pair[0].lower() not in names] + pairs
    return merged


def _cookie_header(request: Request, store: CookieStore) -> tuple[list[Pair], list[str]]:
    """The Cookie header, or none; and notes on what may surprise about it."""
    if any(name.lower() == "cookie" for name, _ in request.headers):
        return [], []
    if not isinstance(request.cookies, str):
        value = "; ".join(f"{name}={value}" for name, value in request.cookies.items())
        return [("Cookie", value)] if value else [], []
    if request.cookies == "none":
        return [], []
    selection = store.for_request(request.url, request.context)
    if not request.includes_credentials:
        held = ", ".join(repr(cookie.name) for cookie in selection.sent)
        note = f"cookies {held} not sent: credentials mode {request.credentials!r} on this request"
        return [], [note] if held else []
    return [("Cookie", selection.header)] if selection.sent else [], _selection_notes(selection, request)


def _selection_notes(selection: Selection, request: Request) -> list[str]:
    notes = [f"cookie {w.cookie.name!r} not sent: {w.why}" for w in selection.withheld if not w.routine]
    if request.context.relation is Relation.LAX_UNSAFE:
        notes += [
            f"cookie {cookie.name!r} sent: no SameSite and younger than two minutes (RFC 6265bis section 5.6.7.2)"
            for cookie in selection.sent
            if cookie.same_site is None
        ]
    return notes


def _receive(request: Request, line: str, store: CookieStore) -> SetCookie:
    if not request.includes_credentials:
        return store.ignore(request.url, line, "the request was made without credentials (Fetch)")
    if not request.keeps:
        store = store.copy()
    return store.receive(request.url, line, request.context)


def _initiator(request: Request) -> str | None:
    return None if request.initiator is None else str(request.initiator)


def _as_sent(request: Request, headers: Sequence[Pair]) -> Sent:
    body = None if request.body is None else request.body.content
    return Sent(request.method, _url_on_the_wire(request), tuple(headers), body)


def _url_on_the_wire(request: Request) -> str:
    url = request.url
    target = url.target if request.target is None else request.target
    return f"{url.scheme}://{url.authority}{target}"
