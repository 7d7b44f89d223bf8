"""Bad input: one clear line, the right exit code, never a hang, never a traceback."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
import zlib
from typing import TYPE_CHECKING, Any

import pytest

from tests.judging import reference_profile
from tests.small_app import Handler, Misbehaviour, SmallApp, small_app, unused_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BOUND_S = 60


@pytest.fixture
def app() -> Iterator[SmallApp]:
    with small_app() as running:
        yield running


class Ended:
    """A command line run that came to its end."""

    def __init__(self, done: subprocess.CompletedProcess[str], report: Path) -> None:
        self.code = done.returncode
        self.text = done.stdout + done.stderr
        self.report = report
        assert "Traceback (most recent call last)" not in self.text, self.text

    @property
    def document(self) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads((self.report / "run.json").read_text())
        return loaded

    def causes(self) -> set[str]:
        """The root causes of what could not be judged."""
        return {v["cause"] for v in self.document["verdicts"] if v["outcome"] == "inconclusive"}

    def failed(self) -> set[str]:
        """The requirements found broken."""
        return {v["id"] for v in self.document["verdicts"] if v["outcome"] == "fail"}

    def reasons(self) -> str:
        return " ".join(v["reason"] for v in self.document["verdicts"] if v["outcome"] in {"inconclusive", "fail"})


def run(profile: Path, tmp_path: Path, *more: str, report: Path | None = None) -> Ended:
    folder = report or tmp_path / "report"
    command = [sys.executable, "-m", "harness.cli", "run", "--profile", str(profile), "--report", str(folder), *more]
    done = subprocess.run(command, capture_output=True, text=True, timeout=BOUND_S, cwd=tmp_path, check=False)
    return Ended(done, folder)


def test_target_that_is_down(app: SmallApp, tmp_path: Path) -> None:
    port = unused_port()
    ended = run(app.profile(tmp_path, origin=f"http://127.0.0.1:{port}"), tmp_path)
    assert ended.code == 1
    assert ended.causes() == {"target does not answer"}
    assert f"127.0.0.1:{port}" in ended.text
    assert "refused" in ended.text


def test_target_that_dies_in_the_middle(app: SmallApp, tmp_path: Path) -> None:
    app.dies_after = 30
    ended = run(app.profile(tmp_path), tmp_path)
    assert ended.code == 1
    assert "target does not answer" in ended.causes()
    assert ended.document["summary"]["pass"] > 0
    assert ended.document["summary"]["fail"] == 0
    assert ended.document["doubtful"]


def test_name_that_does_not_resolve(app: SmallApp, tmp_path: Path) -> None:
    ended = run(app.profile(tmp_path, origin="http://nowhere.invalid"), tmp_path)
    assert ended.code == 1
    assert ended.causes() == {"target does not answer"}
    assert "nowhere.invalid" in ended.text
    assert "target.resolve" in ended.text


def endless(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.end_headers()
    while True:
        handler.wfile.write(b" " * 1024)
        time.sleep(0.01)


def drip(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        handler.wfile.write(b"X-Drip: 1\r\n")
        time.sleep(0.1)


def lie(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"user": "ann"}')
    handler.close_connection = True


def loop(handler: Handler) -> None:
    handler.answer(302, {}, ("Location", handler.path))


def huge(handler: Handler) -> None:
    handler.answer(200, None, body=b"x" * 11_000_000)


def broken_text(handler: Handler) -> None:
    handler.answer(200, None, body=b'{"user": "\xff\xfe\x80"}')


def page(handler: Handler) -> None:
    handler.answer(200, None, ("Content-Type", "text/html"), body=b"<!doctype html><title>Oops</title>")


def bomb(handler: Handler) -> None:
    handler.answer(200, None, ("Content-Encoding", "deflate"), body=zlib.compress(b"\0" * 200_000_000, 9))


def long_header(handler: Handler) -> None:
    handler.answer(200, {}, ("X-Long", "x" * 2_000_000))


def malformed_cookie(handler: Handler) -> None:
    handler.answer(200, {"user": "ann"}, ("Set-Cookie", "=;;=\x01;Expires=never;Max-Age=x;Domain=;;Path"))


@pytest.mark.parametrize("where", ["/in", "/who"])
@pytest.mark.parametrize(
    "misbehaviour",
    [endless, drip, lie, loop, huge, broken_text, page, bomb, long_header, malformed_cookie],
    ids=lambda m: m.__name__,
)
def test_answers_that_are_none(app: SmallApp, tmp_path: Path, misbehaviour: Misbehaviour, where: str) -> None:
    """Whatever comes instead of an answer, the run ends, red, with a cause that names the place."""
    app.misbehaviours[where] = misbehaviour
    ended = run(app.profile(tmp_path), tmp_path)
    assert ended.code == 1
    assert ended.failed() <= {"login.success-authenticates", "cookies.accepted-by-browsers"}
    assert len(ended.causes()) <= 2, ended.causes()
    assert where in ended.reasons()


def test_wrong_password_in_the_profile(app: SmallApp, tmp_path: Path) -> None:
    profile = app.profile(tmp_path)
    profile.write_text(profile.read_text().replace("Ann-secret-4711", "Ann-secret-4712"))
    ended = run(profile, tmp_path)
    assert ended.code == 1
    assert ended.causes() == {"login.success-authenticates"}
    assert app.wrong == 1
    assert "Ann-secret-4712" not in ended.text + (ended.report / "run.json").read_text()


def test_probe_that_answers_anyone(app: SmallApp, tmp_path: Path) -> None:
    app.misbehaviours["/who"] = lambda handler: handler.answer(200, {"user": "ann"})
    ended = run(app.profile(tmp_path), tmp_path)
    assert ended.code == 1
    assert "probe answers anonymous users" in ended.causes()
    assert "probe.path" in ended.text


def test_account_that_is_locked_is_left_alone(app: SmallApp, tmp_path: Path) -> None:
    """After the first refusal of the right password no password is tried any more."""
    answered: list[tuple[bytes, bool]] = []

    def locks_after_two(handler: Handler) -> None:
        locked = handler.server.wrong >= 2
        if b'"ann"' in handler.sent and b'"password"' in handler.sent:
            answered.append((handler.sent, locked))
        if locked:
            handler.answer(423, {"detail": "locked"})
        else:
            handler.sign_in()

    app.misbehaviours["/in"] = locks_after_two
    ended = run(app.profile(tmp_path), tmp_path)
    assert ended.code == 1
    assert "account locked or throttled" in ended.causes()
    assert "limits.wrong_passwords" in ended.text
    refused = [n for n, (sent, locked) in enumerate(answered) if locked and b"Ann-secret-4711" in sent]
    assert refused == [len(answered) - 1]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[target", "is not TOML"),
        ('[target]\norigin = "http://127.0.0.1:1"\n[probe]\npath = "/who"\n', "accounts: missing"),
        ('[target]\norigin = "http://127.0.0.1:1"\n[acounts.a]\n', "acounts"),
    ],
)
def test_profile_that_is_none(tmp_path: Path, text: str, said: str) -> None:
    profile = tmp_path / "broken.toml"
    profile.write_text(text)
    ended = run(profile, tmp_path)
    assert ended.code == 4
    assert said in ended.text
    assert "broken.toml" in ended.text


def test_profile_that_is_missing(tmp_path: Path) -> None:
    ended = run(tmp_path / "no-such.toml", tmp_path)
    assert ended.code == 4
    assert "no-such.toml" in ended.text


def test_report_folder_that_cannot_be_written(app: SmallApp, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ended = run(app.profile(tmp_path), tmp_path, report=tmp_path / "file" / "report")
    assert ended.code == 4
    assert "--auth-report" in ended.text
    assert app.seen == 0


def test_interrupt_leaves_a_document(app: SmallApp, tmp_path: Path) -> None:
    """Ctrl-C in the middle: run.json is there, marked, with what was judged so far."""

    def slow(handler: Handler) -> None:
        time.sleep(0.1)
        handler.who()

    app.misbehaviours["/who"] = slow
    report = tmp_path / "report"
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--pyargs",
        "suites",
        "-p",
        "no:cacheprovider",
        "--auth-profile",
        str(app.profile(tmp_path)),
        "--auth-report",
        str(report),
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=tmp_path)
    deadline = time.monotonic() + BOUND_S
    while app.seen < 25 and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    text, _ = process.communicate(timeout=BOUND_S)
    document = json.loads((report / "run.json").read_text())
    assert process.returncode == 2, text
    assert document["interrupted"] is True
    assert document["verdicts"]


def test_certificate_that_nobody_vouches_for(tmp_path: Path) -> None:
    profile = reference_profile(tmp_path, "cookie-tls", replace={'ca = "{dir}/ca.pem"\n': ""})
    ended = run(profile, tmp_path)
    assert ended.code == 1
    assert ended.causes() == {"target does not answer"}
    assert "target.ca" in ended.text


def test_command_that_ends_at_once(tmp_path: Path) -> None:
    profile = reference_profile(tmp_path, "cookie", replace={'"--architecture", "cookie"': '"--architecture", "cokie"'})
    ended = run(profile, tmp_path)
    assert ended.code == 4
    assert "exit code 4" in ended.text
    assert "did you mean" in ended.text
