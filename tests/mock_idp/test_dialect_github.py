"""GitHub's quirks, each seen over HTTP."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import pytest

from mock_idp.records import Account
from tests.mock_idp.served import REDIRECT_URI, answered, challenge

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from mock_idp.records import Tenant
    from tests.mock_idp.served import Served, World

JSON = {"Accept": "application/json"}
SECRET = ("app", "app-secret")
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"


@pytest.fixture
def github(served: Served) -> Iterator[World]:
    """A tenant of GitHub's make."""
    world = served.tenant(dialect="github")
    with world.http:
        yield world
    served.run(served.provider.store.drop(world.name))


def options(world: World, **given: Any) -> None:
    world.change(lambda tenant: tenant.settings.dialect_options.update(given))


def authorize(world: World, **parameters: str) -> httpx.Response:
    return world.get("login/oauth/authorize", params={"client_id": "app", "state": "s", **parameters})


def code(world: World, **parameters: str) -> str:
    return answered(authorize(world, **{"scope": "read:user user:email", **parameters}))["code"]


def exchange(world: World, a_code: str, headers: dict[str, str] = JSON, **parameters: str) -> httpx.Response:
    body = {"client_id": "app", "client_secret": "app-secret", "code": a_code, **parameters}
    return world.post("login/oauth/access_token", body, headers=headers)


def token(world: World, **parameters: str) -> str:
    text: str = exchange(world, code(world, **parameters)).json()["access_token"]
    return text


def api(world: World, path: str, access_token: str, scheme: str = "Bearer") -> httpx.Response:
    return world.get(path, headers={"Authorization": f"{scheme} {access_token}"})


def claims(world: World, name: str = "alice", **given: Any) -> None:
    def edit(tenant: Tenant) -> None:
        tenant.accounts[name] = Account(name, claims=given)

    world.change(edit)


class TestAuthorize:
    def test_parameters_that_others_demand_may_be_left_out(self, github: World) -> None:
        response = github.get("login/oauth/authorize", params={"client_id": "app"})
        assert response.headers["location"].startswith(f"{REDIRECT_URI}?code=")
        assert list(answered(response)) == ["code", "iss"]

    def test_the_iss_parameter_is_new_and_may_be_switched_off(self, github: World) -> None:
        assert answered(authorize(github))["iss"] == github.issuer
        github.change(lambda tenant: setattr(tenant.settings, "issuer", "https://github.com/login/oauth"))
        assert answered(authorize(github))["iss"] == "https://github.com/login/oauth"
        github.change(lambda tenant: setattr(tenant.settings, "iss_parameter", False))
        assert list(answered(authorize(github))) == ["code", "state"]

    def test_the_implicit_grant_is_not_supported(self, github: World) -> None:
        assert answered(authorize(github, response_type="token"))["error"] == "unsupported_response_type"

    @pytest.mark.parametrize(
        ("asked", "taken"),
        [
            ("http://example.test/path", True),
            ("http://example.test/path/subdir/other", True),
            ("http://oauth.example.test/path", True),
            ("http://oauth.example.test/path/subdir/other", True),
            ("http://example.test/bar", False),
            ("http://example.test/", False),
            ("http://example.test:8080/path", False),
            ("http://oauth.example.test:8080/path", False),
            ("http://example.org", False),
            ("https://example.test/path", False),
            ("http://example.test/pathology", False),
            ("http://example.test/path/../bar", False),
            ("http://example.test/path/%2e%2e/bar", False),
            ("http://evil@example.test/path", False),
            ("http://badexample.test/path", False),
        ],
    )
    def test_the_callback_or_a_path_below_it(self, github: World, asked: str, taken: bool) -> None:  # noqa: FBT001
        github.change(lambda tenant: setattr(tenant.clients["app"], "redirect_uris", ["http://example.test/path"]))
        location = authorize(github, redirect_uri=asked).headers["location"]
        if taken:
            assert location.startswith(f"{asked}?code=")
        else:
            assert location.startswith("http://example.test/path?error=redirect_uri_mismatch")

    def test_on_loopback_any_port_will_do(self, github: World) -> None:
        response = authorize(github, redirect_uri="http://127.0.0.1:12345/callback")
        assert response.headers["location"].startswith("http://127.0.0.1:12345/callback?code=")

    def test_scopes_that_another_includes_are_left_out(self, github: World) -> None:
        answer = exchange(github, code(github, scope="user,gist,user:email")).json()
        assert answer["scope"] == "user,gist"

    def test_without_scope_it_is_what_was_allowed_before(self, github: World) -> None:
        code(github, scope="repo")
        code(github, scope="gist")
        again = answered(authorize(github))["code"]
        assert exchange(github, again).json()["scope"] == "repo,gist"

    def test_what_was_allowed_once_is_not_asked_again(self, github: World) -> None:
        def asks(tenant: Tenant) -> None:
            tenant.settings.consent, tenant.settings.auto_approve = True, None

        code(github, scope="repo")
        github.change(asks)
        assert "code" in answered(authorize(github, scope="repo"))
        assert authorize(github, scope="repo gist").status_code == 200, "more than before is asked for"

    def test_login_suggests_the_account(self, github: World) -> None:
        assert api(github, "user", token(github, login="bob")).json()["login"] == "bob"


class TestToken:
    def test_a_form_is_the_answer_unless_json_is_asked_for(self, github: World) -> None:
        response = exchange(github, code(github), headers={"Accept": "*/*"})
        assert response.headers["content-type"] == "application/x-www-form-urlencoded; charset=utf-8"
        assert response.headers["cache-control"] == "no-store"
        members = dict(parse_qsl(response.text))
        assert members["token_type"] == "bearer"
        assert members["scope"] == "read:user,user:email"
        assert "scope=read%3Auser%2Cuser%3Aemail" in response.text

    @pytest.mark.parametrize(
        "accept", ["application/json", "application/json; charset=utf-8", "text/html, application/json;q=0.9"]
    )
    def test_json_where_accept_names_it(self, github: World, accept: str) -> None:
        response = exchange(github, code(github), headers={"Accept": accept})
        assert response.headers["content-type"] == "application/json"
        assert sorted(response.json()) == ["access_token", "scope", "token_type"]

    def test_xml_is_not_spoken(self, github: World) -> None:
        response = exchange(github, code(github), headers={"Accept": "application/xml"})
        assert response.headers["content-type"].startswith("application/x-www-form-urlencoded")

    def test_tokens_say_what_they_are_and_do_not_expire(self, github: World) -> None:
        access_token = token(github)
        assert access_token.startswith("gho_")
        assert len(access_token) == 40
        github.change(lambda tenant: setattr(tenant.clock, "offset", 5 * 366 * 24 * 3600.0))
        assert api(github, "user", access_token).status_code == 200

    def test_expiring_tokens_come_with_a_refresh_token(self, github: World) -> None:
        options(github, expiring_tokens=True)
        members = exchange(github, code(github)).json()
        assert members["expires_in"] == 8 * 3600
        assert members["refresh_token"].startswith("ghr_")
        assert members["refresh_token_expires_in"] > members["expires_in"]
        github.change(lambda tenant: setattr(tenant.clock, "offset", 9 * 3600.0))
        assert api(github, "user", members["access_token"]).status_code == 401

    def test_a_refresh_token_gives_new_ones_and_is_spent(self, github: World) -> None:
        options(github, expiring_tokens=True)
        first = exchange(github, code(github)).json()
        body = {**dict(zip(("client_id", "client_secret"), SECRET, strict=True)), "grant_type": "refresh_token"}
        body["refresh_token"] = first["refresh_token"]
        second = github.post("login/oauth/access_token", body, headers=JSON).json()
        assert second["access_token"] != first["access_token"]
        again = github.post("login/oauth/access_token", body, headers=JSON)
        assert (again.status_code, again.json()["error"]) == (200, "bad_refresh_token")

    def test_the_app_may_authenticate_by_basic_and_send_json(self, github: World) -> None:
        response = github.http.post(
            f"{github.issuer}/login/oauth/access_token", json={"code": code(github)}, auth=SECRET, headers=JSON
        )
        assert response.json()["access_token"].startswith("gho_")

    def test_pkce_is_checked_when_used(self, github: World) -> None:
        verifier, sent = challenge()
        a_code = code(github, **sent)
        assert exchange(github, a_code).json()["error"] == "bad_verification_code"
        assert "access_token" in exchange(github, code(github, **sent), code_verifier=verifier).json()

    def test_pkce_is_s256_only(self, github: World) -> None:
        answer = answered(authorize(github, code_challenge="a" * 43, code_challenge_method="plain"))
        assert answer["error"] == "invalid_request"

    def test_pages_of_other_origins_read_nothing(self, github: World) -> None:
        response = exchange(github, code(github), headers={"Origin": "https://spa.test", **JSON})
        assert "access-control-allow-origin" not in response.headers
        preflight = github.http.options(
            f"{github.issuer}/login/oauth/access_token",
            headers={"Origin": "https://spa.test", "Access-Control-Request-Method": "POST"},
        )
        assert "access-control-allow-origin" not in preflight.headers

    def test_a_strict_tenant_knows_every_scope(self, github: World) -> None:
        github.change(lambda tenant: setattr(tenant.settings, "strict", True))
        assert exchange(github, code(github, scope="repo,read:org")).json()["scope"] == "repo,read:org"


class TestErrors:
    def test_a_bad_code_is_refused_with_status_200(self, github: World) -> None:
        response = exchange(github, "made-up")
        assert response.status_code == 200
        assert response.json()["error"] == "bad_verification_code"
        assert response.json()["error_description"] == "The code passed is incorrect or expired."
        assert response.json()["error_uri"].endswith("#bad-verification-code")

    def test_errors_are_forms_too(self, github: World) -> None:
        response = exchange(github, "made-up", headers={})
        assert dict(parse_qsl(response.text))["error"] == "bad_verification_code"

    def test_a_code_is_good_once(self, github: World) -> None:
        a_code = code(github)
        exchange(github, a_code)
        assert exchange(github, a_code).json()["error"] == "bad_verification_code"

    def test_a_missing_code_is_a_bad_one(self, github: World) -> None:
        response = github.post(
            "login/oauth/access_token", {"client_id": "app", "client_secret": "app-secret"}, headers=JSON
        )
        assert response.json()["error"] == "bad_verification_code"

    def test_a_wrong_secret_is_refused_with_status_200(self, github: World) -> None:
        response = exchange(github, code(github), client_secret="wrong")
        assert (response.status_code, response.json()["error"]) == (200, "incorrect_client_credentials")
        assert "www-authenticate" not in response.headers

    def test_another_redirect_uri_has_an_error_of_its_own(self, github: World) -> None:
        response = exchange(github, code(github, redirect_uri=REDIRECT_URI), redirect_uri=f"{REDIRECT_URI}/other")
        assert (response.status_code, response.json()["error"]) == (200, "redirect_uri_mismatch")

    def test_the_redirect_uri_may_be_left_out(self, github: World) -> None:
        assert "access_token" in exchange(github, code(github, redirect_uri=REDIRECT_URI)).json()

    def test_an_unverified_email_is_refused_where_the_tenant_insists(self, github: World) -> None:
        claims(github, email="alice@example.test", email_verified=False)
        assert "access_token" in exchange(github, code(github)).json()
        options(github, verified_email_required=True)
        assert exchange(github, code(github)).json()["error"] == "unverified_user_email"

    def test_an_unknown_grant_type(self, github: World) -> None:
        response = exchange(github, code(github), grant_type="password")
        assert (response.status_code, response.json()["error"]) == (200, "unsupported_grant_type")

    def test_the_journal_has_the_true_reason(self, github: World) -> None:
        exchange(github, "made-up")
        assert "never issued" in str(github.journal()[-1].refused)


class TestUser:
    @pytest.mark.parametrize("path", ["user", "api/v3/user"])
    @pytest.mark.parametrize("scheme", ["Bearer", "token"])
    def test_the_profile(self, github: World, path: str, scheme: str) -> None:
        profile = api(github, path, token(github), scheme).json()
        assert profile["login"] == "alice"
        assert profile["name"] == "Alice"
        assert type(profile["id"]) is int
        assert base64.urlsafe_b64decode(profile["node_id"][2:] + "==")[3:] == profile["id"].to_bytes(4, "big")
        assert "sub" not in profile
        assert "email_verified" not in profile

    def test_the_private_part_needs_a_scope(self, github: World) -> None:
        assert "plan" not in api(github, "user", token(github, scope="gist")).json()
        assert "plan" in api(github, "user", token(github, scope="read:user")).json()

    def test_a_private_address_is_null(self, github: World) -> None:
        claims(github, email=None)
        access_token = token(github)
        assert api(github, "user", access_token).json()["email"] is None
        (entry,) = api(github, "user/emails", access_token).json()
        assert entry == {"email": "alice@example.test", "primary": True, "verified": True, "visibility": "private"}

    def test_a_renamed_login_keeps_its_id(self, github: World) -> None:
        before = api(github, "user", token(github)).json()
        claims(github, login="alice2")
        after = api(github, "user", token(github)).json()
        assert (after["login"], after["id"]) == ("alice2", before["id"])

    def test_a_reassigned_login_has_another_id(self, github: World) -> None:
        before = api(github, "user", token(github)).json()
        claims(github, login="alice2")
        claims(github, "newcomer", login="alice")
        after = api(github, "user", token(github, login="newcomer")).json()
        assert after["login"] == before["login"]
        assert after["id"] != before["id"]

    def test_the_id_may_be_configured(self, github: World) -> None:
        claims(github, id=583231, login="octocat")
        profile = api(github, "user", token(github)).json()
        assert (profile["id"], profile["login"]) == (583231, "octocat")
        assert profile["node_id"].startswith("U_kgDO")

    def test_a_name_of_digits_is_its_own_id_unless_it_is_endless(self, github: World) -> None:
        assert api(github, "user", token(github, login="4711")).json()["id"] == 4711
        assert api(github, "user", token(github, login="9" * 200)).json()["id"] < 200_000_000

    def test_headers_tell_scopes_and_rate_limit(self, github: World) -> None:
        access_token = token(github, scope="read:user user:email")
        first, second = api(github, "user", access_token), api(github, "user/emails", access_token)
        assert first.headers["x-oauth-scopes"] == "read:user, user:email"
        assert second.headers["x-accepted-oauth-scopes"] == "user, user:email"
        assert first.headers["x-ratelimit-limit"] == "5000"
        assert (first.headers["x-ratelimit-remaining"], second.headers["x-ratelimit-remaining"]) == ("4999", "4998")
        assert int(first.headers["x-ratelimit-reset"]) % 3600 == 0

    def test_beyond_the_limit_requests_are_refused_until_it_resets(self, github: World) -> None:
        github.change(lambda tenant: setattr(tenant.clock, "frozen", 7200.0))
        options(github, rate_limit=1)
        access_token = token(github)
        assert api(github, "user", access_token).status_code == 200
        refused = api(github, "user", access_token)
        assert refused.status_code == 403
        assert refused.headers["x-ratelimit-remaining"] == "0"
        assert refused.json()["message"].startswith("API rate limit exceeded")
        github.change(lambda tenant: setattr(tenant.clock, "frozen", 10800.0))
        assert api(github, "user", access_token).status_code == 200

    def test_bad_credentials(self, github: World) -> None:
        response = api(github, "user", "gho_made_up")
        assert response.status_code == 401
        assert response.json()["message"] == "Bad credentials"
        assert response.json()["status"] == "401"

    def test_who_does_not_say_what_it_is(self, github: World) -> None:
        headers = {"Authorization": f"Bearer {token(github)}", "User-Agent": ""}
        response = github.get("user", headers=headers)
        assert response.status_code == 403
        assert "User-Agent" in response.text

    def test_no_credentials(self, github: World) -> None:
        response = github.get("user")
        assert (response.status_code, response.json()["message"]) == (401, "Requires authentication")


class TestEmails:
    def test_every_address_with_its_marks(self, github: World) -> None:
        emails = [
            {"email": "alice@work.test", "primary": True, "verified": True, "visibility": "private"},
            {"email": "victim@example.test", "primary": False, "verified": False, "visibility": None},
        ]
        claims(github, emails=emails)
        access_token = token(github)
        assert api(github, "user/emails", access_token).json() == emails
        assert api(github, "user", access_token).json()["email"] is None

    @pytest.mark.parametrize("scope", ["user", "user:email"])
    def test_with_either_scope(self, github: World, scope: str) -> None:
        assert api(github, "user/emails", token(github, scope=scope)).status_code == 200

    def test_without_the_scope_there_is_nothing(self, github: World) -> None:
        response = api(github, "api/v3/user/emails", token(github, scope="read:user"))
        assert (response.status_code, response.json()["message"]) == (404, "Not Found")
        assert response.headers["x-accepted-oauth-scopes"] == "user, user:email"


class TestApplication:
    def ask(
        self, world: World, method: str, what: str, access_token: str, auth: tuple[str, str] = SECRET
    ) -> httpx.Response:
        url = f"{world.issuer}/applications/app/{what}"
        return world.http.request(method, url, json={"access_token": access_token}, auth=auth)

    def test_a_token_is_checked(self, github: World) -> None:
        access_token = token(github)
        answer = self.ask(github, "POST", "token", access_token).json()
        assert answer["token"] == access_token
        assert answer["token_last_eight"] == access_token[-8:]
        assert answer["hashed_token"] == hashlib.sha256(access_token.encode()).hexdigest()
        assert answer["user"]["login"] == "alice"
        assert answer["scopes"] == ["read:user", "user:email"]
        assert answer["expires_at"] is None

    def test_a_deleted_token_is_dead(self, github: World) -> None:
        access_token, other = token(github), token(github)
        assert self.ask(github, "DELETE", "token", access_token).status_code == 204
        assert api(github, "user", access_token).status_code == 401
        assert api(github, "user", other).status_code == 200
        assert self.ask(github, "POST", "token", access_token).status_code == 404

    def test_a_deleted_grant_takes_all_tokens_of_the_person_along(self, github: World) -> None:
        access_token, other, of_bob = token(github), token(github), token(github, login="bob")
        assert self.ask(github, "DELETE", "grant", access_token).status_code == 204
        assert [api(github, "user", text).status_code for text in (access_token, other, of_bob)] == [401, 401, 200]

    def test_a_reset_token_replaces_the_old_one(self, github: World) -> None:
        access_token = token(github)
        fresh = self.ask(github, "PATCH", "token", access_token).json()["token"]
        assert api(github, "user", access_token).status_code == 401
        assert api(github, "user", fresh).status_code == 200

    def test_only_the_app_itself_may_ask(self, github: World) -> None:
        access_token = token(github)
        assert self.ask(github, "POST", "token", access_token, ("app", "wrong")).status_code == 401
        assert self.ask(github, "POST", "token", access_token, ("spa", "x")).status_code == 401

    def test_what_is_missing_is_said(self, github: World) -> None:
        response = github.http.post(f"{github.issuer}/applications/app/token", json={}, auth=SECRET)
        assert response.status_code == 422
        assert self.ask(github, "POST", "nothing", "x").status_code == 404


class TestDevice:
    def codes(self, world: World, **headers: str) -> httpx.Response:
        world.change(lambda tenant: setattr(tenant.settings, "auto_approve", None))
        return world.post("login/device/code", {"client_id": "app", "scope": "user,gist"}, headers=headers)

    def ask(self, world: World, device_code: str) -> dict[str, Any]:
        body = {"client_id": "app", "device_code": device_code, "grant_type": DEVICE}
        response = world.post("login/oauth/access_token", body, headers=JSON)
        assert response.status_code == 200
        members: dict[str, Any] = response.json()
        return members

    def test_codes_come_as_a_form_unless_json_is_asked_for(self, github: World) -> None:
        members = dict(parse_qsl(self.codes(github).text))
        assert members["verification_uri"] == f"{github.issuer}/login/device"
        assert self.codes(github, **JSON).json().keys() == members.keys()
        assert "verification_uri_complete" not in members
        assert re.fullmatch(r"[A-Z]{4}-[A-Z]{4}", members["user_code"])

    def test_without_a_secret_from_code_to_token(self, github: World) -> None:
        members = self.codes(github, **JSON).json()
        assert self.ask(github, members["device_code"])["error"] == "authorization_pending"
        assert self.ask(github, members["device_code"])["error"] == "slow_down"
        page = github.get("login/device", params={"user_code": members["user_code"]})
        assert page.status_code == 200
        assert "alice" in page.text
        github.post("login/device", {"user_code": members["user_code"], "account": "alice"})
        answer = self.ask(github, members["device_code"])
        assert answer["scope"] == "user,gist"
        assert api(github, "user", answer["access_token"]).json()["login"] == "alice"

    def test_a_person_may_say_no(self, github: World) -> None:
        members = self.codes(github, **JSON).json()
        github.post("login/device", {"user_code": members["user_code"], "action": "deny"})
        assert self.ask(github, members["device_code"])["error"] == "access_denied"

    def test_a_code_that_is_none(self, github: World) -> None:
        assert self.ask(github, "made-up")["error"] == "incorrect_device_code"

    def test_an_app_without_the_device_flow(self, github: World) -> None:
        options(github, device_flow=False)
        assert self.codes(github, **JSON).json()["error"] == "device_flow_disabled"
        assert self.ask(github, "made-up")["error"] == "device_flow_disabled"


class TestFaults:
    def test_a_fault_of_a_shared_step_strikes_here_too(self, github: World) -> None:
        assert exchange(github, code(github, mock_fault="token.http-500")).status_code == 500

    def test_a_fault_strikes_in_the_place_of_githubs_own_step(self, github: World) -> None:
        access_token = token(github, mock_fault="userinfo.http-500")
        assert api(github, "user", access_token).status_code == 500
        assert api(github, "user/emails", access_token).status_code == 500

    def test_an_address_of_a_victim_is_in_the_list_unverified(self, github: World) -> None:
        access_token = token(github, mock_fault="userinfo.email-of-victim=victim@example.test")
        (entry,) = api(github, "user/emails", access_token).json()
        assert (entry["email"], entry["verified"]) == ("victim@example.test", False)

    def test_a_renamed_login(self, github: World) -> None:
        profile = api(github, "user", token(github, mock_fault="userinfo.login-renamed")).json()
        assert profile["login"] == "alice-renamed"

    def test_somebody_elses_id(self, github: World) -> None:
        honest = api(github, "user", token(github)).json()["id"]
        assert api(github, "user", token(github, mock_fault="userinfo.sub-mismatch")).json()["id"] != honest


def test_a_tenant_is_made_by_its_name(served: Served, github: World) -> None:
    """The last segment of a new tenant's name chooses the make."""
    response = github.http.get(f"{served.base}/{github.name}-new/github/user")
    assert response.json()["message"] == "Requires authentication"
    assert github.http.get(f"{served.base}/{github.name}-new/github/authorize").status_code == 404


def test_an_unknown_option_is_named() -> None:
    from mock_idp.dialects import DIALECTS
    from mock_idp.records import Settings

    with pytest.raises(ValueError, match="expiring_token: unknown key; did you mean expiring_tokens"):
        DIALECTS["github"].options_of(Settings(dialect_options={"expiring_token": True}))
