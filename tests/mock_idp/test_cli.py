"""The command, as people and containers start it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.mock_idp.processes import started

WAIT_S = 60
HEAVY = ("cryptography", "fastapi", "httpx", "jinja2", "jwt", "pydantic", "redis", "starlette", "trustme")


def run(*arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mock_idp", *arguments]
    environment = {**os.environ, **(env or {})}
    return subprocess.run(command, capture_output=True, text=True, timeout=WAIT_S, check=False, env=environment)


def ready_line(*arguments: str, env: dict[str, str] | None = None) -> tuple[dict[str, str], str]:
    """The first line of a start that is ended at once, and what it said on standard error."""
    command = [sys.executable, "-m", "mock_idp", "--port", "0", *arguments]
    environment = {**os.environ, **(env or {})}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        process.terminate()
        _, errors = process.communicate(timeout=WAIT_S)
    assert process.returncode == 0, errors
    return json.loads(line), errors


def test_the_first_line_says_where_it_listens_and_a_signal_ends_it_cleanly() -> None:
    with started() as (base, process):
        metadata = httpx.get(f"{base}/acme/.well-known/openid-configuration").json()
        assert metadata["issuer"] == f"{base}/acme"
        process.send_signal(signal.SIGTERM)
        assert process.wait(WAIT_S) == 0


def test_ctrl_c_ends_it_cleanly_while_a_client_keeps_its_connection() -> None:
    with started() as (base, process), httpx.Client() as http:
        assert http.get(f"{base}/acme/jwks").status_code == 200
        process.send_signal(signal.SIGINT)
        assert process.wait(WAIT_S) == 0


def test_a_request_that_hangs_does_not_keep_it_from_ending() -> None:
    with started() as (base, process), httpx.Client() as http:
        http.get(f"{base}/acme/jwks")
        form = b"grant_type=client_credentials&client_id=c&mock_fault=token.hang"
        url = httpx.URL(base)
        with socket.create_connection((url.host, url.port)) as waiting:
            waiting.sendall(
                b"POST /acme/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
                b"Content-Length: %d\r\n\r\n%b" % (len(form), form)
            )
            process.send_signal(signal.SIGTERM)
            assert process.wait(WAIT_S) == 0


def test_it_loads_nothing_heavy_to_serve_metadata() -> None:
    script = f"""
import asyncio, sys
from mock_idp.cli import _options, _parser
from mock_idp.running.server import prepare
from mock_idp.wire.http import Request
async def main():
    provider = await prepare(_options(_parser().parse_args([])))
    answer = await provider.answer(Request("GET", "http://127.0.0.1", "/a/.well-known/openid-configuration"))
    assert answer.status == 200
    answer = await provider.answer(Request("GET", "http://127.0.0.1", "/a/jwks"))
    assert answer.status == 200
asyncio.run(main())
print(*[name for name in {HEAVY!r} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=WAIT_S, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []


def test_a_taken_port_is_one_line_and_exit_4() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = run("--port", str(taken.getsockname()[1]))
    assert done.returncode == 4
    assert done.stderr.count("\n") == 1
    assert "is taken" in done.stderr
    assert "--port" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--host", "0.0.0.0"), "--public"),
        (("--host", "no.such.host.invalid"), "--host"),
        (("--port", "70000"), "0 to 65535"),
        (("--port", "many"), "0 to 65535"),
        (("--issuer", "localhost:8080"), "--issuer"),
        (("--issuer", "http://localhost/?a=b"), "query"),
        (("--prefix", "/a b"), "/idp"),
        (("--store", "mysql://x"), "redis://"),
        (("--workers", "2"), "redis://"),
        (("--config", "nowhere.toml"), "nowhere.toml"),
        (("--load", "nowhere.json"), "nowhere.json"),
        (("--dump", "/no/such/folder/state.json"), "/no/such/folder/state.json"),
        (("--tls-cert", "nowhere.pem"), "--tls-key"),
        (("--tls-cert", "nowhere.pem", "--tls-key", "nowhere.pem"), "nowhere.pem"),
        (("--tls-cert", __file__, "--tls-key", __file__), "PEM"),
        (("--tls", "--ca-file", "/no/such/folder/ca.pem"), "/no/such/folder/ca.pem"),
        (("--prot", "1"), "--help"),
    ],
)
def test_what_cannot_be_carried_out_is_one_line_and_exit_4(arguments: tuple[str, ...], said: str) -> None:
    done = run(*(() if "--port" in arguments else ("--port", "0")), *arguments)
    assert done.returncode == 4, done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert said in done.stderr
    assert done.stdout == ""


def test_https_with_an_authority_that_is_handed_over(tmp_path: Path) -> None:
    import ssl

    ca_file = tmp_path / "ca.pem"
    with started("--tls", "--ca-file", str(ca_file)) as (base, _):
        assert base.startswith("https://127.0.0.1:")
        trust = ssl.create_default_context(cafile=str(ca_file))
        with httpx.Client(verify=trust) as http:
            assert http.get(f"{base}/a/.well-known/openid-configuration").json()["issuer"] == f"{base}/a"
            by_name = base.replace("127.0.0.1", "localhost")
            assert http.get(f"{by_name}/a/.well-known/openid-configuration").json()["issuer"] == f"{by_name}/a"


def test_the_control_token_comes_from_the_environment_and_is_not_needed_on_the_command_line() -> None:
    line, errors = ready_line(env={"MOCK_IDP_CONTROL_TOKEN": "from-the-environment"})
    assert line["control_token"] == "from-the-environment"
    assert "mock" in line["mock"]
    assert errors == ""


def test_what_navikts_configuration_cannot_carry_over_is_said(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text('{"interactiveLogin": true, "loginPagePath": "/x.html", "tokenCallbacks": []}')
    line, errors = ready_line("--config", str(file))
    assert line["ready"]
    assert errors.count("\n") == 1
    assert "loginPagePath" in errors


def test_a_run_can_be_dumped_and_loaded(tmp_path: Path) -> None:
    config, state = tmp_path / "idp.toml", tmp_path / "state.json"
    config.write_text(
        '[tenants.acme]\nauto_approve = "alice"\n[tenants.acme.clients.app]\n'
        'secret = "s3cret"\nredirect_uris = ["http://127.0.0.1:9/cb"]\n'
    )
    redirect_uri, scope = "http://127.0.0.1:9/cb", "openid"
    with started("--config", str(config), "--dump", str(state)) as (base, process), httpx.Client() as http:
        parameters = {"response_type": "code", "client_id": "app", "redirect_uri": redirect_uri, "scope": scope}
        answer = http.get(f"{base}/acme/authorize", params=parameters)
        code = httpx.URL(answer.headers["location"]).params["code"]
        keys = http.get(f"{base}/acme/jwks").json()
        process.terminate()
        assert process.wait(WAIT_S) == 0
    assert state.stat().st_mode & 0o077 == 0
    with started("--load", str(state)) as (base, _), httpx.Client() as http:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
        tokens = http.post(f"{base}/acme/token", data=form, auth=("app", "s3cret"))
        assert tokens.status_code == 200, tokens.text
        assert http.get(f"{base}/acme/jwks").json() == keys


def test_a_dump_that_was_damaged_is_one_line(tmp_path: Path) -> None:
    for text in ("{", "[]", "{}", '{"format": "mock_idp state 1", "tenants": {"a": {"format": "mock_idp state 1"}}}'):
        file = tmp_path / "state.json"
        file.write_text(text)
        done = run("--port", "0", "--load", str(file))
        assert done.returncode == 4, text
        assert done.stderr.count("\n") == 1, done.stderr
        assert str(file) in done.stderr


def test_the_list_of_faults() -> None:
    done = run("--faults")
    assert done.returncode == 0
    assert "id-token.aud-wrong" in done.stdout


def test_authconform_idp_is_the_same_command() -> None:
    command = [sys.executable, "-m", "harness.cli", "idp", "--port", "x"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=WAIT_S, check=False)
    assert done.returncode == 4
    assert "--port" in done.stderr
    help_text = subprocess.run(
        [*command[:4], "--help"], capture_output=True, text=True, timeout=WAIT_S, check=False
    ).stdout
    assert "--issuer" in help_text


def test_the_harness_does_not_know_the_provider() -> None:
    for path in (Path(__file__).parents[2] / "harness").rglob("*.py"):
        assert "import mock_idp" not in path.read_text()
        assert "from mock_idp" not in path.read_text()


def test_several_processes_over_https_with_configuration_and_dump(tmp_path: Path, redis_url: str) -> None:
    import secrets
    import ssl

    config, state, ca_file = tmp_path / "idp.toml", tmp_path / "state.json", tmp_path / "ca.pem"
    config.write_text("[provider]\nopen = false\n[tenants.acme]\nsigning_alg = 'EdDSA'\n")
    store = f"{redis_url}?prefix=cli-{secrets.token_hex(4)}"
    arguments = ["--config", str(config), "--dump", str(state), "--tls", "--ca-file", str(ca_file)]
    with started("--workers", "2", "--store", store, *arguments) as (base, process):
        with httpx.Client(verify=ssl.create_default_context(cafile=str(ca_file))) as http:
            for _ in range(10):
                metadata = http.get(f"{base}/acme/.well-known/openid-configuration", headers={"connection": "close"})
                assert metadata.json()["id_token_signing_alg_values_supported"] == ["EdDSA"]
                assert http.get(f"{base}/other/jwks", headers={"connection": "close"}).status_code == 404
        process.terminate()
        assert process.wait(WAIT_S) == 0
    assert list(json.loads(state.read_text())["tenants"]) == ["acme"]


def test_a_store_that_is_down_is_one_line() -> None:
    pytest.importorskip("redis")
    done = run("--port", "0", "--store", "redis://:hush@127.0.0.1:1/0")
    assert done.returncode == 4
    assert done.stderr.count("\n") == 1
    assert "127.0.0.1:1" in done.stderr
    assert "hush" not in done.stderr
