"""The Python client: starting, tenants, and one clear line where something is wrong."""

from __future__ import annotations

import dataclasses
import secrets
import socket
import ssl
import subprocess
import sys
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx
import jwt
import pytest

import mock_idp
from mock_idp.control.client import WaitedInVainError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.mock_idp.redis_server import RedisServer

REDIRECT_URI = "http://127.0.0.1:9/callback"


# --- starting ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, {"tls": True}, {"process": True}, {"process": True, "tls": True}])
def test_starting_in_a_thread_or_a_process_with_or_without_tls(options: dict[str, Any]) -> None:
    with mock_idp.start(**options) as provider:
        idp = provider.tenant("acme")
        assert idp.issuer == f"{provider.base}/acme"
        assert provider.base.startswith("https:" if options.get("tls") else "http:")
        trust = ssl.create_default_context(cafile=provider.ca_file) if options.get("tls") else True
        with httpx.Client(verify=trust) as http:  # keeps its connection, as relying parties do
            assert http.get(idp.metadata_url).json()["issuer"] == idp.issuer
            provider.stop()
            with pytest.raises(httpx.TransportError):
                http.get(idp.metadata_url)
        provider.stop()
    with pytest.raises(mock_idp.IdpError, match="does not answer"):
        idp.token()


def test_no_thread_is_left_behind() -> None:
    before = set(threading.enumerate())
    with mock_idp.start() as provider:
        provider.tenant()
    assert [thread.name for thread in threading.enumerate() if thread not in before and thread.name == "mock_idp"] == []


def test_several_at_a_time() -> None:
    with mock_idp.start() as one, mock_idp.start() as other:
        assert one.base != other.base
        one.tenant("here")
        assert other.tenants() == []
        wrong = mock_idp.connect(other.base, one.token)
        with wrong, pytest.raises(mock_idp.IdpError, match="control token"):
            wrong.tenants()


@pytest.mark.parametrize("process", [False, True])
def test_a_start_that_fails_says_why(process: bool) -> None:  # noqa: FBT001 # a parameter of the test
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(mock_idp.StartError, match="is taken"):
            mock_idp.start(port=taken.getsockname()[1], process=process)
    with pytest.raises(mock_idp.StartError, match="--public"):
        mock_idp.start(host="0.0.0.0", process=process)
    with pytest.raises(mock_idp.StartError, match=r"nowhere\.toml: no such file"):
        mock_idp.start(config="nowhere.toml", process=process)
    with pytest.raises(mock_idp.StartError, match="issuer, server_url or prefix: expected a URL"):
        mock_idp.start(issuer="idp.test", process=process)


def test_starting_with_a_configuration_and_addresses(tmp_path: Path) -> None:
    config = tmp_path / "idp.toml"
    config.write_text("[defaults]\nauto_approve = 'zoe'\n[tenants.acme.clients.app]\nsecret = 's'\n")
    with mock_idp.start(config=str(config), issuer="https://idp.test/base", server_url="http://idp:1") as provider:
        assert provider.tenants() == ["acme"]
        metadata = httpx.get(f"{provider.base}/acme/.well-known/openid-configuration").json()
        assert metadata["issuer"] == "https://idp.test/base/acme"
        assert metadata["authorization_endpoint"] == "https://idp.test/base/acme/authorize"
        assert metadata["token_endpoint"] == "http://idp:1/acme/token"
        fresh = f"{provider.base}/fresh/authorize?response_type=code&client_id=c&redirect_uri=http://127.0.0.1/cb&scope=openid"
        assert "code=" in httpx.get(fresh).headers["location"]


def test_importing_it_loads_nothing() -> None:
    heavy = "n.startswith('mock_idp.') or n in ('httpx', 'uvicorn')"
    script = f"import sys, mock_idp; print(*[n for n in sys.modules if {heavy}])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == []
    assert mock_idp.__all__ == sorted(mock_idp.__all__)
    assert all(getattr(mock_idp, name) for name in mock_idp.__all__)
    with pytest.raises(AttributeError, match="no attribute 'strat'"):
        _ = mock_idp.strat


# --- tenants ----------------------------------------------------------------------------------------------------------


def test_a_tenant_by_name_is_the_same_one(idp_server: mock_idp.Control, idp: mock_idp.Idp) -> None:
    again = idp_server.tenant(idp.name, access_token="jwt")
    again.account("zoe")
    assert again.issuer == idp.issuer
    assert idp.ask("GET")["settings"]["access_token"] == "jwt"
    assert idp_server.tenant(f"{idp.name}/of/several segments").issuer == f"{idp.issuer}/of/several%20segments"


def test_what_the_readme_shows(idp: mock_idp.Idp) -> None:
    idp.account("alice", email="alice@example.test")
    idp.client("app", secret="s", redirect_uris=[REDIRECT_URI])
    token = idp.token(sub="alice", aud="api")
    assert jwt.decode(token, options={"verify_signature": False})["aud"] == "api"
    with idp.fault("token.http-500", client="app"):
        refused = idp.authorize("alice", client="app", exchange=True)
        with pytest.raises(mock_idp.IdpError, match="the token endpoint answered 500"):
            _ = refused.tokens
    entry = idp.journal.wait_for(endpoint="token", client="app", timeout=5)
    assert entry.response.status == 500
    assert entry.faults == ["token.http-500"]
    assert entry.request.form["grant_type"] == "authorization_code"
    assert idp.authorize("alice", client="app", exchange=True).tokens["id_token"]
    before = idp.clock.now
    assert idp.clock.advance(minutes=11) >= before + 660
    idp.keys.rotate("swap")
    assert len(idp.keys.all()) == 1
    idp.reset()
    assert len(idp.journal) == 0


def test_a_tenant_may_be_dropped_twice(idp: mock_idp.Idp) -> None:
    armed = idp.fault("token.http-500")
    idp.drop()
    idp.drop()
    armed.remove()
    with pytest.raises(mock_idp.IdpError, match="there is no tenant") as raised:
        idp.token()
    assert raised.value.status == 404


def test_claims_and_settings_change(idp: mock_idp.Idp) -> None:
    idp.account("zoe", sub="z", email="old@example.test", password="p")
    idp.change_account("zoe", email="new@example.test", email_verified=None)
    claims = jwt.decode(idp.token("zoe", kind="id_token"), options={"verify_signature": False})
    assert (claims["sub"], claims["email"]) == ("z", "new@example.test")
    idp.configure(auto_approve=None)
    shown = idp.authorize("zoe")
    assert shown.code
    with pytest.raises(mock_idp.IdpError, match="auto_aprove: unknown key"):
        idp.configure(auto_aprove="zoe")


def test_faults_by_count_and_their_end(idp: mock_idp.Idp) -> None:
    armed = idp.fault("token.http-500", times=1)
    idp.authorize(exchange=True)
    armed.remove()  # it has struck and is gone: no error
    idp.fault("token.http-500")
    idp.fault("authorization.state-missing")
    idp.remove_faults()
    assert idp.authorize(exchange=True).tokens
    with pytest.raises(mock_idp.IdpError, match=r"did you mean token.http-500"):
        idp.fault("token.http-50")


def test_what_came_instead_of_a_code(idp: mock_idp.Idp) -> None:
    with pytest.raises(mock_idp.IdpError, match="answered access_denied"):
        _ = idp.authorize(faults=["authorization.error-access-denied"]).code
    with pytest.raises(mock_idp.IdpError, match="answered 400 without a code"):
        _ = idp.authorize(redirect_uri="https://elsewhere.example").code
    with pytest.raises(mock_idp.IdpError, match="exchange=True"):
        _ = idp.authorize().tokens


def test_the_clock_takes_every_kind_of_time(idp: mock_idp.Idp) -> None:
    moment = datetime(2090, 1, 1, tzinfo=UTC)
    idp.clock.freeze()
    assert idp.clock.set(moment) == idp.clock.now == moment.timestamp()
    assert idp.clock.set("2090-01-02T00:00:00Z") == moment.timestamp() + 86400
    assert idp.clock.set(moment.timestamp() + 86401) == moment.timestamp() + 86401
    assert idp.clock.release() >= moment.timestamp()
    with pytest.raises(mock_idp.IdpError, match="does not go back"):
        idp.clock.set(0)


def test_waiting_for_what_has_not_come_yet(idp: mock_idp.Idp) -> None:
    timer = threading.Timer(0.1, httpx.get, [f"{idp.issuer}/jwks"])
    timer.start()
    entry = idp.journal.wait_for(endpoint="jwks", timeout=20)
    timer.join()
    assert entry.request.url == f"{idp.issuer}/jwks"
    assert entry.response.json["keys"]
    assert entry.response.header("Content-Type") == "application/json"


def test_waiting_in_vain_tells_what_came(idp: mock_idp.Idp) -> None:
    idp.authorize()
    with pytest.raises(
        WaitedInVainError, match=r"no request with endpoint='token', client='app' within 0\.01 s; .*authorization"
    ):
        idp.journal.wait_for(endpoint="token", client="app", timeout=0.01)
    with pytest.raises(TimeoutError):
        idp.journal.wait_for(endpoint="userinfo", timeout=0.01)
    with pytest.raises(mock_idp.IdpError, match="endpiont"):
        idp.journal.entries(endpiont="token")


def test_journal_entries_have_every_member_that_the_provider_tells(idp: mock_idp.Idp) -> None:
    from mock_idp.control.client import JournalEntry

    idp.authorize(state="s")
    told = idp.ask("GET", "/journal")[0]
    assert set(told) == {field.name for field in dataclasses.fields(JournalEntry)}
    (entry,) = idp.journal
    assert entry.request.query["state"] == "s"


def test_snapshots(idp: mock_idp.Idp) -> None:
    idp.account("zoe", email="then@example.test")
    snapshot = idp.snapshot()
    idp.change_account("zoe", email="now@example.test")
    idp.restore(snapshot)
    claims = jwt.decode(idp.token("zoe", kind="id_token"), options={"verify_signature": False})
    assert claims["email"] == "then@example.test"


def test_logout_tokens_are_sent(idp: mock_idp.Idp) -> None:
    idp.client("app", redirect_uris=[REDIRECT_URI], backchannel_logout_uri="http://127.0.0.1:9/logout")
    idp.authorize("alice", client="app", exchange=True)
    assert [line.partition(":")[0] for line in idp.logout("alice")] == ["app"]


def test_something_else_at_that_address(idp_server: mock_idp.Control) -> None:
    wrong = mock_idp.connect(f"{idp_server.base}/elsewhere", idp_server.token)
    with wrong, pytest.raises(mock_idp.IdpError, match="is this the provider's base"):
        wrong.tenants()


def test_neither_token_nor_secrets_in_what_is_printed(idp_server: mock_idp.Control) -> None:
    assert idp_server.token not in repr(idp_server)


# --- two replicas over one store --------------------------------------------------------------------------------------


def test_two_replicas_are_one_provider(redis_url: str) -> None:
    store = f"{redis_url}?prefix=control-{secrets.token_hex(4)}"
    with mock_idp.start(store=store) as one, mock_idp.start(store=store) as other:
        here = one.tenant("acme", auto_approve="alice")
        there = other.tenant("acme")
        here.account("alice", email="alice@example.test")
        here.client("app", secret="s", redirect_uris=[REDIRECT_URI])
        assert there.authorize(client="app", exchange=True).tokens["id_token"]
        assert here.journal.wait_for(endpoint="token", client="app", timeout=5).account == "alice"
        here.fault("token.http-500", times=1)
        statuses = [idp.authorize(exchange=True).token_response for idp in (there, here)]
        assert [told and told["status"] for told in statuses] == [500, 200]
        here.clock.freeze()
        assert there.clock.now == here.clock.now
        here.keys.rotate("swap")
        assert there.keys.all() == here.keys.all()
        assert len(there.keys.all()) == 1
        snapshot = here.snapshot()
        here.configure(dialect="github")
        assert httpx.get(f"{there.issuer}/jwks").status_code == 404
        there.restore(snapshot)
        assert httpx.get(f"{here.issuer}/jwks").status_code == 200
        unused = there.authorize(client="app").code
        snapshot = there.snapshot()
        form = {"grant_type": "authorization_code", "code": unused, "redirect_uri": REDIRECT_URI}
        assert httpx.post(f"{here.issuer}/token", data=form, auth=("app", "s")).status_code == 200
        here.restore(snapshot)
        assert httpx.post(f"{there.issuer}/token", data=form, auth=("app", "s")).status_code == 200
        here.reset()
        assert len(there.journal) == 0
        there.drop()
        assert one.tenants() == []


def test_a_store_that_goes_away(redis_server: RedisServer) -> None:
    with mock_idp.start(store=redis_server.url) as provider:
        idp = provider.tenant("acme")
        redis_server.stop()
        with pytest.raises(mock_idp.IdpError, match="redis"):
            idp.token()
    with pytest.raises(mock_idp.StartError, match="redis"):
        mock_idp.start(store=redis_server.url)
