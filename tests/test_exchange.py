from __future__ import annotations

import json
import shlex
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.evidence.exchange import MAX_BODY_OCTETS, Exchange, Received, Recorder, Sent, printable
from harness.evidence.redaction import MASK, Redactor

URL = "https://app.example/notes"


@pytest.fixture
def recorder() -> Recorder:
    return Recorder(Redactor(b"salt"))


def record(recorder: Recorder, sent: Sent | None = None, received: Received | None = None) -> Exchange:
    return recorder.record(
        agent="alice", purpose="send", sent=sent or Sent("GET", URL, (), None), received=received, started_ms=1.26
    )


def answer(body: bytes, content_type: str = "text/plain", *headers: tuple[str, str]) -> Received:
    return Received(200, "OK", (("Content-Type", content_type), *headers), body)


def test_an_exchange_survives_json(recorder: Recorder) -> None:
    sent = Sent("POST", URL, (("Cookie", "sid=hunter2"), ("X", "1"), ("X", "2")), b"a=1")
    exchange = recorder.record(
        agent="attacker",
        purpose="fetch",
        sent=sent,
        initiator="https://evil.example",
        received=answer(b"hi"),
        started_ms=12.34,
        elapsed_ms=5.67,
        notes=["cookie 'x' not sent"],
    )
    document = json.loads(json.dumps(exchange.as_json()))
    assert Exchange.from_json(document) == exchange
    assert (exchange.started_ms, exchange.elapsed_ms, exchange.number) == (12.3, 5.7, 1)
    assert document["request_headers"][1:] == [["X", "1"], ["X", "2"]]


def test_what_is_no_exchange_says_so_in_one_line() -> None:
    with pytest.raises(ValueError, match=r"^not an exchange: agent, initiator, .* missing$"):
        Exchange.from_json({"number": 1})


def test_failures_have_no_status_but_a_reason(recorder: Recorder) -> None:
    exchange = recorder.record(agent="a", purpose="send", sent=Sent("GET", URL, (), None), error="nothing\nlistens")
    assert (exchange.status, exchange.response_body, exchange.response_headers) == (None, None, ())
    assert exchange.error == "nothing\\x0alistens"


def test_a_secret_seen_last_is_masked_in_what_came_first(recorder: Recorder) -> None:
    sent = Sent("GET", f"{URL}/fresh-hunter2", (("X-Echo", "fresh-hunter2"),), None)
    exchange = record(recorder, sent, answer(b"fresh-hunter2", "text/plain", ("Set-Cookie", "sid=fresh-hunter2")))
    assert "hunter2" not in json.dumps(exchange.as_json())


def test_control_characters_and_direction_marks_are_escaped(recorder: Recorder) -> None:
    evil = "\x1b[2Jred\x9b\u202eabc\udcff\u2028"
    exchange = record(
        recorder,
        Sent("GET", URL, (("X", evil),), b"line\nnext\ttab\r\x00"),
        Received(200, evil, (("X", evil),), evil.encode("utf-8", "surrogateescape")),
    )
    escaped = "\\x1b[2Jred\\x9b\\u202eabc\\xff\\u2028"
    assert exchange.request_headers == (("X", escaped),)
    assert exchange.reason == escaped
    assert exchange.request_body == "line\nnext\ttab\\x0d\\x00"
    assert exchange.response_body == escaped.replace("\\xff", "\ufffd")
    assert "response body: not UTF-8, what does not decode is replaced" in exchange.notes
    assert printable("honest text, ünïcode, 日本") == "honest text, ünïcode, 日本"


def test_bodies_are_excerpts(recorder: Recorder) -> None:
    exchange = record(recorder, None, answer(("é " * 5000).encode()))
    assert exchange.response_body is not None
    assert len(exchange.response_body.encode()) <= MAX_BODY_OCTETS
    assert "response body: an excerpt, of 15000 octets" in exchange.notes
    assert record(recorder, None, answer(b"x")).notes == ()
    assert record(recorder, None, answer(b"")).response_body is None


def test_a_secret_cut_in_two_by_the_excerpt_is_not_left_in_halves(recorder: Recorder) -> None:
    secret = "hunter2-" + "Zq7Xk" * 40
    recorder.redactor.learn(secret)
    for padding in (4000, 31_900):
        body = "word " * (padding // 5) + secret + " end"
        exchange = record(recorder, None, answer(body.encode()))
        assert "hunter2" not in (exchange.response_body or "")
    shrinking = f"{secret} " * 2000
    assert "hunter2" not in (record(recorder, None, answer(shrinking.encode())).response_body or "")


def test_pictures_are_named_not_quoted(recorder: Recorder) -> None:
    assert record(recorder, None, answer(b"\x89PNG", "image/png")).response_body == "(image/png, 4 octets)"


def test_threads_get_numbers_of_their_own(recorder: Recorder) -> None:
    with ThreadPoolExecutor(8) as pool:
        numbers = sorted(exchange.number for exchange in pool.map(lambda _: record(recorder), range(64)))
    assert numbers == list(range(1, 65))
    assert [exchange.number for exchange in recorder.exchanges] == numbers


def test_curl_repeats_the_request_with_secrets_as_variables(recorder: Recorder) -> None:
    sent = Sent(
        "POST",
        f"{URL}?token=hunter2a&q=it's",
        (
            ("Host", "app.example"),
            ("Authorization", "Bearer hunter2b"),
            ("Cookie", "sid=hunter2c; csrf-token=hunter2d"),
            ("Content-Type", "application/json"),
            ("Accept-Encoding", "gzip, deflate"),
            ("Content-Length", "99"),
            ("X-Empty", ""),
        ),
        b'{"password": "hunter2e", "again": "hunter2c", "note": "$HOME `id`"}',
    )
    command = record(recorder, sent).curl()
    assert "hunter2" not in command
    assert not MASK.search(command)
    values = {"TOKEN": "1", "AUTHORIZATION": "2", "SID": "3", "CSRF_TOKEN": "4", "PASSWORD": "5"}
    shell = subprocess.run(
        ["/bin/sh", "-c", f"curl() {{ printf '%s\\n' \"$@\"; }}; {command}"],
        env=values,
        capture_output=True,
        text=True,
        check=True,
    )
    assert shell.stderr == ""
    words = shell.stdout.splitlines()
    assert "https://app.example/notes?token=1&q=it's" in words
    assert "Authorization: Bearer 2" in words
    assert "Cookie: sid=3; csrf-token=4" in words
    assert '{"password": "5", "again": "3", "note": "$HOME `id`"}' in words
    assert "X-Empty;" in words
    assert not any(word.startswith(("Host:", "Content-Length:", "Accept-Encoding:")) for word in words)


def test_curl_keeps_a_forged_host_and_tells_secrets_of_one_name_apart(recorder: Recorder) -> None:
    sent = Sent("GET", URL, (("Host", "evil.example"), ("X-Token", "hunter2a"), ("X-Token", "hunter2b")), None)
    words = shlex.split(record(recorder, sent).curl())
    assert "Host: evil.example" in words
    assert [word for word in words if "Token" in word] == ["X-Token: $X_TOKEN", "X-Token: $X_TOKEN_2"]
