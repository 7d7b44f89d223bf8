"""HTTP/1.1 on a socket (RFC 9112) for an ASGI application: parsed by httptools, bounded, answered in order.

It takes the place of uvicorn's own protocol, which spends half as much again on each request for what a mock on
loopback does not need (websockets, access logs, streamed uploads, timers), and which loses the body of a request that
offers HTTP/2, as those of Java's client do. A request is read whole before the application hears of it. uvicorn still
listens, speaks TLS and shuts down.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser, parse_url

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    from uvicorn import Config
    from uvicorn.server import ServerState

    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]
    Application = Callable[[Message, Receive, Send], Awaitable[None]]

MOST_HEAD = 64 * 1024
"""Bytes of a request's line and headers."""
MOST_BODY = 64 * 1024 * 1024
"""Bytes of a request's body; applications refuse earlier, and better."""
IDLE_S = 75.0
"""Seconds after which a connection is closed on which nothing is heard and nothing is being answered."""
MOST_WAITING = 32
"""Pipelined requests that wait for their turn before no more is read."""
NO_BODY = (204, 304)

_REASONS = {200: "OK", 201: "Created", 204: "No Content", 302: "Found", 303: "See Other", 304: "Not Modified"} | {
    400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
    413: "Content Too Large", 429: "Too Many Requests", 431: "Request Header Fields Too Large",
    500: "Internal Server Error", 503: "Service Unavailable",
}  # fmt: skip
_STATUS_LINES = {status: f"HTTP/1.1 {status} {reason}\r\n".encode() for status, reason in _REASONS.items()}
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_ASGI = {"version": "3.0", "spec_version": "2.3"}
_log = logging.getLogger(__name__)


class Exchange:
    """One request and its response.

    Attributes:
        transport: of the connection. An application that plays a crashing server aborts it, and sets the next two, as
            it would with uvicorn.
        response_complete: nothing more is sent.
        disconnected: nobody listens any more.

    """

    __slots__ = (
        "_body",
        "_chunked",
        "_connection",
        "_head",
        "_keep_alive",
        "_started",
        "disconnected",
        "response_complete",
        "scope",
    )

    def __init__(self, connection: Connection, scope: Message, body: bytes | None, *, keep_alive: bool) -> None:
        self.scope = scope
        self.response_complete = False
        self.disconnected = False
        self._connection = connection
        self._body: bytes | None = body
        self._keep_alive = keep_alive
        self._head: Message | None = None
        self._started = False
        self._chunked = False

    @property
    def transport(self) -> asyncio.Transport:
        """Where the response is written."""
        return self._connection.transport

    async def run(self, application: Application) -> None:
        """Let the application answer; where it fails, say 500, or break off what it began."""
        try:
            await application(self.scope, self.receive, self.send)
        except Exception:  # noqa: BLE001 # whatever it is, the connection must not hang
            _log.exception("%s %s", self.scope["method"], self.scope["path"])
        if not self.response_complete:
            if self._started or self.disconnected or self.transport.is_closing():
                self.transport.abort()
            else:
                self._write(500, [(b"content-type", b"text/plain")], b"Internal Server Error\n")
        self._connection.finished(keep_alive=self._keep_alive)

    async def receive(self) -> Message:
        """The whole body; after that, once it happens, that the client has gone."""
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        await self._connection.gone()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """A part of the response."""
        if message["type"] == "http.response.start":
            self._head = message
            return
        body, more = message.get("body", b""), message.get("more_body", False)
        if self.response_complete:
            return
        if self._started:
            self._write_more(body, more=more)
        else:
            assert self._head is not None  # noqa: S101 # ASGI: the start comes first
            self._write(self._head["status"], self._head["headers"], body, more=more)
        if more:
            await self._connection.drained()

    def _write(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes, *, more: bool = False) -> None:
        self._started, self.response_complete = True, not more
        parts = [_STATUS_LINES.get(status) or b"HTTP/1.1 %d \r\n" % status, date_line()]
        length = False
        for name, value in headers:
            length = length or name == b"content-length"
            parts += (name, b": ", value, b"\r\n")
        if not length and status not in NO_BODY:
            if not more:
                parts.append(b"content-length: %d\r\n" % len(body))
            elif self.scope["http_version"] == "1.1":
                self._chunked = True
                parts.append(b"transfer-encoding: chunked\r\n")
            else:
                self._keep_alive = False
        if not self._keep_alive:
            parts.append(b"connection: close\r\n")
        parts.append(b"\r\n")
        head = b"".join(parts)
        lines = 3 + len(headers) + (not self._keep_alive) + (self._chunked or not (length or more or status in NO_BODY))
        if head.count(b"\n") != lines or head.count(b"\r") != lines:
            _log.error("%s %s: a header of the response holds a line break", self.scope["method"], self.scope["path"])
            self.transport.abort()
        elif self.scope["method"] == "HEAD" or status in NO_BODY:
            self.transport.write(head)
        elif self._chunked:
            self.transport.write(head)
            self._write_more(body, more=more)
        else:
            self.transport.write(head + body)

    def _write_more(self, body: bytes, *, more: bool) -> None:
        self.response_complete = not more
        if self.scope["method"] == "HEAD":
            return
        if self._chunked:
            body = (b"%x\r\n%b\r\n" % (len(body), body) if body else b"") + (b"" if more else b"0\r\n\r\n")
        if body:
            self.transport.write(body)


class Connection(asyncio.Protocol):
    """One connection, kept alive as long as both sides like.

    Args:
        application: answers.
        everyone: the connections of this server; it adds and removes itself.
        tasks: requests that are being answered; it adds and removes its own.

    Attributes:
        cycle: the latest exchange.

    """

    def __init__(self, application: Application, everyone: set[Any], tasks: set[asyncio.Task[None]]) -> None:
        self._application = application
        self._everyone = everyone
        self._tasks = tasks
        self._loop = asyncio.get_running_loop()
        self.cycle: Exchange | None = None
        self._waiting: deque[Exchange] = deque()
        self._task: asyncio.Task[None] | None = None
        self._closing = False
        self._gone: asyncio.Event | None = None
        self._drained: asyncio.Event | None = None
        self._idle: asyncio.TimerHandle | None = None

    @property
    def busy(self) -> bool:
        """Is a request being answered?"""
        return self._task is not None

    # --- the transport ------------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody came."""
        self.transport = cast("asyncio.Transport", transport)
        self._everyone.add(self)
        self._scheme = "https" if transport.get_extra_info("sslcontext") else "http"
        self._client = _address(transport.get_extra_info("peername"))
        self._server = _address(transport.get_extra_info("sockname"))
        self._parser = HttpRequestParser(self)
        self._in_head = False
        self._head_size = 0
        self._as_sent: list[tuple[bytes, bytes]] | None = None
        self._heard_at = self._loop.time()
        self._watch()

    def _watch(self) -> None:
        """Close a connection on which nothing happens. One timer now and then, not two for each request."""
        left = self._heard_at + IDLE_S - self._loop.time()
        if left <= 0 and not self.busy:
            self.end()
        else:
            self._idle = self._loop.call_later(max(left, IDLE_S / 4), self._watch)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 # asyncio's signature
        """The client has gone, or was told to."""
        self._everyone.discard(self)
        self._closing = True
        self._waiting.clear()
        if self._idle is not None:
            self._idle.cancel()
        for event in (self._gone, self._drained):
            if event is not None:
                event.set()

    def pause_writing(self) -> None:
        """The client reads more slowly than we write."""
        self._drained = asyncio.Event()

    def resume_writing(self) -> None:
        """It caught up."""
        if self._drained is not None:
            self._drained.set()
            self._drained = None

    async def drained(self) -> None:
        """Wait until the client has caught up, or gone."""
        if self._drained is not None:
            await self._drained.wait()

    async def gone(self) -> None:
        """Wait until the client has gone."""
        if self not in self._everyone:
            return
        if self._gone is None:
            self._gone = asyncio.Event()
        await self._gone.wait()

    def shutdown(self) -> None:
        """The server is to stop (uvicorn's name for it)."""
        self.end()

    def end(self) -> None:
        """Close after the request that is being answered."""
        self._closing = True
        self._waiting.clear()
        if not self.busy:
            self.transport.close()

    def data_received(self, data: bytes) -> None:
        """A part of a request, or several of them."""
        if self._closing:
            return
        self._heard_at = self._loop.time()
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade as upgrade:
            if self._parser.get_method() == b"CONNECT":  # a tunnel, with whatever headers
                self._refuse(405)
            else:
                self._decline_upgrade(data[upgrade.args[0] :])
        except HttpParserError:
            self._refuse(400)
        else:
            if self._in_head:
                self._head_size += len(data)
                if self._head_size > MOST_HEAD:
                    self._refuse(431)

    def _decline_upgrade(self, rest: bytes) -> None:
        """Go on in HTTP/1.1 (RFC 9110, section 7.8): Java's client offers HTTP/2 with each request, token requests too.

        The parser takes what follows such an offer for another protocol and skips the body, so it reads the request
        once more, without the offer.
        """
        method, headers = self._parser.get_method(), self._headers
        self._parser = HttpRequestParser(self)
        kept = b"".join(b"%b: %b\r\n" % one for one in headers if one[0] not in (b"upgrade", b"connection"))
        self._as_sent = headers
        self.data_received(b"%b %b HTTP/1.1\r\n%b\r\n%b" % (method, self._url, kept, rest))

    def _refuse(self, status: int) -> None:
        """Break off: what follows cannot be read."""
        self._closing = True
        if not self.busy:
            self.transport.write(_STATUS_LINES[status] + b"content-length: 0\r\nconnection: close\r\n\r\n")
            self.transport.close()

    # --- the parser ---------------------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """A new request."""
        self._url = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._body = b""
        self._parts: list[bytes] = []
        self._size = 0
        self._in_head = True
        self._head_size = 0

    def on_url(self, url: bytes) -> None:
        """A part of the request target."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """The body follows."""
        self._in_head = False
        for name, value in self._headers:
            if name == b"expect" and value.lower() == b"100-continue" and not self.busy:
                self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        """A part of the body; what is too much is read on and forgotten, so that the answer is heard."""
        self._size += len(body)
        if self._size <= MOST_BODY:
            self._parts.append(body)

    def on_message_complete(self) -> None:
        """The request is whole."""
        parser = self._parser
        if parser.should_upgrade():
            return
        if self._size > MOST_BODY:
            self._refuse(413)
            return
        if self._as_sent is not None:
            self._headers, self._as_sent = self._as_sent, None
        exchange = Exchange(self, self._scope(), b"".join(self._parts), keep_alive=parser.should_keep_alive())
        if self.busy:
            self._waiting.append(exchange)
            if len(self._waiting) == MOST_WAITING:
                self.transport.pause_reading()
        else:
            self._begin(exchange)

    def _scope(self) -> Message:
        url = self._url
        if url.startswith(b"/"):
            raw_path, _, query = url.partition(b"?")
            query = query.partition(b"#")[0] if b"#" in query else query
        else:  # absolute-form (RFC 9112, section 3.2.2), or nonsense that the parser let pass
            parsed = parse_url(url)
            raw_path, query = parsed.path or b"/", parsed.query or b""
        path = raw_path.decode("utf-8", "replace")
        return {
            "type": "http",
            "asgi": _ASGI,
            "http_version": self._parser.get_http_version(),
            "method": self._parser.get_method().decode("ascii"),
            "scheme": self._scheme,
            "path": unquote(path) if "%" in path else path,
            "raw_path": raw_path,
            "query_string": query,
            "root_path": "",
            "headers": self._headers,
            "client": self._client,
            "server": self._server,
        }

    # --- one after the other ------------------------------------------------------------------------------------------

    def _begin(self, exchange: Exchange) -> None:
        self.cycle = exchange
        self._task = self._loop.create_task(exchange.run(self._application))
        self._tasks.add(self._task)

    def finished(self, *, keep_alive: bool) -> None:
        """A response is complete: on to the next request."""
        if self._task is not None:
            self._tasks.discard(self._task)
            self._task = None
        if self._closing or not keep_alive:
            self._closing = True
            self.transport.close()
        elif self._waiting:
            if len(self._waiting) == MOST_WAITING:
                self.transport.resume_reading()
            self._begin(self._waiting.popleft())


def under_uvicorn(
    config: Config, server_state: ServerState, app_state: dict[str, Any], _loop: asyncio.AbstractEventLoop | None = None
) -> Connection:
    """What uvicorn takes for its option ``http``; `app_state` is for applications with a lifespan state."""
    del app_state
    return Connection(cast("Application", config.loaded_app), server_state.connections, server_state.tasks)


def _address(found: object) -> tuple[str, int] | None:
    return (str(found[0]), int(found[1])) if isinstance(found, tuple) else None


_date = (0, b"")


def date_line() -> bytes:
    """The header ``date`` (RFC 9110, section 6.6.1); made once a second."""
    global _date  # noqa: PLW0603 # a clock is global
    now = int(time.time())
    if now != _date[0]:
        at = time.gmtime(now)
        day, month = _DAYS[at.tm_wday], _MONTHS[at.tm_mon - 1]
        clock = f"{at.tm_hour:02}:{at.tm_min:02}:{at.tm_sec:02}"
        _date = now, f"date: {day}, {at.tm_mday:02} {month} {at.tm_year} {clock} GMT\r\n".encode()
    return _date[1]
