"""The pytest plugin, in a project that knows nothing of ours."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import mock_idp

if TYPE_CHECKING:
    from pathlib import Path

TESTS = """
import urllib.request, json

def issuer(idp):
    return json.load(urllib.request.urlopen(idp.metadata_url))["issuer"]

def test_one(idp):
    idp.account("zoe", email="zoe@example.test")
    assert issuer(idp) == idp.issuer
    print("BASE", idp.control.base)

def test_other(idp):
    assert "zoe" not in idp.ask("GET", "/accounts")
    assert idp.authorize(exchange=True).tokens["id_token"]
    print("BASE", idp.control.base)
"""


def run(tmp_path: Path, *arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    (tmp_path / "test_login.py").write_text(TESTS)
    command = [sys.executable, "-W", "error", "-m", "pytest", "-rP", "-p", "no:cacheprovider", "-p", "no:randomly"]
    return subprocess.run(
        [*command, *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=tmp_path,
        check=False,
        env={**os.environ, **(env or {})},
    )


def bases(done: subprocess.CompletedProcess[str]) -> set[str]:
    return {line.split()[1] for line in done.stdout.splitlines() if line.startswith("BASE")}


def test_a_fresh_tenant_for_each_test(tmp_path: Path) -> None:
    done = run(tmp_path)
    assert done.returncode == 0, done.stdout
    assert len(bases(done)) == 1


def test_each_worker_has_a_provider(tmp_path: Path) -> None:
    done = run(tmp_path, "-n", "2", "--dist", "each")
    assert done.returncode == 0, done.stdout
    assert "4 passed" in done.stdout
    assert len(bases(done)) == 2


def test_a_provider_that_runs_already(tmp_path: Path) -> None:
    with mock_idp.start() as provider:
        done = run(tmp_path, "--idp-url", provider.base, "--idp-control-token", provider.token)
        assert done.returncode == 0, done.stdout
        assert bases(done) == {provider.base}
        assert provider.tenants() == []  # dropped after each test
        by_environment = run(tmp_path, "--idp-url", provider.base, env={"MOCK_IDP_CONTROL_TOKEN": provider.token})
        assert by_environment.returncode == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--idp-url", "http://127.0.0.1:1"), "--idp-control-token TOKEN"),
        (
            ("--idp-url", "http://127.0.0.1:1", "--idp-control-token", "x"),
            "the provider at http://127.0.0.1:1 does not answer",
        ),
    ],
)
def test_one_clear_line_where_none_runs(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    done = run(tmp_path, *arguments, env={"MOCK_IDP_CONTROL_TOKEN": ""})
    assert done.returncode == 1
    assert said in done.stdout


def test_the_options_explain_themselves(tmp_path: Path) -> None:
    text = run(tmp_path, "--help").stdout
    assert "--idp-url=URL" in text
    assert "idp_server" in run(tmp_path, "--fixtures").stdout
