"""RFC 7523: JWTs for client authentication (2.2) and as grants (2.1); OpenID Connect Core 1.0, section 9."""

from __future__ import annotations

import time
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from mock_idp.records import Client
from tests.mock_idp.client_jwts import BEARER, ClientKey, secret_assertion
from tests.mock_idp.served import REDIRECT_URI, claims, error_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from tests.mock_idp.served import World

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
KEY = ClientKey()
SECRET = "a-secret-of-the-client-which-is-long-enough-for-hs256"


def add(tenant: World, **members: Any) -> None:
    client = Client("signer", redirect_uris=[REDIRECT_URI], **members)
    tenant.change(lambda t: t.clients.update(signer=client))


def authenticate(tenant: World, assertion: str, **parameters: str) -> httpx.Response:
    body = {"grant_type": "client_credentials", "client_assertion_type": BEARER, "client_assertion": assertion}
    return tenant.post("token", {**body, **parameters})


def endpoint(tenant: World) -> str:
    return f"{tenant.issuer}/token"


class TestPrivateKeyJwt:
    """2.2, with keys of the client."""

    @pytest.mark.parametrize("alg", ["ES256", "EdDSA", "RS256", "PS256"])
    def test_a_signed_assertion_authenticates(self, tenant: World, alg: str) -> None:
        """OpenID Connect Core, 9: 'private_key_jwt'."""
        key = ClientKey(alg)
        add(tenant, jwks=key.jwks)
        assert authenticate(tenant, key.assertion("signer", tenant.issuer)).status_code == 200

    def test_the_token_endpoint_is_a_good_audience(self, tenant: World) -> None:
        """3: 'The token endpoint URL of the authorization server MAY be used as a value for an "aud" element.'"""
        add(tenant, jwks=KEY.jwks)
        assert authenticate(tenant, KEY.assertion("signer", endpoint(tenant))).status_code == 200

    @pytest.mark.parametrize(
        "spoiled",
        [
            {"aud": "https://elsewhere.example"},
            {"aud": None},
            {"iss": "app"},
            {"iss": None},
            {"sub": None},
            {"exp": None},
            {"exp": 1},
            {"exp": "soon"},
            {"nbf": 9_999_999_999},
            {"jti": None},
            {"jti": 7},
        ],
        ids=lambda spoiled: "-".join(f"{name}={value}" for name, value in spoiled.items()),
    )
    def test_a_claim_that_is_wrong_or_missing_is_refused(self, tenant: World, spoiled: dict[str, Any]) -> None:
        """3: 'iss', 'sub', 'aud', 'exp' MUST be there, and be right."""
        add(tenant, jwks=KEY.jwks)
        response = authenticate(tenant, KEY.assertion("signer", tenant.issuer, **spoiled))
        assert (response.status_code, error_of(response)) == (401, "invalid_client")

    def test_it_is_good_once(self, tenant: World) -> None:
        """OpenID Connect Core, 9: 'jti ... used to prevent reuse of the token. These tokens MUST only be used once.'"""
        add(tenant, jwks=KEY.jwks)
        assertion = KEY.assertion("signer", tenant.issuer)
        assert authenticate(tenant, assertion).status_code == 200
        assert error_of(authenticate(tenant, assertion)) == "invalid_client"

    def test_a_foreign_key_is_refused(self, tenant: World) -> None:
        """3: 'MUST be digitally signed ... by the issuer'."""
        add(tenant, jwks=KEY.jwks)
        assert error_of(authenticate(tenant, ClientKey().assertion("signer", tenant.issuer))) == "invalid_client"

    def test_an_unsigned_one_is_refused(self, tenant: World) -> None:
        """The same."""
        add(tenant, jwks=KEY.jwks)
        head, body, _ = KEY.assertion("signer", tenant.issuer).split(".")
        assert error_of(authenticate(tenant, f"eyJhbGciOiJub25lIn0.{body}.")) == "invalid_client"
        assert error_of(authenticate(tenant, f"{head}.{body}.")) == "invalid_client"

    def test_client_id_has_to_agree(self, tenant: World) -> None:
        """RFC 7521, 4.2: 'client_id ... MUST identify the same client as is identified by the client assertion.'"""
        add(tenant, jwks=KEY.jwks)
        assert authenticate(tenant, KEY.assertion("signer", tenant.issuer), client_id="signer").status_code == 200
        wrong = authenticate(tenant, KEY.assertion("signer", tenant.issuer), client_id="app")
        assert error_of(wrong) == "invalid_client"

    def test_its_type_is_named(self, tenant: World) -> None:
        """2.2: 'The value of the "client_assertion_type" is "urn:...:jwt-bearer".'"""
        add(tenant, jwks=KEY.jwks)
        body = {"grant_type": "client_credentials", "client_assertion": KEY.assertion("signer", tenant.issuer)}
        assert error_of(tenant.post("token", body)) == "invalid_client"

    def test_not_together_with_a_secret(self, tenant: World) -> None:
        """RFC 7521, 4.2: 'MUST NOT include more than one client authentication method'."""
        add(tenant, jwks=KEY.jwks)
        both = authenticate(tenant, KEY.assertion("signer", tenant.issuer), client_secret="s")
        assert error_of(both) == "invalid_request"

    def test_a_client_with_keys_cannot_go_without(self, tenant: World) -> None:
        """RFC 6749, 3.2.1."""
        add(tenant, jwks=KEY.jwks)
        assert (
            error_of(tenant.redeem(tenant.code(client_id="signer"), auth=None, client_id="signer")) == "invalid_client"
        )

    def test_keys_are_fetched_from_their_uri(self, tenant: World) -> None:
        """OpenID Connect Dynamic Client Registration 1.0, 2: 'jwks_uri'."""
        with serving(b'{"keys": [%s]}' % str(KEY.jwk).replace("'", '"').encode()) as uri:
            add(tenant, jwks_uri=uri)
            assert authenticate(tenant, KEY.assertion("signer", tenant.issuer)).status_code == 200

    @pytest.mark.parametrize("body", [b"<h1>no</h1>", b"[]", b'{"keys": 1}'])
    def test_what_is_no_key_set_is_told(self, tenant: World, body: bytes) -> None:
        """A clear sentence, and no 5xx."""
        with serving(body) as uri:
            add(tenant, jwks_uri=uri)
            response = authenticate(tenant, KEY.assertion("signer", tenant.issuer))
        assert (response.status_code, error_of(response)) == (401, "invalid_client")
        assert "no JWK Set" in response.json()["error_description"]

    def test_nobody_at_that_uri_is_told(self, tenant: World) -> None:
        """The same."""
        add(tenant, jwks_uri="http://127.0.0.1:9/jwks")
        response = authenticate(tenant, KEY.assertion("signer", tenant.issuer))
        assert (response.status_code, error_of(response)) == (401, "invalid_client")
        assert "cannot be fetched" in response.json()["error_description"]

    def test_a_tenant_ahead_of_time_takes_what_its_clients_date(self, tenant: World) -> None:
        """A test that moves the tenant's clock moves no client's; the journal says by which clock it was judged."""
        add(tenant, jwks=KEY.jwks)
        tenant.change(lambda t: setattr(t.clock, "offset", 7200.0))
        assert authenticate(tenant, KEY.assertion("signer", tenant.issuer)).status_code == 200
        assert "judged-by-machine-clock" in tenant.journal()[-1].notes
        late = KEY.assertion("signer", tenant.issuer, exp=int(time.time()) - 60)
        assert error_of(authenticate(tenant, late)) == "invalid_client"


class TestClientSecretJwt:
    """OpenID Connect Core 1.0, section 9: 'client_secret_jwt'."""

    def test_an_assertion_by_secret_authenticates(self, tenant: World) -> None:
        """'using an HMAC SHA algorithm'."""
        add(tenant, secret=SECRET)
        assert authenticate(tenant, secret_assertion("signer", SECRET, tenant.issuer)).status_code == 200

    def test_another_secret_does_not(self, tenant: World) -> None:
        """'calculated using the octets of the UTF-8 representation of the client_secret'."""
        add(tenant, secret=SECRET)
        response = authenticate(tenant, secret_assertion("signer", SECRET + "x", tenant.issuer))
        assert error_of(response) == "invalid_client"

    def test_the_public_key_is_no_secret(self, tenant: World) -> None:
        """RFC 8725, 2.1: an attacker signs HS256 with what everybody knows."""
        add(tenant, jwks=KEY.jwks)
        response = authenticate(tenant, secret_assertion("signer", str(KEY.jwk), tenant.issuer))
        assert error_of(response) == "invalid_client"

    def test_a_client_may_be_held_to_it(self, tenant: World) -> None:
        """'token_endpoint_auth_method'."""
        add(tenant, secret=SECRET, auth_methods=["client_secret_jwt"])
        body = {"grant_type": "client_credentials", "client_id": "signer", "client_secret": SECRET}
        assert error_of(tenant.post("token", body)) == "invalid_client"
        assert authenticate(tenant, secret_assertion("signer", SECRET, tenant.issuer)).status_code == 200


class TestEverywhere:
    """The same at every back-channel endpoint."""

    @pytest.mark.parametrize("path", ["introspect", "revoke", "device_authorization", "par"])
    def test_assertions_are_taken_and_checked(self, tenant: World, path: str) -> None:
        """RFC 7009, 2.1; RFC 7662, 2.1; RFC 8628, 3.1; RFC 9126, 2."""
        add(tenant, jwks=KEY.jwks)
        request = {"token": "t", "response_type": "code", "redirect_uri": REDIRECT_URI, "client_assertion_type": BEARER}
        good = KEY.assertion("signer", tenant.issuer)
        assert tenant.post(path, {**request, "client_assertion": good}).status_code in {200, 201}
        bad = ClientKey().assertion("signer", tenant.issuer)
        assert error_of(tenant.post(path, {**request, "client_assertion": bad})) == "invalid_client"

    def test_discovery_says_so(self, tenant: World) -> None:
        """RFC 8414, 2."""
        found = tenant.get(".well-known/openid-configuration").json()
        assert {"private_key_jwt", "client_secret_jwt"} <= {*found["token_endpoint_auth_methods_supported"]}
        assert {"ES256", "HS256"} <= {*found["token_endpoint_auth_signing_alg_values_supported"]}
        assert "none" not in found["introspection_endpoint_auth_methods_supported"]


class TestJwtBearerGrant:
    """2.1 and 3.1."""

    def ask(self, tenant: World, assertion: str | None, **parameters: str) -> httpx.Response:
        body = {"grant_type": GRANT, **parameters}
        return tenant.post("token", body if assertion is None else {**body, "assertion": assertion})

    def trust(self, tenant: World, key: ClientKey = KEY, issuer: str = "https://trusted.example") -> str:
        tenant.change(lambda t: t.settings.trusted_issuers.update({issuer: key.jwks}))
        return issuer

    def test_a_client_may_vouch_for_a_person(self, tenant: World) -> None:
        """As service accounts do; RFC 7521, 4.1: 'Authentication of the client is optional'."""
        add(tenant, jwks=KEY.jwks)
        response = self.ask(tenant, KEY.assertion("signer", tenant.issuer, sub="bob"), scope="openid email")
        assert response.status_code == 200, response.text
        assert tenant.userinfo(response.json()["access_token"]).json()["sub"] == "bob"

    def test_a_client_may_vouch_for_itself(self, tenant: World) -> None:
        """3: 'the subject ... the "client_id" of the OAuth client'."""
        add(tenant, jwks=KEY.jwks)
        tokens = self.ask(tenant, KEY.assertion("signer", tenant.issuer), scope="openid").json()
        assert tenant.userinfo(tokens["access_token"]).status_code == 401

    def test_a_trusted_issuer_may_vouch(self, tenant: World) -> None:
        """3: 'The authorization server MUST ... the issuer'."""
        assertion = KEY.sign({**_vouched(self.trust(tenant)), "aud": tenant.issuer})
        response = self.ask(tenant, assertion, client_id="app", client_secret="app-secret", scope="openid")
        assert tenant.userinfo(response.json()["access_token"]).json()["sub"] == "carol"

    def test_its_keys_may_be_at_a_uri(self, tenant: World) -> None:
        """As with clients."""
        with serving(b'{"keys": [%s]}' % str(KEY.jwk).replace("'", '"').encode()) as uri:
            tenant.change(lambda t: t.settings.trusted_issuers.update({"https://far.example": {"jwks_uri": uri}}))
            assertion = KEY.sign({**_vouched("https://far.example"), "aud": tenant.issuer})
            assert self.ask(tenant, assertion, client_id="app", client_secret="app-secret").status_code == 200

    def test_our_own_token_acts_on_behalf_of_its_person(self, new_tenant: Callable[..., World]) -> None:
        """A service exchanges the token that it was sent for one of its own."""
        tenant = new_tenant(access_token="jwt", audience=["app"])
        tenant.change(lambda t: t.clients.update(front=Client("front", redirect_uris=[REDIRECT_URI])))
        sent = tenant.redeem(tenant.code(client_id="front"), auth=None, client_id="front").json()["access_token"]
        assert claims(sent)["aud"] == "app"
        response = self.ask(tenant, sent, client_id="app", client_secret="app-secret", scope="openid")
        assert response.status_code == 200, response.text
        assert tenant.userinfo(response.json()["access_token"]).json()["sub"] == "alice"
        refused = self.ask(tenant, sent, client_id="front")
        assert error_of(refused) == "invalid_grant", "it was not sent to that one"
        tenant.post("revoke", {"token": sent, "client_id": "front"})
        assert error_of(self.ask(tenant, sent, client_id="app", client_secret="app-secret")) == "invalid_grant"

    @pytest.mark.parametrize(
        "spoiled",
        [
            {"aud": "https://elsewhere.example"},
            {"exp": 1},
            {"exp": None},
            {"sub": None},
            {"iss": "https://evil.example"},
        ],
        ids=lambda spoiled: "-".join(f"{name}={value}" for name, value in spoiled.items()),
    )
    def test_what_is_wrong_is_an_invalid_grant(self, tenant: World, spoiled: dict[str, Any]) -> None:
        """3.1: 'the value of the "error" parameter MUST be the "invalid_grant" error code'."""
        assertion = KEY.sign({**_vouched(self.trust(tenant)), "aud": tenant.issuer, **spoiled})
        assert error_of(self.ask(tenant, assertion, client_id="app", client_secret="app-secret")) == "invalid_grant"

    def test_a_foreign_signature_is_an_invalid_grant(self, tenant: World) -> None:
        """3: 'MUST reject any JWT with an invalid signature'."""
        assertion = ClientKey().sign({**_vouched(self.trust(tenant)), "aud": tenant.issuer})
        assert error_of(self.ask(tenant, assertion, client_id="app", client_secret="app-secret")) == "invalid_grant"

    def test_nobody_vouches_for_a_client_that_gives_another_issuer(self, tenant: World) -> None:
        """Nobody becomes a client by naming it as issuer."""
        response = self.ask(tenant, KEY.assertion("app", tenant.issuer, sub="alice"))
        assert error_of(response) == "invalid_grant"

    def test_with_a_jti_it_is_good_once(self, tenant: World) -> None:
        """3: 'The JWT MAY contain a "jti" ... the authorization server MAY ensure that JWTs are not replayed'."""
        assertion = KEY.sign({**_vouched(self.trust(tenant)), "aud": tenant.issuer, "jti": "one"})
        assert self.ask(tenant, assertion, client_id="app", client_secret="app-secret").status_code == 200
        assert error_of(self.ask(tenant, assertion, client_id="app", client_secret="app-secret")) == "invalid_grant"

    def test_it_gives_no_refresh_token(self, tenant: World) -> None:
        """RFC 7521, 4.1: 'refresh tokens are not issued'."""
        assertion = KEY.sign({**_vouched(self.trust(tenant)), "aud": tenant.issuer})
        tokens = self.ask(tenant, assertion, client_id="app", client_secret="app-secret", scope="openid").json()
        assert not tokens.keys() & {"refresh_token", "id_token"}

    @pytest.mark.parametrize("assertion", [None, "x", "a.b.c", "e30.e30."])
    def test_what_is_no_jwt_is_refused(self, tenant: World, assertion: str | None) -> None:
        """2.1."""
        response = self.ask(tenant, assertion, client_id="app", client_secret="app-secret")
        assert error_of(response) == ("invalid_request" if assertion is None else "invalid_grant")

    def test_a_strict_tenant_knows_whom_it_is_about(self, new_tenant: Callable[..., World]) -> None:
        """Unknown people are not made."""
        tenant = new_tenant(strict=True)
        assertion = KEY.sign({**_vouched(self.trust(tenant)), "aud": tenant.issuer, "sub": "mallory"})
        assert error_of(self.ask(tenant, assertion, client_id="app", client_secret="app-secret")) == "invalid_grant"


def _vouched(issuer: str) -> dict[str, Any]:
    return {"iss": issuer, "sub": "carol", "exp": int(time.time()) + 60}


class serving:  # noqa: N801 # reads as what it does
    """A document on a free port."""

    def __init__(self, body: bytes) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.thread = Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    def __enter__(self) -> str:
        self.thread.start()
        return f"http://127.0.0.1:{self.server.server_port}/jwks"

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.thread.join(10)
        with closing(self.server.socket):
            self.server.server_close()
