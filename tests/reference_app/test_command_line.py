"""`python -m reference_app`, as somebody starts it who knows nothing but the command line."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import httpx
import pytest

from reference_app.__main__ import main

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

READY_S = 20
LOGIN = {"username": "alice", "password": "Alice-correct-horse-1"}
LACKING = ("--architecture: missing; choose bearer, cookie, both", "--port is missing")


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "reference_app", *map(str, arguments)]


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(*arguments), capture_output=True, text=True, timeout=READY_S, check=False)


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts an application and waits until it listens; stops it at the end."""
    started: list[subprocess.Popen[str]] = []

    def begin(*arguments: object) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            command(*arguments, "--set", "argon2=light"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        started.append(process)
        until = time.monotonic() + READY_S
        while not listens(int(str(arguments[arguments.index("--port") + 1]))):
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < until, "not ready in time"
            time.sleep(0.05)
        return process

    yield begin
    for process in started:
        stop(process)


def stop(process: subprocess.Popen[str]) -> tuple[str, str]:
    process.terminate()
    return process.communicate(timeout=READY_S)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], LACKING[0]),
        (["--architecture", "cooky", "--port", "1"], "--architecture: cooky; did you mean 'cookie'?"),
        (["--architecture", "cookie"], LACKING[1]),
        (["--architecture", "cookie", "--port", "http"], "argument --port: invalid int value: 'http'"),
        (["--architecture", "cookie", "--prot", "1"], "unrecognized arguments: --prot 1"),
        (["--defect", "logout-by-gte"], "unknown defect 'logout-by-gte'; did you mean 'logout-by-get'?"),
        (["--defect", "qqqqqqq"], "unknown defect 'qqqqqqq'"),
        (["--defect", "hsts-missing"], "defect 'hsts-missing' needs --tls"),
        (["--defect", "cookie-fallback"], "defect 'cookie-fallback' needs --architecture bearer, not cookie"),
        (
            ["--tls", "--defect", "cookie-domain-wide"],
            "defect 'cookie-domain-wide' needs a --tls-name such as app.site.example",
        ),
        (["--tls", "--defect", "plain-http-served"], "defect 'plain-http-served' needs --plain-port"),
        (
            ["--set", "tokens=jwt", "--defect", "session-fixation"],
            "defect 'session-fixation' needs tokens=opaque, not jwt",
        ),
        (["--set", f"secret={'x' * 32}", "--defect", "jwt-key-tutorial"], "chooses secret itself: leave it out"),
        (["--set", "tokns=jwt"], "unknown setting 'tokns'; did you mean 'tokens'?"),
        (["--set", "rules=x"], "unknown setting 'rules'"),
        (["--set", "tokens"], "--set tokens: expected KEY=VALUE"),
        (["--set", "tokens=jwt", "--set", "tokens=jwt"], "--set tokens: given twice"),
        (["--set", "tokens=saml"], "tokens: Input should be 'jwt' or 'opaque'"),
        (["--set", "access_ttl_s=0"], "access_ttl_s: Input should be greater than 0"),
        (["--set", "secret=too-short"], "secret: Value should have at least 32 items"),
        (["--set", "front_origin=https://x.example/path"], "front_origin: "),
        (["--set", "stateless_access=true", "--set", "tokens=opaque"], "stateless_access=true needs tokens=jwt"),
        (["--set", "basic=true"], "basic=true needs --architecture bearer"),
        (["--architecture", "bearer", "--set", "login_form_only=true"], "login_form_only=true needs"),
        (["--ca-file", "x"], "--ca-file, --tls-name and --plain-port need --tls"),
        (["--database", "nonsense"], "cannot open the database: "),
        (["--database", "sqlite:////nowhere/at/all.db"], "cannot open the database: "),
        (["--tls", "--ca-file", "/nowhere/ca.pem"], "cannot write /nowhere/ca.pem: No such file or directory"),
        (["--host", "192.0.2.1"], "cannot listen on 192.0.2.1:"),
    ],
)
def test_a_bad_argument_gets_one_line(
    arguments: list[str], said: str, port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    others = {"--architecture": "cookie", "--port": str(port)} if said not in LACKING else {}
    for option, value in others.items():
        arguments = arguments if option in arguments else [option, value, *arguments]
    assert main(arguments) == 4
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("reference_app: ")
    assert said in printed.err
    assert printed.err.count("\n") == 1


def test_a_taken_port_gets_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("--architecture", "cookie", "--port", port)
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr == f"reference_app: cannot listen on 127.0.0.1:{port}: Address already in use\n"


def test_the_defects_are_listed() -> None:
    done = run("--list-defects")
    listed = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0
    assert all(entry.keys() == {"name", "architectures", "sentence", "needs"} for entry in listed)
    assert {"cookie-domain-wide", "anonymous-403"} <= {entry["name"] for entry in listed}


def test_it_serves_and_says_nothing(start: Callable[..., subprocess.Popen[str]], port: int) -> None:
    process = start("--architecture", "bearer", "--port", port)
    answer = httpx.post(f"http://127.0.0.1:{port}/auth/login", json=LOGIN, trust_env=False)
    assert answer.status_code == 200
    assert "server" not in answer.headers
    assert stop(process) == ("", "")


@pytest.mark.parametrize("defect", [None, "plain-http-served"])
def test_it_serves_over_tls(
    start: Callable[..., subprocess.Popen[str]], port: int, tmp_path: Path, defect: str | None
) -> None:
    ca_file, plain_port = tmp_path / "ca.pem", free_port()
    more = ["--defect", defect] if defect else []
    start("--architecture", "cookie", "--port", port, "--tls", "--ca-file", ca_file, "--plain-port", plain_port, *more)
    context = ssl.create_default_context(cafile=ca_file)
    for name in ("127.0.0.1", "localhost"):
        secure = httpx.post(f"https://{name}:{port}/auth/login", json=LOGIN, verify=context, trust_env=False)
        assert secure.headers["set-cookie"].startswith("__Host-access=")
    plain = httpx.post(f"http://localhost:{plain_port}/auth/login?x=%2F", json=LOGIN, trust_env=False)
    if defect:
        assert (plain.status_code, "set-cookie" in plain.headers) == (200, True)
    else:
        assert (plain.status_code, "set-cookie" in plain.headers) == (308, False)
        assert plain.headers["location"] == f"https://localhost:{port}/auth/login?x=%2F"
    assert [path.name for path in tmp_path.iterdir()] == ["ca.pem"]


def test_a_database_file_outlives_a_restart(
    start: Callable[..., subprocess.Popen[str]], port: int, tmp_path: Path
) -> None:
    arguments = ("--architecture", "bearer", "--port", port, "--database", f"sqlite:///{tmp_path}/app.db")
    secret = ("--set", f"secret={'s' * 32}")
    url = f"http://127.0.0.1:{port}"
    account = {"username": "dave", "password": "Dave-long-password", "email": "dave@example.org"}
    first = start(*arguments, *secret)
    assert httpx.post(f"{url}/auth/signup", json=account, trust_env=False).status_code == 201
    token = httpx.post(f"{url}/auth/login", json=account, trust_env=False).json()["access_token"]
    stop(first)
    start(*arguments, *secret)
    me = httpx.get(f"{url}/users/me", headers={"Authorization": f"Bearer {token}"}, trust_env=False)
    assert me.json()["username"] == "dave"
