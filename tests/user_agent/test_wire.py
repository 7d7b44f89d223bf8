"""The wire on real sockets: octets as given, lines as received, connections reused with care."""

from __future__ import annotations

import ssl
import threading
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
import trustme

from harness.user_agent import BrokenAnswer, TlsNotTrusted, UserAgent, WireLimits
from harness.user_agent.urls import parse_url
from harness.user_agent.wire import Wire, WireRequest
from tests.user_agent.served import Serve, read_head

if TYPE_CHECKING:
    import socket
    from pathlib import Path

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
LIMITS = WireLimits(connect_s=2, read_s=2, total_s=4)

Open = Callable[..., Wire]


@pytest.fixture
def wire() -> Iterator[Wire]:
    with Wire(limits=LIMITS) as wire:
        yield wire


def get(url: str, **more: object) -> WireRequest:
    return WireRequest("GET", parse_url(url), **more)  # type: ignore[arg-type]


def test_a_request_goes_out_exactly_as_given(serve: Serve, wire: Wire) -> None:
    served = serve(OK)
    headers = (("X-Twice", "1"), ("x-twice", "2"), ("X-Octets", "é\udcff"), ("X-Empty", ""))
    response = wire.send(WireRequest("BREW", parse_url(served.origin), headers, b"tea", "/a/../%2F//b?'"))
    assert (response.status, response.reason, response.body) == (200, "OK", b"hi")
    head = served.heard[0].partition(b"\r\n\r\n")[0].split(b"\r\n")
    assert head == [
        b"BREW /a/../%2F//b?' HTTP/1.1",
        b"Host: 127.0.0.1:%d" % served.port,
        b"X-Twice: 1",
        b"x-twice: 2",
        b"X-Octets: \xc3\xa9\xff",
        b"X-Empty: ",
        b"Accept-Encoding: gzip, deflate",
        b"Content-Length: 3",
    ]


def test_header_lines_come_back_as_they_were(serve: Serve, wire: Wire) -> None:
    served = serve(
        b"HTTP/1.1 404 \xe2\x98\x83\r\nSet-cookie: a=1\r\nX: \xff\r\n"
        b"SET-COOKIE: b=2; x=\x01\r\nContent-Length: 0\r\n\r\n"
    )
    response = wire.send(get(served.origin))
    assert (response.status, response.reason) == (404, "\u2603")
    assert response.headers == (
        ("Set-cookie", "a=1"),
        ("X", "\udcff"),
        ("SET-COOKIE", "b=2; x=\x01"),
        ("Content-Length", "0"),
    )


@pytest.mark.parametrize(
    "request_",
    [
        get("http://127.0.0.1:9/", headers=(("X", "a\r\nInjected: 1"),)),
        get("http://127.0.0.1:9/", target="/a b"),
        WireRequest("GE T", parse_url("http://127.0.0.1:9/")),
    ],
)
def test_what_is_no_http_is_refused_before_it_is_sent(serve: Serve, wire: Wire, request_: WireRequest) -> None:
    served = serve(OK)
    with pytest.raises(ValueError, match=r"cannot be written as HTTP/1\.1"):
        wire.send(WireRequest(request_.method, parse_url(served.origin), request_.headers, None, request_.target))
    assert not any(served.heard)


@pytest.mark.parametrize(
    ("coding", "packed"),
    [
        ("gzip", lambda data: zlib.compress(data, wbits=31)),
        ("x-gzip", lambda data: zlib.compress(data[:2], wbits=31) + zlib.compress(data[2:], wbits=31)),
        ("deflate", zlib.compress),
        ("deflate", lambda data: zlib.compress(data, wbits=-15)),
        ("deflate, gzip", lambda data: zlib.compress(zlib.compress(data), wbits=31)),
        ("br", lambda data: data),
        ("identity", lambda data: data),
    ],
)
def test_content_codings(serve: Serve, wire: Wire, coding: str, packed: Callable[[bytes], bytes]) -> None:
    body = packed(b"hello")
    served = serve(
        b"HTTP/1.1 200 OK\r\nContent-Encoding: %s\r\nContent-Length: %d\r\n\r\n%s" % (coding.encode(), len(body), body)
    )
    assert wire.send(get(served.origin)).body == b"hello"


def test_extra_headers_go_with_every_request_that_has_none_of_that_name(serve: Serve) -> None:
    served = serve(OK)
    with Wire(extra_headers={"X-Gate": "open"}) as wire:
        wire.send(get(served.origin))
        wire.send(get(served.origin, headers=(("x-gate", "mine"),)))
    assert b"X-Gate: open\r\n" in served.heard[0]
    assert b"open" not in served.heard[1]


def test_a_name_is_reached_at_the_address_one_says(serve: Serve) -> None:
    served = serve(OK)
    with Wire(resolve={"App.Test": "127.0.0.1"}) as wire:
        assert wire.send(get(f"http://app.test:{served.port}/")).status == 200
    assert f"Host: app.test:{served.port}".encode() in served.heard[0]


@pytest.mark.parametrize("host", ["localhost", "app.localhost", "a.b.localhost."])
def test_localhost_and_what_is_below_it_need_no_dns(serve: Serve, wire: Wire, host: str) -> None:
    served = serve(OK)
    assert wire.send(get(f"http://{host}:{served.port}/")).status == 200


def test_a_connection_is_reused(serve: Serve, wire: Wire) -> None:
    def twice(connection: socket.socket, _: int) -> None:
        connection.sendall(OK)
        read_head(connection)
        connection.sendall(OK)

    served = serve(twice)
    assert [wire.send(get(served.origin)).body for _ in range(2)] == [b"hi", b"hi"]
    assert len(served.heard) == 1


def test_a_request_that_dies_on_a_reused_connection_is_sent_again_on_a_new_one(serve: Serve, wire: Wire) -> None:
    asked = threading.Event()

    def close_when_asked_again(connection: socket.socket, number: int) -> None:
        connection.sendall(OK)
        if number == 0:
            read_head(connection)
            asked.set()

    served = serve(close_when_asked_again)
    wire.send(get(served.origin))
    response = wire.send(WireRequest("POST", parse_url(served.origin), (), b"x"))
    assert asked.is_set()
    assert response.body == b"hi"
    assert "sent again" in response.notes[0]
    assert len(served.heard) == 2


def test_what_follows_an_answer_is_not_taken_for_the_next_one(serve: Serve, wire: Wire) -> None:
    smuggled = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
    served = serve(lambda connection, number: connection.sendall(OK + smuggled if number == 0 else OK))
    assert [wire.send(get(served.origin)).body for _ in range(2)] == [b"hi", b"hi"]
    assert len(served.heard) == 2


def test_a_connection_that_closes_without_an_answer(serve: Serve, wire: Wire) -> None:
    served = serve(b"")
    with pytest.raises(BrokenAnswer, match="closed the connection without an answer"):
        wire.send(get(served.origin))
    assert len(served.heard) == 1


def test_several_threads_share_a_wire(serve: Serve, wire: Wire) -> None:
    served = serve(lambda connection, number: connection.sendall(OK.replace(b"hi", b"%02d" % number)))
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: wire.send(get(served.origin)).body, range(8)))
    assert len(set(answers)) == 8


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[trustme.CA, Path]:
    ca = trustme.CA()
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    ca.cert_pem.write_to_path(path)
    return ca, path


def tls_for(ca: trustme.CA, *names: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(*names).configure_cert(context)
    return context


def test_a_private_authority_is_trusted_when_named(serve: Serve, authority: tuple[trustme.CA, Path]) -> None:
    ca, path = authority
    served = serve(OK, tls=tls_for(ca, "app.test"))
    with Wire(ca_file=path, resolve={"app.test": "127.0.0.1"}, limits=LIMITS) as wire:
        assert wire.send(get(f"https://app.test:{served.port}/")).body == b"hi"
    with Wire(verify=False, limits=LIMITS) as wire:
        assert wire.send(get(f"https://127.0.0.1:{served.port}/")).body == b"hi"


def test_an_unknown_authority_is_not(serve: Serve, authority: tuple[trustme.CA, Path], agent: UserAgent) -> None:
    ca, _ = authority
    served = serve(OK, tls=tls_for(ca, "127.0.0.1"))
    with Wire(limits=LIMITS) as wire, pytest.raises(TlsNotTrusted) as caught:
        wire.send(get(f"https://127.0.0.1:{served.port}/"))
    assert caught.value.line.startswith(f"127.0.0.1:{served.port}: the certificate is not trusted (")
    assert "target.ca" in caught.value.line


def test_a_certificate_for_another_name_is_told_apart(serve: Serve, authority: tuple[trustme.CA, Path]) -> None:
    ca, path = authority
    served = serve(OK, tls=tls_for(ca, "other.test"))
    with Wire(ca_file=path, limits=LIMITS) as wire, pytest.raises(TlsNotTrusted, match="for another name"):
        wire.send(get(f"https://127.0.0.1:{served.port}/"))


def test_https_to_a_server_that_speaks_http(serve: Serve, wire: Wire) -> None:
    served = serve(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    with pytest.raises(TlsNotTrusted, match=r"write http:// in target\.origin"):
        wire.send(get(f"https://127.0.0.1:{served.port}/"))


def test_a_ca_file_that_is_none_is_named_at_once(tmp_path: Path) -> None:
    nonsense = tmp_path / "ca.pem"
    nonsense.write_text("nonsense")
    for path in (nonsense, tmp_path / "absent.pem"):
        with pytest.raises(ValueError, match=r"target\.ca: .* cannot be used"):
            Wire(ca_file=path)
