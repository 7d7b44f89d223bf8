"""Under which names the provider is known, in metadata and tokens."""

from __future__ import annotations

import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import httpx
import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

import mock_idp
from mock_idp.addresses import Addresses, base_url, path_prefix
from mock_idp.records import Settings, Tenant

if TYPE_CHECKING:
    from pathlib import Path

HERE = "http://127.0.0.1:8080"


# --- the Host header --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "base"),
    [
        ("localhost:8080", "http://localhost:8080"),
        ("LocalHost:8080", "http://LocalHost:8080"),
        ("localhost", "http://localhost"),
        ("127.0.0.1:9", "http://127.0.0.1:9"),
        ("[::1]:8080", "http://[::1]:8080"),
        ("[::1]", "http://[::1]"),
        ("idp.localhost:8080", "http://idp.localhost:8080"),
        ("host.docker.internal:8080", "http://host.docker.internal:8080"),
        ("idp:8080", "http://idp:8080"),
        ("", HERE),
        ("evil.example", HERE),
        ("evil.example:8080", HERE),
        ("localhost.evil.example", HERE),
        ("localhost:80@evil.example", HERE),
        ("localhost:8080/evil", HERE),
        ("localhost:", "http://localhost:"),
        ("evil/x.localhost", HERE),
        ("ev il.localhost", HERE),
        ("[::2]:8080", HERE),
    ],
)
def test_known_names_are_followed_and_no_others(host: str, base: str) -> None:
    assert Addresses(listening=HERE, names=["idp"]).base("http", host) == base


@given(st.text(max_size=40))
def test_no_host_header_leads_elsewhere(host: str) -> None:
    base = Addresses(listening=HERE).base("http", host)
    name = httpx.URL(base).host
    assert name in {"localhost", "127.0.0.1", "::1", "host.docker.internal"} or name.endswith(".localhost")


def issuers(base: str, tenant: str, *hosts: str, **headers: str) -> list[str]:
    url = f"{base}/{tenant}/.well-known/openid-configuration"
    return [httpx.get(url, headers={"host": host, **headers}).json()["issuer"] for host in hosts]


def test_each_client_sees_the_name_that_it_used(idp_server: mock_idp.Control, idp: mock_idp.Idp) -> None:
    port = httpx.URL(idp_server.base).port
    hosts = (f"localhost:{port}", f"127.0.0.1:{port}", f"idp.localhost:{port}", "evil.example")
    expected = [f"http://{host}/{idp.name}" for host in hosts[:3]]
    assert issuers(idp_server.base, idp.name, *hosts) == [*expected, f"{idp_server.base}/{idp.name}"]


def test_tokens_carry_the_issuer_of_the_authorization(idp_server: mock_idp.Control, idp: mock_idp.Idp) -> None:
    """The browser came by one name, the server asks by another: what was discovered first counts."""
    port = httpx.URL(idp_server.base).port
    parameters = {"response_type": "code", "client_id": "c", "redirect_uri": "http://127.0.0.1/cb", "scope": "openid"}
    answer = httpx.get(f"{idp.issuer}/authorize", params=parameters, headers={"host": f"localhost:{port}"})
    parts = httpx.URL(answer.headers["location"]).params
    form = {
        "grant_type": "authorization_code",
        "code": parts["code"],
        "client_id": "c",
        "redirect_uri": "http://127.0.0.1/cb",
    }
    tokens = httpx.post(f"{idp.issuer}/token", data=form).json()
    claims = jwt.decode(tokens["id_token"], options={"verify_signature": False})
    assert claims["iss"] == parts["iss"] == f"http://localhost:{port}/{idp.name}"


# --- fixed names, prefixes, overrides ---------------------------------------------------------------------------------


def metadata_of(base: str, tenant: str = "acme", **headers: str) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{base}/{tenant}/.well-known/openid-configuration", headers=headers).json()
    return found


def test_a_fixed_issuer_and_another_name_for_servers() -> None:
    with mock_idp.start(issuer="https://login.test", server_url="http://idp:8080/") as provider:
        metadata = metadata_of(provider.base)
        assert metadata["issuer"] == "https://login.test/acme"
        assert metadata["authorization_endpoint"] == "https://login.test/acme/authorize"
        assert metadata["end_session_endpoint"] == "https://login.test/acme/logout"
        for name in ("token_endpoint", "userinfo_endpoint", "jwks_uri", "introspection_endpoint"):
            assert metadata[name].startswith("http://idp:8080/acme/")


@pytest.mark.parametrize("options", [{"prefix": "/idp"}, {"issuer": "http://localhost:1/idp"}])
def test_a_prefix_with_a_proxy_that_takes_it_off_and_one_that_leaves_it(options: dict[str, str]) -> None:
    with mock_idp.start(**options) as provider:  # type: ignore[arg-type] # texts
        base = "http://localhost:1/idp" if "issuer" in options else f"{provider.base}/idp"
        assert metadata_of(provider.base)["issuer"] == f"{base}/acme"
        assert metadata_of(f"{provider.base}/idp")["issuer"] == f"{base}/acme"
        url = f"{provider.base}/.well-known/oauth-authorization-server/idp/acme"
        assert httpx.get(url).json()["token_endpoint"] == f"{base}/acme/token"
        headers = {"authorization": f"Bearer {provider.token}"}
        assert httpx.get(f"{provider.base}/idp/_control/tenants", headers=headers).json() == ["acme"]
        parameters = "response_type=code&client_id=c&redirect_uri=http://127.0.0.1/cb&scope=openid"
        provider.tenant("acme", auto_approve="alice")
        answer = httpx.get(f"{provider.base}/idp/acme/authorize?{parameters}")
        assert "Path=/idp/acme" in answer.headers["set-cookie"]


def test_single_endpoints_by_another_name(idp: mock_idp.Idp) -> None:
    idp.configure(endpoints={"jwks_uri": "http://keys.test/jwks"}, issuer="https://tenant.test/x")
    metadata = httpx.get(idp.metadata_url).json()
    assert metadata["jwks_uri"] == "http://keys.test/jwks"
    assert metadata["issuer"] == "https://tenant.test/x"
    assert metadata["token_endpoint"] == f"{idp.issuer}/token"
    assert jwt.decode(idp.token(), options={"verify_signature": False})["iss"] == "https://tenant.test/x"


@pytest.mark.parametrize("name", ["a/b", "a/b/c", "realms/acme corp", "realms/münchen", "a/authorize/b"])
def test_issuers_of_several_segments(idp_server: mock_idp.Control, idp: mock_idp.Idp, name: str) -> None:
    long = idp_server.tenant(f"{idp.name}/{name}")
    metadata = httpx.get(long.metadata_url).json()
    assert metadata["issuer"] == long.issuer
    assert httpx.get(metadata["jwks_uri"]).status_code == 200
    path = httpx.URL(long.issuer).raw_path.decode()
    by_rfc_8414 = f"{idp_server.base}/.well-known/oauth-authorization-server{path}"
    assert httpx.get(by_rfc_8414).json() == metadata
    assert httpx.get(idp.metadata_url).json()["issuer"] == idp.issuer
    long.drop()


# --- behind a proxy ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "base"),
    [
        ({}, "http://localhost:8080"),
        ({"proto": "https"}, "https://localhost:8080"),
        ({"proto": "https", "host": "idp.example"}, "https://idp.example"),
        ({"proto": "https, http", "host": "idp.example, inner"}, "https://idp.example"),
        ({"proto": "https", "host": "idp.example", "port": "8443"}, "https://idp.example:8443"),
        ({"proto": "https", "host": "idp.example", "port": "443"}, "https://idp.example"),
        ({"proto": "https", "host": "idp.example:9", "port": "8443"}, "https://idp.example:9"),
        ({"host": "[::1]:8080"}, "http://[::1]:8080"),
        ({"proto": "https", "host": "idp.example", "prefix": "/auth/"}, "https://idp.example/auth"),
        ({"proto": "javascript", "host": "idp.example"}, "http://idp.example"),
        ({"host": "evil/..;@x"}, "http://localhost:8080"),
        ({"host": "idp.example", "prefix": "//evil?x"}, "http://idp.example"),
        ({"host": "idp.example", "port": "x"}, "http://idp.example"),
    ],
)
def test_forwarded_headers_where_they_are_believed(headers: dict[str, str], base: str) -> None:
    sent = [(f"x-forwarded-{name}".encode(), value.encode()) for name, value in headers.items()]
    addresses = Addresses(listening=HERE, forwarded=True)
    assert addresses.forwarded_base("http", b"localhost:8080", sent) == base


@given(st.binary(max_size=60), st.binary(max_size=60), st.binary(max_size=60))
def test_forwarded_headers_never_break_a_url(host: bytes, proto: bytes, prefix: bytes) -> None:
    sent = [(b"x-forwarded-host", host), (b"x-forwarded-proto", proto), (b"x-forwarded-prefix", prefix)]
    base = Addresses(listening=HERE, forwarded=True).forwarded_base("http", b"localhost", sent)
    assert base_url(base) == base


def test_forwarded_headers_count_only_where_they_are_believed(idp: mock_idp.Idp, tmp_path: Path) -> None:
    forged = {"x-forwarded-proto": "https", "x-forwarded-host": "evil.example"}
    assert httpx.get(idp.metadata_url, headers=forged).json()["issuer"] == idp.issuer
    config = tmp_path / "idp.toml"
    config.write_text("[provider]\nforwarded = true\n")
    with mock_idp.start(config=str(config)) as provider:
        assert metadata_of(provider.base, **forged)["issuer"] == "https://evil.example/acme"
        assert metadata_of(provider.base)["issuer"] == f"{provider.base}/acme"


# --- what is read from people -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["", "idp", "ftp://idp", "http://", "http://a b", "http://a/?x", "http://a/#x", "http://[::1", "//a"]
)
def test_bases_that_are_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected a URL|Invalid"):
        base_url(text)


def test_prefixes() -> None:
    assert [path_prefix(text) for text in ("", "/", "idp", "/idp/", "/a/b")] == ["", "", "/idp", "/idp", "/a/b"]
    for text in ("/a?b", "/a b", "/a#b", "/<x>"):
        with pytest.raises(ValueError, match="expected a path"):
            path_prefix(text)


def test_a_tenants_own_issuer_goes_before_all_others() -> None:
    addresses = Addresses(public="https://public.test")
    assert addresses.issuer(Tenant("a", Settings(issuer="https://own.test")), HERE) == "https://own.test"
    assert addresses.issuer(Tenant("a b"), HERE) == "https://public.test/a%20b"


# --- the doctor -------------------------------------------------------------------------------------------------------


def doctor(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mock_idp", "--doctor", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_the_doctor_says_who_sees_which_issuer() -> None:
    done = doctor("--port", "0")
    assert done.returncode == 0, done.stdout + done.stderr
    rows = {line.split("  ")[1]: line for line in done.stdout.splitlines() if line.startswith("  ")}
    assert "http://localhost:" in rows["browser on this machine"]
    assert rows["program on this machine"].endswith("yes")
    assert "host.docker.internal" in rows["container on this machine"]
    assert rows["token_endpoint"].rstrip().endswith("yes")
    assert "different issuers" in done.stdout
    assert "--tls" in done.stdout


def test_the_doctor_finds_what_cannot_work(tmp_path: Path) -> None:
    config = tmp_path / "idp.toml"
    config.write_text("[tenants.acme.endpoints]\njwks_uri = 'http://127.0.0.1:1/jwks'\n")
    done = doctor(
        "--port", "0", "--config", str(config), "--issuer", "https://nowhere.invalid", "--name", "other.invalid"
    )
    assert done.returncode == 1
    assert "Tenant 'acme'" in done.stdout
    assert "https://nowhere.invalid/acme" in done.stdout
    assert "https://nowhere.invalid does not lead here from this machine" in done.stdout
    assert "http://127.0.0.1:1/jwks cannot be reached from here" in done.stdout
    assert "a proxy has to stand in between" in done.stdout


def test_the_doctor_of_a_provider_that_runs() -> None:
    with mock_idp.start() as provider:
        done = doctor("--port", str(httpx.URL(provider.base).port))
        assert done.returncode == 0, done.stdout + done.stderr
        assert "listens on port" in done.stdout
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        done = doctor("--port", str(other.getsockname()[1]))
        assert done.returncode == 4
        assert "is taken" in done.stderr
