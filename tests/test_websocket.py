"""WebSocket handshakes over real sockets: what comes back, and that no wait is without end."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
import trustme
from websockets.sync.server import ServerConnection, serve

from harness.evidence.exchange import Recorder
from harness.evidence.redaction import Redactor
from harness.target import Target
from harness.user_agent import ConnectionRefused, TimedOut, Unreachable, websocket
from harness.user_agent.websocket import Heard, WebSockets
from tests.small_app import unused_port
from tests.user_agent.served import Serve, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

COOKIE = "s3cret-session-value-4711"
FRONT = "https://front.example"


def target_at(origin: str, **address: object) -> Target:
    return Target.model_validate(
        {
            "target": {"origin": origin, **address},
            "accounts": {"ann": {"username": "ann", "password": "throw-away-1"}},
            "probe": {"path": "/who"},
        }
    )


@pytest.fixture
def recorder() -> Recorder:
    return Recorder(Redactor(b"salt"))


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket, "LISTEN_S", 0.3)
    monkeypatch.setattr(websocket, "HANDSHAKE_S", 0.5)


@contextmanager
def speaking(handler: Callable[[ServerConnection], None], **options: object) -> Iterator[int]:
    with serve(handler, "127.0.0.1", 0, **options) as server:  # type: ignore[arg-type]
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.socket.getsockname()[1]
        server.shutdown()
        thread.join(5)


def greet(connection: ServerConnection) -> None:
    assert connection.request is not None
    headers = connection.request.headers
    connection.send(json.dumps({"user": "ann", "origin": headers["Origin"], "known": COOKIE in headers["Cookie"]}))


def listen(origin: str, recorder: Recorder, *, until: str = "ann", ca: Path | None = None, **address: object) -> Heard:
    sockets = WebSockets(target_at(origin, **address), recorder, ca)
    return sockets.listen("/ws", origin=FRONT, cookies={"sid": COOKIE}, until=until, label="page")


def test_it_hears_what_the_target_says_to_the_user(recorder: Recorder) -> None:
    with speaking(greet) as port:
        heard = listen(f"http://127.0.0.1:{port}", recorder)
    assert heard.upgraded
    assert json.loads(heard.text) == {"user": "ann", "origin": FRONT, "known": True}


def test_the_handshake_is_recorded_and_masked(recorder: Recorder) -> None:
    with speaking(greet) as port:
        heard = listen(f"http://127.0.0.1:{port}", recorder)
    (exchange,) = recorder.exchanges
    assert (exchange.number, exchange.status, exchange.initiator) == (heard.exchange, 101, FRONT)
    assert "ann" in (exchange.response_body or "")
    assert COOKIE not in json.dumps(exchange.as_json())


def test_a_refusal_is_an_answer(recorder: Recorder) -> None:
    with speaking(greet, origins=["https://other.example"]) as port:
        heard = listen(f"http://127.0.0.1:{port}", recorder)
    assert (heard.status, heard.upgraded) == (403, False)


def test_over_tls_by_a_name_that_dns_does_not_know(recorder: Recorder, tmp_path: Path) -> None:
    import ssl

    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("app.example.test").configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    with speaking(greet, ssl=context) as port:
        origin = f"https://app.example.test:{port}"
        heard = listen(origin, recorder, ca=tmp_path / "ca.pem", resolve={"app.example.test": "127.0.0.1"})
        with pytest.raises(Unreachable, match="SSL") as stranger:
            listen(origin, recorder, resolve={"app.example.test": "127.0.0.1"})
    assert heard.upgraded
    assert stranger.value.exchange == 2


def test_silence_ends(recorder: Recorder) -> None:
    over = threading.Event()

    def keep_quiet(_: ServerConnection) -> None:
        over.wait(5)

    with speaking(keep_quiet) as port:
        heard = listen(f"http://127.0.0.1:{port}", recorder)
        over.set()
    assert (heard.upgraded, heard.text) == (True, "")


def test_endless_talk_ends(recorder: Recorder) -> None:
    def talk(connection: ServerConnection) -> None:
        while True:
            connection.send("blah")

    with speaking(talk) as port:
        heard = listen(f"http://127.0.0.1:{port}", recorder)
    assert 0 < len(heard.text.splitlines()) <= 20


def test_nothing_listens(recorder: Recorder) -> None:
    with pytest.raises(ConnectionRefused) as refused:
        listen(f"http://127.0.0.1:{unused_port()}", recorder)
    assert refused.value.exchange == 1
    assert recorder.exchanges[0].error


@pytest.fixture
def serve_script() -> Iterator[Serve]:
    with serving() as start:
        yield start


def test_no_answer_to_the_handshake(recorder: Recorder, serve_script: Serve) -> None:
    over = threading.Event()
    served = serve_script(lambda *_: over.wait(5))
    with pytest.raises(TimedOut, match="within"):
        listen(served.origin, recorder)
    over.set()


@pytest.mark.parametrize("said", [b"", b"not http at all\r\n\r\n", b"HTTP/1.1 101 Switching Protocols\r\n\r\n"])
def test_no_handshake_at_all(recorder: Recorder, serve_script: Serve, said: bytes) -> None:
    served = serve_script(said)
    with pytest.raises(Unreachable) as broken:
        listen(served.origin, recorder)
    assert broken.value.exchange == 1
