"""RFC 6749, section 4.1: authorization code grant."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.mock_idp.served import REDIRECT_URI, World, answered, challenge, error_of


class TestSection412AuthorizationResponse:
    """4.1.2."""

    @pytest.mark.parametrize("state", ["x", "a+b/c=d&e", "%41%2b", "ab+/" * 57 + "xy", "ü→✓"])
    def test_state_is_the_exact_value_received(self, tenant: World, state: str) -> None:
        """'The exact value received from the client.'"""
        assert answered(tenant.authorize(state=state))["state"] == state

    def test_state_is_echoed_byte_for_byte(self, tenant: World) -> None:
        """Also where a client forgot to encode it: a raw plus stays a raw plus."""
        raw = "ab+/" * 57 + "xy"
        uri = quote(REDIRECT_URI, safe="")
        query = f"response_type=code&client_id=app&redirect_uri={uri}&scope=openid&state={raw}"
        assert f"state={raw}&" in tenant.get(f"authorize?{query}").headers["location"]

    def test_a_code_is_good_once(self, tenant: World) -> None:
        """'The client MUST NOT use the authorization code more than once.'"""
        code = tenant.code()
        assert tenant.redeem(code).status_code == 200
        assert error_of(tenant.redeem(code)) == "invalid_grant"

    def test_a_second_use_revokes_what_the_first_gave(self, tenant: World) -> None:
        """'SHOULD revoke (when possible) all tokens previously issued based on that authorization code.'"""
        code = tenant.code()
        token = tenant.redeem(code).json()["access_token"]
        assert tenant.userinfo(token).status_code == 200
        tenant.redeem(code)
        assert tenant.userinfo(token).status_code == 401

    def test_a_code_expires_by_the_tenants_clock(self, tenant: World) -> None:
        """'A maximum authorization code lifetime of 10 minutes is RECOMMENDED.'"""
        code = tenant.code()
        tenant.change(lambda t: setattr(t.clock, "offset", 61.0))
        assert error_of(tenant.redeem(code)) == "invalid_grant"


class TestSection4121ErrorResponse:
    """4.1.2.1."""

    @pytest.mark.parametrize(
        "uri", ["https://evil.example/cb", "http://127.0.0.1:9/callback/", "javascript:alert(1)", "//x"]
    )
    def test_nothing_is_sent_to_an_unregistered_redirect_uri(self, tenant: World, uri: str) -> None:
        """'MUST NOT automatically redirect the user-agent to the invalid redirection URI.'"""
        response = tenant.authorize(redirect_uri=uri)
        assert response.status_code == 400
        assert "location" not in response.headers

    def test_a_refusal_goes_back_with_the_state(self, tenant: World) -> None:
        """'state: REQUIRED if a state parameter was present.'"""
        response = tenant.authorize(response_type="nonsense")
        assert answered(response)["error"] == "unsupported_response_type"
        assert answered(response)["state"] == "the-state"


class TestSection413TokenRequest:
    """4.1.3."""

    def test_the_code_of_another_client_is_refused(self, tenant: World) -> None:
        """'Ensure that the authorization code was issued to the authenticated confidential client.'"""
        code = tenant.code()
        assert error_of(tenant.redeem(code, auth=None, client_id="spa")) == "invalid_grant"

    @pytest.mark.parametrize("uri", [None, "http://127.0.0.1:9/callback?"])
    def test_the_redirect_uri_is_compared(self, tenant: World, uri: str | None) -> None:
        """'Their values MUST be identical.'"""
        assert error_of(tenant.redeem(tenant.code(), redirect_uri=uri)) == "invalid_grant"

    def test_a_verifier_is_compulsory_after_a_challenge(self, tenant: World) -> None:
        """RFC 7636, section 4.6."""
        verifier, asked = challenge()
        assert error_of(tenant.redeem(tenant.code(**asked))) == "invalid_grant"
        assert error_of(tenant.redeem(tenant.code(**asked), code_verifier="w" * 43)) == "invalid_grant"
        assert tenant.redeem(tenant.code(**asked), code_verifier=verifier).status_code == 200
