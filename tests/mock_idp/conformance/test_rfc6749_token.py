"""RFC 6749, token endpoint: client authentication, grants, responses and errors."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest

from mock_idp.records import Client, Grant
from tests.mock_idp.served import claims, error_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.mock_idp.served import World

CREDENTIALS = {"grant_type": "client_credentials"}
APP = ("app", "app-secret")


def add(tenant: World, client: Client) -> None:
    tenant.change(lambda t: t.clients.update({client.client_id: client}))


def revoke_all(tenant: World) -> None:
    """As signing out does."""

    async def revoke() -> None:
        store = tenant.served.provider.store
        for key in await store.records(tenant.name, Grant):
            await store.delete(tenant.name, Grant, key)

    tenant.served.run(revoke())


class TestSection231ClientPassword:
    """2.3.1."""

    def test_the_secret_comes_by_basic(self, tenant: World) -> None:
        """'The authorization server MUST support the HTTP Basic authentication scheme.'"""
        assert tenant.post("token", CREDENTIALS, auth=APP).status_code == 200

    def test_the_same_secret_comes_in_the_body(self, tenant: World) -> None:
        """'The authorization server MAY support including the client credentials in the request-body.'"""
        body = {**CREDENTIALS, "client_id": "app", "client_secret": "app-secret"}
        assert tenant.post("token", body).status_code == 200

    def test_credentials_in_the_url_do_not_count(self, tenant: World) -> None:
        """'The parameters ... MUST NOT be included in the request URI.'"""
        response = tenant.post("token?client_id=app&client_secret=app-secret", CREDENTIALS)
        assert (response.status_code, error_of(response)) == (401, "invalid_client")

    def test_two_ways_at_once_are_refused(self, tenant: World) -> None:
        """2.3: 'The client MUST NOT use more than one authentication method in each request.'"""
        response = tenant.post("token", {**CREDENTIALS, "client_secret": "app-secret"}, auth=APP)
        assert error_of(response) == "invalid_request"

    def test_basic_credentials_are_form_encoded_first(self, tenant: World) -> None:
        """'The client identifier is encoded using the application/x-www-form-urlencoded encoding algorithm.'"""
        add(tenant, Client("a b:c", secret="p+s %/ü"))
        sent = base64.b64encode(b"a+b%3Ac:p%2Bs+%25%2F%C3%BC").decode()
        assert tenant.post("token", CREDENTIALS, headers={"Authorization": f"Basic {sent}"}).status_code == 200

    def test_a_secret_that_was_not_encoded_is_explained(self, tenant: World) -> None:
        """The same, for the client that forgot it."""
        add(tenant, Client("raw", secret="p+s%41"))
        refused = tenant.post("token", CREDENTIALS, auth=("raw", "p+s%41"))
        assert error_of(refused) == "invalid_client"
        assert "form-encoded" in refused.json()["error_description"]

    def test_that_mistake_can_be_let_pass(self, tenant: World) -> None:
        """A named leniency, and the journal says when it did."""
        add(tenant, Client("raw", secret="p+s%41", lenient=["basic-not-encoded"]))
        assert tenant.post("token", CREDENTIALS, auth=("raw", "p+s%41")).status_code == 200
        assert tenant.journal()[-1].lenient == ["basic-not-encoded"]

    def test_so_is_a_client_id_that_was_not_encoded(self, tenant: World) -> None:
        """Else an open tenant would take it for some other client."""
        add(tenant, Client("a+b", secret="s"))
        refused = tenant.post("token", CREDENTIALS, auth=("a+b", "s"))
        assert error_of(refused) == "invalid_client"
        assert "form-encoded" in refused.json()["error_description"]
        tenant.change(lambda t: t.clients["a+b"].lenient.append("basic-not-encoded"))
        assert tenant.post("token", CREDENTIALS, auth=("a+b", "s")).status_code == 200
        assert tenant.journal()[-1].lenient == ["basic-not-encoded"]

    @pytest.mark.parametrize("sent", ["Basic", "Basic !!!", "Basic YXBw", "Basic /////w==", "basic " + "x" * 500])
    def test_unreadable_basic_credentials_are_refused(self, tenant: World, sent: str) -> None:
        """5.2 invalid_client."""
        response = tenant.post("token", CREDENTIALS, headers={"Authorization": sent})
        assert (response.status_code, error_of(response)) == (401, "invalid_client")

    def test_a_wrong_secret_is_refused(self, tenant: World) -> None:
        """3.2.1: 'Confidential clients ... MUST authenticate.'"""
        response = tenant.post("token", CREDENTIALS, auth=("app", "wrong"))
        assert (response.status_code, error_of(response)) == (401, "invalid_client")

    def test_a_confidential_client_cannot_leave_its_secret_out(self, tenant: World) -> None:
        """The same."""
        assert error_of(tenant.redeem(tenant.code(), auth=None, client_id="app")) == "invalid_client"

    def test_two_client_ids_are_refused(self, tenant: World) -> None:
        """Body and header have to agree."""
        assert error_of(tenant.post("token", {**CREDENTIALS, "client_id": "spa"}, auth=APP)) == "invalid_client"

    def test_a_client_may_be_held_to_one_method(self, tenant: World) -> None:
        """2.3: 'The authorization server may accept any form of client authentication meeting its requirements.'"""
        add(tenant, Client("basic", secret="s", auth_methods=["client_secret_basic"]))
        assert tenant.post("token", CREDENTIALS, auth=("basic", "s")).status_code == 200
        body = {**CREDENTIALS, "client_id": "basic", "client_secret": "s"}
        assert error_of(tenant.post("token", body)) == "invalid_client"


class TestSection32TokenEndpoint:
    """3.2."""

    def test_only_post_is_taken(self, tenant: World) -> None:
        """'The client MUST use the HTTP "POST" method.'"""
        response = tenant.get("token", params=CREDENTIALS)
        assert response.status_code == 405
        assert "POST" in response.headers["allow"]

    def test_empty_parameters_count_as_omitted(self, tenant: World) -> None:
        """'Parameters sent without a value MUST be treated as if they were omitted from the request.'"""
        assert tenant.post("token", {**CREDENTIALS, "scope": "", "code": ""}, auth=APP).status_code == 200
        assert error_of(tenant.post("token", {"grant_type": ""}, auth=APP)) == "invalid_request"

    def test_unknown_parameters_are_ignored(self, tenant: World) -> None:
        """'The authorization server MUST ignore unrecognized request parameters.'"""
        assert tenant.post("token", {**CREDENTIALS, "favourite": "tea"}, auth=APP).status_code == 200

    def test_repeated_parameters_are_refused(self, tenant: World) -> None:
        """'Request and response parameters MUST NOT be included more than once.'"""
        response = tenant.http.post(
            f"{tenant.issuer}/token",
            content="grant_type=client_credentials&grant_type=client_credentials",
            headers={"content-type": "application/x-www-form-urlencoded"},
            auth=APP,
        )
        assert error_of(response) == "invalid_request"

    def test_the_body_is_a_form(self, tenant: World) -> None:
        """4.4.2: 'using the "application/x-www-form-urlencoded" format'."""
        assert error_of(tenant.http.post(f"{tenant.issuer}/token", json=CREDENTIALS, auth=APP)) == "invalid_request"

    def test_a_charset_does_not_matter(self, tenant: World) -> None:
        """Real clients send one."""
        kind = {"content-type": "application/x-www-form-urlencoded; charset=UTF-8"}
        body = "grant_type=client_credentials"
        assert tenant.http.post(f"{tenant.issuer}/token", content=body, headers=kind, auth=APP).status_code == 200


class TestSection44ClientCredentials:
    """4.4."""

    def test_only_for_clients_that_authenticate(self, tenant: World) -> None:
        """'The client credentials grant type MUST only be used by confidential clients.'"""
        assert error_of(tenant.post("token", {**CREDENTIALS, "client_id": "spa"})) == "unauthorized_client"
        assert error_of(tenant.post("token", {**CREDENTIALS, "client_id": "nobody"})) == "unauthorized_client"

    def test_no_refresh_token_is_issued(self, tenant: World) -> None:
        """4.4.3: 'A refresh token SHOULD NOT be included.'"""
        tokens = tenant.post("token", {**CREDENTIALS, "scope": "api openid"}, auth=APP).json()
        assert tokens["scope"] == "api openid"
        assert not tokens.keys() & {"refresh_token", "id_token"}

    def test_the_token_stands_for_no_person(self, tenant: World) -> None:
        """UserInfo has nobody to speak of."""
        token = tenant.post("token", {**CREDENTIALS, "scope": "openid"}, auth=APP).json()["access_token"]
        response = tenant.userinfo(token)
        assert (response.status_code, error_of(response)) == (401, "invalid_token")

    def test_any_client_may_come_by_itself(self, tenant: World) -> None:
        """An open tenant knows no secret to compare with; the journal says so."""
        assert tenant.post("token", CREDENTIALS, auth=("whoever", "whatever")).status_code == 200
        assert "client-unregistered" in tenant.journal()[-1].notes

    def test_a_strict_tenant_knows_its_clients(self, new_tenant: Callable[..., World]) -> None:
        """5.2: 'invalid_client: unknown client'."""
        strict = new_tenant(strict=True)
        assert error_of(strict.post("token", CREDENTIALS, auth=("whoever", "whatever"))) == "invalid_client"
        assert strict.post("token", CREDENTIALS, auth=APP).status_code == 200

    def test_a_strict_tenant_knows_its_scopes(self, new_tenant: Callable[..., World]) -> None:
        """3.3: 'invalid_scope'."""
        strict = new_tenant(strict=True, scopes=["openid", "api"])
        assert strict.post("token", {**CREDENTIALS, "scope": "api"}, auth=APP).status_code == 200
        assert error_of(strict.post("token", {**CREDENTIALS, "scope": "admin"}, auth=APP)) == "invalid_scope"

    @pytest.mark.parametrize("scope", ['a"b', "a\\b", "ä", "a\tb"])
    def test_a_scope_holds_only_what_it_may(self, tenant: World, scope: str) -> None:
        """3.3: scope-token = 1*( %x21 / %x23-5B / %x5D-7E )."""
        assert error_of(tenant.post("token", {**CREDENTIALS, "scope": scope}, auth=APP)) == "invalid_scope"


class TestSection51SuccessfulResponse:
    """5.1."""

    def test_it_is_json_that_nobody_stores(self, tenant: World) -> None:
        """'MUST include the HTTP "Cache-Control" response header field with a value of "no-store".'"""
        response = tenant.post("token", CREDENTIALS, auth=APP)
        assert response.headers["content-type"] == "application/json"
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["pragma"] == "no-cache"

    def test_its_members_have_their_types(self, tenant: World) -> None:
        """'access_token', 'token_type', 'expires_in' (a number), 'scope' (a text)."""
        tokens = tenant.tokens(scope="openid email")
        assert tokens["token_type"] == "Bearer"
        assert tokens["expires_in"] == 3600
        assert tokens["scope"] == "openid email"
        assert isinstance(tokens["access_token"], str)
        assert isinstance(tokens["refresh_token"], str)


class TestSection52ErrorResponse:
    """5.2."""

    def test_a_failed_authentication_names_the_scheme(self, tenant: World) -> None:
        """'MUST respond with 401 ... and include the "WWW-Authenticate" response header field.'"""
        response = tenant.post("token", CREDENTIALS, auth=("app", "wrong"))
        assert response.headers["www-authenticate"].startswith("Basic ")
        assert response.headers["cache-control"] == "no-store"

    def test_an_unknown_grant_type_is_unsupported(self, tenant: World) -> None:
        """'unsupported_grant_type'."""
        assert error_of(tenant.post("token", {"grant_type": "password"}, auth=APP)) == "unsupported_grant_type"

    def test_a_grant_type_can_be_switched_off(self, new_tenant: Callable[..., World]) -> None:
        """Discovery and the endpoint agree."""
        without = new_tenant(grant_types=["authorization_code"])
        assert without.get(".well-known/openid-configuration").json()["grant_types_supported"] == ["authorization_code"]
        assert error_of(without.post("token", CREDENTIALS, auth=APP)) == "unsupported_grant_type"
        assert "refresh_token" not in without.tokens()

    def test_a_client_may_be_limited_to_grant_types(self, tenant: World) -> None:
        """'unauthorized_client: The authenticated client is not authorized to use this authorization grant type.'"""
        add(tenant, Client("only", secret="s", grant_types=["refresh_token"]))
        assert error_of(tenant.post("token", CREDENTIALS, auth=("only", "s"))) == "unauthorized_client"

    def test_a_client_without_the_refresh_grant_gets_no_refresh_token(self, tenant: World) -> None:
        """What it may not use it is not given."""
        tenant.change(lambda t: setattr(t.clients["app"], "grant_types", ["authorization_code"]))
        assert "refresh_token" not in tenant.tokens()

    @pytest.mark.parametrize("grant", ["authorization_code", "refresh_token"])
    def test_what_is_missing_is_an_invalid_request(self, tenant: World, grant: str) -> None:
        """'The request is missing a required parameter.'"""
        assert error_of(tenant.post("token", {"grant_type": grant}, auth=APP)) == "invalid_request"

    def test_what_was_never_issued_is_an_invalid_grant(self, tenant: World) -> None:
        """'invalid_grant: ... is invalid, expired, revoked ...'"""
        assert error_of(tenant.redeem("made-up")) == "invalid_grant"
        assert error_of(tenant.refresh("made-up")) == "invalid_grant"

    def test_the_sentence_names_its_source(self, tenant: World) -> None:
        """'error_description: ... used to assist the client developer'."""
        assert "RFC 6749" in tenant.redeem("made-up").json()["error_description"]


class TestWhatWasTakenBack:
    """What somebody has allowed may be revoked before it is used."""

    def test_a_code_is_worth_nothing_then(self, tenant: World) -> None:
        """5.2: 'invalid_grant: ... revoked'."""
        code = tenant.code()
        revoke_all(tenant)
        assert error_of(tenant.redeem(code)) == "invalid_grant"

    def test_nor_is_a_refresh_token(self, tenant: World) -> None:
        """The same."""
        token = tenant.tokens()["refresh_token"]
        revoke_all(tenant)
        assert error_of(tenant.refresh(token)) == "invalid_grant"


class TestFaultsWithoutAnAuthorization:
    """Grants that begin at the token endpoint name their faults there."""

    def test_a_fault_strikes(self, tenant: World) -> None:
        """And only there."""
        response = tenant.post("token", {**CREDENTIALS, "mock_fault": "token.http-500"}, auth=APP)
        assert response.status_code == 500
        assert tenant.journal()[-1].faults == ["token.http-500"]
        assert tenant.post("token", CREDENTIALS, auth=APP).status_code == 200

    def test_an_unknown_one_is_told(self, tenant: World) -> None:
        """With the nearest one."""
        response = tenant.post("token", {**CREDENTIALS, "mock_fault": "token.http-501"}, auth=APP)
        assert error_of(response) == "invalid_request"
        assert "token.http-500" in response.json()["error_description"]


class TestSection6RefreshToken:
    """6."""

    def test_it_gives_new_tokens(self, tenant: World) -> None:
        """'If valid and authorized, the authorization server issues an access token.'"""
        first = tenant.tokens()
        second = tenant.refresh(first["refresh_token"]).json()
        assert second["access_token"] != first["access_token"]
        assert tenant.userinfo(second["access_token"]).json()["sub"] == "alice"

    def test_only_its_own_client_may_use_it(self, tenant: World) -> None:
        """'Validate ... that the refresh token was issued to the authenticated client.'"""
        token = tenant.tokens()["refresh_token"]
        foreign = {"grant_type": "refresh_token", "refresh_token": token, "client_id": "spa"}
        assert error_of(tenant.post("token", foreign)) == "invalid_grant"
        assert tenant.refresh(token).status_code == 200, "the other client did not use it up"

    def test_the_scope_may_be_narrowed(self, tenant: World) -> None:
        """'The requested scope MUST NOT include any scope not originally granted.'"""
        token = tenant.tokens(scope="openid email profile")["refresh_token"]
        narrowed = tenant.refresh(token, scope="openid").json()
        assert narrowed["scope"] == "openid"
        assert "email" not in tenant.userinfo(narrowed["access_token"]).json()

    def test_the_next_refresh_token_has_the_whole_scope_again(self, tenant: World) -> None:
        """'If a new refresh token is issued, the refresh token scope MUST be identical.'"""
        token = tenant.tokens(scope="openid email")["refresh_token"]
        narrowed = tenant.refresh(token, scope="openid").json()
        assert tenant.refresh(narrowed["refresh_token"]).json()["scope"] == "openid email"

    def test_the_scope_cannot_grow(self, tenant: World) -> None:
        """The same; and a refused request uses nothing up."""
        token = tenant.tokens(scope="openid")["refresh_token"]
        assert error_of(tenant.refresh(token, scope="openid email")) == "invalid_scope"
        assert tenant.refresh(token).status_code == 200

    def test_it_expires_by_the_tenants_clock(self, tenant: World) -> None:
        """'invalid_grant: ... expired'."""
        token = tenant.tokens()["refresh_token"]
        tenant.change(lambda t: setattr(t.clock, "offset", 31 * 24 * 3600.0))
        assert error_of(tenant.refresh(token)) == "invalid_grant"

    def test_a_family_ends_when_its_first_token_would_have(self, tenant: World) -> None:
        """Rotation does not make it live for ever."""
        token = tenant.tokens()["refresh_token"]
        tenant.change(lambda t: setattr(t.clock, "offset", 20 * 24 * 3600.0))
        token = tenant.refresh(token).json()["refresh_token"]
        tenant.change(lambda t: setattr(t.clock, "offset", 31 * 24 * 3600.0))
        assert error_of(tenant.refresh(token)) == "invalid_grant"


class TestRotation:
    """RFC 9700, section 4.14.2."""

    def test_each_use_gives_another_one(self, tenant: World) -> None:
        """'The authorization server issues a new refresh token with every access token refresh response.'"""
        first = tenant.tokens()["refresh_token"]
        second = tenant.refresh(first).json()["refresh_token"]
        third = tenant.refresh(second).json()["refresh_token"]
        assert len({first, second, third}) == 3

    def test_reuse_kills_the_whole_family(self, tenant: World) -> None:
        """'If a refresh token is compromised ... the authorization server ... revoke the active refresh token.'"""
        first = tenant.tokens()
        second = tenant.refresh(first["refresh_token"]).json()
        assert error_of(tenant.refresh(first["refresh_token"])) == "invalid_grant"
        assert error_of(tenant.refresh(second["refresh_token"])) == "invalid_grant"
        assert tenant.userinfo(first["access_token"]).status_code == 401
        assert tenant.userinfo(second["access_token"]).status_code == 401

    def test_another_family_lives_on(self, tenant: World) -> None:
        """Another sign-in of the same person is another family."""
        first, other = tenant.tokens(), tenant.tokens()
        tenant.refresh(first["refresh_token"])
        tenant.refresh(first["refresh_token"])
        assert tenant.refresh(other["refresh_token"]).status_code == 200

    def test_a_grace_gives_the_same_successor_again(self, new_tenant: Callable[..., World]) -> None:
        """Against lost answers: two live successors would be a fork of the family."""
        tenant = new_tenant(refresh_grace=10)
        first = tenant.tokens()["refresh_token"]
        answers = [tenant.refresh(first).json() for _ in range(3)]
        assert len({answer["refresh_token"] for answer in answers}) == 1
        assert len({answer["access_token"] for answer in answers}) == 3
        assert tenant.refresh(answers[0]["refresh_token"]).status_code == 200
        assert "refresh-token-reused-within-grace" in tenant.journal()[-2].notes

    def test_grace_ends_with_its_seconds(self, new_tenant: Callable[..., World]) -> None:
        """By the tenant's clock."""
        tenant = new_tenant(refresh_grace=10)
        first = tenant.tokens()["refresh_token"]
        second = tenant.refresh(first).json()["refresh_token"]
        tenant.change(lambda t: setattr(t.clock, "offset", 11.0))
        assert error_of(tenant.refresh(first)) == "invalid_grant"
        assert error_of(tenant.refresh(second)) == "invalid_grant"

    def test_grace_ends_when_the_successor_is_used(self, new_tenant: Callable[..., World]) -> None:
        """Then the answer was not lost."""
        tenant = new_tenant(refresh_grace=10)
        first = tenant.tokens()["refresh_token"]
        second = tenant.refresh(first).json()["refresh_token"]
        third = tenant.refresh(second).json()["refresh_token"]
        assert error_of(tenant.refresh(first)) == "invalid_grant"
        assert error_of(tenant.refresh(third)) == "invalid_grant"

    def test_reuse_may_be_let_pass(self, tenant: World) -> None:
        """A named leniency, and the journal says when it did."""
        tenant.change(lambda t: t.clients["app"].lenient.append("refresh-token-reuse"))
        token = tenant.tokens()["refresh_token"]
        assert tenant.refresh(token).status_code == 200
        assert tenant.refresh(token).status_code == 200
        assert tenant.journal()[-1].lenient == ["refresh-token-reuse"]

    def test_fixed_tokens_stay(self, new_tenant: Callable[..., World]) -> None:
        """RFC 6749, section 6: 'The authorization server MAY issue a new refresh token' - or not."""
        tenant = new_tenant(refresh="fixed")
        token = tenant.tokens()["refresh_token"]
        for _ in range(3):
            answer = tenant.refresh(token)
            assert answer.status_code == 200
            assert "refresh_token" not in answer.json()

    def test_they_may_be_omitted(self, new_tenant: Callable[..., World]) -> None:
        """RFC 6749, 1.5: 'Issuing a refresh token is optional at the discretion of the authorization server.'"""
        tenant = new_tenant(refresh="omit")
        assert "refresh_token" not in tenant.tokens()
        assert "refresh_token" not in tenant.get(".well-known/openid-configuration").json()["grant_types_supported"]

    def test_they_may_depend_on_offline_access(self, new_tenant: Callable[..., World]) -> None:
        """OpenID Connect Core 1.0, section 11."""
        tenant = new_tenant(refresh_scope=True)
        assert "refresh_token" not in tenant.tokens(scope="openid")
        token = tenant.tokens(scope="openid offline_access")["refresh_token"]
        assert "refresh_token" in tenant.refresh(token, scope="openid").json()


class TestIdTokenAtRefresh:
    """OpenID Connect Core 1.0, section 12.2."""

    def test_it_says_the_same_of_the_same_person(self, tenant: World) -> None:
        """'its iss ... sub ... auth_time Claim Value MUST be the same', 'aud MUST include' the original's."""
        first = tenant.tokens(nonce="n")
        tenant.change(lambda t: setattr(t.clock, "offset", 100.0))
        second = tenant.refresh(first["refresh_token"]).json()
        old, new = claims(first["id_token"]), claims(second["id_token"])
        assert {name: new[name] for name in ("iss", "sub", "aud", "auth_time", "sid")} == {
            name: old[name] for name in ("iss", "sub", "aud", "auth_time", "sid")
        }
        assert 98 <= new["iat"] - old["iat"] <= 110

    def test_it_has_no_nonce(self, tenant: World) -> None:
        """'It SHOULD NOT have a nonce Claim, even when the ID Token issued at the time of the original ... did.'"""
        first = tenant.tokens(nonce="n")
        assert claims(first["id_token"])["nonce"] == "n"
        assert "nonce" not in claims(tenant.refresh(first["refresh_token"]).json()["id_token"])

    def test_none_comes_without_openid(self, tenant: World) -> None:
        """'Upon successful validation ... might not contain an id_token.'"""
        first = tenant.tokens(scope="openid email")
        assert "id_token" not in tenant.refresh(first["refresh_token"], scope="email").json()
