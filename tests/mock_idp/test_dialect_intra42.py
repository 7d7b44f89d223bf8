"""What is special about 42 Intra, each seen over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from mock_idp.records import Account
from tests.mock_idp.served import REDIRECT_URI, answered

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from mock_idp.records import Tenant
    from tests.mock_idp.served import Served, World

MEMBERS = [
    *("id", "email", "login", "first_name", "last_name", "usual_full_name", "usual_first_name", "url", "phone"),
    *("displayname", "kind", "image", "staff?", "correction_point", "pool_month", "pool_year", "location", "wallet"),
    *("anonymize_date", "data_erasure_date", "created_at", "updated_at", "alumnized_at", "alumni?", "active?"),
    *("groups", "cursus_users", "projects_users", "languages_users", "achievements", "titles", "titles_users"),
    *("partnerships", "patroned", "patroning", "expertises_users", "roles", "campus", "campus_users"),
]


@pytest.fixture
def intra(served: Served) -> Iterator[World]:
    """A tenant of 42's make."""
    world = served.tenant(dialect="intra42")
    with world.http:
        yield world
    served.run(served.provider.store.drop(world.name))


def options(world: World, **given: Any) -> None:
    world.change(lambda tenant: tenant.settings.dialect_options.update(given))


def authorize(world: World, **parameters: str) -> httpx.Response:
    sound = {"client_id": "app", "redirect_uri": REDIRECT_URI, "response_type": "code", "state": "s"}
    return world.get("oauth/authorize", params={**sound, **parameters})


def body(code: str) -> dict[str, str]:
    return {
        "grant_type": "authorization_code",
        "client_id": "app",
        "client_secret": "app-secret",
        "code": code,
        "redirect_uri": REDIRECT_URI,
    }


def tokens(world: World, **parameters: str) -> dict[str, Any]:
    response = world.post("oauth/token", body(answered(authorize(world, **parameters))["code"]))
    assert response.status_code == 200, response.text
    members: dict[str, Any] = response.json()
    return members


def own_token(world: World) -> str:
    """A token of the client itself."""
    response = world.post("oauth/token", {"grant_type": "client_credentials"}, auth=("app", "app-secret"))
    text: str = response.json()["access_token"]
    return text


def api(world: World, path: str, access_token: str) -> httpx.Response:
    return world.get(path, headers={"Authorization": f"Bearer {access_token}"})


def freeze(world: World, at: float) -> None:
    world.change(lambda tenant: setattr(tenant.clock, "frozen", at))


class TestAuthorize:
    def test_there_is_nothing_but_code_and_state(self, intra: World) -> None:
        assert list(answered(authorize(intra))) == ["code", "state"]

    def test_whoever_has_approved_before_sees_no_page(self, intra: World) -> None:
        def asks(tenant: Tenant) -> None:
            tenant.settings.consent, tenant.settings.auto_approve = True, None

        tokens(intra)
        intra.change(asks)
        assert "code" in answered(authorize(intra))
        options(intra, silent_approval=False)
        assert authorize(intra).status_code == 200

    def test_scope_is_public_unless_asked_for(self, intra: World) -> None:
        assert tokens(intra)["scope"] == "public"

    def test_without_scope_it_is_what_was_allowed_before(self, intra: World) -> None:
        tokens(intra, scope="public projects")
        assert tokens(intra)["scope"] == "public projects"


class TestToken:
    def test_the_response_has_members_that_others_have_not(self, intra: World) -> None:
        freeze(intra, 1_791_045_073.0)
        members = tokens(intra, scope="public")
        assert sorted(members) == [
            *("access_token", "created_at", "expires_in", "refresh_token", "scope", "secret_valid_until", "token_type")
        ]
        assert members["created_at"] == 1_791_045_073
        assert members["secret_valid_until"] == 1_791_045_073 + 30 * 24 * 3600
        assert members["expires_in"] == 7200
        assert len(members["access_token"]) == 64

    def test_a_secret_may_have_no_end(self, intra: World) -> None:
        options(intra, secret_lifetime=0)
        assert tokens(intra)["secret_valid_until"] is None

    def test_there_is_no_id_token_even_for_openid(self, intra: World) -> None:
        assert "id_token" not in tokens(intra, scope="openid")

    def test_a_token_lives_two_hours(self, intra: World) -> None:
        access_token = tokens(intra)["access_token"]
        intra.change(lambda tenant: setattr(tenant.clock, "offset", 7190.0))
        assert api(intra, "v2/me", access_token).status_code == 200
        intra.change(lambda tenant: setattr(tenant.clock, "offset", 7210.0))
        assert api(intra, "v2/me", access_token).status_code == 401

    def test_client_credentials(self, intra: World) -> None:
        response = intra.post("oauth/token", {"grant_type": "client_credentials"}, auth=("app", "app-secret"))
        members = response.json()
        assert members["scope"] == "public"
        assert "refresh_token" not in members

    def test_a_json_body_will_do(self, intra: World) -> None:
        code = answered(authorize(intra))["code"]
        assert "access_token" in intra.http.post(f"{intra.issuer}/oauth/token", json=body(code)).json()

    def test_a_multipart_body_will_do(self, intra: World) -> None:
        """The guide shows ``curl -F``."""
        fields = {name: (None, value) for name, value in body(answered(authorize(intra))["code"]).items()}
        response = intra.http.post(f"{intra.issuer}/oauth/token", files=fields)
        assert "access_token" in response.json()

    @pytest.mark.parametrize(
        ("change", "error"),
        [
            ({"code": "made-up"}, "invalid_grant"),
            ({"redirect_uri": "http://127.0.0.1:9/other"}, "invalid_grant"),
            ({"client_secret": "wrong"}, "invalid_client"),
            ({"grant_type": "password"}, "unsupported_grant_type"),
        ],
    )
    def test_refusals_are_401_in_doorkeepers_words(self, intra: World, change: dict[str, str], error: str) -> None:
        response = intra.post("oauth/token", {**body(answered(authorize(intra))["code"]), **change})
        assert (response.status_code, response.json()["error"]) == (401, error)
        assert f'error="{error}"' in response.headers["www-authenticate"]
        assert "made-up" not in response.text

    def test_a_fault_strikes_here_too(self, intra: World) -> None:
        code = answered(authorize(intra, mock_fault="token.http-500"))["code"]
        assert intra.post("oauth/token", body(code)).status_code == 500


class TestMe:
    def test_the_large_body(self, intra: World) -> None:
        profile = api(intra, "v2/me", tokens(intra)["access_token"]).json()
        assert sorted(profile) == sorted(MEMBERS)
        assert type(profile["id"]) is int
        assert (profile["login"], profile["displayname"]) == ("alice", "Alice")
        assert sorted(profile["image"]["versions"]) == ["large", "medium", "micro", "small"]
        assert profile["cursus_users"][0]["user"]["id"] == profile["id"]
        assert profile["campus_users"][0]["is_primary"] is True

    def test_the_picture_is_there(self, intra: World) -> None:
        image = api(intra, "v2/me", tokens(intra)["access_token"]).json()["image"]
        for url in (image["link"], image["versions"]["small"]):
            assert intra.http.get(url).headers["content-type"] == "image/svg+xml"

    def test_claims_replace_members(self, intra: World) -> None:
        claims = {"login": "cmarie", "id": 42, "given_name": "Curie", "staff?": True, "pool_year": "2021"}
        intra.change(lambda tenant: tenant.accounts.update(alice=Account("alice", claims=claims)))
        profile = api(intra, "v2/me", tokens(intra)["access_token"]).json()
        assert (profile["login"], profile["id"], profile["first_name"]) == ("cmarie", 42, "Curie")
        assert (profile["staff?"], profile["pool_year"]) == (True, "2021")

    def test_a_renamed_login_keeps_its_id(self, intra: World) -> None:
        before = api(intra, "v2/me", tokens(intra)["access_token"]).json()
        intra.change(lambda tenant: tenant.accounts.update(alice=Account("alice", claims={"login": "alice2"})))
        after = api(intra, "v2/me", tokens(intra)["access_token"]).json()
        assert (after["login"], after["id"]) == ("alice2", before["id"])

    def test_there_is_no_mark_of_a_verified_address(self, intra: World) -> None:
        profile = api(intra, "v2/me", tokens(intra)["access_token"]).json()
        assert profile["email"] == "alice@example.test"
        assert "email_verified" not in profile

    def test_a_clients_own_token_is_for_nobody(self, intra: World) -> None:
        response = api(intra, "v2/me", own_token(intra))
        assert (response.status_code, response.json()) == (404, {})

    def test_an_invalid_token(self, intra: World) -> None:
        response = api(intra, "v2/me", "made-up")
        assert response.status_code == 401
        assert 'error="invalid_token"' in response.headers["www-authenticate"]
        assert response.json()["message"] == "The access token is invalid"

    def test_who_does_not_say_what_it_is(self, intra: World) -> None:
        headers = {"Authorization": f"Bearer {tokens(intra)['access_token']}", "User-Agent": ""}
        assert intra.get("v2/me", headers=headers).status_code == 403

    def test_the_token_may_stand_in_the_url_and_the_journal_says_so(self, intra: World) -> None:
        response = intra.get("v2/me", params={"access_token": tokens(intra)["access_token"]})
        assert response.status_code == 200
        assert "access-token-in-url" in intra.journal()[-1].notes


class TestUsers:
    def test_by_login_or_id_also_for_a_client(self, intra: World) -> None:
        me = api(intra, "v2/me", tokens(intra, login_hint="bob")["access_token"]).json()
        by_login = api(intra, "v2/users/bob", own_token(intra)).json()
        assert by_login == api(intra, f"v2/users/{me['id']}", own_token(intra)).json() == me
        assert me["url"].endswith("/v2/users/bob")

    def test_nobody_of_that_name(self, intra: World) -> None:
        response = api(intra, "v2/users/nobody", own_token(intra))
        assert (response.status_code, response.json()) == (404, {})


class TestTokenInfo:
    def test_of_a_person(self, intra: World) -> None:
        freeze(intra, 1_700_000_000.0)
        members = tokens(intra)
        found = api(intra, "oauth/token/info", members["access_token"]).json()
        me = api(intra, "v2/me", members["access_token"]).json()
        assert found == {
            "resource_owner_id": me["id"],
            "scopes": ["public"],
            "expires_in_seconds": 7200,
            "application": {"uid": "app"},
            "created_at": 1_700_000_000,
        }

    def test_of_a_client(self, intra: World) -> None:
        assert api(intra, "oauth/token/info", own_token(intra)).json()["resource_owner_id"] is None

    def test_of_nothing(self, intra: World) -> None:
        assert api(intra, "oauth/token/info", "made-up").status_code == 401


class TestLimits:
    def test_headers_tell_what_is_left(self, intra: World) -> None:
        freeze(intra, 7200.0)
        access_token = tokens(intra)["access_token"]
        headers = api(intra, "v2/me", access_token).headers
        assert headers["x-secondly-ratelimit-limit"] == "2"
        assert headers["x-secondly-ratelimit-remaining"] == "1"
        assert headers["x-hourly-ratelimit-limit"] == "1200"
        assert headers["x-hourly-ratelimit-remaining"] == "1199"
        assert headers["x-application-roles"] == "None"

    def test_nothing_is_refused_unless_the_tenant_wants_it(self, intra: World) -> None:
        freeze(intra, 7200.0)
        access_token = tokens(intra)["access_token"]
        assert [api(intra, "v2/me", access_token).status_code for _ in range(4)] == [200] * 4

    def test_beyond_the_limit_of_a_second(self, intra: World) -> None:
        freeze(intra, 7200.0)
        options(intra, limited=True)
        access_token = tokens(intra)["access_token"]
        assert [api(intra, "v2/me", access_token).status_code for _ in range(2)] == [200, 200]
        refused = api(intra, "v2/me", access_token)
        assert refused.status_code == 429
        assert refused.headers["retry-after"] == "1"
        assert refused.headers["content-type"].startswith("text/plain")
        assert refused.text.startswith("429 Too Many Requests (Spam Rate Limit Exceeded)")
        assert refused.headers["x-secondly-ratelimit-remaining"] == "0"
        freeze(intra, 7201.0)
        assert api(intra, "v2/me", access_token).status_code == 200

    def test_beyond_the_limit_of_an_hour(self, intra: World) -> None:
        freeze(intra, 7200.0)
        options(intra, limited=True, hourly_limit=1)
        access_token = tokens(intra)["access_token"]
        api(intra, "v2/me", access_token)
        freeze(intra, 9000.0)
        refused = api(intra, "v2/me", access_token)
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "1800")

    def test_retry_after_may_be_missing(self, intra: World) -> None:
        freeze(intra, 7200.0)
        options(intra, limited=True, secondly_limit=0, retry_after=False)
        refused = api(intra, "v2/me", tokens(intra)["access_token"])
        assert refused.status_code == 429
        assert "retry-after" not in refused.headers

    def test_each_client_has_its_own(self, intra: World) -> None:
        freeze(intra, 7200.0)
        options(intra, limited=True, secondly_limit=1)
        mine = tokens(intra)["access_token"]
        code = answered(authorize(intra, client_id="spa"))["code"]
        body_of_spa = {
            "grant_type": "authorization_code",
            "client_id": "spa",
            "code": code,
            "redirect_uri": REDIRECT_URI,
        }
        other = intra.post("oauth/token", body_of_spa).json()["access_token"]
        assert [api(intra, "v2/me", text).status_code for text in (mine, other, mine)] == [200, 200, 429]


def test_faults_strike_at_the_profile(intra: World) -> None:
    access_token = tokens(intra, mock_fault="userinfo.email-null")["access_token"]
    assert api(intra, "v2/me", access_token).json()["email"] is None
    access_token = tokens(intra, mock_fault="userinfo.http-500")["access_token"]
    assert api(intra, "v2/me", access_token).status_code == 500
