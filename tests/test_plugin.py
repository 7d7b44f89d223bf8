"""The plugin: inert where it is not wanted, exact about outcomes and exit codes where it is."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.judging import judge, reference_profile
from tests.small_app import small_app

if TYPE_CHECKING:
    from pathlib import Path

SUITE = """
from harness.fixtures import *
from harness.requirement import INFO, MUST, SHOULD, requirement
from harness.sources import CWE
from harness.verdict import Inconclusive, NotApplicable, NotRun

def one(id, level, **more):
    return requirement(id, level, [CWE(1)], defects=["none"], remedy="Mend it.", **more)

def judged(held, login, expect):
    expect.that(held, expected="this", observed="that", evidence=login.answers, scope="here")
"""
DOCSTRING = '"""A sentence.\n\n    Why: because.\n\n    Test: like this.\n    """'
BODIES = {
    "login.passes": ("MUST", "judged(True, login, expect)", "pass"),
    "login.fails": ("MUST", "judged(False, login, expect)", "fail"),
    "login.warns": ("SHOULD", "judged(False, login, expect)", "warn"),
    "login.informs": ("INFO", "judged(False, login, expect)", "info"),
    "login.applies-not": ("MUST", "raise NotApplicable('no such thing')", "not_applicable"),
    "login.runs-not": ("MUST", "raise NotRun('nobody asked')", "not_run"),
    "login.cannot-tell": ("MUST", "raise Inconclusive('broken', *login.answers, cause='the flow')", "inconclusive"),
    "login.found-then-stopped": ("MUST", "judged(False, login, expect); raise Inconclusive('late', cause='x')", "fail"),
    "login.is-a-bug": ("MUST", "raise ZeroDivisionError('ours')", "inconclusive"),
    "login.judges-nothing": ("MUST", "pass", "inconclusive"),
}


def suite(folder: Path, *names: str) -> Path:
    """A file of requirements, one for each way in which a test can end."""
    path = folder / "test_login.py"
    functions = [
        f"@one({name!r}, {BODIES[name][0]})\ndef test_{number}(login, expect):\n"
        f"    {DOCSTRING}\n    {BODIES[name][1]}\n"
        for number, name in enumerate(names)
    ]
    path.write_text(SUITE + "\n".join(functions))
    return path


def pytest_run(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:randomly",
        "--rootdir",
        str(tmp_path),
        *arguments,
    ]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=tmp_path, check=False)


def test_nothing_is_imported_in_a_run_that_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "test_other.py").write_text("def test_other():\n    assert True\n")
    script = (
        "import sys, pytest\n"
        "code = pytest.main(['-q', '-p', 'no:cacheprovider', *sys.argv[1:], 'test_other.py'])\n"
        "print('MODULES', *sorted(sys.modules))\nsys.exit(code)\n"
    )

    def modules(*arguments: str) -> set[str]:
        done = subprocess.run(
            [sys.executable, "-c", script, *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            cwd=tmp_path,
            check=True,
        )
        return set(done.stdout.split("MODULES ")[1].split())

    without = modules("-p", "no:harness.plugin", "-p", "no:mock_idp.plugin")
    assert modules() - without == {"harness", "harness.plugin", "mock_idp", "mock_idp.plugin"}


def test_a_run_that_is_not_ours_says_nothing_of_us(tmp_path: Path) -> None:
    (tmp_path / "test_other.py").write_text("def test_other():\n    assert True\n")
    done = pytest_run(tmp_path, "test_other.py", "-q")
    assert done.returncode == 0
    assert "authconform" not in done.stdout.split("plugins:")[-1].partition("\n")[2]
    assert not (tmp_path / "authconform-report").exists()


def test_every_way_to_end_has_its_outcome(tmp_path: Path) -> None:
    path = suite(tmp_path, *BODIES)
    with small_app() as app:
        done = pytest_run(tmp_path, str(path), "--auth-profile", str(app.profile(tmp_path)), "--junitxml", "junit.xml")
    document = json.loads((tmp_path / "authconform-report" / "run.json").read_text())
    assert {v["id"]: v["outcome"] for v in document["verdicts"]} == {
        name: outcome for name, (_, _, outcome) in BODIES.items()
    }
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stdout  # a bug of ours is shown as what it is
    assert '<property name="outcome" value="warn"' in (tmp_path / "junit.xml").read_text()


@pytest.mark.parametrize(
    ("names", "code"),
    [
        (["login.passes", "login.warns", "login.informs", "login.applies-not", "login.runs-not"], 0),
        (["login.fails"], 1),
        (["login.cannot-tell"], 1),
        ([], 5),
    ],
)
def test_exit_codes(tmp_path: Path, names: list[str], code: int) -> None:
    path = suite(tmp_path, *names)
    with small_app() as app:
        done = pytest_run(tmp_path, str(path), "--auth-profile", str(app.profile(tmp_path)))
    assert done.returncode == code, done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "--auth-profile"),
        (("--auth-profile", "nowhere.toml"), "nowhere.toml"),
        (("--auth-profile", "{profile}", "--auth-only", "login.pases"), "login.passes"),
        (("--auth-profile", "{profile}", "--auth-allow", "everything"), "aggressive"),
    ],
)
def test_usage_errors_are_one_line_and_exit_4(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    path = suite(tmp_path, "login.passes")
    with small_app() as app:
        profile = str(app.profile(tmp_path))
        done = pytest_run(tmp_path, str(path), *(argument.replace("{profile}", profile) for argument in arguments))
    assert done.returncode == 4, done.stdout + done.stderr
    assert said in done.stderr + done.stdout
    assert "Traceback" not in done.stderr + done.stdout


def test_only_what_was_asked_for_is_judged(tmp_path: Path) -> None:
    path = suite(tmp_path, "login.passes", "login.fails")
    with small_app() as app:
        done = pytest_run(
            tmp_path, str(path), "--auth-profile", str(app.profile(tmp_path)), "--auth-only", "login.passes"
        )
    assert done.returncode == 0
    assert "1 pass" in done.stdout


@pytest.mark.parametrize("defect", ["logout-only-clears-cookies", None])
def test_workers_reach_the_same_verdicts(tmp_path: Path, defect: str | None) -> None:
    """`-n 2` gives the verdicts, and the matrix, that one process gives."""
    profile = reference_profile(tmp_path, "cookie", defects=[defect] if defect else [])
    alone = judge(profile, tmp_path / "alone")
    done = pytest_run(tmp_path, "--pyargs", "suites", "-n", "2", "--auth-profile", str(profile), "--auth-report", "two")
    together = json.loads((tmp_path / "two" / "run.json").read_text())
    assert done.returncode == (1 if defect else 0), done.stdout
    assert {v["id"]: v["outcome"] for v in together["verdicts"]} == {v["id"]: v["outcome"] for v in alone["verdicts"]}
    assert [row["operation"] for row in together["matrix"]] == [row["operation"] for row in alone["matrix"]]
    numbers = {e["number"] for e in together["exchanges"]}
    assert numbers == set(range(1, len(numbers) + 1))
    assert all(set(v["evidence"]) <= numbers for v in together["verdicts"])
