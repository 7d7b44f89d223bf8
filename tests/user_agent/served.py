"""Real sockets with a script: what the wire has to endure."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

Script = Callable[[socket.socket, int], None]


@dataclass
class Served:
    """A listening socket that plays a script to each connection; `heard` holds what each one sent first."""

    port: int
    heard: list[bytes] = field(default_factory=list)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"


Serve = Callable[..., Served]


def read_head(connection: socket.socket) -> bytes:
    """One request as far as the blank line, or a TLS greeting; nothing when the client leaves."""
    data = b""
    while b"\r\n\r\n" not in data and not data.startswith(b"\x16"):
        chunk = connection.recv(65536)
        if not chunk:
            return data
        data += chunk
    return data


@contextlib.contextmanager
def serving() -> Iterator[Serve]:
    """``serve(script)``: each connection's request is read, then ``script(connection, number)`` says the rest."""
    listeners: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def start(script: Script | bytes, tls: ssl.SSLContext | None = None) -> Served:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)
        served = Served(listener.getsockname()[1])
        play = script if callable(script) else _saying(script)

        def converse(raw: socket.socket, number: int) -> None:
            # The client may leave at any moment: that is what the tests are about.
            with contextlib.suppress(OSError, ssl.SSLError):
                connection = tls.wrap_socket(raw, server_side=True) if tls else raw
                with connection:
                    served.heard.append(read_head(connection))
                    play(connection, number)
            raw.close()

        def listen() -> None:
            number = 0
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                connection.settimeout(10)
                thread = threading.Thread(target=converse, args=(connection, number), daemon=True)
                threads.append(thread)
                thread.start()
                number += 1

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        threads.append(thread)
        return served

    yield start
    for listener in listeners:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def _saying(answer: bytes) -> Script:
    return lambda connection, _: connection.sendall(answer)
