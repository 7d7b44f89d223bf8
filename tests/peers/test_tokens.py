"""Two independent libraries verify every kind of honest token, in every algorithm, by the published keys alone."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import jwt as pyjwt
import pytest
from joserfc import jwt as joserfc_jwt
from joserfc.jwk import KeySet

from mock_idp.protocol.logout.back_channel import send_logout
from tests.mock_idp.served import answered, claims, header

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.mock_idp.served import Served, World

    Verify = Callable[[str, World, str], dict[str, Any]]

ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]
CLOSED = "http://127.0.0.1:9/back-channel"


@pytest.fixture(params=ALGORITHMS)
def world(request: pytest.FixtureRequest, served: Served) -> Iterator[World]:
    """A tenant that signs everything it can."""
    made = served.tenant(signing_alg=request.param, access_token="jwt", userinfo_signed=True)
    made.change(lambda tenant: setattr(tenant.clients["app"], "backchannel_logout_uri", CLOSED))
    with made.http:
        yield made
    served.run(served.provider.store.drop(made.name))


def by_pyjwt(token: str, world: World, audience: str) -> dict[str, Any]:
    """Verified by PyJWT, which fetches the keys itself."""
    metadata = world.get(".well-known/openid-configuration").json()
    key = pyjwt.PyJWKClient(metadata["jwks_uri"], timeout=5).get_signing_key_from_jwt(token)
    found: dict[str, Any] = pyjwt.decode(
        token, key, algorithms=[_algorithm(world)], audience=audience, issuer=metadata["issuer"]
    )
    return found


def by_joserfc(token: str, world: World, audience: str) -> dict[str, Any]:
    """Verified by joserfc, from the same JWKS."""
    keys = KeySet.import_key_set(world.get("jwks").json())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of the name EdDSA since RFC 9864
        decoded = joserfc_jwt.decode(token, keys, algorithms=[_algorithm(world)])
    registry = joserfc_jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": world.issuer}, aud={"essential": True, "value": audience}
    )
    registry.validate(decoded.claims)
    return decoded.claims


def _algorithm(world: World) -> str:
    alg: str = world.get(".well-known/openid-configuration").json()["id_token_signing_alg_values_supported"][0]
    return alg


@pytest.fixture(params=[by_pyjwt, by_joserfc], ids=["PyJWT", "joserfc"])
def verify(request: pytest.FixtureRequest) -> Verify:
    """One library's way to verify a token."""
    found: Verify = request.param
    return found


def test_id_token(world: World, verify: Verify) -> None:
    """Of a code flow."""
    said = verify(world.tokens(nonce="the-nonce")["id_token"], world, "app")
    assert (said["sub"], said["nonce"]) == ("alice", "the-nonce")


def test_id_token_of_a_refresh(world: World, verify: Verify) -> None:
    """OpenID Connect Core 1.0, section 12.2."""
    first = world.tokens()
    again = world.refresh(first["refresh_token"]).json()
    assert verify(again["id_token"], world, "app")["sub"] == "alice"


@pytest.mark.parametrize("response_type", ["id_token", "code id_token", "code id_token token"])
def test_id_token_of_the_front_channel(world: World, verify: Verify, response_type: str) -> None:
    """Implicit and hybrid flows."""
    response = answered(world.authorize(response_type=response_type, nonce="the-nonce"))
    said = verify(response["id_token"], world, "app")
    assert said["nonce"] == "the-nonce"
    assert ("c_hash" in said) == ("code" in response)
    assert ("at_hash" in said) == ("access_token" in response)


def test_access_token(world: World, verify: Verify) -> None:
    """RFC 9068: its audience is a resource, and its type says what it is."""
    token = world.tokens()["access_token"]
    assert header(token)["typ"] == "at+jwt"
    said = verify(token, world, _only_audience(token))
    assert (said["sub"], said["client_id"]) == ("alice", "app")


def test_access_token_of_a_client(world: World, verify: Verify) -> None:
    """Client credentials: the client is the subject."""
    token = world.post("token", {"grant_type": "client_credentials"}, auth=("app", "app-secret")).json()["access_token"]
    assert verify(token, world, _only_audience(token))["sub"] == "app"


def test_userinfo(world: World, verify: Verify) -> None:
    """OpenID Connect Core 1.0, section 5.3.2."""
    response = world.userinfo(world.tokens()["access_token"])
    assert response.headers["content-type"].startswith("application/jwt")
    assert verify(response.text, world, "app")["email"] == "alice@example.test"


def test_logout_token(served: Served, world: World, verify: Verify) -> None:
    """OpenID Connect Back-Channel Logout 1.0, section 2.4."""
    world.tokens()
    tenant = served.run(served.provider.store.tenant(world.name))
    served.run(send_logout(served.provider, tenant, sub="alice"))
    sent = next(entry for entry in world.journal() if entry.url == CLOSED)
    token = parse_qs(sent.request_body.decode())["logout_token"][0]
    assert header(token)["typ"] == "logout+jwt"
    said = verify(token, world, "app")
    assert said["sub"] == "alice"
    assert "nonce" not in said


def _only_audience(token: str) -> str:
    said = claims(token)["aud"]
    audience: str = said if isinstance(said, str) else said[0]
    return audience
