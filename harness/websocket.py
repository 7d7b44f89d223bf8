"""A WebSocket handshake as a browser sends it, recorded like any other exchange; every wait is bounded."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from harness.exchange import Received, Sent
from harness.user_agent.tls import Tls
from harness.user_agent.unreachable import BrokenAnswer, ConnectionRefused, TimedOut, Unreachable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from websockets.datastructures import Headers
    from websockets.sync.client import ClientConnection

    from harness.exchange import Recorder
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

    def listen(self, path: str, *, origin: str, cookies: Mapping[str, str], until: str = "", label: str = "page") -> Heard:
        """Shake hands as a page of ``origin`` would make a browser do, and listen until ``until`` was said or time is up.

        Raises:
            Unreachable: no answer to the handshake came within the limits.

        """
        url = self._target.url(path)
        parts = urlsplit(url)
        sent = Sent("GET", url, self._headers(parts.netloc, origin, cookies), None)
        started = self._recorder.now_ms()
        error: Unreachable | None = None
        status, reason, headers, said = 0, "", (), ""
        try:
            status, reason, headers, said = self._exchange(url, sent.headers, until)
        except Unreachable as unreachable:
            error = unreachable
        received = None if error else Received(status, reason, headers, said.encode())
        number = self._recorder.record(
            agent=label,
            initiator=origin,
            purpose="fetch",
            sent=sent,
            received=received,
            error=error.line if error else None,
            started_ms=started,
            notes=["a WebSocket handshake; what follows the answer are the messages that came"],
        ).number
        if error:
            error.exchange = number
            raise error
        return Heard(number, status, said)

    def _headers(self, host: str, origin: str, cookies: Mapping[str, str]) -> Pairs:
        cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
        own = tuple(self._target.at.headers.items())
        return (("Host", host), ("Origin", origin), *own, *((("Cookie", cookie),) if cookie else ()))

    def _exchange(self, url: str, headers: Pairs, until: str) -> tuple[int, str, Pairs, str]:
        # Nothing but this requirement needs the library.
        from websockets.exceptions import InvalidHandshake, InvalidMessage, InvalidStatus  # noqa: PLC0415
        from websockets.sync.client import connect  # noqa: PLC0415

        parts = urlsplit(url)
        extra = [(name, value) for name, value in headers if name not in {"Host", "Origin"}]
        origin = next(value for name, value in headers if name == "Origin")
        try:
            with connect(
                url.replace("http", "ws", 1),
                sock=self._connected(parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)),
                ssl=self._tls.context() if parts.scheme == "https" else None,
                origin=origin,  # type: ignore[arg-type] # a NewType of str
                additional_headers=extra,
                user_agent_header="Mozilla/5.0 authconform",
                open_timeout=HANDSHAKE_S,
                close_timeout=1,
                max_size=_LARGEST,
                proxy=None,
            ) as connection:
                answer = connection.response
                assert answer is not None  # noqa: S101 - the handshake is over
                return answer.status_code, answer.reason_phrase, _pairs(answer.headers), _messages(connection, until)
        except InvalidStatus as refused:
            answer = refused.response
            return answer.status_code, answer.reason_phrase, _pairs(answer.headers), (answer.body or b"").decode("utf-8", "replace")
        except TimeoutError as late:
            raise TimedOut(f"{parts.netloc}: no answer to the WebSocket handshake within {HANDSHAKE_S:g} s") from late
        except (InvalidHandshake, InvalidMessage, OSError, EOFError) as broken:
            raise BrokenAnswer(f"{parts.netloc}: the WebSocket handshake was not answered as HTTP asks for ({type(broken).__name__})") from broken

    def _connected(self, host: str, port: int) -> socket.socket:
        address = self._target.at.resolve.get(host, host)
        try:
            return socket.create_connection((address, port), timeout=CONNECT_S)
        except OSError as error:
            raise ConnectionRefused(f"{host}:{port} cannot be reached for a WebSocket ({error.strerror or type(error).__name__})") from error


def _messages(connection: ClientConnection, until: str) -> str:
    """What the target says unasked."""
    from websockets.exceptions import ConnectionClosed  # noqa: PLC0415

    said: list[str] = []
    deadline = time.monotonic() + LISTEN_S
    try:
        while len(said) < _MESSAGES and not (until and any(until in text for text in said)):
            message = connection.recv(timeout=max(0.0, deadline - time.monotonic()))
            said.append(message if isinstance(message, str) else message.decode("utf-8", "replace"))
    except (TimeoutError, ConnectionClosed):
        pass
    return "\n".join(said)


def _pairs(headers: Headers) -> Pairs:
    return tuple(headers.raw_items())
