"""Octets to and from the network, within bounds. The only module that knows httpx's engine, httpcore.

Below httpx rather than through it: a deadline over the whole exchange, request-targets and header lines exactly as
given, response lines exactly as received, and nothing followed or stored behind the user agent's back.
"""

from __future__ import annotations

import ssl
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Self

import httpcore

from harness.user_agent.decoding import ACCEPTED, NotDecodable, OverBound, read_body
from harness.user_agent.limits import WireLimits
from harness.user_agent.sockets import TAIL_OCTETS, Attempt, Connection, Lost, Sockets
from harness.user_agent.tls import Tls
from harness.user_agent.unreachable import (
    BrokenAnswer,
    ConnectionRefused,
    NameNotResolved,
    TimedOut,
    TlsNotTrusted,
    TooLarge,
    Unreachable,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from harness.user_agent.urls import Url

Pairs = tuple[tuple[str, str], ...]

_KEEPALIVE_S: Final = 2.0
_MAX_CONNECTIONS: Final = 32
_HEADER_TOO_LARGE: Final = 431  # what h11 says when a header block outgrows its buffer of 100 kB
_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})


@dataclass(frozen=True, slots=True)
class WireRequest:
    """One request. Text is UTF-8 on the wire, other octets are lone surrogates (``surrogateescape``).

    ``target`` replaces the request-target that ``url`` gives, for paths no browser would send.
    """

    method: str
    url: Url = field(repr=False)
    headers: Pairs = field(default=(), repr=False)
    body: bytes | None = field(default=None, repr=False)
    target: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class WireResponse:
    """One response: header lines as they came, body decoded; ``notes`` say what was unusual on the way."""

    status: int
    reason: str
    headers: Pairs = field(repr=False)
    body: bytes = field(repr=False)
    notes: tuple[str, ...] = ()


class Wire:
    """Pooled HTTP/1.1 connections, one object per run; may be used from several threads.

    Args:
        limits: bounds of every exchange.
        ca_file: PEM file of a certificate authority to trust besides those of the system.
        verify: False trusts any certificate.
        resolve: host name to address, in place of DNS; Host and TLS name stay those of the URL.
        extra_headers: headers that every request carries, unless it has one of that name.

    Raises:
        ValueError: ``ca_file`` is no PEM file of certificates.
    """

    def __init__(
        self,
        *,
        limits: WireLimits | None = None,
        ca_file: Path | None = None,
        verify: bool = True,
        resolve: Mapping[str, str] | None = None,
        extra_headers: Mapping[str, str] | None = None,
    ) -> None:
        self.limits = limits or WireLimits()
        self._extra = tuple((extra_headers or {}).items())
        self._sockets = Sockets(resolve or {})
        self._tls = Tls(ca_file, verify=verify)
        self._pool = httpcore.ConnectionPool(
            # Never used, see _Stream.start_tls; without one httpcore would load all authorities for each connection.
            ssl_context=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
            max_connections=_MAX_CONNECTIONS,
            keepalive_expiry=_KEEPALIVE_S,
            network_backend=_Backend(self._sockets, self._tls),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection."""
        self._pool.close()

    def prepare(self, request: WireRequest) -> WireRequest:
        """``request`` with the headers that HTTP/1.1 and this wire add; preparing twice changes nothing."""
        present = {name.lower() for name, _ in request.headers}
        added = [("Host", request.url.authority)]
        tail = [("Accept-Encoding", ACCEPTED), *self._extra]
        if request.body is not None or request.method in _WITH_BODY:
            tail.append(("Content-Length", str(len(request.body or b""))))
        if "transfer-encoding" in present:
            present.add("content-length")
        before = tuple(pair for pair in added if pair[0].lower() not in present)
        after = tuple(pair for pair in tail if pair[0].lower() not in present)
        return replace(request, headers=(*before, *request.headers, *after))

    def send(self, request: WireRequest) -> WireResponse:
        """Send one request and read its answer to the end.

        Raises:
            Unreachable: no whole answer came within the limits.
            ValueError: the request cannot be written as HTTP/1.1 (a space in the method, a line break in a header).
        """
        request = self.prepare(request)
        if request.url.scheme == "https":
            self._tls.context()  # made now: reading the authorities is no time of the target's
        deadline = time.monotonic() + self.limits.total_s
        notes: tuple[str, ...] = ()
        while True:
            attempt = Attempt(f"{request.url.host}:{request.url.effective_port}", self.limits, deadline)
            self._sockets.begin(attempt)
            try:
                return replace(self._exchange(request, attempt), notes=notes)
            except _Silence as silence:
                # A server may close a kept-alive connection at the moment it is reused. Browsers send the request again
                # on a new one, POST included, and so does this; on a new connection silence is the answer.
                if attempt.fresh:
                    raise BrokenAnswer(f"{attempt.server} closed the connection without an answer") from silence
                notes = ("sent again: the server had closed the kept-alive connection",)

    def _exchange(self, request: WireRequest, attempt: Attempt) -> WireResponse:
        try:
            response = self._pool.handle_request(_as_httpcore(request, attempt))
            try:
                headers = tuple((_text(name), _text(value)) for name, value in response.headers)
                body = _body(response, headers, self.limits.body_bytes)
            finally:
                response.close()
        except (httpcore.RemoteProtocolError, httpcore.NetworkError) as error:
            raise _as_unreachable(error, attempt) from error
        except httpcore.PoolTimeout as error:
            raise attempt.out_of_time() from error
        except httpcore.LocalProtocolError as error:
            raise ValueError(f"the request cannot be written as HTTP/1.1: {error}") from error
        except OverBound as error:
            bound = f"{self.limits.body_bytes:,} octets"
            raise TooLarge(f"{attempt.server}: the answer's body is larger than {bound}") from error
        except NotDecodable as error:
            raise BrokenAnswer(f"{attempt.server}: the body is not what Content-Encoding says ({error})") from error
        return WireResponse(response.status, _text(response.extensions.get("reason_phrase", b"")), headers, body)


class _Silence(Exception):  # noqa: N818
    """The connection ended before the first octet of an answer."""


def _as_unreachable(error: Exception, attempt: Attempt) -> Exception:
    if not attempt.received:
        return _Silence()
    # httpcore wraps h11's own exception, which knows the status a server would answer with.
    if getattr(error.args[0], "error_status_hint", None) == _HEADER_TOO_LARGE:
        return TooLarge(f"{attempt.server}: the header section of the answer is larger than 100 kB")
    return BrokenAnswer(f"{attempt.server}: what came is not a whole HTTP answer ({_printable(str(error))})")


def _as_httpcore(request: WireRequest, attempt: Attempt) -> httpcore.Request:
    url = request.url
    target = url.target if request.target is None else request.target
    return httpcore.Request(
        _octets(request.method),
        httpcore.URL(
            scheme=url.scheme.encode(),
            host=url.host.strip("[]").encode(),
            port=url.effective_port,
            target=_octets(target),
        ),
        headers=[(_octets(name), _octets(value)) for name, value in request.headers],
        content=request.body,
        extensions={"timeout": {"pool": attempt.seconds(attempt.limits.total_s)}},
    )


def _body(response: httpcore.Response, headers: Pairs, limit: int) -> bytes:
    tail = b""

    def chunks() -> Iterator[bytes]:
        nonlocal tail
        for chunk in response.iter_stream():
            tail = (tail + chunk[-TAIL_OCTETS:])[-TAIL_OCTETS:]
            yield chunk

    body = read_body(chunks(), _joined(headers, "content-encoding"), limit)
    stream: _Stream = response.extensions["network_stream"]
    if "chunked" in _joined(headers, "transfer-encoding").lower():
        tail = b"0\r\n\r\n"
    if isinstance(stream, _Stream):  # after an upgrade (101) it is httpcore's own, and never reused
        stream.connection.must_end_with(tail or b"\r\n\r\n")
    return body


def _joined(headers: Pairs, wanted: str) -> str:
    return ",".join(value for name, value in headers if name.lower() == wanted)


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _text(octets: bytes) -> str:
    return octets.decode("utf-8", "surrogateescape")


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in text)[:200]


class _Backend(httpcore.NetworkBackend):
    def __init__(self, sockets: Sockets, tls: Tls) -> None:
        self._sockets = sockets
        self._tls = tls

    def connect_tcp(self, host: str, port: int, *_: Any, **__: Any) -> _Stream:
        return _Stream(self._sockets.connect(host, port), self._tls)


class _Stream(httpcore.NetworkStream):
    def __init__(self, connection: Connection, tls: Tls) -> None:
        self.connection = connection
        self._tls = tls

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002 - the attempt knows better
        try:
            return self.connection.read(max_bytes)
        except Lost as lost:
            raise httpcore.ReadError(str(lost)) from lost

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        try:
            self.connection.write(buffer)
        except Lost as lost:
            raise httpcore.WriteError(str(lost)) from lost

    def close(self) -> None:
        self.connection.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> _Stream:
        del ssl_context, timeout
        return _Stream(self.connection.start_tls(self._tls.context(), server_hostname or ""), self._tls)

    def get_extra_info(self, info: str) -> Any:
        return self.connection.is_stale if info == "is_readable" else None


__all__ = [
    "BrokenAnswer",
    "ConnectionRefused",
    "NameNotResolved",
    "TimedOut",
    "TlsNotTrusted",
    "TooLarge",
    "Unreachable",
    "Wire",
    "WireLimits",
    "WireRequest",
    "WireResponse",
]
