"""What is installed is what the checkout is: a wheel in an empty environment, used from another folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--outdir", str(folder), str(ROOT)],
        check=True,
        capture_output=True,
        timeout=200,
    )
    return next(folder.glob("*.whl"))


def test_wheel_carries_all_that_a_run_needs(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    tracked = subprocess.run(
        ["git", "ls-files", "harness", "mock_idp", "reference_app", "suites"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    assert {name for name in tracked.stdout.split("\n") if name} <= names


def test_installed_wheel_runs_everything_from_another_folder(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", str(wheel)], check=True, timeout=280
    )
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    command = [str(tmp_path / "venv" / "bin" / "authconform"), "run", "--profile", "reference:cookie"]
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "PYTHON", "COV"))}
    done = subprocess.run(
        command, cwd=elsewhere, capture_output=True, text=True, timeout=100, check=False, env=environment
    )
    assert done.returncode == 0, done.stdout + done.stderr
    document = json.loads((elsewhere / "authconform-report" / "run.json").read_text())
    assert document["summary"]["pass"] > 40
    assert document["summary"]["fail"] == document["summary"]["inconclusive"] == 0
    explained = subprocess.run(
        [command[0], "explain", "cookies.auth-httponly"],
        cwd=elsewhere,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env=environment,
    )
    assert "httponly=True" in explained.stdout
