"""RFC 9068: JWT profile for access tokens; RFC 8707: resource indicators at the token endpoint."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from joserfc import jwt as joserfc_jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import KeySet

from tests.mock_idp.served import claims, error_of, header

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.mock_idp.served import World

API, OTHER = "https://api.example/v1", "https://other.example/"
APP = ("app", "app-secret")
CREDENTIALS = {"grant_type": "client_credentials"}


class TestSection2Token:
    """2."""

    @pytest.mark.parametrize("alg", ["RS256", "PS256", "ES256", "EdDSA"])
    def test_two_libraries_verify_it(self, new_tenant: Callable[..., World], alg: str) -> None:
        """2.1: 'JWT access tokens MUST be signed.'"""
        tenant = new_tenant(access_token="jwt", signing_alg=alg)
        token, jwks = tenant.tokens()["access_token"], tenant.get("jwks").json()
        key = jwt.PyJWKSet.from_dict(jwks)[header(token)["kid"]].key
        said = jwt.decode(token, key, algorithms=[alg], audience=tenant.issuer, issuer=tenant.issuer)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SecurityWarning)  # RFC 9864 has a new name for EdDSA
            assert joserfc_jwt.decode(token, KeySet.import_key_set(jwks), algorithms=[alg]).claims == said

    def test_its_type_is_at_jwt(self, new_tenant: Callable[..., World]) -> None:
        """2.1: 'the "typ" value ... "at+jwt"', so that nobody takes it for an ID Token."""
        tokens = new_tenant(access_token="jwt").tokens()
        assert header(tokens["access_token"])["typ"] == "at+jwt"
        assert header(tokens["id_token"])["typ"] != "at+jwt"

    def test_it_has_all_claims(self, new_tenant: Callable[..., World]) -> None:
        """2.2: 'iss', 'exp', 'aud', 'sub', 'client_id', 'iat', 'jti' are REQUIRED; 2.2.3: 'scope'."""
        tenant = new_tenant(access_token="jwt")
        tokens = tenant.tokens(scope="openid email")
        said = claims(tokens["access_token"])
        assert said["iss"] == said["aud"] == tenant.issuer
        assert (said["sub"], said["client_id"], said["scope"]) == ("alice", "app", "openid email")
        assert said["exp"] - said["iat"] == 3600
        assert said["auth_time"] == claims(tokens["id_token"])["auth_time"], "2.2.1"

    def test_no_two_are_the_same(self, new_tenant: Callable[..., World]) -> None:
        """2.2: 'jti'."""
        tenant = new_tenant(access_token="jwt")
        tokens = {tenant.post("token", CREDENTIALS, auth=APP).json()["access_token"] for _ in range(3)}
        assert len({claims(token)["jti"] for token in tokens}) == 3

    def test_a_client_that_acts_for_itself_is_the_subject(self, new_tenant: Callable[..., World]) -> None:
        """2.2: '"sub" SHOULD correspond to an identifier the authorization server uses to indicate the client'."""
        token = new_tenant(access_token="jwt").post("token", CREDENTIALS, auth=APP).json()["access_token"]
        assert (claims(token)["sub"], claims(token)["client_id"]) == ("app", "app")
        assert "auth_time" not in claims(token)

    def test_it_is_good_and_can_be_revoked(self, new_tenant: Callable[..., World]) -> None:
        """The provider keeps what it stands for, as with an opaque one."""
        tenant = new_tenant(access_token="jwt")
        token = tenant.tokens()["access_token"]
        assert tenant.userinfo(token).status_code == 200
        tenant.post("revoke", {"token": token}, auth=APP)
        assert tenant.userinfo(token).status_code == 401

    def test_an_id_token_is_no_access_token(self, new_tenant: Callable[..., World]) -> None:
        """2.1."""
        tenant = new_tenant(access_token="jwt")
        assert tenant.userinfo(tenant.tokens()["id_token"]).status_code == 401

    def test_a_tenant_may_have_a_usual_audience(self, new_tenant: Callable[..., World]) -> None:
        """3: 'a default resource indicator'."""
        assert claims(new_tenant(access_token="jwt", audience=["api"]).tokens()["access_token"])["aud"] == "api"

    def test_opaque_is_the_default(self, tenant: World) -> None:
        """It says nothing by itself."""
        assert "." not in tenant.tokens()["access_token"]


class TestResourceIndicators:
    """RFC 8707, section 2.2."""

    @pytest.fixture
    def jwts(self, new_tenant: Callable[..., World]) -> World:
        return new_tenant(access_token="jwt")

    def redeem(self, tenant: World, authorized: list[str] | None, asked: list[str] | None) -> Any:
        return tenant.redeem(tenant.code(resource=authorized), resource=asked)

    def test_the_audience_is_what_was_authorized(self, jwts: World) -> None:
        """'the authorization server uses the resource ... for the audience'."""
        assert claims(self.redeem(jwts, [API], None).json()["access_token"])["aud"] == API
        assert claims(self.redeem(jwts, [API, OTHER], None).json()["access_token"])["aud"] == [API, OTHER]

    def test_it_may_be_narrowed(self, jwts: World) -> None:
        """'down-scope': a token for one of them."""
        assert claims(self.redeem(jwts, [API, OTHER], [OTHER]).json()["access_token"])["aud"] == OTHER

    def test_at_a_refresh_another_one_may_be_asked_for(self, jwts: World) -> None:
        """Figure 4: one refresh token, an access token for each resource."""
        tokens = self.redeem(jwts, [API, OTHER], [OTHER]).json()
        assert claims(jwts.refresh(tokens["refresh_token"], resource=API).json()["access_token"])["aud"] == API

    def test_what_was_not_authorized_is_no_target(self, jwts: World) -> None:
        """'invalid_target: The requested resource is invalid, missing, unknown, or malformed.'"""
        assert error_of(self.redeem(jwts, [API], [OTHER])) == "invalid_target"
        tokens = self.redeem(jwts, [API], None).json()
        assert error_of(jwts.refresh(tokens["refresh_token"], resource=OTHER)) == "invalid_target"

    def test_it_may_be_named_here_first(self, jwts: World) -> None:
        """Where the authorization request left it open."""
        assert claims(self.redeem(jwts, None, [API]).json()["access_token"])["aud"] == API

    def test_with_client_credentials(self, jwts: World) -> None:
        """'applies to ... client credentials'."""
        token = jwts.post("token", {**CREDENTIALS, "resource": [API, OTHER]}, auth=APP).json()["access_token"]
        assert claims(token)["aud"] == [API, OTHER]

    @pytest.mark.parametrize(
        "resource", ["relative/path", "https://api.example/#fragment", "https://[", "a b:c", "api"]
    )
    def test_it_is_an_absolute_uri_without_a_fragment(self, jwts: World, resource: str) -> None:
        """2: 'MUST be an absolute URI', 'MUST NOT include a fragment component'."""
        response = jwts.post("token", {**CREDENTIALS, "resource": resource}, auth=APP)
        assert error_of(response) == "invalid_target"

    def test_a_tenant_may_list_its_resources(self, new_tenant: Callable[..., World]) -> None:
        """2: 'unknown'."""
        tenant = new_tenant(resources=[API])
        assert tenant.post("token", {**CREDENTIALS, "resource": API}, auth=APP).status_code == 200
        assert error_of(tenant.post("token", {**CREDENTIALS, "resource": OTHER}, auth=APP)) == "invalid_target"
