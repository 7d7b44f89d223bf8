"""RFC 7591: dynamic client registration; RFC 7592: its management."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.mock_idp.client_jwts import BEARER, ClientKey
from tests.mock_idp.served import REDIRECT_URI, answered, error_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from tests.mock_idp.served import World

KEY = ClientKey()
USUAL = {"redirect_uris": [REDIRECT_URI], "client_name": "A client"}


def register(tenant: World, **metadata: Any) -> httpx.Response:
    sent = {name: value for name, value in {**USUAL, **metadata}.items() if value is not None}
    return tenant.http.post(f"{tenant.issuer}/register", json=sent)


def registered(tenant: World, **metadata: Any) -> dict[str, Any]:
    response = register(tenant, **metadata)
    assert response.status_code == 201, response.text
    information: dict[str, Any] = response.json()
    return information


def manage(
    tenant: World, method: str, client: dict[str, Any], body: Any = None, token: str | None = None
) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token or client['registration_access_token']}"}
    return tenant.http.request(method, client["registration_client_uri"], json=body, headers=headers)


def login(tenant: World, client: dict[str, Any]) -> httpx.Response:
    code = tenant.code(client_id=client["client_id"])
    secret = client.get("client_secret")
    if secret is None:
        return tenant.redeem(code, auth=None, client_id=client["client_id"])
    return tenant.redeem(code, auth=(client["client_id"], secret))


class TestRegistration:
    """RFC 7591, section 3."""

    def test_the_answer_has_all_that_a_client_needs(self, tenant: World) -> None:
        """3.2.1: 'client_id' REQUIRED, 'client_secret_expires_at' REQUIRED where a secret is issued."""
        client = registered(tenant)
        assert client["client_secret_expires_at"] == 0
        assert client["client_id_issued_at"] > 1_700_000_000
        assert client["registration_client_uri"] == f"{tenant.issuer}/register/{client['client_id']}"
        assert len(client["client_secret"]) >= 32
        assert register(tenant).headers["cache-control"] == "no-store"

    def test_all_metadata_come_back_with_their_defaults(self, tenant: World) -> None:
        """3.2.1: 'MUST return all registered metadata about this client, including any fields provisioned by' it."""
        client = registered(tenant, contacts=["a@example.test"], tos_uri="https://a.example/tos")
        assert client["client_name"] == "A client"
        assert client["contacts"] == ["a@example.test"]
        assert client["tos_uri"] == "https://a.example/tos"
        assert client["token_endpoint_auth_method"] == "client_secret_basic"
        assert client["grant_types"] == ["authorization_code"]
        assert client["response_types"] == ["code"]

    def test_the_client_can_log_in(self, tenant: World) -> None:
        """That is what it is for; by Basic and in the body."""
        client = registered(tenant, grant_types=["authorization_code", "refresh_token"])
        assert "refresh_token" in login(tenant, client).json()
        body = {"client_id": client["client_id"], "client_secret": client["client_secret"]}
        assert tenant.redeem(tenant.code(client_id=client["client_id"]), auth=None, **body).status_code == 200

    def test_its_redirect_uris_are_compared(self, tenant: World) -> None:
        """5: 'redirect URI'."""
        client = registered(tenant)
        response = tenant.authorize(client_id=client["client_id"], redirect_uri="http://127.0.0.1:9/other")
        assert response.status_code == 400

    def test_a_public_client_gets_no_secret(self, tenant: World) -> None:
        """2: 'none'."""
        client = registered(tenant, token_endpoint_auth_method="none")
        assert "client_secret" not in client
        assert login(tenant, client).status_code == 200

    def test_a_client_with_keys(self, tenant: World) -> None:
        """2: 'private_key_jwt' and 'jwks'."""
        client = registered(tenant, token_endpoint_auth_method="private_key_jwt", jwks=KEY.jwks)
        assert "client_secret" not in client
        assertion = KEY.assertion(client["client_id"], tenant.issuer)
        proof = {"client_assertion_type": BEARER, "client_assertion": assertion}
        assert tenant.redeem(tenant.code(client_id=client["client_id"]), auth=None, **proof).status_code == 200

    def test_grant_types_are_kept_to(self, tenant: World) -> None:
        """2: 'grant_types ... that the client can use at the token endpoint'."""
        client = registered(tenant)
        auth = (client["client_id"], client["client_secret"])
        assert error_of(tenant.post("token", {"grant_type": "client_credentials"}, auth=auth)) == "unauthorized_client"
        assert "refresh_token" not in login(tenant, client).json()

    def test_response_types_are_kept_to(self, tenant: World) -> None:
        """2: 'response_types ... that the client can use at the authorization endpoint'."""
        client = registered(tenant)
        response = tenant.authorize(client_id=client["client_id"], response_type="id_token", nonce="n")
        assert answered(response)["error"] == "unauthorized_client"

    def test_what_is_not_understood_is_ignored(self, tenant: World) -> None:
        """2: 'MUST ignore any client metadata sent by the client that it does not understand'."""
        assert "favourite" not in registered(tenant, favourite="tea")

    def test_null_counts_as_absent(self, tenant: World) -> None:
        """RFC 7592, 2.2: 'A client metadata field with a null value is treated as omitted'."""
        response = tenant.http.post(f"{tenant.issuer}/register", json={**USUAL, "client_name": None, "jwks": None})
        assert "client_name" not in response.json()

    def test_names_may_be_translated(self, tenant: World) -> None:
        """2.2: 'client_name#ja-Jpan-JP'."""
        assert registered(tenant, **{"client_name#fr": "Un client"})["client_name#fr"] == "Un client"

    def test_switches_are_translated_into_behaviour(self, tenant: World) -> None:
        """RFC 9449, 5.2; RFC 9126, 6; OpenID Connect Dynamic Client Registration 1.0, 2."""
        client = registered(
            tenant,
            dpop_bound_access_tokens=True,
            userinfo_signed_response_alg="ES256",
            request_uris=["https://a.example/r"],
        )
        assert client["dpop_bound_access_tokens"] is True
        assert error_of(login(tenant, client)) == "invalid_dpop_proof"
        pushed = registered(tenant, require_pushed_authorization_requests=True)
        assert "have to be pushed" in tenant.authorize(client_id=pushed["client_id"]).text

    def test_clients_do_not_share_anything(self, tenant: World) -> None:
        """Each has its own id, secret and token."""
        one, two = registered(tenant), registered(tenant)
        for name in ("client_id", "client_secret", "registration_access_token"):
            assert one[name] != two[name]

    def test_it_can_be_switched_off(self, new_tenant: Callable[..., World]) -> None:
        """Then discovery does not name it, and nothing is there."""
        closed = new_tenant(registration=False)
        assert "registration_endpoint" not in closed.get(".well-known/openid-configuration").json()
        assert register(closed).status_code == 404

    def test_discovery_names_it(self, tenant: World) -> None:
        """RFC 8414, 2."""
        found = tenant.get(".well-known/openid-configuration").json()
        assert found["registration_endpoint"] == f"{tenant.issuer}/register"


class TestErrors:
    """RFC 7591, section 3.2.2."""

    @pytest.mark.parametrize(
        "uris",
        [
            None,
            [],
            "http://127.0.0.1:9/cb",
            ["/relative"],
            ["http://127.0.0.1:9/cb#fragment"],
            ["javascript:alert(1)"],
            ["data:text/html,x"],
            [7],
            ["http://["],
            ["https://a.example/\nb"],
            [f"https://a.example/{'x' * 3000}"],
        ],
        ids=repr,
    )
    def test_redirect_uris(self, tenant: World, uris: Any) -> None:
        """'invalid_redirect_uri: The value of one or more redirection URIs is invalid.'"""
        response = register(tenant, redirect_uris=uris)
        assert (response.status_code, error_of(response)) == (400, "invalid_redirect_uri")

    @pytest.mark.parametrize(
        "metadata",
        [
            {"token_endpoint_auth_method": "tls_client_auth"},
            {"token_endpoint_auth_method": ["none"]},
            {"token_endpoint_auth_method": "private_key_jwt"},
            {"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [{"kty": "EC", "d": "x"}]}},
            {"token_endpoint_auth_signing_alg": "HS256"},
            {"grant_types": ["password"]},
            {"grant_types": "authorization_code"},
            {"grant_types": ["implicit"], "response_types": ["code"]},
            {"response_types": ["id_token"]},
            {"response_types": ["nonsense"]},
            {"grant_types": ["authorization_code", "client_credentials"], "token_endpoint_auth_method": "none"},
            {"jwks": {"keys": []}, "jwks_uri": "https://a.example/jwks"},
            {"jwks": []},
            {"jwks": {"keys": [{"kty": "oct", "k": "x"}]}},
            {"jwks_uri": "file:///etc/passwd"},
            {"client_uri": "not a url"},
            {"logo_uri": "javascript:alert(1)"},
            {"client_name": 7},
            {"client_name": ""},
            {"contacts": "a@example.test"},
            {"contacts": ["x"] * 101},
            {"subject_type": "pairwise"},
            {"id_token_signed_response_alg": "ES256"},
            {"id_token_signed_response_alg": "none"},
            {"id_token_encrypted_response_alg": "RSA-OAEP"},
            {"userinfo_signed_response_alg": "HS256"},
            {"default_max_age": -1},
            {"dpop_bound_access_tokens": "yes"},
        ],
        ids=repr,
    )
    def test_other_metadata(self, tenant: World, metadata: dict[str, Any]) -> None:
        """'invalid_client_metadata: The value of one of the client metadata fields is invalid.'"""
        response = register(tenant, **metadata)
        assert (response.status_code, error_of(response)) == (400, "invalid_client_metadata"), response.text
        assert response.json()["error_description"]

    @pytest.mark.parametrize("body", [b"", b"x", b"[]", b"7", b"\xff", b"[" * 100_000])
    def test_what_is_no_object(self, tenant: World, body: bytes) -> None:
        """3.1: 'in the content body as a JSON object'."""
        kind = {"content-type": "application/json"}
        response = tenant.http.post(f"{tenant.issuer}/register", content=body, headers=kind)
        assert error_of(response) == "invalid_client_metadata"

    def test_what_is_no_json(self, tenant: World) -> None:
        """3.1: 'application/json'."""
        assert error_of(tenant.post("register", USUAL)) == "invalid_client_metadata"


class TestManagement:
    """RFC 7592, section 2."""

    def test_a_client_reads_its_registration(self, tenant: World) -> None:
        """2.1."""
        client = registered(tenant)
        assert manage(tenant, "GET", client).json() == client

    def test_a_client_replaces_its_registration(self, tenant: World) -> None:
        """2.2: 'values ... MUST replace, not augment, the previous values'."""
        client = registered(tenant, tos_uri="https://a.example/tos")
        body = {"client_id": client["client_id"], "redirect_uris": ["http://127.0.0.1:9/new"]}
        changed = manage(tenant, "PUT", client, body).json()
        assert changed["redirect_uris"] == ["http://127.0.0.1:9/new"]
        assert not changed.keys() & {"tos_uri", "client_name"}
        assert changed["client_secret"] == client["client_secret"]
        assert changed["client_id_issued_at"] == client["client_id_issued_at"]
        assert tenant.authorize(client_id=client["client_id"]).status_code == 400, "the old redirect URI is gone"

    @pytest.mark.parametrize(
        "wrong",
        [
            {"client_id": None},
            {"client_id": "app"},
            {"client_secret": "another"},
            {"registration_access_token": "x"},
            {"registration_client_uri": "x"},
            {"client_secret_expires_at": 0},
            {"client_id_issued_at": 0},
        ],
        ids=repr,
    )
    def test_what_only_the_server_says_is_refused(self, tenant: World, wrong: dict[str, Any]) -> None:
        """2.2: 'MUST NOT include', 'the value MUST match the currently issued client identifier'."""
        client = registered(tenant)
        body = {**USUAL, "client_id": client["client_id"], **wrong}
        response = manage(tenant, "PUT", client, {name: value for name, value in body.items() if value is not None})
        assert (response.status_code, error_of(response)) == (400, "invalid_request")

    def test_an_update_is_checked_like_a_registration(self, tenant: World) -> None:
        """2.2: 'invalid_client_metadata'; and then nothing has changed."""
        client = registered(tenant)
        body = {"client_id": client["client_id"], "redirect_uris": ["javascript:alert(1)"]}
        assert error_of(manage(tenant, "PUT", client, body)) == "invalid_redirect_uri"
        assert manage(tenant, "GET", client).json() == client

    def test_a_client_leaves(self, tenant: World) -> None:
        """2.3: 'SHOULD immediately invalidate all existing authorization grants and currently active access tokens'."""
        client = registered(tenant)
        token = login(tenant, client).json()["access_token"]
        bystander = tenant.tokens()["access_token"]
        response = manage(tenant, "DELETE", client)
        assert (response.status_code, response.content) == (204, b"")
        assert manage(tenant, "GET", client).status_code == 401
        assert tenant.userinfo(token).status_code == 401
        assert tenant.userinfo(bystander).status_code == 200

    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
    def test_only_with_its_token(self, tenant: World, method: str) -> None:
        """2: 'MUST be presented ... as an OAuth 2.0 Bearer Token'."""
        client, other = registered(tenant), registered(tenant)
        response = manage(tenant, method, client, USUAL, other["registration_access_token"])
        assert (response.status_code, error_of(response)) == (401, "invalid_token")
        assert response.headers["www-authenticate"].startswith("Bearer ")
        assert tenant.http.request(method, client["registration_client_uri"]).status_code == 401
        assert manage(tenant, "GET", client).status_code == 200

    def test_configured_clients_are_not_managed(self, tenant: World) -> None:
        """They have no registration access token, and none fits."""
        for token in ("None", "null", "x"):
            headers = {"Authorization": f"Bearer {token}"}
            assert tenant.http.get(f"{tenant.issuer}/register/app", headers=headers).status_code == 401
