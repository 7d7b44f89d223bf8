"""Google's habits, each seen over HTTP."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from mock_idp.records import Account
from tests.mock_idp.served import REDIRECT_URI, answered
from tests.mock_idp.served import claims as claims_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from mock_idp.records import Tenant
    from tests.mock_idp.served import Served, World

APP = ("app", "app-secret")
EMAIL = "https://www.googleapis.com/auth/userinfo.email"
PROFILE = "https://www.googleapis.com/auth/userinfo.profile"


@pytest.fixture
def google(served: Served) -> Iterator[World]:
    """A tenant of Google's make."""
    world = served.tenant(dialect="google")
    with world.http:
        yield world
    served.run(served.provider.store.drop(world.name))


def authorize(world: World, **parameters: str) -> httpx.Response:
    sound = {
        "client_id": "app",
        "redirect_uri": REDIRECT_URI,
        "response_type": "code",
        "scope": "openid email profile",
        "state": "s",
        "nonce": "n",
    }
    return world.get("o/oauth2/v2/auth", params={**sound, **parameters})


def exchange(world: World, code: str, **parameters: str) -> httpx.Response:
    body = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": REDIRECT_URI,
        "client_id": "app",
        "client_secret": "app-secret",
    }
    return world.post("token", {**body, **parameters})


def tokens(world: World, **parameters: str) -> dict[str, Any]:
    response = exchange(world, answered(authorize(world, **parameters))["code"])
    assert response.status_code == 200, response.text
    members: dict[str, Any] = response.json()
    return members


def account(world: World, who: str = "alice", **claims: Any) -> None:
    def edit(tenant: Tenant) -> None:
        tenant.accounts[who] = Account(who, claims=claims)

    world.change(edit)


def options(world: World, **given: Any) -> None:
    world.change(lambda tenant: tenant.settings.dialect_options.update(given))


class TestDiscovery:
    def test_every_endpoint_that_it_names_is_there(self, google: World) -> None:
        document = google.get(".well-known/openid-configuration").json()
        assert document["issuer"] == google.issuer
        assert document["authorization_endpoint"] == f"{google.issuer}/o/oauth2/v2/auth"
        for name, url in document.items():
            if name.endswith(("_endpoint", "_uri")):
                assert google.http.get(url).status_code != 404, name

    def test_it_says_what_is_true(self, google: World) -> None:
        document = google.get(".well-known/openid-configuration").json()
        assert document["scopes_supported"] == ["openid", "email", "profile"]
        assert document["token_endpoint_auth_methods_supported"] == ["client_secret_post", "client_secret_basic"]
        assert document["authorization_response_iss_parameter_supported"] is True

    def test_keys(self, google: World) -> None:
        assert google.get("oauth2/v3/certs").json()["keys"][0]["alg"] == "RS256"

    def test_google_has_no_path_authorize(self, google: World) -> None:
        assert google.get("authorize").status_code == 404


class TestAuthorize:
    def test_the_response_is_full_of_extras(self, google: World) -> None:
        account(google, hd="corp.test")
        answer = answered(authorize(google, prompt="consent"))
        assert list(answer) == ["code", "state", "iss", "scope", "authuser", "hd", "prompt"]
        assert answer["code"].startswith("4/")
        assert answer["scope"] == f"email profile openid {EMAIL} {PROFILE}"
        assert (answer["authuser"], answer["hd"], answer["prompt"]) == ("0", "corp.test", "consent")

    def test_without_a_domain_there_is_no_hd(self, google: World) -> None:
        answer = answered(authorize(google))
        assert "hd" not in answer
        assert answer["prompt"] == "none"

    def test_the_extras_may_be_switched_off(self, google: World) -> None:
        options(google, callback_extras=False)
        assert list(answered(authorize(google))) == ["code", "state", "iss"]

    def test_errors_have_no_extras(self, google: World) -> None:
        answer = answered(authorize(google, response_type="nonsense"))
        assert sorted(answer) == ["error", "error_description", "iss", "state"]

    def test_scope_is_compulsory(self, google: World) -> None:
        assert answered(authorize(google, scope=""))["error"] == "invalid_request"

    def test_hd_shapes_the_list_of_accounts(self, google: World) -> None:
        account(google, "carol", hd="corp.test")
        google.change(lambda tenant: setattr(tenant.settings, "auto_approve", None))
        everybody, of_domain = authorize(google).text, authorize(google, hd="corp.test").text
        assert "alice" in everybody
        assert "carol" in of_domain
        assert "alice" not in of_domain

    def test_who_types_another_name_comes_through(self, google: World) -> None:
        def strict(tenant: Tenant) -> None:
            tenant.settings.strict, tenant.settings.auto_approve = True, None

        account(google, "carol", hd="corp.test")
        google.change(strict)
        page = authorize(google, hd="corp.test").text
        pending = re.search(r'name="pending" value="([^"]+)"', page)
        assert pending
        response = google.post("sign-in", {"pending": pending[1], "account": "alice"})
        assert "hd" not in answered(response)

    def test_hd_is_no_check(self, google: World) -> None:
        """A client that restricts domains has to look at the claim."""
        account(google, "carol", hd="corp.test")
        assert "hd" not in claims_of(tokens(google, hd="corp.test")["id_token"])
        assert claims_of(tokens(google, login_hint="carol")["id_token"])["hd"] == "corp.test"

    def test_consent_is_for_good(self, google: World) -> None:
        def asks(tenant: Tenant) -> None:
            tenant.settings.consent, tenant.settings.auto_approve = True, None

        tokens(google)
        google.change(asks)
        assert "code" in answered(authorize(google))
        assert authorize(google, prompt="consent").status_code == 200
        assert authorize(google, scope="openid email profile calendar").status_code == 200


class TestTokens:
    def test_the_response(self, google: World) -> None:
        members = tokens(google)
        assert sorted(members) == ["access_token", "expires_in", "id_token", "scope", "token_type"]
        assert members["access_token"].startswith("ya29.")
        assert members["expires_in"] == 3599
        assert members["scope"] == f"openid {EMAIL} {PROFILE}"

    def test_long_names_of_scopes_are_the_same_as_short_ones(self, google: World) -> None:
        members = tokens(google, scope=f"openid {EMAIL}")
        assert members["scope"] == f"openid {EMAIL}"
        assert claims_of(members["id_token"])["email"] == "alice@example.test"

    def test_no_refresh_token_without_offline_access(self, google: World) -> None:
        assert "refresh_token" not in tokens(google)

    def test_a_refresh_token_comes_the_first_time_only(self, google: World) -> None:
        assert tokens(google, access_type="offline")["refresh_token"].startswith("1//")
        assert "refresh_token" not in tokens(google, access_type="offline")

    def test_consent_anew_gives_another_one(self, google: World) -> None:
        tokens(google, access_type="offline")
        assert "refresh_token" in tokens(google, access_type="offline", prompt="consent")

    def test_another_person_gets_a_refresh_token_too(self, google: World) -> None:
        tokens(google, access_type="offline")
        assert "refresh_token" in tokens(google, access_type="offline", login_hint="bob")

    def test_a_refresh_token_stays_and_is_not_sent_again(self, google: World) -> None:
        kept = tokens(google, access_type="offline")["refresh_token"]
        for _ in range(2):
            body = {"grant_type": "refresh_token", "refresh_token": kept}
            members = google.post("token", body, auth=APP).json()
            assert members["access_token"].startswith("ya29.")
            assert "refresh_token" not in members
            assert claims_of(members["id_token"])["sub"]

    def test_include_granted_scopes_adds_what_was_allowed_before(self, google: World) -> None:
        tokens(google, scope="openid email")
        assert tokens(google, scope="openid profile")["scope"] == f"openid {PROFILE}"
        members = tokens(google, scope="openid", include_granted_scopes="true")
        assert set(members["scope"].split()) == {"openid", EMAIL, PROFILE}

    def test_another_redirect_uri_has_an_error_of_its_own(self, google: World) -> None:
        response = exchange(google, answered(authorize(google))["code"], redirect_uri="http://127.0.0.1:9/other")
        assert (response.status_code, response.json()["error"]) == (400, "redirect_uri_mismatch")

    def test_the_old_address_of_the_token_endpoint_works(self, google: World) -> None:
        body = {
            "grant_type": "authorization_code",
            "code": "made-up",
            "client_id": "app",
            "client_secret": "app-secret",
        }
        assert google.post("oauth2/v4/token", body).json()["error"] == "invalid_grant"


class TestIdToken:
    def test_the_claims(self, google: World) -> None:
        account(google, name="Alice Liddell", hd="corp.test", email="alice@corp.test")
        found = claims_of(tokens(google)["id_token"])
        assert found["iss"] == google.issuer
        assert found["azp"] == found["aud"] == "app"
        assert (found["given_name"], found["family_name"]) == ("Alice", "Liddell")
        assert found["hd"] == "corp.test"
        assert found["email_verified"] is True
        assert found["nonce"] == "n"

    def test_a_subject_has_21_digits_and_stays(self, google: World) -> None:
        first = claims_of(tokens(google)["id_token"])["sub"]
        account(google, name="Renamed", email="other@example.test")
        assert first.isdecimal()
        assert len(first) == 21
        assert claims_of(tokens(google)["id_token"])["sub"] == first

    def test_a_configured_subject_is_kept(self, google: World) -> None:
        google.change(lambda tenant: tenant.accounts.update(alice=Account("alice", sub="110169484474386276334")))
        assert claims_of(tokens(google)["id_token"])["sub"] == "110169484474386276334"

    @pytest.mark.parametrize(
        ("bare", "expected"), [(False, "https://accounts.google.com"), (True, "accounts.google.com")]
    )
    def test_both_spellings_of_the_issuer(self, google: World, bare: bool, expected: str) -> None:  # noqa: FBT001
        google.change(lambda tenant: setattr(tenant.settings, "issuer", "https://accounts.google.com"))
        options(google, bare_issuer=bare)
        assert claims_of(tokens(google)["id_token"])["iss"] == expected
        assert google.get(".well-known/openid-configuration").json()["issuer"] == "https://accounts.google.com"

    def test_its_own_address_without_the_scheme(self, google: World) -> None:
        options(google, bare_issuer=True)
        assert claims_of(tokens(google)["id_token"])["iss"] == google.issuer.removeprefix("http://")


class TestUserInfo:
    @pytest.mark.parametrize("path", ["v1/userinfo", "userinfo", "oauth2/v3/userinfo"])
    def test_under_each_of_its_addresses(self, google: World, path: str) -> None:
        members = tokens(google)
        found = google.get(path, headers={"Authorization": f"Bearer {members['access_token']}"}).json()
        assert found["sub"] == claims_of(members["id_token"])["sub"]
        assert found["email"] == "alice@example.test"
        assert found["email_verified"] is True
        picture = google.http.get(found["picture"])
        assert picture.headers["content-type"] == "image/svg+xml"

    def test_a_fault_strikes_here_too(self, google: World) -> None:
        members = tokens(google, mock_fault="userinfo.email-unverified")
        found = google.get("v1/userinfo", headers={"Authorization": f"Bearer {members['access_token']}"}).json()
        assert found["email_verified"] is False


class TestTokenInfo:
    def test_of_an_access_token(self, google: World) -> None:
        members = tokens(google, access_type="offline")
        found = google.get("tokeninfo", params={"access_token": members["access_token"]}).json()
        assert found["aud"] == found["azp"] == "app"
        assert found["scope"] == members["scope"]
        assert found["email_verified"] == "true", "a text, not a truth value"
        assert int(found["expires_in"]) <= 3599
        assert isinstance(found["exp"], str)
        assert found["access_type"] == "offline"

    def test_of_an_id_token(self, google: World) -> None:
        members = tokens(google)
        found = google.get("oauth2/v3/tokeninfo", params={"id_token": members["id_token"]}).json()
        assert found["sub"] == claims_of(members["id_token"])["sub"]
        assert found["email_verified"] == "true"
        assert found["alg"] == "RS256"
        assert isinstance(found["exp"], str)

    def test_of_nothing_good(self, google: World) -> None:
        changed = tokens(google)["id_token"][:-8] + "AAAAAAAA"
        for parameters in ({"access_token": "ya29.made-up"}, {"id_token": changed}, {}):
            response = google.get("tokeninfo", params=parameters)
            assert (response.status_code, response.json()["error"]) == (400, "invalid_token")


class TestRevoke:
    def test_one_token_ends_all_of_this_person_and_client(self, google: World) -> None:
        first, second = tokens(google, access_type="offline"), tokens(google)
        assert google.post("revoke", {"token": first["refresh_token"]}).status_code == 200
        for members in (first, second):
            headers = {"Authorization": f"Bearer {members['access_token']}"}
            assert google.get("v1/userinfo", headers=headers).status_code == 401

    def test_the_token_may_stand_in_the_query(self, google: World) -> None:
        members = tokens(google)
        url = f"{google.issuer}/revoke"
        assert google.http.post(url, params={"token": members["access_token"]}).status_code == 200

    def test_after_it_consent_is_asked_anew(self, google: World) -> None:
        first = tokens(google, access_type="offline")
        google.post("revoke", {"token": first["access_token"]})
        assert "refresh_token" in tokens(google, access_type="offline")

    def test_a_token_that_is_none(self, google: World) -> None:
        response = google.post("revoke", {"token": "made-up"})
        assert (response.status_code, response.json()["error"]) == (400, "invalid_token")


class TestDevice:
    def test_from_code_to_token(self, google: World) -> None:
        google.change(lambda tenant: setattr(tenant.settings, "auto_approve", None))
        members = google.post("device/code", {"client_id": "app", "scope": f"openid {EMAIL}"}, auth=APP).json()
        assert members["verification_url"] == f"{google.issuer}/device"
        assert "verification_uri" not in members
        body = {"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": members["device_code"]}
        pending, hurried = google.post("token", body, auth=APP), google.post("token", body, auth=APP)
        assert (pending.status_code, pending.json()["error"]) == (428, "authorization_pending")
        assert (hurried.status_code, hurried.json()["error"]) == (403, "slow_down")
        google.post("device", {"user_code": members["user_code"], "account": "alice"})
        answer = google.post("token", body, auth=APP).json()
        assert answer["scope"] == f"openid {EMAIL}"
        assert claims_of(answer["id_token"])["email"] == "alice@example.test"
