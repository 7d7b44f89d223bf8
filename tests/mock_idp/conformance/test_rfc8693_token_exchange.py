"""RFC 8693: token exchange."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.mock_idp.served import claims, error_of, header

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from tests.mock_idp.served import World

GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
TYPE = "urn:ietf:params:oauth:token-type:"
ACCESS, ID, JWT = f"{TYPE}access_token", f"{TYPE}id_token", f"{TYPE}jwt"
APP = ("app", "app-secret")


def exchange(tenant: World, token: str | None, kind: str | None = ACCESS, **parameters: Any) -> httpx.Response:
    sent = {"grant_type": GRANT, "subject_token": token, "subject_token_type": kind, **parameters}
    return tenant.post("token", {name: value for name, value in sent.items() if value is not None}, auth=APP)


def tokens_of(tenant: World, name: str, **parameters: Any) -> dict[str, Any]:
    return tenant.tokens(login_hint=name, **parameters)


class TestSection21Request:
    """2.1."""

    def test_an_access_token_is_exchanged(self, tenant: World) -> None:
        """2.2.1: 'access_token', 'issued_token_type', 'token_type' are REQUIRED."""
        tokens = exchange(tenant, tenant.tokens()["access_token"]).json()
        assert tokens["issued_token_type"] == ACCESS
        assert tokens["token_type"] == "Bearer"
        assert tokens["expires_in"] == 3600
        assert tenant.userinfo(tokens["access_token"]).json()["sub"] == "alice"

    @pytest.mark.parametrize("kind", [ID, JWT])
    def test_an_id_token_is_exchanged(self, tenant: World, kind: str) -> None:
        """3: 'urn:ietf:params:oauth:token-type:id_token'."""
        tokens = exchange(tenant, tenant.tokens()["id_token"], kind, scope="openid", audience="api").json()
        assert tenant.userinfo(tokens["access_token"]).json()["sub"] == "alice"

    def test_a_jwt_may_be_asked_for(self, tenant: World) -> None:
        """3: 'urn:ietf:params:oauth:token-type:jwt', also where access tokens are opaque usually."""
        tokens = exchange(tenant, tenant.tokens()["access_token"], requested_token_type=JWT, audience="api").json()
        assert tokens["issued_token_type"] == JWT
        assert header(tokens["access_token"])["typ"] == "at+jwt"
        assert claims(tokens["access_token"])["aud"] == "api"

    @pytest.mark.parametrize("missing", ["subject_token", "subject_token_type"])
    def test_what_is_required_is_missed(self, tenant: World, missing: str) -> None:
        """'REQUIRED'."""
        sent: dict[str, Any] = {"subject_token": "x", "subject_token_type": ACCESS, missing: None}
        assert error_of(exchange(tenant, sent["subject_token"], sent["subject_token_type"])) == "invalid_request"

    def test_an_actor_needs_its_type(self, tenant: World) -> None:
        """'actor_token_type: REQUIRED when the actor_token parameter is present ... MUST NOT be included otherwise'."""
        token = tenant.tokens()["access_token"]
        assert error_of(exchange(tenant, token, actor_token=token)) == "invalid_request"
        assert error_of(exchange(tenant, token, actor_token_type=ACCESS)) == "invalid_request"

    @pytest.mark.parametrize("kind", [f"{TYPE}saml2", f"{TYPE}refresh_token", "nonsense"])
    def test_other_types_are_refused(self, tenant: World, kind: str) -> None:
        """2.2.2: 'invalid_request'."""
        token = tenant.tokens()["access_token"]
        assert error_of(exchange(tenant, token, kind)) == "invalid_request"
        assert error_of(exchange(tenant, token, requested_token_type=kind)) == "invalid_request"

    @pytest.mark.parametrize("kind", [ACCESS, ID, JWT])
    @pytest.mark.parametrize("token", ["made-up", "a.b.c"])
    def test_an_invalid_token_is_an_invalid_request(self, tenant: World, token: str, kind: str) -> None:
        """2.2.2: 'the value of the "error" parameter MUST be the "invalid_request" error code'."""
        assert error_of(exchange(tenant, token, kind)) == "invalid_request"

    def test_types_are_not_mixed_up(self, tenant: World) -> None:
        """An ID Token is no access token, and the other way round."""
        tokens = tenant.tokens()
        assert error_of(exchange(tenant, tokens["id_token"], ACCESS)) == "invalid_request"
        assert error_of(exchange(tenant, tokens["access_token"], ID)) == "invalid_request"
        assert error_of(exchange(tenant, tokens["refresh_token"], ACCESS)) == "invalid_request"

    def test_a_jwt_access_token_is_no_id_token(self, new_tenant: Callable[..., World]) -> None:
        """RFC 9068, 2.1: that is what 'at+jwt' is for."""
        tenant = new_tenant(access_token="jwt")
        assert error_of(exchange(tenant, tenant.tokens()["access_token"], ID)) == "invalid_request"
        assert exchange(tenant, tenant.tokens()["access_token"], JWT).status_code == 200

    def test_an_expired_token_is_refused(self, tenant: World) -> None:
        """By the tenant's clock."""
        tokens = tenant.tokens()
        tenant.change(lambda t: setattr(t.clock, "offset", 3700.0))
        assert error_of(exchange(tenant, tokens["access_token"])) == "invalid_request"
        assert error_of(exchange(tenant, tokens["id_token"], ID)) == "invalid_request"

    def test_a_token_of_another_tenant_is_refused(self, tenant: World, new_tenant: Callable[..., World]) -> None:
        """Tenants are isolated."""
        foreign = new_tenant().tokens()
        assert error_of(exchange(tenant, foreign["access_token"])) == "invalid_request"
        assert error_of(exchange(tenant, foreign["id_token"], ID)) == "invalid_request"


class TestTargetsAndScope:
    """2.1 and 2.2.2."""

    def test_audience_and_resource_are_both_its_audience(self, new_tenant: Callable[..., World]) -> None:
        """'Multiple "audience" parameters may be used', together with 'resource'."""
        tenant = new_tenant(access_token="jwt")
        sent: dict[str, Any] = {"audience": ["api", "other"], "resource": "https://api.example/"}
        token = exchange(tenant, tenant.tokens()["access_token"], **sent).json()["access_token"]
        assert claims(token)["aud"] == ["api", "other", "https://api.example/"]

    def test_an_unknown_target_is_invalid(self, new_tenant: Callable[..., World]) -> None:
        """'invalid_target'."""
        tenant = new_tenant(resources=["https://api.example/", "api"])
        token = tenant.tokens()["access_token"]
        assert exchange(tenant, token, audience="api", resource="https://api.example/").status_code == 200
        assert error_of(exchange(tenant, token, audience="elsewhere")) == "invalid_target"
        assert error_of(exchange(tenant, token, resource="https://elsewhere.example/")) == "invalid_target"

    def test_without_a_scope_it_is_the_old_one(self, tenant: World) -> None:
        """The token is as good as the one it was exchanged for."""
        token = tenant.tokens(scope="openid email")["access_token"]
        assert exchange(tenant, token).json()["scope"] == "openid email"

    def test_scope_may_shrink_and_not_grow(self, tenant: World) -> None:
        """RFC 6749, 5.2: invalid_scope."""
        token = tenant.tokens(scope="openid email")["access_token"]
        assert exchange(tenant, token, scope="email").json()["scope"] == "email"
        assert error_of(exchange(tenant, token, scope="email admin")) == "invalid_scope"

    def test_another_audience_has_scopes_of_its_own(self, tenant: World) -> None:
        """Which the old token knows nothing of."""
        token = tenant.tokens(scope="openid")["access_token"]
        assert exchange(tenant, token, scope="orders.read", audience="orders").json()["scope"] == "orders.read"

    def test_it_gives_no_refresh_token_nor_id_token(self, tenant: World) -> None:
        """2.2.1: 'A refresh token will typically not be issued.'"""
        tokens = exchange(tenant, tenant.tokens()["access_token"]).json()
        assert not tokens.keys() & {"refresh_token", "id_token"}


class TestSection41Actor:
    """4.1."""

    def test_impersonation_names_nobody(self, new_tenant: Callable[..., World]) -> None:
        """1.1: 'the resulting token ... A is B'."""
        tenant = new_tenant(access_token="jwt")
        assert "act" not in claims(exchange(tenant, tenant.tokens()["access_token"]).json()["access_token"])

    def test_delegation_names_who_acts(self, new_tenant: Callable[..., World]) -> None:
        """'act: ... the acting party to whom authority has been delegated'."""
        tenant = new_tenant(access_token="jwt")
        subject, actor = tokens_of(tenant, "alice")["access_token"], tokens_of(tenant, "bob")["id_token"]
        said = claims(
            exchange(tenant, subject, actor_token=actor, actor_token_type=ID).json()["access_token"],
        )
        assert (said["sub"], said["act"]) == ("alice", {"sub": "bob"})

    def test_a_chain_is_nested_the_latest_outside(self, new_tenant: Callable[..., World]) -> None:
        """'The outermost "act" claim represents the current actor while nested "act" claims represent prior actors.'"""
        tenant = new_tenant(access_token="jwt")
        token = tokens_of(tenant, "alice")["access_token"]
        for name in ("bob", "carol"):
            actor = tokens_of(tenant, name)["access_token"]
            token = exchange(tenant, token, actor_token=actor, actor_token_type=ACCESS).json()["access_token"]
        assert claims(token)["act"] == {"sub": "carol", "act": {"sub": "bob"}}
        assert claims(exchange(tenant, token).json()["access_token"])["act"]["sub"] == "carol", "no delegation is lost"

    def test_a_bad_actor_is_an_invalid_request(self, tenant: World) -> None:
        """2.2.2."""
        response = exchange(tenant, tenant.tokens()["access_token"], actor_token="made-up", actor_token_type=ACCESS)
        assert error_of(response) == "invalid_request"

    def test_introspection_names_who_acts(self, tenant: World) -> None:
        """4.1: 'in the introspection response'."""
        actor = tokens_of(tenant, "bob")["access_token"]
        token = exchange(tenant, tenant.tokens()["access_token"], actor_token=actor, actor_token_type=ACCESS).json()[
            "access_token"
        ]
        assert tenant.post("introspect", {"token": token}, auth=APP).json()["act"] == {"sub": "bob"}
