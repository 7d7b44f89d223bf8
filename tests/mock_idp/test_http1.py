"""HTTP/1.1 on a raw socket: framing, order, bounds, and what becomes of connections."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest
import uvicorn
import uvloop

from mock_idp.wire import http1
from mock_idp.wire.http1 import under_uvicorn

if TYPE_CHECKING:
    from collections.abc import Iterator

WAIT_S = 10
GET = b"GET %b HTTP/1.1\r\nHost: idp\r\n\r\n"


class Answering:
    """An application that says what it was asked, or misbehaves where the path tells it to."""

    def __init__(self) -> None:
        self.gone = threading.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = (await receive())["body"]
        match scope["path"]:
            case "/fails":
                raise ValueError("a fault of ours")
            case "/breaks":
                await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"9")]})
                await send({"type": "http.response.body", "body": b"half", "more_body": True})
            case "/injects":
                await send({"type": "http.response.start", "status": 200, "headers": [(b"a", b"b\r\nset-cookie: c=d")]})
                await send({"type": "http.response.body", "body": b""})
            case "/streams":
                await send({"type": "http.response.start", "status": 200, "headers": []})
                for part in (b"one", b"", b"two"):
                    await send({"type": "http.response.body", "body": part, "more_body": True})
                await send({"type": "http.response.body", "body": b""})
            case "/nothing":
                await send({"type": "http.response.start", "status": 204, "headers": []})
                await send({"type": "http.response.body", "body": b""})
            case "/waits":
                assert (await receive())["type"] == "http.disconnect"
                self.gone.set()
            case _:
                await asyncio.sleep(0.05 if scope["path"] == "/slow" else 0)
                asked = f"{scope['method']} {scope['path']} {scope['query_string'].decode()}"
                await send({"type": "http.response.start", "status": 200, "headers": [(b"x-said", b"yes")]})
                await send({"type": "http.response.body", "body": f"{asked} {len(body)} {body.decode()}".encode()})


@pytest.fixture(scope="module")
def application() -> Answering:
    return Answering()


@pytest.fixture(scope="module", params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def port(application: Answering, request: pytest.FixtureRequest) -> Iterator[int]:
    """Where uvicorn serves the application by our protocol."""
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(application, http=under_uvicorn, lifespan="off", log_config=None)  # type: ignore[arg-type]
    server = uvicorn.Server(config)

    def serve() -> None:
        with asyncio.Runner(loop_factory=request.param) as runner:
            runner.run(server.serve([listening]))

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield listening.getsockname()[1]
    server.should_exit = True
    thread.join(WAIT_S)
    assert not thread.is_alive()


@contextlib.contextmanager
def connected(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=WAIT_S) as wire:
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield wire


def everything(wire: socket.socket) -> bytes:
    """All that comes until the other side closes."""
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while more := wire.recv(65536):
            received += more
    return received


def until(wire: socket.socket, end: bytes) -> bytes:
    received = b""
    while not received.endswith(end):
        more = wire.recv(65536)
        assert more, received
        received += more
    return received


def answered(port: int, sent: bytes) -> bytes:
    """What comes for a request that is the connection's last."""
    with connected(port) as wire:
        wire.sendall(sent.replace(b"Host: idp\r\n", b"Host: idp\r\nConnection: close\r\n"))
        return everything(wire)


def body(response: bytes) -> bytes:
    return response.partition(b"\r\n\r\n")[2]


def test_a_response_has_its_length_and_a_date(port: int) -> None:
    response = answered(port, GET % b"/a%20b?c=%20d#e")
    assert response.startswith(b"HTTP/1.1 200 OK\r\ndate: ")
    assert b" GMT\r\n" in response
    assert b"x-said: yes\r\ncontent-length: 18\r\n" in response
    assert body(response) == b"GET /a b c=%20d 0 "


def test_a_connection_is_used_again(port: int) -> None:
    with connected(port) as wire:
        for number in range(3):
            wire.sendall(GET % b"/%d" % number)
            until(wire, b"GET /%d  0 " % number)


def test_pipelined_requests_are_answered_in_order(port: int) -> None:
    paths = [b"/slow", b"/quick", *(b"/%d" % number for number in range(50))]
    with connected(port) as wire:
        wire.sendall(b"".join(GET % path for path in paths))
        response = until(wire, b"GET /49  0 ")
    said = [part.split(b"HTTP/1.1")[0] for part in response.split(b"\r\n\r\n")[1:]]
    assert [part.split()[1] for part in said] == paths


@pytest.mark.parametrize("step", [1, 7, 1000])
def test_a_request_may_come_in_pieces(port: int, step: int) -> None:
    whole = b"POST /x HTTP/1.1\r\nHost: idp\r\nContent-Length: 11\r\n\r\nhello world"
    with connected(port) as wire:
        for start in range(0, len(whole), step):
            wire.sendall(whole[start : start + step])
        assert until(wire, b"hello world").endswith(b"POST /x  11 hello world")


def test_a_chunked_body_is_put_together(port: int) -> None:
    head = b"POST /x HTTP/1.1\r\nHost: idp\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert body(answered(port, head + b"5\r\nhello\r\n6;a=b\r\n world\r\n0\r\n\r\n")) == b"POST /x  11 hello world"


def test_who_asks_may_wait_for_100(port: int) -> None:
    with connected(port) as wire:
        wire.sendall(b"POST /x HTTP/1.1\r\nHost: idp\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        assert until(wire, b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        wire.sendall(b"ok")
        assert until(wire, b"2 ok").startswith(b"HTTP/1.1 200 OK\r\n")


def test_an_offer_of_http2_is_answered_in_http1_body_and_all(port: int) -> None:
    offer = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"
    with connected(port) as wire:
        wire.sendall(b"POST /x HTTP/1.1\r\nHost: idp\r\nContent-Length: 2\r\n" + offer + b"\r\nok")
        until(wire, b"POST /x  2 ok")
        wire.sendall(GET % b"/again")
        until(wire, b"GET /again  0 ")


def test_head_has_the_length_and_no_body(port: int) -> None:
    response = answered(port, b"HEAD /x HTTP/1.1\r\nHost: idp\r\n\r\n")
    assert b"content-length: 11\r\n" in response
    assert body(response) == b""


def test_204_has_neither_length_nor_body(port: int) -> None:
    response = answered(port, GET % b"/nothing")
    assert response.startswith(b"HTTP/1.1 204 No Content\r\n")
    assert b"content-length" not in response
    assert body(response) == b""


def test_a_stream_comes_in_chunks(port: int) -> None:
    response = answered(port, GET % b"/streams")
    assert b"transfer-encoding: chunked\r\n" in response
    assert body(response) == b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"


def test_a_stream_to_http10_ends_with_the_connection(port: int) -> None:
    response = answered(port, b"GET /streams HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    assert b"connection: close\r\n" in response
    assert body(response) == b"onetwo"


@pytest.mark.parametrize(
    "request_head", [b"GET /x HTTP/1.0\r\n\r\n", b"GET /x HTTP/1.1\r\nHost: idp\r\nConnection: close\r\n\r\n"]
)
def test_who_wants_no_more_is_closed(port: int, request_head: bytes) -> None:
    with connected(port) as wire:
        wire.sendall(request_head)
        response = everything(wire)
    assert b"connection: close\r\n" in response
    assert body(response) == b"GET /x  0 "


def test_absolute_form_names_the_same_path(port: int) -> None:
    assert body(answered(port, GET % b"http://idp/x?y=z")) == b"GET /x y=z 0 "


@pytest.mark.parametrize(
    "nonsense", [b"hello\r\n\r\n", b"GET /x HTTP/1.1\r\nContent-Length: x\r\n\r\n", b"\x16\x03\x01\x02"]
)
def test_nonsense_is_400_and_the_end(port: int, nonsense: bytes) -> None:
    with connected(port) as wire:
        wire.sendall(nonsense)
        assert everything(wire).startswith(b"HTTP/1.1 400 Bad Request\r\n")


@pytest.mark.parametrize("headers", [b"", b"Connection: Upgrade\r\nUpgrade: h2c\r\n"])
def test_there_are_no_tunnels(port: int, headers: bytes) -> None:
    with connected(port) as wire:
        wire.sendall(b"CONNECT stranger.example:80 HTTP/1.1\r\n" + headers + b"\r\n")
        assert everything(wire).startswith(b"HTTP/1.1 405 Method Not Allowed\r\n")


def test_nonsense_after_a_request_does_not_cost_its_answer(port: int) -> None:
    with connected(port) as wire:
        wire.sendall(GET % b"/slow" + b"hello\r\n\r\n")
        assert body(everything(wire)) == b"GET /slow  0 "


@pytest.mark.parametrize("name", [b"a: b\r\n" * 20_000, b"a: " + b"b" * 100_000, b"a" * 100_000])
def test_a_head_without_end_is_431(port: int, name: bytes) -> None:
    with connected(port) as wire:
        with contextlib.suppress(ConnectionError):
            wire.sendall(b"GET /x HTTP/1.1\r\n" + name)
        assert everything(wire)[:12] in (b"HTTP/1.1 431", b"")


def test_a_body_beyond_the_bound_is_not_kept(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http1, "MOST_BODY", 1000)
    response = answered(port, b"POST /x HTTP/1.1\r\nHost: idp\r\nContent-Length: 3000\r\n\r\n" + b"b" * 3000)
    assert response.startswith(b"HTTP/1.1 413 ")


def test_a_failing_application_is_500_and_the_connection_lives(port: int, caplog: pytest.LogCaptureFixture) -> None:
    with connected(port) as wire:
        wire.sendall(GET % b"/fails")
        assert until(wire, b"Internal Server Error\n").startswith(b"HTTP/1.1 500 ")
        wire.sendall(GET % b"/x")
        until(wire, b"GET /x  0 ")
    assert "a fault of ours" in caplog.text


def test_half_a_response_is_broken_off(port: int) -> None:
    with connected(port) as wire:
        wire.sendall(GET % b"/breaks")
        assert body(everything(wire)) in (b"half", b"")


def test_no_header_breaks_into_another(port: int) -> None:
    with connected(port) as wire:
        wire.sendall(GET % b"/injects")
        assert everything(wire) == b""


def test_an_application_hears_that_the_client_has_gone(port: int, application: Answering) -> None:
    application.gone.clear()
    with connected(port) as wire:
        wire.sendall(GET % b"/waits")
    assert application.gone.wait(WAIT_S)


def test_a_quiet_connection_is_closed(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http1, "IDLE_S", 0.05)
    with connected(port) as wire:
        assert everything(wire) == b""
