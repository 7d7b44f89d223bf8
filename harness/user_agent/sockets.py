"""Connections with a deadline: names resolved, TCP and TLS opened, octets moved, every wait bounded."""

from __future__ import annotations

import select
import socket
import ssl
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from harness.user_agent.unreachable import (
    ConnectionRefused,
    NameNotResolved,
    TimedOut,
    TlsNotTrusted,
    Unreachable,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.user_agent.limits import WireLimits

# Enough to recognise the end of a message by.
TAIL_OCTETS: Final = 64
_HOSTNAME_MISMATCH: Final = frozenset({62, 64})  # X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH


class Lost(OSError):  # noqa: N818 - reads as what happened
    """The other side closed or reset the connection."""


@dataclass(slots=True)
class Attempt:
    """One try at an exchange: when it must end, and what it has met so far."""

    server: str  # host:port, for sentences
    limits: WireLimits
    deadline: float  # of time.monotonic()
    fresh: bool = False  # on a connection made for it
    received: int = 0  # octets of the answer

    def seconds(self, bound: float) -> float:
        """How long the next wait may take.

        Raises:
            TimedOut: no time is left.
        """
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise self.out_of_time()
        return min(bound, left)

    def out_of_time(self) -> TimedOut:
        """The sentence for a wait that reached its bound."""
        if self.deadline - time.monotonic() <= 0:
            what = f"the answer did not end within {self.limits.total_s:g} s"
        elif self.received:
            what = f"the answer stopped half-way: nothing more for {self.limits.read_s:g} s"
        else:
            what = f"no answer within {self.limits.read_s:g} s"
        return TimedOut(f"{self.server}: {what}; see whether the application hangs, or allow more in limits.timeout_s")


class Connection:
    """One TCP connection, perhaps with TLS. Whatever waits asks the current attempt how long it may."""

    def __init__(self, sock: socket.socket, attempt: Callable[[], Attempt]) -> None:
        self._sock = sock
        self._attempt = attempt
        self._tail = b""
        self._spoiled = False

    def read(self, max_octets: int) -> bytes:
        """Up to ``max_octets``; empty when the other side has ended the stream."""
        attempt = self._attempt()
        try:
            self._sock.settimeout(attempt.seconds(attempt.limits.read_s))
            _acknowledge_at_once(self._sock)
            data = self._sock.recv(max_octets)
        except TimeoutError as error:
            raise attempt.out_of_time() from error
        except OSError as error:
            raise Lost(str(error)) from error
        attempt.received += len(data)
        self._tail = (self._tail + data)[-TAIL_OCTETS:]
        return data

    def write(self, data: bytes) -> None:
        """All of ``data``."""
        attempt = self._attempt()
        view = memoryview(data)
        try:
            while view:
                self._sock.settimeout(attempt.seconds(attempt.limits.read_s))
                view = view[self._sock.send(view) :]
        except TimeoutError as error:
            raise attempt.out_of_time() from error
        except OSError as error:
            raise Lost(str(error)) from error

    def close(self) -> None:
        """Close it; safe to call twice."""
        self._sock.close()

    def must_end_with(self, tail: bytes) -> None:
        """Never use this connection again unless the octets read so far end with ``tail``.

        What follows a message on the same connection would be taken for the answer to the next request.
        """
        self._spoiled = not self._tail.endswith(tail[-TAIL_OCTETS:])

    @property
    def is_stale(self) -> bool:
        """True when this idle connection may not be reused: it ended, or something came that nobody asked for."""
        return self._spoiled or _is_readable(self._sock)

    def start_tls(self, context: ssl.SSLContext, name: str) -> Connection:
        """The same connection with TLS.

        Raises:
            TlsNotTrusted: no session came about, or the certificate proves nothing.
        """
        try:
            return Connection(self._with_tls(context, name.removesuffix(".")), self._attempt)
        except BaseException:
            self.close()
            raise

    def _with_tls(self, context: ssl.SSLContext, name: str) -> ssl.SSLSocket:
        attempt = self._attempt()
        try:
            self._sock.settimeout(attempt.seconds(attempt.limits.connect_s))
            return context.wrap_socket(self._sock, server_hostname=name)
        except TimeoutError as error:
            raise TimedOut(
                f"{attempt.server}: no TLS handshake within {attempt.limits.connect_s:g} s: "
                "if the application speaks plain HTTP there, write http:// in target.origin"
            ) from error
        except OSError as error:  # ssl.SSLError is one
            raise _tls_failure(attempt.server, error) from error


class Sockets:
    """Opens connections. ``resolve`` maps host names to addresses, as ``curl --resolve`` does."""

    def __init__(self, resolve: Mapping[str, str]) -> None:
        self._resolve = {name.lower().removesuffix("."): address for name, address in resolve.items()}
        self._current = threading.local()

    def begin(self, attempt: Attempt) -> None:
        """Make ``attempt`` the one that this thread's connections answer to."""
        self._current.attempt = attempt

    def attempt(self) -> Attempt:
        """This thread's current attempt."""
        current: Attempt = self._current.attempt
        return current

    def connect(self, host: str, port: int) -> Connection:
        """A TCP connection, to the first address of ``host`` that answers.

        Raises:
            Unreachable: none does.
        """
        attempt = self.attempt()
        attempt.fresh = True
        failure: Unreachable | None = None
        for address in self._addresses(host, port, attempt):
            try:
                sock = socket.create_connection((address, port), attempt.seconds(attempt.limits.connect_s))
            except TimeoutError:
                failure = TimedOut(
                    f"{attempt.server}: no connection within {attempt.limits.connect_s:g} s: "
                    "see whether a firewall stands between, or correct target.origin"
                )
            except OSError as error:
                failure = _refusal(attempt.server, error)
            else:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return Connection(sock, self.attempt)
        raise failure or _no_address(attempt.server)

    def _addresses(self, host: str, port: int, attempt: Attempt) -> list[str]:
        name = host.lower().removesuffix(".")
        if name in self._resolve:
            return [self._resolve[name]]
        if name == "localhost" or name.endswith(".localhost"):
            # As Chromium does, without asking anybody (RFC 6761, section 6.3).
            return ["::1", "127.0.0.1"]
        return _look_up(name, port, attempt)


def _look_up(name: str, port: int, attempt: Attempt) -> list[str]:
    """Ask the system, which has no deadline of its own: in a thread that may be left behind."""
    found: list[str] = []
    failed: list[OSError] = []

    def ask() -> None:
        try:
            found.extend(
                dict.fromkeys(str(info[4][0]) for info in socket.getaddrinfo(name, port, type=socket.SOCK_STREAM))
            )
        except (OSError, UnicodeError) as error:
            failed.append(error if isinstance(error, OSError) else OSError(str(error)))

    seconds = attempt.seconds(attempt.limits.connect_s)
    thread = threading.Thread(target=ask, name=f"look-up of {name}", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise NameNotResolved(
            f"{attempt.server}: DNS gave no address within {seconds:g} s: "
            "correct target.origin, or give the address under target.resolve"
        )
    if failed:
        raise _no_address(attempt.server) from failed[0]
    return found


def _no_address(server: str) -> NameNotResolved:
    return NameNotResolved(
        f"{server}: the host name has no address: correct target.origin, or give the address under target.resolve"
    )


def _refusal(server: str, error: OSError) -> ConnectionRefused:
    if isinstance(error, ConnectionRefusedError):
        line = f"nothing listens on {server} (connection refused): start the application or correct target.origin"
    else:
        reason = (error.strerror or "cannot connect").lower()
        line = f"{server} cannot be reached ({reason}): correct target.origin or target.resolve"
    return ConnectionRefused(line)


def _tls_failure(server: str, error: OSError) -> TlsNotTrusted:
    if isinstance(error, ssl.SSLCertVerificationError):
        if error.verify_code in _HOSTNAME_MISMATCH:
            return TlsNotTrusted(
                f"{server}: the certificate is for another name: correct target.origin or the certificate"
            )
        return TlsNotTrusted(
            f"{server}: the certificate is not trusted ({error.verify_message}): "
            "name the PEM file of the authority that signed it under target.ca"
        )
    reason = getattr(error, "reason", None) or error.strerror or "the connection was closed"
    return TlsNotTrusted(
        f"{server}: no TLS session ({str(reason).replace('_', ' ').lower()}): "
        "if the application speaks plain HTTP there, write http:// in target.origin"
    )


def _acknowledge_at_once(sock: socket.socket) -> None:
    """Spare servers that write header and body separately the 40 ms they would wait for an acknowledgement (Linux)."""
    if hasattr(socket, "TCP_QUICKACK"):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)


def _is_readable(sock: socket.socket) -> bool:
    if sock.fileno() < 0:
        return True
    if hasattr(select, "poll"):
        poll = select.poll()
        poll.register(sock, select.POLLIN)
        return bool(poll.poll(0))
    return bool(select.select([sock], [], [], 0)[0])
