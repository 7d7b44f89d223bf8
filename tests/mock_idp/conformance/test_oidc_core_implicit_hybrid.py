"""OpenID Connect Core 1.0, sections 3.2 and 3.3, and OAuth 2.0 Multiple Response Types."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.mock_idp.served import answered, claims, error_of, header

if TYPE_CHECKING:
    from tests.mock_idp.served import World

WITH_ID_TOKEN = ["id_token", "id_token token", "code id_token", "code id_token token"]
ALL = [*WITH_ID_TOKEN, "token", "code token"]


def half(value: str, name: str = "sha256") -> str:
    """Worked out by hand, as section 3.1.3.6 says."""
    digest = hashlib.new(name, value.encode()).digest()
    return urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()


class TestResponses:
    """3.2.2.5 and 3.3.2.5; Multiple Response Types, sections 3 and 5."""

    @pytest.mark.parametrize("response_type", ALL)
    def test_what_is_asked_for_comes_in_the_fragment(self, tenant: World, response_type: str) -> None:
        """All parameters are in the fragment component, whatever they are."""
        response = tenant.authorize(response_type=response_type, nonce="n")
        names = {"access_token" if word == "token" else word for word in response_type.split()}
        assert names == {*answered(response)} & {"code", "access_token", "id_token"}
        assert not urlsplit(response.headers["location"]).query

    @pytest.mark.parametrize("response_type", ALL)
    def test_the_query_is_refused(self, tenant: World, response_type: str) -> None:
        """Section 5: tokens never stand in a query; and the refusal itself stays in the fragment."""
        response = tenant.authorize(response_type=response_type, nonce="n", response_mode="query")
        assert error_of(response) == "invalid_request"
        assert not urlsplit(response.headers["location"]).query

    def test_a_code_may_come_in_the_fragment(self, tenant: World) -> None:
        """Section 2.1: response_mode=fragment."""
        response = tenant.authorize(response_mode="fragment")
        assert "code=" in urlsplit(response.headers["location"]).fragment

    def test_an_unknown_mode_is_refused(self, tenant: World) -> None:
        """In the mode that the response type has by default."""
        response = tenant.authorize(response_mode="carrier_pigeon")
        assert error_of(response) == "invalid_request"
        assert urlsplit(response.headers["location"]).query

    def test_the_code_of_a_hybrid_flow_is_good(self, tenant: World) -> None:
        """3.3.3: both ID Tokens have the same iss and sub."""
        told = answered(tenant.authorize(response_type="code id_token token", nonce="n"))
        tokens = tenant.redeem(told["code"]).json()
        front, back = claims(told["id_token"]), claims(tokens["id_token"])
        assert (front["iss"], front["sub"], front["nonce"]) == (back["iss"], back["sub"], back["nonce"])

    def test_a_replayed_code_kills_the_token_of_the_front_channel(self, tenant: World) -> None:
        """RFC 6749, 4.1.2: 'all tokens previously issued based on that authorization code'."""
        told = answered(tenant.authorize(response_type="code token"))
        tenant.redeem(told["code"])
        assert tenant.userinfo(told["access_token"]).status_code == 200
        tenant.redeem(told["code"])
        assert tenant.userinfo(told["access_token"]).status_code == 401


class TestRequest:
    """3.2.2.1 and 3.3.2.1."""

    @pytest.mark.parametrize("response_type", WITH_ID_TOKEN)
    def test_the_nonce_is_required(self, tenant: World, response_type: str) -> None:
        """'nonce: REQUIRED.'"""
        assert error_of(tenant.authorize(response_type=response_type)) == "invalid_request"

    def test_the_nonce_is_not_required_without_an_id_token(self, tenant: World) -> None:
        """3.3.2.11 speaks of the ID Token from the authorization endpoint."""
        assert "code" in answered(tenant.authorize(response_type="code token"))

    def test_the_scope_openid_is_required(self, tenant: World) -> None:
        """An ID Token without it would be none."""
        assert error_of(tenant.authorize(response_type="id_token", nonce="n", scope="email")) == "invalid_request"


class TestIdToken:
    """3.2.2.10 and 3.3.2.11."""

    def test_c_hash(self, tenant: World) -> None:
        """'If the ID Token is issued from the Authorization Endpoint with a code, ... this is REQUIRED.'"""
        told = answered(tenant.authorize(response_type="code id_token", nonce="n"))
        assert claims(told["id_token"])["c_hash"] == half(told["code"])
        assert "at_hash" not in claims(told["id_token"])

    def test_at_hash(self, tenant: World) -> None:
        """'... issued from the Authorization Endpoint with an access_token value, ... this is REQUIRED.'"""
        told = answered(tenant.authorize(response_type="id_token token", nonce="n"))
        assert claims(told["id_token"])["at_hash"] == half(told["access_token"])
        assert "c_hash" not in claims(told["id_token"])

    def test_s_hash(self, tenant: World) -> None:
        """FAPI 1.0 Advanced, 5.1.1: of the state as the client knows it."""
        told = answered(tenant.authorize(response_type="code id_token", nonce="n", state="a b/+ü"))
        assert claims(told["id_token"])["s_hash"] == half("a b/+ü")

    @pytest.mark.parametrize(("alg", "name"), [("ES256", "sha256"), ("PS256", "sha256"), ("EdDSA", "sha512")])
    def test_the_hash_is_that_of_the_algorithm(self, tenant: World, alg: str, name: str) -> None:
        """3.1.3.6: 'the hash algorithm used in the alg Header Parameter'."""
        world = tenant.served.tenant(signing_alg=alg)
        with world.http:
            told = answered(world.authorize(response_type="code id_token", nonce="n"))
        assert header(told["id_token"])["alg"] == alg
        assert claims(told["id_token"])["c_hash"] == half(told["code"], name)

    def test_claims_are_in_it_where_nothing_else_could_fetch_them(self, tenant: World) -> None:
        """5.4: 'when no Access Token is issued ..., the resulting Claims are returned in the ID Token.'"""
        tenant.change(lambda t: setattr(t.settings, "id_token_profile", False))
        alone = answered(tenant.authorize(response_type="id_token", nonce="n"))
        accompanied = answered(tenant.authorize(response_type="id_token token", nonce="n"))
        assert claims(alone["id_token"])["email"] == "alice@example.test"
        assert "email" not in claims(accompanied["id_token"])
