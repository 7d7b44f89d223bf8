"""The control API, as any language speaks to it."""

from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx
import jwt
import pytest

from mock_idp.addresses import Addresses
from mock_idp.provider import Provider
from mock_idp.store.memory import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mock_idp import Control, Idp

REDIRECT_URI = "http://127.0.0.1:9/callback"


class Asked:
    """A tenant of the control API: `path` below it, answers as httpx gives them."""

    def __init__(self, idp: Idp, http: httpx.Client) -> None:
        self.idp = idp
        self._http = http
        self._base = f"/tenants/{quote(idp.name, safe='')}"

    def __call__(self, method: str, path: str = "", body: Any = None) -> httpx.Response:
        return self._http.request(method, self._base + path, json=body)


@pytest.fixture
def http(idp_server: Control) -> Iterator[httpx.Client]:
    headers = {"authorization": f"Bearer {idp_server.token}"}
    with httpx.Client(base_url=f"{idp_server.base}/_control", headers=headers, timeout=20) as client:
        yield client


@pytest.fixture
def ask(idp: Idp, http: httpx.Client) -> Asked:
    return Asked(idp, http)


def error_of(answer: httpx.Response) -> str:
    document = answer.json()
    assert list(document) == ["error"]
    message: str = document["error"]
    assert "\n" not in message
    return message


# --- who may ask ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer wrong", "Basic {token}", "bearer{token}"])
def test_without_the_token_nothing_is_told(idp_server: Control, header: str | None) -> None:
    headers = {} if header is None else {"authorization": header.replace("{token}", idp_server.token)}
    for path in ("", "/tenants", "/state", "/nowhere", "/tenants/x/journal"):
        answer = httpx.get(f"{idp_server.base}/_control{path}", headers=headers)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert idp_server.token not in answer.text


def test_the_description_and_readiness_need_no_token(idp_server: Control) -> None:
    description = httpx.get(f"{idp_server.base}/_control/openapi.json").json()
    assert description["openapi"].startswith("3.1")
    assert "/_control/tenants/{tenant}/tokens" in description["paths"]
    assert httpx.get(f"{idp_server.base}/_control/ready").json() == {"ready": True}


def test_every_reference_of_the_description_leads_somewhere(idp_server: Control) -> None:
    text = httpx.get(f"{idp_server.base}/_control/openapi.json").text
    description = json.loads(text)
    named = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert named <= set(description["components"]["schemas"])


def test_every_operation_is_described(idp_server: Control) -> None:
    description = httpx.get(f"{idp_server.base}/_control/openapi.json").json()
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            assert operation["description"], f"{method} {path}"
            assert operation["tags"], f"{method} {path}"


# --- tenants ----------------------------------------------------------------------------------------------------------


def test_a_tenant_from_birth_to_end(idp_server: Control, http: httpx.Client) -> None:
    name = f"realms/{time.time_ns()}"
    document = {
        "name": name,
        "signing_alg": "ES256",
        "clients": {"app": {"secret": "hush", "redirect_uris": [REDIRECT_URI]}},
        "accounts": {"zoe": {"password": "hush", "claims": {"email": "zoe@example.test"}}},
        "faults": ["token.http-500"],
    }
    made = http.post("/tenants", json=document)
    assert made.status_code == 201
    assert made.json()["issuer"] == f"{idp_server.base}/{name}"
    assert made.json()["clients"]["app"]["has_secret"] is True
    assert "hush" not in made.text
    assert http.post("/tenants", json=document).status_code == 409
    assert name in http.get("/tenants").json()
    path = f"/tenants/{quote(name, safe='')}"
    shown = http.get(path).json()
    assert {**shown, "clock": None} == {**made.json(), "clock": None}
    assert httpx.get(f"{idp_server.base}/{name}/.well-known/openid-configuration").json()["issuer"].endswith(name)
    assert http.delete(path).status_code == 204
    assert http.get(path).status_code == 404
    assert name not in http.get("/tenants").json()


def test_settings_are_patched_and_discovery_follows(ask: Asked) -> None:
    changed = ask("PATCH", "", {"signing_alg": "EdDSA", "lifetimes": {"code": 5}})
    assert changed.status_code == 200
    assert changed.json()["settings"]["lifetimes"]["code"] == 5
    assert changed.json()["settings"]["lifetimes"]["session"] == 12 * 3600
    metadata = httpx.get(ask.idp.metadata_url).json()
    assert metadata["id_token_signing_alg_values_supported"] == ["EdDSA"]
    keys = httpx.get(metadata["jwks_uri"]).json()["keys"]
    assert "EdDSA" in [key["alg"] for key in keys]
    assert ask.idp.authorize(exchange=True).tokens["id_token"]


def test_a_refused_change_changes_nothing(ask: Asked) -> None:
    before = ask("GET").json()["settings"]
    answer = ask("PATCH", "", {"access_token": "jwt", "signing_alg": "RS265"})
    assert answer.status_code == 422
    assert error_of(answer) == "signing_alg: did you mean 'RS256'?"
    assert ask("GET").json()["settings"] == before


def test_another_dialect_brings_other_paths(ask: Asked) -> None:
    assert httpx.get(f"{ask.idp.issuer}/jwks").status_code == 200
    assert ask("PATCH", "", {"dialect": "github"}).status_code == 200
    assert httpx.get(f"{ask.idp.issuer}/jwks").status_code == 404
    assert httpx.get(f"{ask.idp.issuer}/login/oauth/authorize").status_code == 400


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"auto_aprove": "alice"}, "auto_aprove: unknown key; did you mean auto_approve?"),
        ({"strict": "yes"}, "strict: expected true or false, not text"),
        ({"name": 1}, "name: expected text"),
        ({"name": "_control"}, "name: no tenant's name begins with _control"),
        ({"name": ""}, "name: a tenant's name has 1 to"),
        ({"name": "a/../b"}, "name: a tenant's name is segments"),
        ({"name": "a\nb"}, "name: a tenant's name is segments"),
        ({"name": "\ud800"}, "name: a tenant's name is segments"),
        ({"clients": {"c": {"secret": ""}}}, "clients.c.secret: is empty"),
        ([], "expected a table"),
        (7, "expected a table"),
    ],
)
def test_a_tenant_that_cannot_be(http: httpx.Client, body: Any, said: str) -> None:
    raw = json.dumps(body)  # keeps lone surrogates, as some clients send them
    answer = http.post("/tenants", content=raw, headers={"content-type": "application/json"})
    assert answer.status_code == 422
    assert said in error_of(answer)


def test_unknown_names_are_told_with_the_nearest(ask: Asked, http: httpx.Client) -> None:
    ask("PUT", "/clients/webapp", {})
    assert error_of(ask("GET", "/clients/webap")) == "there is no client 'webap'; did you mean 'webapp'?"
    assert error_of(ask("PATCH", "/accounts/alise", {})) == "there is no account 'alise'; did you mean 'alice'?"
    missing = http.get(f"/tenants/{ask.idp.name}x")
    assert missing.status_code == 404
    assert error_of(missing) == f"there is no tenant '{ask.idp.name}x'; did you mean '{ask.idp.name}'?"
    assert ask("DELETE", "/faults/none").status_code == 404


def test_making_a_tenant_costs_little_and_leaves_nothing(idp_server: Control) -> None:
    before = idp_server.tenants()
    tenants = [idp_server.tenant(signing_alg="EdDSA") for _ in range(50)]
    assert len({tenant.issuer for tenant in tenants}) == 50
    for tenant in tenants:
        tenant.authorize(exchange=True)
        tenant.drop()
    assert set(idp_server.tenants()) <= set(before) | {tenant.name for tenant in tenants} - {t.name for t in tenants}


# --- clients and accounts ---------------------------------------------------------------------------------------------


def test_clients(ask: Asked) -> None:
    name = "https://app.example/client"
    path = f"/clients/{quote(name, safe='')}"
    made = ask("PUT", path, {"secret": "hush", "redirect_uris": [REDIRECT_URI]})
    assert made.json()["client_id"] == name
    assert made.json()["registered"] is True
    changed = ask("PATCH", path, {"lenient": ["code-reuse"]})
    assert changed.json()["redirect_uris"] == [REDIRECT_URI]
    assert changed.json()["lenient"] == ["code-reuse"]
    assert ask("GET", "/clients").json() == {name: changed.json()}
    assert "hush" not in made.text + changed.text
    assert ask.idp.authorize(client=name, exchange=True).tokens["access_token"]
    assert ask("DELETE", path).status_code == 204
    assert ask("GET", "/clients").json() == {}


def test_accounts(ask: Asked) -> None:
    made = ask("PUT", "/accounts/zoe", {"claims": {"email": "z@example.test", "age": 3}, "password": "hush"})
    assert made.json() == {
        "name": "zoe",
        "sub": "zoe",
        "claims": {"email": "z@example.test", "age": 3},
        "has_password": True,
    }
    changed = ask("PATCH", "/accounts/zoe", {"claims": {"email": "new@example.test", "age": None}})
    assert changed.json()["claims"] == {"email": "new@example.test"}
    assert changed.json()["has_password"] is True
    assert "hush" not in made.text + changed.text
    assert ask("DELETE", "/accounts/zoe").status_code == 204
    assert "zoe" not in ask("GET", "/accounts").json()


def test_neither_errors_nor_views_show_secrets(ask: Asked) -> None:
    ask("PUT", "/clients/app", {"secret": "hush-secret"})
    ask("PUT", "/accounts/zoe", {"password": "hush-word"})
    answers = [
        ask("PUT", "/clients/app", {"secret": ["hush-secret"]}),
        ask("PUT", "/clients/app", {"secert": "hush-secret"}),
        ask("PATCH", "/accounts/zoe", {"password": {"hush-word": 1}}),
        ask("GET"),
        ask("GET", "/clients"),
        ask("GET", "/clients/app"),
        ask("GET", "/accounts"),
        ask("GET", "/accounts/zoe"),
    ]
    assert all("hush" not in answer.text for answer in answers)


# --- faults -----------------------------------------------------------------------------------------------------------


def test_the_catalogue(http: httpx.Client) -> None:
    faults = {fault["name"]: fault for fault in http.get("/faults").json()}
    assert faults["id-token.aud-wrong"]["sentence"]
    assert faults["id-token.aud-wrong"]["correct"]


def status(idp: Idp, **more: Any) -> int:
    response = idp.authorize(exchange=True, **more).token_response
    assert response is not None
    found: int = response["status"]
    return found


def test_an_armed_fault_strikes_those_that_match_so_many_times(ask: Asked) -> None:
    armed = ask("POST", "/faults", {"fault": "token.http-500", "match": {"client": "app"}, "times": 2})
    assert armed.status_code == 201
    assert [status(ask.idp, client=client) for client in ("spa", "app", "spa", "app", "app")] == [
        200,
        500,
        200,
        500,
        200,
    ]
    assert ask("GET", "/faults").json() == []


def test_an_armed_fault_strikes_the_nth(ask: Asked) -> None:
    ask("POST", "/faults", {"fault": "token.http-500", "match": {"nth": 2}})
    assert [status(ask.idp) for _ in range(3)] == [200, 500, 200]


def test_an_armed_fault_beats_auto_approve_until_it_is_removed(ask: Asked) -> None:
    armed = ask("POST", "/faults", {"fault": "authorization.error-access-denied"}).json()
    assert ask.idp.authorize().parameters["error"] == "access_denied"
    assert ask("GET", "/faults").json()[0]["seen"] == 1
    assert ask("DELETE", f"/faults/{armed['id']}").status_code == 204
    assert "code" in ask.idp.authorize().parameters
    ask("POST", "/faults", {"fault": "token.http-500"})
    assert ask("DELETE", "/faults").status_code == 204
    assert status(ask.idp) == 200


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"fault": "token.http-50"}, "did you mean token.http-500?"),
        ({}, "fault: missing"),
        ({"fault": "token.http-500=3"}, "takes no value"),
        ({"fault": "token.http-500", "times": 0}, "times: expected at least 1"),
        ({"fault": "token.http-500", "match": {"nth": 0}}, "match.nth: expected at least 1"),
        ({"fault": "token.http-500", "match": {"klient": "x"}}, "did you mean match.client?"),
        ({"fault": "token.slow=soon"}, "seconds"),
    ],
)
def test_a_fault_that_cannot_be_armed(ask: Asked, body: Any, said: str) -> None:
    answer = ask("POST", "/faults", body)
    assert answer.status_code == 422
    assert said in error_of(answer)


# --- keys and clock ---------------------------------------------------------------------------------------------------


def published(idp: Idp) -> list[str]:
    return [key["kid"] for key in httpx.get(f"{idp.issuer}/jwks").json()["keys"]]


def signing_key(idp: Idp) -> str:
    kid: str = jwt.get_unverified_header(idp.token(kind="id_token"))["kid"]
    return kid


def test_key_rotation_in_one_call(ask: Asked) -> None:
    old = signing_key(ask.idp)
    ask("POST", "/keys/rotate", {"mode": "announce"})
    announced = [kid for kid in published(ask.idp) if kid != old]
    assert len(announced) == 1
    assert signing_key(ask.idp) == old
    ask("POST", "/keys/rotate", {"mode": "use"})
    assert signing_key(ask.idp) == announced[0]
    assert published(ask.idp) == [old, *announced]
    ask("POST", "/keys/rotate", {"mode": "retire"})
    assert published(ask.idp) == announced
    ask("POST", "/keys/rotate", {"mode": "swap"})
    assert published(ask.idp) == [signing_key(ask.idp)] != announced
    ask("POST", "/keys/rotate", {"mode": "unknown"})
    assert signing_key(ask.idp) not in published(ask.idp)
    assert {key["state"] for key in ask("GET", "/keys").json()} >= {"unpublished"}


def test_a_rotation_that_cannot_be(ask: Asked) -> None:
    nothing = ask("POST", "/keys/rotate", {"mode": "use"})
    assert (nothing.status_code, "announce" in error_of(nothing)) == (409, True)
    other = ask("POST", "/keys/rotate", {"mode": "swap", "alg": "ES256"})
    assert (other.status_code, "no ES256 key" in error_of(other)) == (409, True)
    unknown = ask("POST", "/keys/rotate", {"mode": "swop"})
    assert (unknown.status_code, error_of(unknown)) == (422, "mode: did you mean 'swap'?")
    assert ask("POST", "/keys/rotate").status_code == 422


def test_the_clock_goes_forward_and_never_back(ask: Asked) -> None:
    code = ask.idp.authorize().code
    before = ask("GET", "/clock").json()["now"]
    assert ask("PATCH", "/clock", {"advance": 660}).json()["now"] >= before + 660
    form = {"grant_type": "authorization_code", "code": code, "client_id": "control"}
    late = httpx.post(f"{ask.idp.issuer}/token", data={**form, "redirect_uri": "http://127.0.0.1/callback"})
    assert late.json()["error"] == "invalid_grant"
    for body in ({"advance": -1}, {"at": before}, {"at": "2001-01-01T00:00:00Z"}):
        answer = ask("PATCH", "/clock", body)
        assert answer.status_code == 422
        assert "does not go back" in error_of(answer)
    frozen = ask("PATCH", "/clock", {"at": "2099-01-01T00:00:00Z", "frozen": True}).json()
    assert frozen == {"now": 4070908800.0, "at": "2099-01-01T00:00:00+00:00", "frozen": True}
    assert ask("GET", "/clock").json() == frozen
    token = ask.idp.token(kind="id_token")
    assert jwt.decode(token, options={"verify_signature": False})["iat"] == 4070908800
    assert ask("PATCH", "/clock", {"advance": 1}).json()["now"] == 4070908801
    assert ask("PATCH", "/clock", {"frozen": False}).json()["frozen"] is False
    ask("POST", "/reset")
    assert ask("GET", "/clock").json()["now"] < 4070908800


@pytest.mark.parametrize("at", ["soon", True, [], 1e300, -1, "9999-99-99"])
def test_a_time_that_is_none(ask: Asked, at: Any) -> None:
    answer = ask("PATCH", "/clock", {"at": at})
    assert answer.status_code == 422
    assert "expected a time" in error_of(answer)


# --- tokens without a flow --------------------------------------------------------------------------------------------


def verified(idp: Idp, token: str, audience: str) -> dict[str, Any]:
    keys = jwt.PyJWKSet.from_dict(httpx.get(f"{idp.issuer}/jwks").json())
    header = jwt.get_unverified_header(token)
    key = next(key for key in keys.keys if key.key_id == header["kid"])
    claims: dict[str, Any] = jwt.decode(token, key, [header["alg"]], audience=audience, issuer=idp.issuer)
    return claims


@pytest.mark.parametrize("alg", ["RS256", "PS256", "ES256", "EdDSA"])
def test_minted_tokens_are_as_good_as_issued_ones(idp_server: Control, alg: str) -> None:
    with idp_server.fresh_tenant(signing_alg=alg) as idp:
        idp.account("zoe", sub="z-1", email="zoe@example.test")
        access_token = idp.token("zoe", "api", scope="openid email read", claims={"roles": ["admin"]})
        claims = verified(idp, access_token, "api")
        assert (claims["sub"], claims["scope"], claims["roles"]) == ("z-1", "openid email read", ["admin"])
        assert jwt.get_unverified_header(access_token)["typ"] == "at+jwt"
        about = httpx.get(f"{idp.issuer}/userinfo", headers={"authorization": f"Bearer {access_token}"})
        assert about.json()["email"] == "zoe@example.test"
        id_token = idp.token("z-1", kind="id_token", client="app", nonce="n")
        claims = verified(idp, id_token, "app")
        assert (claims["sub"], claims["nonce"], claims["email"]) == ("z-1", "n", "zoe@example.test")
        opaque = idp.token("zoe", format="opaque")
        assert "." not in opaque
        assert httpx.get(f"{idp.issuer}/userinfo", headers={"authorization": f"Bearer {opaque}"}).status_code == 200


def test_minted_tokens_say_what_they_are_told(ask: Asked) -> None:
    minted = ask(
        "POST",
        "/tokens",
        {"lifetime": -5, "aud": ["a", "b"], "claims": {"iss": "x", "scope": None}, "header": {"x": 1}},
    ).json()
    claims = jwt.decode(minted["token"], options={"verify_signature": False})
    assert claims == minted["claims"]
    assert (claims["iss"], claims["aud"], "scope" in claims) == ("x", ["a", "b"], False)
    assert claims["exp"] == minted["expires_at"] < time.time()
    assert jwt.get_unverified_header(minted["token"])["x"] == 1


def test_minted_tokens_can_be_forged_by_any_fault_of_an_id_token(ask: Asked, http: httpx.Client) -> None:
    names = [
        fault["name"]
        for fault in http.get("/faults").json()
        if fault["name"].startswith("id-token.") and "refresh" not in fault["name"]
    ]
    assert len(names) > 40
    refused = []
    for name in names:
        for kind in ("id_token", "access_token"):
            nonce = None if name == "id-token.nonce-unsolicited" else "n"
            answer = ask("POST", "/tokens", {"faults": [name], "kind": kind, "nonce": nonce})
            assert answer.status_code in {201, 422}, f"{name}: {answer.text}"
            refused += [name] if answer.status_code == 422 and error_of(answer) else []
    # There is neither a previous flow nor a client with a secret.
    assert set(refused) <= {"id-token.nonce-from-previous-flow", "id-token.alg-hs256-secret"}
    forged = ask.idp.token(faults=["id-token.sig-corrupt"])
    with pytest.raises(jwt.InvalidSignatureError):
        verified(ask.idp, forged, ask.idp.issuer)
    assert httpx.get(f"{ask.idp.issuer}/userinfo", headers={"authorization": f"Bearer {forged}"}).status_code == 401


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"faults": ["token.http-500"]}, "token.http-500 is no fault of a token"),
        ({"faults": ["id-token.nonsense"]}, "no fault is named"),
        ({"faults": ["id-token.aud-wrong", "id-token.aud-missing"]}, "replace the same step"),
        ({"aud": 5}, "aud: expected text"),
        ({"kind": "idtoken"}, "kind: did you mean 'id_token'?"),
        ({"lifetime": "1h"}, "lifetime: expected a whole number"),
    ],
)
def test_a_token_that_cannot_be_minted(ask: Asked, body: Any, said: str) -> None:
    answer = ask("POST", "/tokens", body)
    assert answer.status_code == 422
    assert said in error_of(answer)


def test_a_strict_tenant_mints_for_whom_it_knows(ask: Asked) -> None:
    ask("PATCH", "", {"strict": True, "auto_approve": None})
    assert "control" in error_of(ask("POST", "/tokens", {}))
    ask("PUT", "/clients/app", {})
    assert ask("POST", "/tokens", {"client": "app"}).status_code == 201
    assert "no such account" in error_of(ask("POST", "/tokens", {"client": "app", "sub": "nobody", "kind": "id_token"}))


# --- authorizations without a page ------------------------------------------------------------------------------------


def test_authorizing_without_a_page(ask: Asked) -> None:
    ask("PUT", "/clients/app", {"secret": "s+ec:ret%", "redirect_uris": [REDIRECT_URI]})
    ask("PATCH", "", {"auto_approve": None})
    told = ask("POST", "/authorizations", {"account": "bob", "client": "app", "parameters": {"state": "a+b/c"}}).json()
    assert told["location"].startswith(f"{REDIRECT_URI}?code=")
    assert told["parameters"]["state"] == told["state"] == "a+b/c"
    form = {"grant_type": "authorization_code", "code": told["parameters"]["code"], "redirect_uri": REDIRECT_URI}
    credentials = (quote("app", safe=""), quote("s+ec:ret%", safe=""))
    tokens = httpx.post(f"{ask.idp.issuer}/token", data=form, auth=credentials).json()
    assert jwt.decode(tokens["id_token"], options={"verify_signature": False})["sub"] == "bob"
    whole = ask("POST", "/authorizations", {"account": "bob", "client": "app", "exchange": True}).json()
    claims = jwt.decode(whole["token_response"]["members"]["id_token"], options={"verify_signature": False})
    assert (claims["sub"], claims["nonce"]) == ("bob", whole["nonce"])
    assert ask("GET").json()["settings"]["auto_approve"] is None


def test_authorizing_with_faults(ask: Asked) -> None:
    told = ask("POST", "/authorizations", {"faults": ["id-token.aud-wrong"], "exchange": True}).json()
    claims = jwt.decode(told["token_response"]["members"]["id_token"], options={"verify_signature": False})
    assert claims["aud"] != "control"
    denied = ask("POST", "/authorizations", {"faults": ["authorization.error-server-error"], "exchange": True}).json()
    assert denied["parameters"]["error"] == "server_error"
    assert "token_response" not in denied


def test_the_browser_of_an_authorization_can_go_on_signed_in(ask: Asked) -> None:
    ask("PATCH", "", {"auto_approve": None})
    told = ask("POST", "/authorizations", {"account": "bob"}).json()
    cookie = told["set_cookie"][0].partition(";")[0]
    parameters = {"response_type": "code", "client_id": "x", "redirect_uri": "http://127.0.0.1/cb", "prompt": "none"}
    answer = httpx.get(f"{ask.idp.issuer}/authorize", params=parameters, headers={"cookie": cookie})
    assert "code=" in answer.headers["location"]


def test_authorizing_where_the_endpoint_refuses(ask: Asked) -> None:
    told = ask("POST", "/authorizations", {"redirect_uri": "https://elsewhere.example/cb"}).json()
    assert (told["status"], told["location"], told["parameters"]) == (400, None, {})
    assert "elsewhere" in told["body"]


@pytest.mark.parametrize("dialect", ["github", "google", "intra42", "oauth2"])
def test_authorizing_at_other_makes_of_provider(idp_server: Control, dialect: str) -> None:
    with idp_server.fresh_tenant(dialect=dialect, auto_approve="alice") as idp:
        idp.client("app", secret="s", redirect_uris=[REDIRECT_URI])
        scope = "openid email" if dialect == "google" else ""
        assert idp.authorize(client="app", scope=scope, exchange=True).tokens["access_token"]


# --- logout -----------------------------------------------------------------------------------------------------------


def test_sending_logout_tokens(ask: Asked) -> None:
    ask("PUT", "/clients/app", {"backchannel_logout_uri": "http://127.0.0.1:9/logout", "redirect_uris": [REDIRECT_URI]})
    ask.idp.authorize(client="app", exchange=True)
    told = ask("POST", "/logout", {"account": "alice"})
    assert told.status_code == 200
    assert told.json()["told"][0].startswith("app: ")
    assert error_of(ask("POST", "/logout")) == "account: missing; name an account, a sub or a sid"
    assert ask("POST", "/logout", {"account": "nobody"}).status_code == 404
    assert ask("POST", "/logout", {"account": "alice", "client": "nobody"}).status_code == 404
    assert "no fault is named" in error_of(
        ask("POST", "/logout", {"account": "alice", "client": "app", "faults": ["x"]})
    )


# --- journal ----------------------------------------------------------------------------------------------------------


def test_the_journal_in_order_with_raw_bodies(ask: Asked) -> None:
    ask.idp.authorize(exchange=True, client="app", state="the-state")
    httpx.post(f"{ask.idp.issuer}/token", content=b"grant_type=%ff", headers={"content-type": "text/plain"})
    entries = ask("GET", "/journal").json()
    assert [entry["number"] for entry in entries] == [1, 2, 3]
    assert [entry["endpoint"] for entry in entries] == ["authorization", "token", "token"]
    assert entries[2]["request"]["body"] == "grant_type=%ff"
    assert entries[2]["refused"]
    assert [entry["number"] for entry in ask("GET", "/journal?endpoint=token&client=app").json()] == [2]
    assert [entry["number"] for entry in ask("GET", "/journal?state=the-state").json()] == [1, 2]
    assert [entry["number"] for entry in ask("GET", "/journal?refused=true").json()] == [3]
    assert [entry["number"] for entry in ask("GET", "/journal?after=2").json()] == [3]
    assert [entry["number"] for entry in ask("GET", "/journal?limit=1").json()] == [3]
    assert [entry["number"] for entry in ask("GET", "/journal?account=alice&status=200").json()] == [2]
    assert ask("GET", "/journal?lenient=true").json() == []


def test_the_journal_says_which_faults_struck(ask: Asked) -> None:
    ask.idp.authorize(exchange=True, faults=["token.http-500"])
    assert [entry["faults"] for entry in ask("GET", "/journal?fault=token.http-500").json()] == [["token.http-500"]]


def test_waiting_ends_when_something_matches(ask: Asked) -> None:
    found: list[httpx.Response] = []
    waiting = threading.Thread(target=lambda: found.append(ask("GET", "/journal?endpoint=userinfo&wait=20")))
    waiting.start()
    ask.idp.authorize()
    token = ask.idp.token()
    httpx.get(f"{ask.idp.issuer}/userinfo", headers={"authorization": f"Bearer {token}"})
    waiting.join(20)
    assert [entry["endpoint"] for entry in found[0].json()] == ["userinfo"]


def test_waiting_in_vain_and_beyond_bounds(ask: Asked) -> None:
    assert ask("GET", "/journal?endpoint=userinfo&wait=0.01").json() == []
    for query in ("wait=61", "wait=-1", "wait=nan", "after=-1", "limit=0", "status=x", "endpiont=token"):
        answer = ask("GET", f"/journal?{query}")
        assert answer.status_code == 422, query
        error_of(answer)


# --- state ------------------------------------------------------------------------------------------------------------


def test_a_snapshot_brings_everything_back(ask: Asked) -> None:
    ask("PUT", "/clients/app", {"secret": "s", "redirect_uris": [REDIRECT_URI]})
    tokens = ask.idp.authorize(client="app", exchange=True, scope="openid offline_access").tokens
    unused = ask.idp.authorize(client="app")
    keys = published(ask.idp)
    snapshot = ask("GET", "/state").json()

    def redeem() -> httpx.Response:
        form = {"grant_type": "authorization_code", "code": unused.code, "redirect_uri": REDIRECT_URI}
        return httpx.post(f"{ask.idp.issuer}/token", data=form, auth=("app", "s"))

    def about() -> int:
        headers = {"authorization": f"Bearer {tokens['access_token']}"}
        return httpx.get(f"{ask.idp.issuer}/userinfo", headers=headers).status_code

    assert redeem().status_code == 200
    ask("DELETE", "/clients/app")
    ask("POST", "/keys/rotate", {"mode": "swap"})
    ask("POST", "/reset")
    assert about() == 401
    assert ask("PUT", "/state", snapshot).status_code == 204
    assert published(ask.idp) == keys
    assert about() == 200
    assert redeem().status_code == 200
    assert redeem().json()["error"] == "invalid_grant"
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    assert httpx.post(f"{ask.idp.issuer}/token", data=form, auth=("app", "s")).status_code == 200


def test_a_reset_forgets_what_logins_left_behind(ask: Asked) -> None:
    ask("PUT", "/clients/app", {})
    ask("POST", "/faults", {"fault": "token.http-500", "times": 5})
    token = ask.idp.token(format="opaque")
    ask.idp.authorize()
    assert ask("POST", "/reset").status_code == 204
    assert ask("GET", "/journal").json() == []
    assert ask("GET", "/faults").json() == []
    assert "app" in ask("GET", "/clients").json()
    headers = {"authorization": f"Bearer {token}"}
    assert httpx.get(f"{ask.idp.issuer}/userinfo", headers=headers).status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"format": "x"},
        {"format": "mock_idp state 1"},
        {"format": "mock_idp state 1", "tenant": 5, "records": 7},
    ],
)
def test_a_snapshot_that_is_none(ask: Asked, body: Any) -> None:
    answer = ask("PUT", "/state", body)
    assert answer.status_code == 422
    assert "state" in error_of(answer)
    assert ask("GET").status_code == 200


def test_a_dump_of_all_can_be_loaded_elsewhere(ask: Asked, http: httpx.Client) -> None:
    import mock_idp

    dump = http.get("/state").json()
    assert ask.idp.name in dump["tenants"]
    with mock_idp.start() as other:
        other.load({**dump, "tenants": {ask.idp.name: dump["tenants"][ask.idp.name]}})
        assert other.tenants() == [ask.idp.name]
        there = other.tenant(ask.idp.name)
        assert [key["kid"] for key in there.keys.all()] == [key["kid"] for key in ask.idp.keys.all()]


# --- bodies -----------------------------------------------------------------------------------------------------------


def test_bodies_that_are_no_json(ask: Asked, http: httpx.Client) -> None:
    path = f"/tenants/{ask.idp.name}"
    for content in (b"{", b"\xff", b"[" * 200_000, b"{'a': 1}"):
        answer = http.patch(path, content=content)
        assert answer.status_code == 400, content[:10]
        error_of(answer)
    assert http.patch(path, content=b'{"refresh_grace": NaN}').status_code == 422
    big = b'{"dialect_options": {"x": "' + b"x" * 10_000_000 + b'"}}'
    assert http.patch(path, content=big).status_code == 422


def test_numbers_that_are_beyond_all_bounds(ask: Asked) -> None:
    for body in ({"refresh_grace": 10**400}, {"lifetimes": {"code": 10**400}}):
        assert ask("PATCH", "", body).status_code in {200, 422}
        assert httpx.get(ask.idp.metadata_url).status_code == 200
    assert ask("PATCH", "/clock", {"advance": 10**400}).status_code == 422
    assert ask("POST", "/tokens", {"lifetime": 10**400}).status_code in {201, 422}


def test_paths_and_methods_that_are_none(http: httpx.Client) -> None:
    assert http.get("/nowhere").status_code == 404
    assert http.put("/tenants", json={}).status_code == 405
    assert http.get("/tenants/%2e%2e%2f%2e%2e").status_code == 404


def test_control_is_not_served_by_the_provider_itself() -> None:
    """Without its room, the path of control is nobody's tenant."""
    import asyncio

    from mock_idp.wire.http import Request

    provider = Provider(MemoryStore(), Addresses())
    answer = asyncio.run(provider.answer(Request("GET", "http://127.0.0.1", "/_control/jwks")))
    assert answer.status == 404
