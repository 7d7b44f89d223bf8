"""RFC 9449: demonstrating proof of possession (DPoP)."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, Any

import jwt
import pytest

from mock_idp.records import Client
from tests.mock_idp.client_jwts import ClientKey
from tests.mock_idp.served import REDIRECT_URI, claims, error_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from tests.mock_idp.served import World

KEY, OTHER = ClientKey(), ClientKey("EdDSA")
APP = ("app", "app-secret")


def redeem(tenant: World, proof: str | None, **parameters: Any) -> httpx.Response:
    body = {"grant_type": "authorization_code", "code": tenant.code(**parameters), "redirect_uri": REDIRECT_URI}
    return tenant.post("token", body, auth=APP, headers=_headers(proof))


def bound(tenant: World, key: ClientKey = KEY, **claims_of_proof: Any) -> str:
    response = redeem(tenant, key.proof("POST", f"{tenant.issuer}/token", **claims_of_proof))
    assert response.status_code == 200, response.text
    token: str = response.json()["access_token"]
    return token


def userinfo(tenant: World, token: str, proof: str | None, scheme: str = "DPoP") -> httpx.Response:
    return tenant.get("userinfo", headers={"Authorization": f"{scheme} {token}", **_headers(proof)})


def _headers(proof: str | None) -> dict[str, str]:
    return {} if proof is None else {"DPoP": proof}


class TestSection5TokenRequest:
    """5."""

    @pytest.mark.parametrize("alg", ["ES256", "EdDSA", "RS256", "PS256"])
    def test_a_proof_binds_the_token(self, tenant: World, alg: str) -> None:
        """'the access token response MUST contain the token_type "DPoP"'."""
        proof = ClientKey(alg).proof("POST", f"{tenant.issuer}/token")
        assert redeem(tenant, proof).json()["token_type"] == "DPoP"

    def test_without_a_proof_it_is_bearer(self, tenant: World) -> None:
        """'The type is "Bearer" otherwise'."""
        assert redeem(tenant, None).json()["token_type"] == "Bearer"

    def test_a_jwt_names_the_key(self, new_tenant: Callable[..., World]) -> None:
        """6.1: 'cnf' with 'jkt'."""
        tenant = new_tenant(access_token="jwt")
        assert claims(bound(tenant))["cnf"] == {"jkt": KEY.thumbprint}

    def test_introspection_names_the_key(self, tenant: World) -> None:
        """6.2."""
        told = tenant.post("introspect", {"token": bound(tenant)}, auth=APP).json()
        assert (told["token_type"], told["cnf"]) == ("DPoP", {"jkt": KEY.thumbprint})

    def test_a_client_may_be_held_to_it(self, tenant: World) -> None:
        """5.2: 'dpop_bound_access_tokens: ... MUST reject token requests ... that do not contain the header'."""
        tenant.change(lambda t: setattr(t.clients["app"], "dpop_bound", True))
        assert error_of(redeem(tenant, None)) == "invalid_dpop_proof"
        assert redeem(tenant, KEY.proof("POST", f"{tenant.issuer}/token")).status_code == 200

    def test_client_credentials_are_bound_too(self, tenant: World) -> None:
        """'applies to all grant types'."""
        headers = _headers(KEY.proof("POST", f"{tenant.issuer}/token"))
        response = tenant.post("token", {"grant_type": "client_credentials"}, auth=APP, headers=headers)
        assert response.json()["token_type"] == "DPoP"

    def test_discovery_says_so(self, tenant: World) -> None:
        """5.1: 'dpop_signing_alg_values_supported'."""
        found = tenant.get(".well-known/openid-configuration").json()
        assert "ES256" in found["dpop_signing_alg_values_supported"]
        assert not {"none", "HS256"} & {*found["dpop_signing_alg_values_supported"]}


class TestSection5RefreshTokens:
    """5, last paragraphs."""

    def tokens(self, tenant: World, client_id: str) -> dict[str, Any]:
        body = {
            "grant_type": "authorization_code",
            "code": tenant.code(client_id=client_id),
            "redirect_uri": REDIRECT_URI,
            **self.who(client_id),
        }
        headers = _headers(KEY.proof("POST", f"{tenant.issuer}/token"))
        found: dict[str, Any] = tenant.post("token", body, headers=headers).json()
        return found

    def refresh(self, tenant: World, client_id: str, token: str, key: ClientKey | None) -> httpx.Response:
        headers = _headers(key.proof("POST", f"{tenant.issuer}/token") if key else None)
        body = {"grant_type": "refresh_token", "refresh_token": token, **self.who(client_id)}
        return tenant.post("token", body, headers=headers)

    def who(self, client_id: str) -> dict[str, str]:
        return {"client_id": client_id, **({"client_secret": "app-secret"} if client_id == "app" else {})}

    def test_a_public_clients_is_bound_to_the_key(self, tenant: World) -> None:
        """'refresh tokens issued to public clients ... MUST be bound to the respective public key'."""
        token = self.tokens(tenant, "spa")["refresh_token"]
        assert error_of(self.refresh(tenant, "spa", token, None)) == "invalid_grant"
        assert error_of(self.refresh(tenant, "spa", token, OTHER)) == "invalid_grant"
        again = self.refresh(tenant, "spa", token, KEY)
        assert again.json()["token_type"] == "DPoP"
        assert error_of(self.refresh(tenant, "spa", again.json()["refresh_token"], OTHER)) == "invalid_grant"

    def test_a_confidential_clients_is_bound_to_the_client(self, tenant: World) -> None:
        """'refresh tokens issued to confidential clients are not bound to the DPoP proof public key'."""
        token = self.tokens(tenant, "app")["refresh_token"]
        assert self.refresh(tenant, "app", token, OTHER).status_code == 200


class TestSection43Checks:
    """4.3, one after the other."""

    def refused(self, tenant: World, proof: str | None) -> None:
        response = redeem(tenant, proof)
        assert (response.status_code, error_of(response)) == (400, "invalid_dpop_proof"), response.text

    def test_one_header(self, tenant: World) -> None:
        """1: 'There is not more than one DPoP HTTP request header field.'"""
        one, two = (KEY.proof("POST", f"{tenant.issuer}/token") for _ in range(2))
        body = {"grant_type": "authorization_code", "code": tenant.code(), "redirect_uri": REDIRECT_URI}
        sent = [("DPoP", one), ("DPoP", two)]
        assert error_of(tenant.post("token", body, auth=APP, headers=sent)) == "invalid_dpop_proof"

    @pytest.mark.parametrize("proof", ["x", "a.b.c", "e30.e30.", "..."])
    def test_a_well_formed_jwt(self, tenant: World, proof: str) -> None:
        """2: 'The DPoP HTTP request header field value is a single and well-formed JWT.'"""
        self.refused(tenant, proof)

    @pytest.mark.parametrize("missing", ["jti", "htm", "htu", "iat"])
    def test_all_claims(self, tenant: World, missing: str) -> None:
        """3: 'All required claims per Section 4.2 are contained in the JWT.'"""
        self.refused(tenant, KEY.proof("POST", f"{tenant.issuer}/token", **{missing: None}))

    @pytest.mark.parametrize("typ", ["JWT", None, "at+jwt"])
    def test_its_type(self, tenant: World, typ: str | None) -> None:
        """4: 'The typ JOSE Header Parameter has the value dpop+jwt.'"""
        said = claims(KEY.proof("POST", f"{tenant.issuer}/token"))
        self.refused(tenant, jwt.encode(said, KEY.private, "ES256", headers={"typ": typ, "jwk": KEY.jwk}))

    def test_no_symmetric_algorithm(self, tenant: World) -> None:
        """5: 'indicates a registered asymmetric digital signature algorithm ... is not none'."""
        said = claims(KEY.proof("POST", f"{tenant.issuer}/token"))
        for alg in ("HS256", "none"):
            key = "" if alg == "none" else "s" * 32
            self.refused(tenant, jwt.encode(said, key, alg, headers={"typ": "dpop+jwt", "jwk": KEY.jwk}))

    def test_its_signature(self, tenant: World) -> None:
        """6: 'The JWT signature verifies with the public key contained in the jwk JOSE Header Parameter.'"""
        said = claims(KEY.proof("POST", f"{tenant.issuer}/token"))
        header = {"typ": "dpop+jwt", "jwk": ClientKey().jwk}
        self.refused(tenant, jwt.encode(said, KEY.private, "ES256", headers=header))

    def test_no_private_key(self, tenant: World) -> None:
        """7: 'The jwk JOSE Header Parameter does not contain a private key.'"""
        header = {"typ": "dpop+jwt", "jwk": {**KEY.jwk, "d": "AAAA"}}
        said = claims(KEY.proof("POST", f"{tenant.issuer}/token"))
        self.refused(tenant, jwt.encode(said, KEY.private, "ES256", headers=header))

    @pytest.mark.parametrize("embedded", [None, {}, {"kty": "oct", "k": "AAAA"}, {"kty": "EC", "crv": "P-256"}, "x"])
    def test_a_usable_key(self, tenant: World, embedded: Any) -> None:
        """The same, for keys that are none."""
        said = claims(KEY.proof("POST", f"{tenant.issuer}/token"))
        self.refused(tenant, jwt.encode(said, KEY.private, "ES256", headers={"typ": "dpop+jwt", "jwk": embedded}))

    def test_its_method(self, tenant: World) -> None:
        """8: 'The htm claim matches the HTTP method of the current request.'"""
        self.refused(tenant, KEY.proof("GET", f"{tenant.issuer}/token"))

    def test_its_uri(self, tenant: World) -> None:
        """9: 'The htu claim matches the HTTP URI value.'"""
        self.refused(tenant, KEY.proof("POST", f"{tenant.issuer}/userinfo"))
        self.refused(tenant, KEY.proof("POST", "https://elsewhere.example/token"))
        self.refused(tenant, KEY.proof("POST", "http://["))

    def test_equivalent_uris_are_the_same(self, tenant: World) -> None:
        """9: 'ignoring any query and fragment parts', with 'syntax-based and scheme-based normalization'."""
        uri = f"{tenant.issuer}/token?query#fragment".replace("http:", "HTTP:").replace("/token", "/%74oken")
        assert redeem(tenant, KEY.proof("POST", uri)).status_code == 200

    def test_its_age(self, tenant: World) -> None:
        """11: 'The creation time of the JWT ... is within an acceptable window.'"""
        now = int(time.time())
        self.refused(tenant, KEY.proof("POST", f"{tenant.issuer}/token", iat=now - 1000))
        self.refused(tenant, KEY.proof("POST", f"{tenant.issuer}/token", iat=now + 1000))
        self.refused(tenant, KEY.proof("POST", f"{tenant.issuer}/token", iat="now"))
        assert redeem(tenant, KEY.proof("POST", f"{tenant.issuer}/token", iat=now - 60)).status_code == 200

    def test_once(self, tenant: World) -> None:
        """11.1: 'the jti value ... for the same htu' is good once."""
        proof = KEY.proof("POST", f"{tenant.issuer}/token")
        assert redeem(tenant, proof).status_code == 200
        self.refused(tenant, proof)

    def test_the_same_jti_of_another_key_is_another(self, tenant: World) -> None:
        """Nobody uses up a stranger's."""
        jti = secrets.token_hex(8)
        for key in (KEY, OTHER):
            assert redeem(tenant, key.proof("POST", f"{tenant.issuer}/token", jti=jti)).status_code == 200

    def test_an_old_clock_of_the_client_will_do(self, tenant: World) -> None:
        """A test that moves the tenant's clock moves no client's."""
        tenant.change(lambda t: setattr(t.clock, "offset", 7200.0))
        assert redeem(tenant, KEY.proof("POST", f"{tenant.issuer}/token")).status_code == 200


class TestSection7Resource:
    """7."""

    def test_token_and_proof_together_are_good(self, tenant: World) -> None:
        """7.1."""
        token = bound(tenant)
        proof = KEY.proof("GET", f"{tenant.issuer}/userinfo", access_token=token)
        assert userinfo(tenant, token, proof).json()["sub"] == "alice"

    def test_as_bearer_it_is_refused(self, tenant: World) -> None:
        """7.2: 'MUST reject a DPoP-bound access token received as a bearer token'."""
        response = userinfo(tenant, bound(tenant), None, "Bearer")
        assert (response.status_code, error_of(response)) == (401, "invalid_token")

    def test_without_a_proof_it_is_refused(self, tenant: World) -> None:
        """7.1: 'MUST NOT grant access to the resource unless all checks are successful.'"""
        response = userinfo(tenant, bound(tenant), None)
        assert (response.status_code, error_of(response)) == (401, "invalid_dpop_proof")
        assert response.headers["www-authenticate"].startswith("DPoP ")
        assert 'algs="' in response.headers["www-authenticate"]

    def test_another_key_is_refused(self, tenant: World) -> None:
        """7.1: 'the public key to which the access token is bound matches the public key from the DPoP proof'."""
        token = bound(tenant)
        proof = OTHER.proof("GET", f"{tenant.issuer}/userinfo", access_token=token)
        assert error_of(userinfo(tenant, token, proof)) == "invalid_token"

    def test_the_hash_of_the_token_is_compared(self, tenant: World) -> None:
        """4.3, 12: 'ensure that the value of the ath claim equals the hash of that access token'."""
        token, other = bound(tenant), bound(tenant)
        for proof in (
            KEY.proof("GET", f"{tenant.issuer}/userinfo"),
            KEY.proof("GET", f"{tenant.issuer}/userinfo", access_token=other),
        ):
            response = userinfo(tenant, token, proof)
            assert (response.status_code, error_of(response)) == (401, "invalid_dpop_proof")

    def test_a_bearer_token_does_not_become_bound(self, tenant: World) -> None:
        """7.1: an access token without a key is none of DPoP's."""
        token = tenant.tokens()["access_token"]
        proof = KEY.proof("GET", f"{tenant.issuer}/userinfo", access_token=token)
        assert error_of(userinfo(tenant, token, proof)) == "invalid_token"

    def test_a_proof_is_good_once(self, tenant: World) -> None:
        """11.1."""
        token = bound(tenant)
        proof = KEY.proof("GET", f"{tenant.issuer}/userinfo", access_token=token)
        assert userinfo(tenant, token, proof).status_code == 200
        assert error_of(userinfo(tenant, token, proof)) == "invalid_dpop_proof"


class TestSections8And9Nonce:
    """8 and 9."""

    def test_the_token_endpoint_asks_for_its_nonce(self, new_tenant: Callable[..., World]) -> None:
        """8: 'error code "use_dpop_nonce"' with a 'DPoP-Nonce' header."""
        tenant = new_tenant(dpop_nonce=True)
        response = redeem(tenant, KEY.proof("POST", f"{tenant.issuer}/token"))
        assert (response.status_code, error_of(response)) == (400, "use_dpop_nonce")
        nonce = response.headers["dpop-nonce"]
        again = redeem(tenant, KEY.proof("POST", f"{tenant.issuer}/token", nonce=nonce))
        assert again.status_code == 200
        assert again.headers["dpop-nonce"] == nonce

    def test_so_does_a_resource(self, new_tenant: Callable[..., World]) -> None:
        """9: 401 and 'WWW-Authenticate: DPoP error="use_dpop_nonce"'."""
        tenant = new_tenant(dpop_nonce=True)
        nonce = redeem(tenant, KEY.proof("POST", f"{tenant.issuer}/token")).headers["dpop-nonce"]
        token = bound(tenant, nonce=nonce)
        response = userinfo(tenant, token, KEY.proof("GET", f"{tenant.issuer}/userinfo", access_token=token))
        assert response.status_code == 401
        assert 'error="use_dpop_nonce"' in response.headers["www-authenticate"]
        proof = KEY.proof("GET", f"{tenant.issuer}/userinfo", access_token=token, nonce=response.headers["dpop-nonce"])
        assert userinfo(tenant, token, proof).status_code == 200

    @pytest.mark.parametrize("nonce", ["made-up", 7])
    def test_another_nonce_is_none(self, new_tenant: Callable[..., World], nonce: Any) -> None:
        """4.3, 10: 'the nonce claim matches the server-provided nonce value'."""
        tenant = new_tenant(dpop_nonce=True)
        response = redeem(tenant, KEY.proof("POST", f"{tenant.issuer}/token", nonce=nonce))
        assert error_of(response) == "use_dpop_nonce"

    def test_a_nonce_grows_old(self, new_tenant: Callable[..., World]) -> None:
        """8.2: 'the server ... a new nonce'; that of the period before is still good."""
        tenant = new_tenant(dpop_nonce=True)
        nonce = redeem(tenant, KEY.proof("POST", f"{tenant.issuer}/token")).headers["dpop-nonce"]
        tenant.change(lambda t: setattr(t.clock, "offset", 300.0))
        fresh = redeem(tenant, KEY.proof("POST", f"{tenant.issuer}/token", nonce=nonce))
        assert fresh.status_code == 200
        assert fresh.headers["dpop-nonce"] != nonce
        tenant.change(lambda t: setattr(t.clock, "offset", 600.0))
        late = redeem(tenant, KEY.proof("POST", f"{tenant.issuer}/token", nonce=nonce))
        assert error_of(late) == "use_dpop_nonce"

    def test_a_page_of_another_origin_may_read_the_nonce(self, new_tenant: Callable[..., World]) -> None:
        """8: a script in a browser has to see the header."""
        tenant = new_tenant(dpop_nonce=True)
        headers = {**_headers(KEY.proof("POST", f"{tenant.issuer}/token")), "Origin": "https://spa.example"}
        response = tenant.post("token", {"grant_type": "client_credentials"}, auth=APP, headers=headers)
        assert "dpop-nonce" in response.headers["access-control-expose-headers"].lower()


class TestSection10Code:
    """10."""

    def test_a_code_may_be_bound_at_the_start(self, tenant: World) -> None:
        """'the authorization server MUST ... verify that the JWK Thumbprint matches dpop_jkt'."""
        asked = {"dpop_jkt": KEY.thumbprint}
        assert error_of(redeem(tenant, None, **asked)) == "invalid_grant"
        assert error_of(redeem(tenant, OTHER.proof("POST", f"{tenant.issuer}/token"), **asked)) == "invalid_grant"
        assert redeem(tenant, KEY.proof("POST", f"{tenant.issuer}/token"), **asked).status_code == 200

    def test_pushing_with_a_proof_binds_it_as_well(self, tenant: World) -> None:
        """10.1: 'the DPoP header ... of the PAR request', and it has to agree with dpop_jkt."""
        request = {"response_type": "code", "redirect_uri": REDIRECT_URI, "scope": "openid", "state": "s"}
        proof = KEY.proof("POST", f"{tenant.issuer}/par")
        pushed = tenant.post("par", request, auth=APP, headers=_headers(proof))
        assert pushed.status_code == 201, pushed.text
        uri = pushed.json()["request_uri"]
        assert error_of(redeem(tenant, None, request_uri=uri)) == "invalid_grant"
        proof = KEY.proof("POST", f"{tenant.issuer}/par")
        other = tenant.post("par", {**request, "dpop_jkt": OTHER.thumbprint}, auth=APP, headers=_headers(proof))
        assert error_of(other) == "invalid_dpop_proof"


class TestElsewhere:
    """Where a proof means nothing."""

    def test_a_make_that_knows_no_dpop_ignores_it(self, new_tenant: Callable[..., World]) -> None:
        """As GitHub does."""
        tenant = new_tenant(dialect="github")
        tenant.change(lambda t: t.clients.update(gh=Client("gh", secret="s", redirect_uris=[REDIRECT_URI])))
        request = {"client_id": "gh", "redirect_uri": REDIRECT_URI, "state": "s"}
        location = tenant.get("login/oauth/authorize", params=request).headers["location"]
        body = {"client_id": "gh", "client_secret": "s", "code": location.split("code=")[1].split("&")[0]}
        headers = {"Accept": "application/json", "DPoP": "nonsense"}
        tokens = tenant.post("login/oauth/access_token", body, headers=headers).json()
        assert tokens["token_type"] == "bearer"
