"""RFC 7662: token introspection; RFC 7009: token revocation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from mock_idp.records import Client
from tests.mock_idp.served import error_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.mock_idp.served import World

APP = ("app", "app-secret")
INACTIVE = {"active": False}


def introspect(tenant: World, token: str, auth: tuple[str, str] = APP, **parameters: str) -> dict[str, Any]:
    response = tenant.post("introspect", {"token": token, **parameters}, auth=auth)
    assert response.status_code == 200, response.text
    told: dict[str, Any] = response.json()
    return told


class TestIntrospection:
    """RFC 7662, section 2."""

    def test_a_live_access_token_is_described(self, tenant: World) -> None:
        """2.2: 'active' is REQUIRED, the others OPTIONAL."""
        told = introspect(tenant, tenant.tokens(scope="openid email")["access_token"])
        assert told["active"] is True
        assert told["exp"] - told["iat"] == 3600
        assert {name: told[name] for name in ("scope", "client_id", "username", "token_type", "sub", "aud", "iss")} == {
            "scope": "openid email",
            "client_id": "app",
            "username": "alice",
            "token_type": "Bearer",
            "sub": "alice",
            "aud": tenant.issuer,
            "iss": tenant.issuer,
        }

    def test_a_jwt_access_token_as_well(self, new_tenant: Callable[..., World]) -> None:
        """It stands for the same."""
        tenant = new_tenant(access_token="jwt")
        assert introspect(tenant, tenant.tokens()["access_token"])["sub"] == "alice"

    def test_a_refresh_token_is_described_to_its_client(self, tenant: World) -> None:
        """2.1: 'token: ... refresh_token'."""
        token = tenant.tokens()["refresh_token"]
        assert introspect(tenant, token)["active"] is True
        assert introspect(tenant, token, token_type_hint="access_token")["active"] is True, "a wrong hint is no matter"
        assert "token_type" not in introspect(tenant, token)

    def test_and_to_nobody_else(self, tenant: World) -> None:
        """4: 'it is particularly important ... not to leak'."""
        tenant.change(lambda t: t.clients.update(api=Client("api", secret="s")))
        tokens = tenant.tokens()
        assert introspect(tenant, tokens["refresh_token"], ("api", "s")) == INACTIVE
        assert introspect(tenant, tokens["access_token"], ("api", "s"))["active"] is True, "a resource server asks"

    @pytest.mark.parametrize("token", ["garbage", "a.b.c", "e30.e30."])
    def test_garbage_is_inactive_and_nothing_more(self, tenant: World, token: str) -> None:
        """2.2: 'SHOULD NOT include any additional information about an inactive token'."""
        assert introspect(tenant, token) == INACTIVE

    def test_an_id_token_is_inactive(self, tenant: World) -> None:
        """It gives access to nothing."""
        assert introspect(tenant, tenant.tokens()["id_token"]) == INACTIVE

    def test_expired_and_used_tokens_are_inactive(self, tenant: World) -> None:
        """2.2: 'has not been revoked', 'within its given time window of validity'."""
        tokens = tenant.tokens()
        tenant.refresh(tokens["refresh_token"])
        assert introspect(tenant, tokens["refresh_token"]) == INACTIVE
        tenant.change(lambda t: setattr(t.clock, "offset", 3601.0))
        assert introspect(tenant, tokens["access_token"]) == INACTIVE

    def test_the_client_authenticates(self, tenant: World) -> None:
        """2.1: 'the endpoint MUST also require some form of authorization to access this endpoint'."""
        token = tenant.tokens()["access_token"]
        for who in ({}, {"client_id": "spa"}, {"client_id": "nobody"}, {"client_id": "app"}):
            response = tenant.post("introspect", {"token": token, **who})
            assert (response.status_code, error_of(response)) == (401, "invalid_client")

    def test_the_token_is_missed(self, tenant: World) -> None:
        """2.1: 'token: REQUIRED'."""
        assert error_of(tenant.post("introspect", {}, auth=APP)) == "invalid_request"

    def test_only_post(self, tenant: World) -> None:
        """2.1: 'HTTP POST request', lest tokens end in logs."""
        assert tenant.get("introspect", params={"token": "t"}, auth=APP).status_code == 405

    def test_nobody_stores_it(self, tenant: World) -> None:
        """4."""
        assert tenant.post("introspect", {"token": "t"}, auth=APP).headers["cache-control"] == "no-store"

    def test_client_credentials_have_no_username(self, tenant: World) -> None:
        """2.2: 'username: for the resource owner'."""
        token = tenant.post("token", {"grant_type": "client_credentials"}, auth=APP).json()["access_token"]
        told = introspect(tenant, token)
        assert told["sub"] == "app"
        assert "username" not in told

    def test_discovery_names_both_endpoints(self, tenant: World) -> None:
        """RFC 8414, 2."""
        found = tenant.get(".well-known/openid-configuration").json()
        assert found["introspection_endpoint"] == f"{tenant.issuer}/introspect"
        assert found["revocation_endpoint"] == f"{tenant.issuer}/revoke"


class TestRevocation:
    """RFC 7009, section 2."""

    def revoke(self, tenant: World, token: str, **parameters: str) -> None:
        response = tenant.post("revoke", {"token": token, **parameters}, auth=APP)
        assert (response.status_code, response.content) == (200, b"")

    def test_a_revoked_access_token_is_dead(self, tenant: World) -> None:
        """2.1: 'The invalidation takes place immediately.'"""
        tokens = tenant.tokens()
        self.revoke(tenant, tokens["access_token"])
        assert tenant.userinfo(tokens["access_token"]).status_code == 401
        assert tenant.refresh(tokens["refresh_token"]).status_code == 200, "its grant lives on"

    def test_a_revoked_refresh_token_takes_its_access_tokens_along(self, tenant: World) -> None:
        """2.1: 'SHOULD also invalidate all access tokens based on the same authorization grant'."""
        tokens = tenant.tokens()
        newer = tenant.refresh(tokens["refresh_token"]).json()
        self.revoke(tenant, newer["refresh_token"], token_type_hint="refresh_token")
        assert tenant.userinfo(tokens["access_token"]).status_code == 401
        assert tenant.userinfo(newer["access_token"]).status_code == 401
        assert error_of(tenant.refresh(newer["refresh_token"])) == "invalid_grant"

    @pytest.mark.parametrize("hint", ["access_token", "id_token", "nonsense"])
    def test_a_wrong_hint_is_no_matter(self, tenant: World, hint: str) -> None:
        """2.1: 'MUST extend its search across all of its supported token types'."""
        tokens = tenant.tokens()
        self.revoke(tenant, tokens["refresh_token"], token_type_hint=hint)
        assert error_of(tenant.refresh(tokens["refresh_token"])) == "invalid_grant"

    def test_an_unknown_token_is_as_good_as_revoked(self, tenant: World) -> None:
        """2.2: 'invalid tokens do not cause an error response'."""
        self.revoke(tenant, "made-up")

    def test_twice_is_fine(self, tenant: World) -> None:
        """The same."""
        token = tenant.tokens()["access_token"]
        self.revoke(tenant, token)
        self.revoke(tenant, token)

    def test_a_foreign_clients_token_is_untouched(self, tenant: World) -> None:
        """2.1: 'verifies whether the token was issued to the client making the revocation request'."""
        tokens = tenant.tokens()
        for name in ("access_token", "refresh_token"):
            response = tenant.post("revoke", {"token": tokens[name], "client_id": "spa"})
            assert error_of(response) == "invalid_grant"
        assert tenant.userinfo(tokens["access_token"]).status_code == 200
        assert tenant.refresh(tokens["refresh_token"]).status_code == 200

    def test_a_public_client_names_itself(self, tenant: World) -> None:
        """2.1: 'In the case of a public client ... verifies whether the token was issued to the client'."""
        token = tenant.redeem(tenant.code(client_id="spa"), auth=None, client_id="spa").json()["access_token"]
        assert tenant.post("revoke", {"token": token, "client_id": "spa"}).status_code == 200
        assert tenant.userinfo(token).status_code == 401

    def test_a_confidential_client_authenticates(self, tenant: World) -> None:
        """2.1: 'first validates the client credentials'."""
        response = tenant.post("revoke", {"token": tenant.tokens()["access_token"], "client_id": "app"})
        assert (response.status_code, error_of(response)) == (401, "invalid_client")

    def test_the_token_is_missed(self, tenant: World) -> None:
        """2.1: 'token: REQUIRED'."""
        assert error_of(tenant.post("revoke", {}, auth=APP)) == "invalid_request"
