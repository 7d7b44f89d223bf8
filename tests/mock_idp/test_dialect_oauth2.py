"""Plain OAuth 2.0: each habit that a tenant may have, seen over HTTP."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import pytest

from mock_idp.dialects import DIALECTS
from mock_idp.records import Account, Settings
from tests.mock_idp.served import REDIRECT_URI, answered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx

    from tests.mock_idp.served import Served, World

BASIC = ("app", "app-secret")


@pytest.fixture
def make(served: Served) -> Iterator[Callable[..., World]]:
    """A tenant with the options that are named."""
    worlds: list[World] = []

    def tenant(**options: Any) -> World:
        worlds.append(served.tenant(dialect="oauth2", dialect_options=options))
        return worlds[-1]

    yield tenant
    for world in worlds:
        world.http.close()
        served.run(served.provider.store.drop(world.name))


def code(world: World, path: str = "authorize", **parameters: str) -> str:
    sound = {"client_id": "app", "redirect_uri": REDIRECT_URI, "response_type": "code", "scope": "read"}
    return answered(world.get(path, params={**sound, **parameters}))["code"]


def exchange(world: World, a_code: str, path: str = "token", **options: Any) -> httpx.Response:
    body = {"grant_type": "authorization_code", "code": a_code, "redirect_uri": REDIRECT_URI}
    return world.post(path, body, **{"auth": BASIC, **options})


def profile(world: World, path: str = "userinfo", **parameters: str) -> Any:
    token = exchange(world, code(world, **parameters)).json()["access_token"]
    return world.get(path, headers={"Authorization": f"Bearer {token}"}).json()


class TestPaths:
    def test_they_are_settings(self, make: Callable[..., World]) -> None:
        world = make(authorize_path="oauth2/authorize", token_path="oauth2/token", profile_path="api/v1/me")
        token = exchange(world, code(world, "oauth2/authorize"), "oauth2/token").json()["access_token"]
        found = world.get("api/v1/me", headers={"Authorization": f"Bearer {token}"})
        assert found.json()["id"] == "alice"
        assert world.get("authorize").status_code == 404

    def test_metadata_tell_them(self, make: Callable[..., World]) -> None:
        world = make(authorize_path="oauth/auth", client_auth=["client_secret_post"])
        document = world.get(".well-known/oauth-authorization-server").json()
        assert document["issuer"] == world.issuer
        assert document["authorization_endpoint"] == f"{world.issuer}/oauth/auth"
        assert document["token_endpoint_auth_methods_supported"] == ["client_secret_post"]
        assert "jwks_uri" not in document
        assert not [value for value in document["response_types_supported"] if "id_token" in value]
        for name, url in document.items():
            if name.endswith("_endpoint"):
                assert world.http.get(url).status_code != 404, name

    def test_metadata_may_be_missing(self, make: Callable[..., World]) -> None:
        assert make(metadata=False).get(".well-known/oauth-authorization-server").status_code == 404

    def test_there_is_no_openid_connect(self, make: Callable[..., World]) -> None:
        world = make()
        assert world.get(".well-known/openid-configuration").status_code == 404
        assert "id_token" not in exchange(world, code(world, scope="openid")).json()


class TestToken:
    def test_as_a_form(self, make: Callable[..., World]) -> None:
        world = make(token_encoding="form")
        response = exchange(world, code(world), headers={"Accept": "application/json"})
        assert response.headers["content-type"] == "application/x-www-form-urlencoded"
        assert dict(parse_qsl(response.text))["scope"] == "read"
        assert dict(parse_qsl(exchange(world, "made-up").text))["error"] == "invalid_grant"

    def test_by_what_is_asked_for(self, make: Callable[..., World]) -> None:
        world = make(token_encoding="accept")
        asked = exchange(world, code(world), headers={"Accept": "application/json"})
        assert asked.json()["token_type"] == "Bearer"
        assert dict(parse_qsl(exchange(world, code(world)).text))["token_type"] == "Bearer"

    def test_statuses(self, make: Callable[..., World]) -> None:
        world = make(success_status=201, error_status=200)
        assert exchange(world, code(world)).status_code == 201
        refused = exchange(world, "made-up")
        assert (refused.status_code, refused.json()["error"]) == (200, "invalid_grant")

    def test_members(self, make: Callable[..., World]) -> None:
        world = make(token_type="bearer", expires_in=False, scope_in_response=False)
        assert sorted(exchange(world, code(world)).json()) == ["access_token", "refresh_token", "token_type"]

    def test_scopes_by_another_separator(self, make: Callable[..., World]) -> None:
        world = make(scope_separator=",")
        assert exchange(world, code(world, scope="read,write")).json()["scope"] == "read,write"
        own = world.post("token", {"grant_type": "client_credentials", "scope": "read,write"}, auth=BASIC).json()
        told = world.post("introspect", {"token": own["access_token"]}, auth=BASIC).json()
        assert told["scope"] == "read write", "kept as two, and told as RFC 7662 has it"

    def test_scopes_where_none_is_asked_for(self, make: Callable[..., World]) -> None:
        world = make(default_scope=["identify"])
        assert exchange(world, code(world, scope="")).json()["scope"] == "identify"

    def test_client_authentication(self, make: Callable[..., World]) -> None:
        world = make(client_auth=["client_secret_post"])
        refused = exchange(world, code(world))
        assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
        body = {"grant_type": "authorization_code", "code": code(world), "redirect_uri": REDIRECT_URI}
        assert "access_token" in world.post("token", {**body, "client_id": "app", "client_secret": "app-secret"}).json()

    def test_json_requests(self, make: Callable[..., World]) -> None:
        def ask(world: World) -> httpx.Response:
            body = {"grant_type": "authorization_code", "code": code(world), "redirect_uri": REDIRECT_URI}
            return world.http.post(f"{world.issuer}/token", json=body, auth=BASIC)

        assert ask(make()).json()["error"] == "invalid_request"
        assert "access_token" in ask(make(json_requests=True)).json()

    def test_a_fault_strikes_here_too(self, make: Callable[..., World]) -> None:
        world = make(success_status=201)
        assert exchange(world, code(world, mock_fault="token.http-500")).status_code == 500


class TestProfile:
    def test_without_options(self, make: Callable[..., World]) -> None:
        assert profile(make()) == {"id": "alice", "login": "alice", "name": "Alice", "email": "alice@example.test"}

    def test_by_other_names(self, make: Callable[..., World]) -> None:
        world = make(
            id_field="user_id", login_field="", name_field="full_name", email_field="mail", verified_field="confirmed"
        )
        assert profile(world) == {
            "user_id": "alice",
            "full_name": "Alice",
            "mail": "alice@example.test",
            "confirmed": True,
        }

    def test_wrapped(self, make: Callable[..., World]) -> None:
        assert profile(make(wrap="data.user"))["data"]["user"]["id"] == "alice"

    def test_a_number_for_an_identifier(self, make: Callable[..., World]) -> None:
        world = make(id_type="number")
        first = profile(world)["id"]
        assert type(first) is int
        assert profile(world)["id"] == first
        assert profile(world, login_hint="bob")["id"] != first
        world.change(lambda tenant: tenant.accounts.update(carol=Account("carol", sub="4711")))
        assert profile(world, login_hint="carol")["id"] == 4711

    def test_configured_claims_are_there_too(self, make: Callable[..., World]) -> None:
        world = make()
        claims = {"avatar": "a.png", "name": "Alice L."}
        world.change(lambda tenant: tenant.accounts.update(alice=Account("alice", claims=claims)))
        found = profile(world)
        assert (found["avatar"], found["name"]) == ("a.png", "Alice L.")

    def test_faults_strike_under_the_other_names(self, make: Callable[..., World]) -> None:
        world = make(email_field="mail", verified_field="confirmed", id_field="uid")
        assert profile(world, mock_fault="userinfo.email-null")["mail"] is None
        assert profile(world, mock_fault="userinfo.email-unverified")["confirmed"] is False
        assert profile(world, mock_fault="userinfo.sub-mismatch")["uid"] != "alice"

    def test_a_bad_token(self, make: Callable[..., World]) -> None:
        response = make().get("userinfo", headers={"Authorization": "Bearer made-up"})
        assert response.status_code == 401
        assert 'error="invalid_token"' in response.headers["www-authenticate"]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"token_pth": "t"}, "token_pth: unknown key; did you mean token_path?"),
        ({"token_path": 3}, "token_path: expected text, not a whole number"),
        ({"token_path": "/oauth/token"}, "token_path: expected a path such as oauth/token"),
        ({"token_path": "authorize"}, "token_path: this path leads to another endpoint already"),
        ({"profile_path": "sign-in"}, "profile_path: this path leads to another endpoint already"),
        ({"scope_separator": ""}, "scope_separator: expected one of"),
        ({"client_auth": []}, "client_auth: expected at least one of"),
        ({"token_encoding": "xml"}, "token_encoding: expected"),
        ({"success_status": 404}, "success_status: expected a status from 200 to 299"),
        ({"error_status": 99}, "error_status: expected a status from 200 to 499, or 0"),
        ({"wrap": "data."}, "wrap: expected names joined by dots"),
        ({"id_field": ""}, "id_field: a profile without an identifier names nobody"),
        ({"id_field": "name"}, "id_field: two of"),
    ],
)
def test_what_could_not_be_served_is_refused_in_one_line(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}") as refusal:
        DIALECTS["oauth2"].options_of(Settings(dialect_options=options))
    assert "\n" not in str(refusal.value)


def test_a_path_may_hold_the_name_of_a_make(make: Callable[..., World]) -> None:
    """``oauth2/token`` of a tenant does not make a tenant of that make below it."""
    world = make(token_path="oauth2/token")
    assert exchange(world, "made-up", "oauth2/token").json()["error"] == "invalid_grant"
    assert f"{world.name}/oauth2" not in world.served.run(world.served.provider.store.names())
