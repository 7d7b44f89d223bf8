"""RFC 9101, and OpenID Connect Core 1.0, section 6: authorization requests as JWTs."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from mock_idp.keys.ring import KeyRing, jwk
from tests.mock_idp.person import Listener, signed
from tests.mock_idp.served import REDIRECT_URI, answered, claims, error_of

if TYPE_CHECKING:
    import httpx

    from mock_idp.keys.ring import Algorithm, KeyRef
    from mock_idp.records import Tenant
    from tests.mock_idp.served import World


@dataclass
class Signer:
    """The client ``app``, which signs its requests."""

    world: World
    key: KeyRef

    def claims(self, **changed: Any) -> dict[str, Any]:
        """What a sound request object of plain OAuth says; None leaves a claim out."""
        sound = {
            "iss": "app",
            "aud": self.world.issuer,
            "client_id": "app",
            "response_type": "code",
            "redirect_uri": REDIRECT_URI,
            "scope": "profile",
            "state": "inner state+",
        }
        return {name: value for name, value in {**sound, **changed}.items() if value is not None}

    def object(self, **changed: Any) -> str:
        return signed(self.claims(**changed), self.key, typ="oauth-authz-req+jwt")

    def ask(self, **parameters: str) -> httpx.Response:
        """With nothing but these outside."""
        return self.world.get(f"authorize?{urlencode({'client_id': 'app', **parameters})}")


def signer(world: World, alg: Algorithm = "ES256") -> Signer:
    key = asyncio.run(KeyRing().add("a client's keys", alg))

    def register(tenant: Tenant) -> None:
        tenant.clients["app"].jwks = {"keys": [jwk(key)]}

    world.change(register)
    return Signer(world, key)


@pytest.fixture
def app(tenant: World) -> Signer:
    """A client with a key."""
    return signer(tenant)


class TestSection5Request:
    """5."""

    @pytest.mark.parametrize("alg", ["RS256", "PS256", "ES256", "EdDSA"])
    def test_a_signed_request_is_taken(self, tenant: World, alg: Algorithm) -> None:
        """5.1: by value."""
        told = answered(signer(tenant, alg).ask(request=signer(tenant, alg).object()))
        assert told["state"] == "inner state+"
        assert tenant.redeem(told["code"]).json()["scope"] == "profile"

    def test_both_ways_at_once_are_refused(self, app: Signer) -> None:
        """'If this parameter is present in the authorization request, "request_uri" MUST NOT be present.'"""
        assert app.ask(request=app.object(), request_uri="https://app.example/r").status_code == 400

    def test_the_client_ids_are_the_same(self, app: Signer) -> None:
        """6.3: outside and inside they 'MUST be identical'."""
        for client_id in (None, "spa"):
            assert "client_id" in app.ask(request=app.object(client_id=client_id)).text

    def test_only_what_is_signed_counts(self, app: Signer) -> None:
        """6.3: 'MUST only use the parameters in the Request Object'."""
        told = answered(app.ask(request=app.object(state=None), state="outer", scope="email"))
        assert "state" not in told
        assert app.world.redeem(told["code"]).json()["scope"] == "profile"

    def test_a_request_in_a_request_is_refused(self, app: Signer) -> None:
        """4: 'MUST NOT be included in Request Objects.'"""
        assert "invalid_request_object" in app.ask(request=app.object(request="x")).text


class TestSection6Validation:
    """6."""

    @pytest.mark.parametrize(
        "changed",
        [
            {"iss": "another"},
            {"aud": "https://another.example"},
            {"exp": 1},
            {"nbf": 4102444800},
        ],
    )
    def test_what_is_not_for_now_and_here_is_refused(self, app: Signer, changed: dict[str, Any]) -> None:
        """4 and RFC 7519: iss is the client, aud the issuer."""
        response = app.ask(request=app.object(**changed))
        assert response.status_code == 400
        assert "invalid_request_object" in response.text

    def test_a_wrong_signature_is_refused(self, app: Signer) -> None:
        """6.2: 'If signature validation fails, ... MUST return an "invalid_request_object" error.'"""
        head, payload, signature = app.object().split(".")
        forged = f"{head}.{payload}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}"
        assert "invalid_request_object" in app.ask(request=forged).text

    @pytest.mark.parametrize("text", ["x", "a.b.c", "eyJhbGciOiJub25lIn0.eyJjbGllbnRfaWQiOiJhcHAifQ.", "é" * 10])
    def test_what_is_unsigned_or_no_jwt_is_refused(self, app: Signer, text: str) -> None:
        """Anybody could have written it."""
        assert "invalid_request_object" in app.ask(request=text).text

    def test_another_kind_of_jwt_is_refused(self, app: Signer) -> None:
        """10.8: cross-JWT confusion."""
        assert "invalid_request_object" in app.ask(request=signed(app.claims(), app.key, typ="logout+jwt")).text

    def test_a_client_without_keys_cannot_sign(self, tenant: World, app: Signer) -> None:
        """Nor can one that nobody registered."""
        tenant.change(lambda t: setattr(t.clients["app"], "jwks", None))
        assert "no keys" in app.ask(request=app.object()).text

    def test_only_the_algorithm_that_was_registered(self, tenant: World, app: Signer) -> None:
        """Core, 6.1: request_object_signing_alg."""
        tenant.change(lambda t: t.clients["app"].metadata.update(request_object_signing_alg="PS256"))
        assert "PS256" in app.ask(request=app.object()).text

    def test_a_refusal_goes_where_the_url_says_if_that_is_trusted(self, app: Signer) -> None:
        """What cannot be believed names no address."""
        assert error_of(app.ask(request="x", redirect_uri=REDIRECT_URI)) == "invalid_request_object"
        assert app.ask(request="x", redirect_uri="https://evil.example/").status_code == 400


class TestOpenIdConnectCore6:
    """OpenID Connect Core 1.0, section 6."""

    def test_parameters_inside_supersede_those_outside(self, app: Signer) -> None:
        """6.3.3: the request is assembled from both, and what is signed wins."""
        inner = app.object(scope="openid email", nonce="inner", state=None, redirect_uri=None)
        response = app.world.authorize(request=inner, state="outer a+b", nonce="outer", scope="openid")
        told = answered(response)
        assert told["state"] == "outer a+b"
        token = claims(app.world.redeem(told["code"]).json()["id_token"])
        assert (token["nonce"], token["email"]) == ("inner", "alice@example.test")

    def test_values_that_are_not_text_mean_their_json(self, app: Signer) -> None:
        """RFC 9101, 4: numbers and objects are JSON."""
        wanted = {"id_token": {"email": None}}
        inner = app.object(scope="openid", claims=wanted, max_age=60, resource=["https://one.example/"])
        tokens = app.world.redeem(answered(app.ask(request=inner))["code"]).json()
        assert claims(tokens["id_token"])["email"] == "alice@example.test"

    def test_the_response_type_is_the_same(self, app: Signer) -> None:
        """6.1: 'MUST match those in the Request Object, if present.'"""
        response = app.world.authorize(request=app.object(scope="openid", response_type="token"), scope="openid")
        assert error_of(response) == "invalid_request_object"

    def test_by_reference(self, app: Signer) -> None:
        """6.2: request_uri, registered beforehand."""
        with Listener() as listener:
            listener.documents["/request"] = app.object()
            uri = f"{listener.url}/request"
            app.world.change(lambda t: t.clients["app"].metadata.update(request_uris=[uri, f"{listener.url}/gone"]))
            assert "code" in answered(app.ask(request_uri=uri))
            assert "answers 404" in app.ask(request_uri=f"{listener.url}/gone").text
            assert "not registered" in app.ask(request_uri=f"{listener.url}/other").text
        assert "cannot be reached" in app.ask(request_uri=uri).text

    def test_metadata(self, tenant: World) -> None:
        """Discovery 1.0, section 3."""
        metadata = tenant.get(".well-known/openid-configuration").json()
        assert metadata["request_parameter_supported"] is True
        assert metadata["request_uri_parameter_supported"] is True
        assert "ES256" in metadata["request_object_signing_alg_values_supported"]
        assert "none" not in metadata["request_object_signing_alg_values_supported"]
