"""OpenID Connect Core 1.0, section 5.3: UserInfo, with RFC 6750."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jwt
import pytest

from tests.mock_idp.served import claims, error_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.mock_idp.served import World

ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]


class TestSection531Request:
    """5.3.1."""

    def test_get_with_a_header(self, tenant: World) -> None:
        """'RECOMMENDED that the request use the HTTP GET method and the Access Token be sent using the header.'"""
        assert tenant.userinfo(tenant.tokens()["access_token"]).json()["sub"] == "alice"

    def test_post_with_a_header(self, tenant: World) -> None:
        """5.3: 'MUST support the use of the HTTP GET and HTTP POST methods'."""
        token = tenant.tokens()["access_token"]
        response = tenant.post("userinfo", headers={"Authorization": f"Bearer {token}"})
        assert response.json()["sub"] == "alice"

    def test_post_with_a_form(self, tenant: World) -> None:
        """RFC 6750, 2.2: 'Form-Encoded Body Parameter'."""
        assert tenant.post("userinfo", {"access_token": tenant.tokens()["access_token"]}).json()["sub"] == "alice"

    def test_a_token_in_two_places_is_refused(self, tenant: World) -> None:
        """RFC 6750, 2: 'Clients MUST NOT use more than one method to transmit the token in each request.'"""
        token = tenant.tokens()["access_token"]
        response = tenant.post("userinfo", {"access_token": token}, headers={"Authorization": f"Bearer {token}"})
        assert response.status_code == 400
        assert 'error="invalid_request"' in response.headers["www-authenticate"]

    def test_the_scheme_is_of_any_case(self, tenant: World) -> None:
        """RFC 9110, 11.1."""
        token = tenant.tokens()["access_token"]
        assert tenant.get("userinfo", headers={"Authorization": f"bEARER {token}"}).status_code == 200

    def test_a_token_in_the_url_is_refused(self, tenant: World) -> None:
        """RFC 9700, 4.3.2: 'MUST NOT ... in a URI query parameter'."""
        response = tenant.get("userinfo", params={"access_token": tenant.tokens()["access_token"]})
        assert response.status_code == 401


class TestSection532Response:
    """5.3.2."""

    def test_the_subject_is_that_of_the_id_token(self, tenant: World) -> None:
        """'The sub Claim in the UserInfo Response MUST be verified to exactly match the sub Claim in the ID Token.'"""
        tokens = tenant.tokens()
        assert tenant.userinfo(tokens["access_token"]).json()["sub"] == claims(tokens["id_token"])["sub"]

    def test_scopes_release_claims(self, tenant: World) -> None:
        """5.4: 'profile', 'email'."""
        assert tenant.userinfo(tenant.tokens(scope="openid")["access_token"]).json() == {"sub": "alice"}
        told = tenant.userinfo(tenant.tokens(scope="openid email")["access_token"]).json()
        assert told == {"sub": "alice", "email": "alice@example.test", "email_verified": True}

    def test_it_is_json_that_nobody_stores(self, tenant: World) -> None:
        """'The content-type of the HTTP response MUST be application/json' where it is not signed."""
        response = tenant.userinfo(tenant.tokens()["access_token"])
        assert response.headers["content-type"] == "application/json"
        assert response.headers["cache-control"] == "no-store"

    @pytest.mark.parametrize("alg", ALGORITHMS)
    def test_a_tenant_may_sign_it(self, new_tenant: Callable[..., World], alg: str) -> None:
        """'If signed, the UserInfo Response MUST contain the Claims iss ... and aud', as application/jwt."""
        tenant = new_tenant(userinfo_signed=True, signing_alg=alg)
        response = tenant.userinfo(tenant.tokens()["access_token"])
        assert response.headers["content-type"] == "application/jwt"
        kid = jwt.get_unverified_header(response.text)["kid"]
        key = jwt.PyJWKSet.from_dict(tenant.get("jwks").json())[kid].key
        said = jwt.decode(response.text, key, algorithms=[alg], audience="app", issuer=tenant.issuer)
        assert (said["sub"], said["email"]) == ("alice", "alice@example.test")

    @pytest.mark.parametrize("alg", ALGORITHMS)
    def test_a_client_may_be_registered_for_it(self, tenant: World, alg: str) -> None:
        """'userinfo_signed_response_alg': with a key of that algorithm, which the tenant publishes from then on."""
        tenant.change(lambda t: setattr(t.clients["app"], "userinfo_signed_alg", alg))
        text = tenant.userinfo(tenant.tokens()["access_token"]).text
        kid = jwt.get_unverified_header(text)["kid"]
        key = jwt.PyJWKSet.from_dict(tenant.get("jwks").json())[kid].key
        assert jwt.decode(text, key, algorithms=[alg], audience="app", issuer=tenant.issuer)["sub"] == "alice"
        again = tenant.userinfo(tenant.tokens()["access_token"]).text
        assert jwt.get_unverified_header(again)["kid"] == kid


class TestSection533Error:
    """5.3.3 and RFC 6750, section 3."""

    def test_no_token_gets_a_bare_challenge(self, tenant: World) -> None:
        """3.1: 'the resource server SHOULD NOT include an error code or other error information'."""
        response = tenant.get("userinfo")
        assert response.status_code == 401
        challenges = response.headers.get_list("www-authenticate")
        assert [challenge.split()[0] for challenge in challenges] == ["Bearer", "DPoP"]
        assert not any("error" in challenge for challenge in challenges)

    @pytest.mark.parametrize("token", ["made-up", "a.b.c", "x y", "é"])
    def test_a_bad_token_is_told(self, tenant: World, token: str) -> None:
        """3.1: 'invalid_token: ... expired, revoked, malformed, or invalid for other reasons'."""
        response = tenant.http.get(f"{tenant.issuer}/userinfo", headers={b"Authorization": f"Bearer {token}".encode()})
        assert response.status_code == 401
        assert 'error="invalid_token"' in response.headers["www-authenticate"]

    def test_an_expired_token_is_told(self, tenant: World) -> None:
        """By the tenant's clock."""
        token = tenant.tokens()["access_token"]
        tenant.change(lambda t: setattr(t.clock, "offset", 3601.0))
        assert error_of(tenant.userinfo(token)) == "invalid_token"

    def test_other_tokens_are_none(self, tenant: World) -> None:
        """Neither ID Token nor refresh token gives access."""
        tokens = tenant.tokens()
        assert tenant.userinfo(tokens["id_token"]).status_code == 401
        assert tenant.userinfo(tokens["refresh_token"]).status_code == 401

    def test_a_token_of_another_tenant_is_none(self, tenant: World, new_tenant: Callable[..., World]) -> None:
        """Tenants are isolated."""
        assert tenant.userinfo(new_tenant().tokens()["access_token"]).status_code == 401

    def test_openid_has_to_be_granted(self, tenant: World) -> None:
        """3.1: 'insufficient_scope' with 403 and the scope that is needed."""
        response = tenant.userinfo(tenant.tokens(scope="email")["access_token"])
        assert (response.status_code, error_of(response)) == (403, "insufficient_scope")
        assert 'scope="openid"' in response.headers["www-authenticate"]

    def test_that_can_be_let_pass(self, tenant: World) -> None:
        """A named leniency, and the journal says when it did."""
        tenant.change(lambda t: t.clients["app"].lenient.append("userinfo-without-openid"))
        assert tenant.userinfo(tenant.tokens(scope="email")["access_token"]).status_code == 200
        assert tenant.journal()[-1].lenient == ["userinfo-without-openid"]

    def test_a_body_that_is_no_form_is_told(self, tenant: World) -> None:
        """No 5xx."""
        assert tenant.http.post(f"{tenant.issuer}/userinfo", json={"access_token": "x"}).status_code == 400


class TestCors:
    """5.3: 'SHOULD support the use of Cross-Origin Resource Sharing'."""

    def test_a_page_of_another_origin_may_ask(self, tenant: World) -> None:
        """And sees the challenge."""
        response = tenant.get("userinfo", headers={"Origin": "https://spa.example"})
        assert response.headers["access-control-allow-origin"] == "*"
        assert "www-authenticate" in response.headers["access-control-expose-headers"].lower()
