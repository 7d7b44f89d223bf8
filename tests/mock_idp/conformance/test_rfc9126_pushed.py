"""RFC 9126: pushed authorization requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.mock_idp.conformance.test_rfc9101_request_object import signer
from tests.mock_idp.served import REDIRECT_URI, answered, challenge, claims, error_of

if TYPE_CHECKING:
    import httpx

    from tests.mock_idp.served import World

APP = ("app", "app-secret")
SOUND = {
    "response_type": "code",
    "client_id": "app",
    "redirect_uri": REDIRECT_URI,
    "scope": "openid email",
    "state": "a b+/",
}


def push(world: World, *, auth: tuple[str, str] | None = APP, **changed: Any) -> httpx.Response:
    form = {name: value for name, value in {**SOUND, **changed}.items() if value is not None}
    return world.post("par", form, **({"auth": auth} if auth else {}))


def follow(world: World, uri: str, **parameters: str) -> httpx.Response:
    return world.get("authorize", params={"client_id": "app", "request_uri": uri, **parameters})


class TestSection2Endpoint:
    """2."""

    def test_a_request_is_pushed(self, tenant: World) -> None:
        """2.2: 'HTTP 201', request_uri and expires_in."""
        response = push(tenant)
        assert (response.status_code, response.headers["cache-control"]) == (201, "no-store")
        told = response.json()
        assert told["request_uri"].startswith("urn:ietf:params:oauth:request_uri:")
        assert told["expires_in"] == 60

    def test_it_leads_to_the_response(self, tenant: World) -> None:
        """1.1, with PKCE, state and nonce."""
        verifier, pkce = challenge()
        asked: dict[str, Any] = {"nonce": "n", **pkce}
        uri = push(tenant, **asked).json()["request_uri"]
        told = answered(follow(tenant, uri))
        assert told["state"] == "a b+/"
        tokens = tenant.redeem(told["code"], code_verifier=verifier).json()
        assert claims(tokens["id_token"])["nonce"] == "n"

    @pytest.mark.parametrize("auth", [None, ("app", "wrong")])
    def test_the_client_authenticates(self, tenant: World, auth: tuple[str, str] | None) -> None:
        """2.1: 'Authenticate the client in the same way as at the token endpoint.'"""
        response = push(tenant, auth=auth)
        assert (response.status_code, error_of(response)) == (401, "invalid_client")

    def test_public_clients_may_push(self, tenant: World) -> None:
        """They name themselves, and no more."""
        assert push(tenant, auth=None, client_id="spa").status_code == 201

    def test_a_reference_cannot_be_pushed(self, tenant: World) -> None:
        """2.1: 'Reject the request if the request_uri authorization request parameter is provided.'"""
        assert error_of(push(tenant, request_uri="https://app.example/r")) == "invalid_request"

    @pytest.mark.parametrize(
        ("changed", "error"),
        [
            ({"redirect_uri": "https://evil.example/"}, "invalid_request"),
            ({"redirect_uri": None}, "invalid_request"),
            ({"response_type": "nonsense"}, "unsupported_response_type"),
            ({"scope": "\x7f"}, "invalid_scope"),
            ({"code_challenge": "short", "code_challenge_method": "S256"}, "invalid_request"),
            ({"resource": "nowhere"}, "invalid_target"),
            ({"prompt": "none login"}, "invalid_request"),
        ],
    )
    def test_it_is_checked_as_at_the_authorization_endpoint(
        self, tenant: World, changed: dict[str, Any], error: str
    ) -> None:
        """2.1: 'Validate the pushed request as it would an authorization request.'"""
        response = push(tenant, **changed)
        assert (response.status_code, error_of(response)) == (400, error)

    def test_only_post_is_taken(self, tenant: World) -> None:
        """2.3: 'HTTP 405 (Method Not Allowed)'."""
        assert tenant.get("par").status_code == 405

    def test_a_signed_request_can_be_pushed(self, tenant: World) -> None:
        """3."""
        app = signer(tenant)
        response = tenant.post("par", {"request": app.object(), "client_id": "app"}, auth=APP)
        assert answered(follow(tenant, response.json()["request_uri"]))["state"] == "inner state+"


class TestSection4AuthorizationRequest:
    """4."""

    def test_it_is_used_once(self, tenant: World) -> None:
        """'The authorization server SHOULD treat request_uri values as one-time use.'"""
        uri = push(tenant).json()["request_uri"]
        assert follow(tenant, uri).status_code == 303
        response = follow(tenant, uri)
        assert response.status_code == 400
        assert "used before" in response.text

    def test_a_leniency_lets_it_be_used_again(self, tenant: World) -> None:
        """'MAY allow for duplicate requests due to a user reloading'; the journal says so."""
        tenant.change(lambda t: t.clients["app"].lenient.append("pushed-request-reuse"))
        uri = push(tenant).json()["request_uri"]
        assert [follow(tenant, uri).status_code for _ in range(2)] == [303, 303]
        assert tenant.journal()[-1].lenient == ["pushed-request-reuse"]

    def test_it_expires(self, tenant: World) -> None:
        """'An expired request_uri MUST be rejected as invalid.'"""
        uri = push(tenant).json()["request_uri"]
        tenant.change(lambda t: setattr(t.clock, "offset", 61.0))
        assert "expired" in follow(tenant, uri).text

    def test_it_belongs_to_its_client(self, tenant: World) -> None:
        """7.1 and 2.2: 'bound to the client that posted the authorization request'."""
        uri = push(tenant).json()["request_uri"]
        assert "another client" in follow(tenant, uri, client_id="spa").text

    def test_it_is_no_key_to_the_pages(self, tenant: World) -> None:
        """Their forms would take it twice."""
        uri = push(tenant).json()["request_uri"]
        assert tenant.post("sign-in", {"pending": uri, "account": "alice"}).status_code == 400

    def test_what_stands_beside_it_is_ignored(self, tenant: World) -> None:
        """RFC 9101, 6.3."""
        told = answered(follow(tenant, push(tenant).json()["request_uri"], scope="profile", state="mine"))
        assert told["state"] == "a b+/"
        assert tenant.redeem(told["code"]).json()["scope"] == "openid email"

    def test_one_that_was_never_given_out(self, tenant: World) -> None:
        """It names nothing, so nothing is redirected."""
        assert follow(tenant, "urn:ietf:params:oauth:request_uri:x").status_code == 400


class TestSection5Metadata:
    """5 and 6."""

    @pytest.mark.parametrize("where", ["tenant", "client"])
    def test_pushing_may_be_required(self, tenant: World, where: str) -> None:
        """'require_pushed_authorization_requests', of the server or of a client."""
        tenant.change(
            lambda t: setattr(t.settings if where == "tenant" else t.clients["app"], "require_pushed_requests", True)
        )
        assert tenant.authorize().status_code == 400
        assert follow(tenant, push(tenant).json()["request_uri"]).status_code == 303
        metadata = tenant.get(".well-known/openid-configuration").json()
        assert metadata["require_pushed_authorization_requests"] is (where == "tenant")
        assert metadata["pushed_authorization_request_endpoint"] == f"{tenant.issuer}/par"


class TestFaultsOfPushedRequests:
    """A fault named beside the request_uri, or pushed with it, strikes."""

    def test_both_ways(self, tenant: World) -> None:
        """The browser's URL is all that a test may be able to change."""
        beside = follow(tenant, push(tenant).json()["request_uri"], mock_fault="authorization.state-missing")
        within = follow(tenant, push(tenant, mock_fault="authorization.state-missing").json()["request_uri"])
        assert "state" not in answered(beside)
        assert "state" not in answered(within)
