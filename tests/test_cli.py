"""The command line, as a person meets it: what it says, what it runs, with which exit code it leaves."""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import signal
import subprocess
import sys
import textwrap
import time
import tomllib
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness import profile
from harness.cli import main
from harness.cli.running import Wanted, pytest_command
from harness.requirement import AREAS

if TYPE_CHECKING:
    from collections.abc import Iterator

BOUND_S = 60
PROFILE = """
[target]
origin = "http://127.0.0.1:9"
[accounts.alice]
username = "alice"
password = "secret-of-alice"
[probe]
path = "/me"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "here").mkdir()
    return tmp_path / "here"


def ended(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command, run to its end in `folder`."""
    command = [sys.executable, "-m", "harness.cli", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=BOUND_S, check=False)
    assert "Traceback" not in done.stderr
    return done


def refused(folder: Path, *arguments: str) -> str:
    """What a command that cannot be carried out says."""
    done = ended(folder, *arguments)
    assert done.returncode == 4
    assert done.stdout == ""
    assert done.stderr.startswith("authconform: ")
    return done.stderr.removeprefix("authconform: ")


# -- the command itself


def test_it_tells_its_version_and_its_commands(folder: Path) -> None:
    assert re.fullmatch(r"authconform \d+\.\d+\.\d+\n", ended(folder, "--version").stdout)
    for arguments in ((), ("--help",), ("-h",)):
        told = ended(folder, *arguments)
        assert told.returncode == 0
        assert all(f"  {command} " in told.stdout for command in ("run", "list", "explain", "app"))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("rum",), "rum"),
        (("run", "--prfile", "x"), "--prfile"),
        (("run", "--profile"), "--profile"),
        (("run", "one", "two"), "two"),
        (("app", "--port", "70000"), "--port"),
        (("explain",), "ID"),
    ],
)
def test_a_wrong_command_is_one_line(folder: Path, arguments: tuple[str, ...], told: str) -> None:
    line = refused(folder, *arguments)
    assert told in line
    assert line.count("\n") == 1


def test_what_was_typed_is_no_markup_and_no_escape_sequence(folder: Path) -> None:
    line = refused(folder, "[bold]x[/bold]\x1b[31m\x07")
    assert "[bold]x[/bold]" in line
    assert not re.search(r"[\x00-\x09\x0b-\x1f]", line)


@pytest.mark.parametrize("arguments", [["--version"], ["list", "--area", "x"]])
def test_main_leaves_with_the_exit_code(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert (left.value.code or 0) == (0 if arguments == ["--version"] else 4)
    assert "Traceback" not in capsys.readouterr().err


# -- run


@pytest.mark.parametrize("url", ["http://127.0.0.1:8123", None])
def test_without_a_profile_it_shows_what_to_write(folder: Path, url: str | None) -> None:
    told = refused(folder, "run", *([url] if url else []))
    assert "no profile was named and there is no authconform.toml here" in told
    example = "\n".join(line.strip() for line in told.split("\n") if line.startswith("    "))
    tables = tomllib.loads(example)
    assert tables["target"]["origin"] == url or "https://staging.example.com"
    assert set(tables) == {"target", "accounts", "login", "probe"}
    assert "authconform run --profile reference:cookie" in told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "no such profile"),
        ("[target", "is not TOML"),
        (PROFILE.replace("[probe]", "[prob]"), "prob: unknown key; did you mean probe?"),
        (PROFILE.replace("127.0.0.1:9", "127.0.0.1:9/x"), "target.origin: expected an origin"),
        (PROFILE.replace("secret-of-alice", "env:AUTHCONFORM_TEST_NONE"), "AUTHCONFORM_TEST_NONE is not set"),
    ],
)
def test_a_wrong_profile_is_one_line(folder: Path, text: str | None, told: str) -> None:
    if text is not None:
        (folder / "shop.toml").write_text(text)
    line = refused(folder, "run", "--profile", "shop.toml")
    assert told in line
    assert "shop.toml" in line
    assert "secret-of-alice" not in line
    assert line.count("\n") == 1


def test_a_wrong_url_is_one_line(folder: Path) -> None:
    (folder / "authconform.toml").write_text(PROFILE)
    assert "target.origin: expected an origin" in refused(folder, "run", "example.com/login")


def test_it_says_which_pytest_command_it_stands_for_and_becomes_it(folder: Path) -> None:
    (folder / "authconform.toml").write_text(PROFILE)
    (folder / "conftest.py").write_text("raise SystemExit('the conftest.py of the current folder was loaded')\n")
    (folder / "pytest.py").write_text("raise SystemExit('a module of the current folder was loaded')\n")
    done = ended(folder, "run", "--only", "cors", "--", "--fixtures-per-test", "--no-such-option")
    assert done.returncode == 4
    first, _, _ = done.stdout.partition("\n")
    assert first.startswith("$ ")
    assert first.endswith("--auth-profile=authconform.toml --auth-only=cors --fixtures-per-test --no-such-option")
    assert "unrecognized arguments: --no-such-option" in done.stderr
    assert "current folder" not in done.stdout + done.stderr


def test_every_option_reaches_pytest() -> None:
    wanted = Wanted("http://x", "p.toml", "out", ("cors", "csrf.one"), ("slow",), "4", ("-x", "-k", "a b"))
    command = pytest_command(wanted, "p.toml", Path("/suites"))
    assert command[:5] == [sys.executable, "-P", "-m", "pytest", "/suites"]
    assert command[command.index("-c") + 1] == "/suites/run.toml"
    assert command[command.index("-n") + 1] == "4"
    assert command[-3:] == ["-x", "-k", "a b"]
    options = {"--auth-profile=p.toml", "--auth-target=http://x", "--auth-report=out", "--auth-only=cors"}
    assert options | {"--auth-only=csrf.one", "--auth-allow=slow"} <= set(command)
    plain = pytest_command(Wanted(None, None, None, (), (), None, ()), "authconform.toml", Path("/suites"))
    assert [part for part in plain if part.startswith("--auth")] == ["--auth-profile=authconform.toml"]
    assert "-n" not in plain


# -- list and explain


def test_it_lists_the_requirements(folder: Path) -> None:
    done = ended(folder, "list", "--area", "cookies")
    assert done.returncode == 0
    lines = done.stdout.split("\n")
    assert lines[0] == AREAS["cookies"]
    assert all(re.match(r"  cookies\.[a-z-]+ +(MUST|SHOULD|INFO) +[A-Z]", line) for line in lines[1:-3])
    assert re.fullmatch(r"[1-9]\d* requirements; authconform explain ID tells more of each\.", lines[-2])


def test_it_lists_them_for_machines_too(folder: Path) -> None:
    listed = json.loads(ended(folder, "list", "--json").stdout)
    ids = [requirement["id"] for requirement in listed]
    assert len(ids) == len(set(ids)) > 10
    areas = [list(AREAS).index(requirement["area"]) for requirement in listed]
    assert areas == sorted(areas)
    assert all(requirement["sources"] and requirement["remedy"] and requirement["how"] for requirement in listed)


def test_it_explains_each_of_them(folder: Path) -> None:
    one = json.loads(ended(folder, "list", "--json").stdout)[0]
    told = " ".join(ended(folder, "explain", one["id"]).stdout.split())
    for part in (one["id"], one["level"], one["title"], one["why"], one["how"], one["remedy"]):
        assert part in told
    for source in one["sources"]:
        assert source["text"] in told
        assert source["url"] in told
    assert "authconform app --defect" in told


def test_a_name_that_is_none_meets_the_nearest(folder: Path) -> None:
    assert "did you mean cookies?" in refused(folder, "list", "--area", "cokies")
    assert "there are login, session" in refused(folder, "list", "--area", "zzz")
    some = json.loads(ended(folder, "list", "--json").stdout)[0]["id"]
    assert f"did you mean {some}?" in refused(folder, "explain", f"{some}s")
    assert "authconform list shows them all" in refused(folder, "explain", "%%%")


# -- the reference app


@contextlib.contextmanager
def started(folder: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """The reference app, and what was said when it was ready."""
    command = [sys.executable, "-m", "harness.cli", "app", *arguments]
    environment = {**os.environ, "TMPDIR": str(folder)}
    with subprocess.Popen(
        command, cwd=folder, env=environment, bufsize=0, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        try:
            yield process, _until_ready(process)
        finally:
            process.terminate()  # and no more: killed, it could not end the app


def _until_ready(process: subprocess.Popen[bytes]) -> str:
    assert process.stdout is not None
    said, deadline = b"", time.monotonic() + BOUND_S
    while not re.search(rb"authconform run .*\n", said):
        readable, _, _ = select.select([process.stdout], [], [], max(deadline - time.monotonic(), 0))
        assert readable, f"not ready in time; it said {said!r}"
        more = os.read(process.stdout.fileno(), 4096)
        assert more, f"it ended; it said {said!r}"
        said += more
    return said.decode()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_the_reference_app_starts_is_judged_and_stops(folder: Path, how: signal.Signals) -> None:
    with started(folder, "--architecture", "bearer", "--defect", "logout-only-clears-cookies") as (process, said):
        file = Path(said.split("--profile ")[1].strip())
        target = profile.load(str(file))
        assert target.origin in said
        assert target.launch is None
        assert all(account.username in said for account in target.accounts.values())
        with urllib.request.urlopen(f"{target.origin}/status", timeout=10) as answer:
            assert answer.status == 200
        process.send_signal(how)
        _, errors = process.communicate(timeout=BOUND_S)
    assert process.returncode == 0
    assert b"Traceback" not in errors
    assert not file.parent.exists()


def test_over_tls_the_profile_names_the_authority(folder: Path) -> None:
    with started(folder, "--tls") as (_, said):
        target = profile.load(said.split("--profile ")[1].strip())
        assert target.https
        assert target.at.ca is not None
        assert "BEGIN CERTIFICATE" in Path(target.at.ca).read_text()


@pytest.mark.parametrize("wrong", [("--defect", "no-such-bug"), ("--no-such-option",), ("--architecture", "none")])
def test_what_the_reference_app_refuses_is_one_line(folder: Path, wrong: tuple[str, ...]) -> None:
    done = ended(folder, "app", *wrong)
    assert done.returncode == 4
    assert textwrap.dedent(done.stderr).strip().count("\n") == 0
    assert wrong[-1] in done.stderr
    assert "The reference app is at" not in done.stdout
