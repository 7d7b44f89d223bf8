"""A WebSocket handshake as a browser sends it, recorded like any other exchange; every wait is bounded."""

from __future__ import annotations

import contextlib
import socket
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from harness.evidence.exchange import Received, Sent
from harness.user_agent.tls import Tls
from harness.user_agent.unreachable import BrokenAnswer, ConnectionRefused, TimedOut, Unreachable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from websockets.http11 import Response
    from websockets.sync.client import ClientConnection

    from harness.evidence.exchange import Recorder
    from harness.target import Target

CONNECT_S: Final = 5.0
HANDSHAKE_S: Final = 10.0
LISTEN_S: Final = 3.0
_MESSAGES: Final = 20
_LARGEST: Final = 64 * 1024

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of a handshake.

    Attributes:
        exchange: the exchange that shows it.
        status: of the answer to the handshake; 101 where the connection was upgraded.
        text: the messages that the target sent on its own, one a line.

    """

    exchange: int
    status: int
    text: str

    @property
    def upgraded(self) -> bool:
        """Whether a WebSocket came about."""
        return self.status == 101  # noqa: PLR2004


class WebSockets:
    """Opens WebSockets of one target.

    Args:
        target: what is under test; its `resolve` and `headers` are honoured.
        recorder: where the exchanges go.
        ca: PEM file of an authority to trust besides those of the system.

    """

    def __init__(self, target: Target, recorder: Recorder, ca: Path | None = None) -> None:
        self._target = target
        self._recorder = recorder
        self._tls = Tls(ca, verify=True)

    def listen(
        self, path: str, *, origin: str, cookies: Mapping[str, str], until: str = "", label: str = "page"
    ) -> Heard:
        """Shake hands as a page of ``origin`` makes a browser do; listen until ``until`` was said or time is up.

        Raises:
            Unreachable: no answer to the handshake came within the limits.

        """
        url = self._target.url(path)
        parts = urlsplit(url)
        sent = Sent("GET", url, self._headers(parts.netloc, origin, cookies), None)
        started = self._recorder.now_ms()
        received: Received | None = None
        failure: Unreachable | None = None
        try:
            received = self._exchange(url, sent.headers, until)
        except Unreachable as unreachable:
            failure = unreachable
        number = self._recorder.record(
            agent=label,
            initiator=origin,
            purpose="fetch",
            sent=sent,
            received=received,
            error=failure.line if failure else None,
            started_ms=started,
            notes=["a WebSocket handshake; the body of the answer are the messages that followed"],
        ).number
        if received is None:
            failure = failure or BrokenAnswer(f"{parts.netloc}: no answer to the WebSocket handshake")
            failure.exchange = number
            raise failure
        return Heard(number, received.status, received.body.decode("utf-8", "replace"))

    def _headers(self, host: str, origin: str, cookies: Mapping[str, str]) -> Pairs:
        cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
        own = tuple(self._target.at.headers.items())
        return (("Host", host), ("Origin", origin), *own, *((("Cookie", cookie),) if cookie else ()))

    def _exchange(self, url: str, headers: Pairs, until: str) -> Received:
        # Nothing but the WebSocket requirement needs the library.
        from websockets.exceptions import InvalidHandshake, InvalidMessage, InvalidStatus  # noqa: PLC0415
        from websockets.sync.client import connect  # noqa: PLC0415
        from websockets.typing import Origin  # noqa: PLC0415

        parts = urlsplit(url)
        secure = parts.scheme == "https"
        try:
            with connect(
                url.replace("http", "ws", 1),
                sock=self._connected(parts.hostname or "", parts.port or (443 if secure else 80)),
                ssl=self._tls.context() if secure else None,
                origin=Origin(next(value for name, value in headers if name == "Origin")),
                additional_headers=[(name, value) for name, value in headers if name not in {"Host", "Origin"}],
                user_agent_header="Mozilla/5.0 authconform",
                open_timeout=HANDSHAKE_S,
                close_timeout=1,
                max_size=_LARGEST,
                proxy=None,
            ) as connection:
                return _received(connection.response, _messages(connection, until))
        except InvalidStatus as refused:
            return _received(refused.response, bytes(refused.response.body or b""))
        except TimeoutError as late:
            raise TimedOut(f"{parts.netloc}: no answer to the WebSocket handshake within {HANDSHAKE_S:g} s") from late
        except (InvalidHandshake, InvalidMessage, OSError, EOFError) as broken:
            reason = f"the WebSocket handshake was not answered as HTTP asks for ({type(broken).__name__})"
            raise BrokenAnswer(f"{parts.netloc}: {reason}") from broken

    def _connected(self, host: str, port: int) -> socket.socket:
        address = self._target.at.resolve.get(host, host)
        try:
            return socket.create_connection((address, port), timeout=CONNECT_S)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise ConnectionRefused(f"{host}:{port} cannot be reached for a WebSocket ({reason})") from error


def _messages(connection: ClientConnection, until: str) -> bytes:
    """What the target says unasked, one message a line."""
    from websockets.exceptions import ConnectionClosed  # noqa: PLC0415

    said: list[bytes] = []
    deadline = time.monotonic() + LISTEN_S
    with contextlib.suppress(TimeoutError, ConnectionClosed):
        while len(said) < _MESSAGES and not (until and any(until.encode() in message for message in said)):
            message = connection.recv(timeout=max(0.0, deadline - time.monotonic()))
            said.append(message.encode() if isinstance(message, str) else message)
    return b"\n".join(said)


def _received(answer: Response | None, body: bytes) -> Received:
    if answer is None:
        raise BrokenAnswer("the WebSocket handshake was not answered")
    return Received(answer.status_code, answer.reason_phrase, tuple(answer.headers.raw_items()), body)
