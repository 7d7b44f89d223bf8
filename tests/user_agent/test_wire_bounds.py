"""Servers that are down, slow, endless or broken: one clear sentence, within the bounds, recorded."""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
import zlib
from typing import TYPE_CHECKING

import pytest

from harness.user_agent import (
    BrokenAnswer,
    ConnectionRefused,
    NameNotResolved,
    TimedOut,
    TooLarge,
    TooManyRedirects,
    Unreachable,
    UserAgent,
    WireLimits,
)
from harness.user_agent.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.evidence.exchange import Recorder
    from tests.user_agent.served import Script, Serve

# Short where a bound in time is what is expected, long where a busy machine must not be taken for a slow server.
SHORT = WireLimits(connect_s=0.5, read_s=0.4, total_s=0.8, body_bytes=100_000)
LONG = WireLimits(connect_s=5, read_s=5, total_s=20, body_bytes=100_000)
HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.fixture
def visitor(recorder: Recorder) -> Iterator[UserAgent]:
    with Wire(limits=LONG) as wire:
        yield UserAgent(wire, recorder, label="alice")


@pytest.fixture
def impatient(recorder: Recorder) -> Iterator[UserAgent]:
    with Wire(limits=SHORT) as wire:
        yield UserAgent(wire, recorder, label="alice")


def endlessly(piece: bytes, pause: float = 0.0) -> Script:
    def play(connection: socket.socket, _: int) -> None:
        for _ in itertools.count():
            connection.sendall(piece)
            threading.Event().wait(pause)

    return play


def then_silence(said: bytes) -> Script:
    def play(connection: socket.socket, _: int) -> None:
        connection.sendall(said)
        # The client gives up long before.
        with contextlib.suppress(TimeoutError):
            connection.recv(1)

    return play


def started(said: bytes, rest: Script) -> Script:
    def play(connection: socket.socket, number: int) -> None:
        connection.sendall(said)
        rest(connection, number)

    return play


CASES: dict[str, tuple[Script | bytes, type[Unreachable], str]] = {
    "says nothing": (then_silence(b""), TimedOut, "no answer within 0.4 s"),
    "stops half-way": (then_silence(HEAD), TimedOut, "stopped half-way: nothing more for 0.4 s"),
    "promises more than it sends": (
        then_silence(HEAD + b"Content-Length: 10\r\n\r\nhi"),
        TimedOut,
        "stopped half-way",
    ),
    "closes before the promised end": (HEAD + b"Content-Length: 10\r\n\r\nhi", BrokenAnswer, "not a whole HTTP answer"),
    "drips its header": (started(HEAD, endlessly(b"X: 1\r\n", 0.05)), TimedOut, "did not end within 0.8 s"),
    "drips its body": (
        started(HEAD + b"Content-Length: 99999\r\n\r\n", endlessly(b"x", 0.05)),
        TimedOut,
        "did not end within 0.8 s",
    ),
    "sends interim answers for ever": (
        endlessly(b"HTTP/1.1 103 Early Hints\r\n\r\n", 0.05),
        TimedOut,
        "did not end within 0.8 s",
    ),
    "never ends": (started(HEAD + b"\r\n", endlessly(b"x" * 4096)), TooLarge, "body is larger than 100,000 octets"),
    "is too large": (
        HEAD + b"Content-Length: 100001\r\n\r\n" + b"x" * 100_001,
        TooLarge,
        "body is larger than 100,000 octets",
    ),
    "is a gzip bomb": (
        HEAD + b"Content-Encoding: gzip\r\n\r\n" + zlib.compress(b"\0" * 30_000_000, 9, wbits=31),
        TooLarge,
        "body is larger than 100,000 octets",
    ),
    "is no gzip": (HEAD + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\nhi", BrokenAnswer, "Content-Encoding"),
    "has a header line of 2 MB": (HEAD + b"X: " + b"x" * 2_000_000 + b"\r\n\r\n", TooLarge, "larger than 100 kB"),
    "has endless header lines": (started(HEAD, endlessly(b"X: 1\r\n" * 100)), TooLarge, "larger than 100 kB"),
    "breaks its chunks": (
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n",
        BrokenAnswer,
        "not a whole HTTP answer",
    ),
    "is no HTTP": (b"220 smtp.example ESMTP\r\n", BrokenAnswer, "not a whole HTTP answer"),
    "has a NUL in a header": (HEAD + b"X: a\0b\r\n\r\n", BrokenAnswer, "not a whole HTTP answer"),
    "contradicts itself about its length": (
        HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nhi",
        BrokenAnswer,
        "not a whole HTTP answer",
    ),
    "closes at once": (b"", BrokenAnswer, "closed the connection without an answer"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_server_that(case: str, serve: Serve, visitor: UserAgent, impatient: UserAgent, recorder: Recorder) -> None:
    script, kind, line = CASES[case]
    visitor = impatient if kind is TimedOut else visitor
    served = serve(script)
    with pytest.raises(Unreachable) as caught:
        visitor.send("GET", f"{served.origin}/path?token=secret-in-url")
    assert type(caught.value) is kind
    assert line in caught.value.line
    assert str(caught.value) == caught.value.line
    assert caught.value.line.startswith(f"127.0.0.1:{served.port}")
    assert "secret-in-url" not in caught.value.line
    (exchange,) = recorder.exchanges
    assert (exchange.number, exchange.status) == (caught.value.exchange, None)
    assert exchange.error == caught.value.line


def test_nothing_listens(visitor: UserAgent, recorder: Recorder) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(ConnectionRefused) as caught:
        visitor.navigate(f"http://127.0.0.1:{port}/")
    assert caught.value.line == (
        f"nothing listens on 127.0.0.1:{port} (connection refused): start the application or correct target.origin"
    )
    assert recorder.exchanges[0].error == caught.value.line


def test_a_name_without_an_address(visitor: UserAgent, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(NameNotResolved, match=r"app\.test:80: the host name has no address: .*target\.resolve"):
        visitor.navigate("http://app.test/")


def test_a_name_server_that_hangs(impatient: UserAgent, monkeypatch: pytest.MonkeyPatch) -> None:
    answered = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answered.wait(30) and [])
    with pytest.raises(NameNotResolved, match=r"DNS gave no address within 0\.\d+ s"):
        impatient.navigate("http://app.test/")
    answered.set()


def test_an_unreachable_network(visitor: UserAgent, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(113, "No route to host")

    monkeypatch.setattr(socket, "create_connection", fail)
    with pytest.raises(ConnectionRefused, match=r"cannot be reached \(no route to host\)"):
        visitor.navigate("http://192.0.2.1/")


def test_a_handshake_that_never_comes(serve: Serve, recorder: Recorder) -> None:
    served = serve(then_silence(b""))
    with (
        Wire(limits=WireLimits(connect_s=0.2)) as wire,
        pytest.raises(TimedOut, match=r"no TLS handshake within 0\.2 s"),
    ):
        UserAgent(wire, recorder, label="alice").navigate(f"https://127.0.0.1:{served.port}/")


def test_a_redirect_loop_on_real_sockets(serve: Serve, visitor: UserAgent) -> None:
    served = serve(HEAD.replace(b"200 OK", b"302 Found") + b"Location: /again\r\nContent-Length: 0\r\n\r\n")
    with pytest.raises(TooManyRedirects) as caught:
        visitor.follow_all(visitor.navigate(f"{served.origin}/"))
    assert len(caught.value.answers) == 1


def test_broken_utf_8_is_replaced_and_noted(serve: Serve, visitor: UserAgent, notes: Callable[[], str]) -> None:
    served = serve(HEAD + b"X: \xff\r\nContent-Length: 4\r\n\r\n\xff\x1b[m")
    answer = visitor.navigate(f"{served.origin}/")
    assert answer.text == "\ufffd\x1b[m"
    assert "not UTF-8" in notes()


def test_a_malformed_set_cookie_is_an_outcome_not_an_error(serve: Serve, visitor: UserAgent) -> None:
    served = serve(HEAD + b"Set-Cookie: ;;=\r\nSet-Cookie: a=\x01\r\nSet-Cookie: ok=\xff\r\nContent-Length: 0\r\n\r\n")
    answer = visitor.navigate(f"{served.origin}/")
    assert [outcome.effect for outcome in answer.set_cookies] == ["refused", "refused", "stored"]
    visitor.navigate(f"{served.origin}/")
    assert b"Cookie: ok=\xff\r\n" in served.heard[-1]


def test_the_deadline_holds_over_a_second_try(serve: Serve, impatient: UserAgent) -> None:
    ok = HEAD + b"Content-Length: 0\r\n\r\n"

    def play(connection: socket.socket, number: int) -> None:
        if number == 0:
            connection.sendall(ok)
            connection.recv(65536)
        else:
            endlessly(b"HTTP/1.1 103 Early Hints\r\n\r\n", 0.05)(connection, number)

    served = serve(play)
    impatient.navigate(f"{served.origin}/")
    with pytest.raises(TimedOut, match=r"did not end within 0\.8 s"):
        impatient.navigate(f"{served.origin}/")
    assert len(served.heard) == 2
