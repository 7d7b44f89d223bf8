"""What shows that the faults of the ID Token strike."""

from __future__ import annotations

import base64
import hmac
import json
from typing import TYPE_CHECKING, Any
from unittest.mock import ANY

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from mock_idp.tokens import jws
from tests.mock_idp.faults.walk import (
    GONE,
    authorize,
    changes,
    id_token,
    is_rightly_signed,
    jwks,
    key_of,
    redeem,
    response_pairs,
    shows,
    token_members,
)
from tests.mock_idp.served import claims, header

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.mock_idp.served import World

HOUR = 3600
DAY = 24 * HOUR
CLAIMS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "iss-wrong": lambda _: {"iss": "https://another-issuer.example.test"},
    "iss-missing": lambda _: {"iss": GONE},
    "iss-empty": lambda _: {"iss": ""},
    "iss-slash": lambda honest: {"iss": honest["iss"] + "/"},
    "iss-http": lambda honest: {"iss": honest["iss"].replace("http:", "https:")},
    "iss-prefix": lambda honest: {"iss": honest["iss"] + ".attacker.example.test"},
    "iss-array": lambda honest: {"iss": [honest["iss"], ANY]},
    "aud-wrong": lambda _: {"aud": "another-client"},
    "aud-missing": lambda _: {"aud": GONE},
    "aud-empty": lambda _: {"aud": []},
    "aud-substring": lambda _: {"aud": "not-app-either"},
    "aud-array-extra": lambda _: {"aud": ["app", "another-client"]},
    "aud-array-single": lambda _: {"aud": ["app"]},
    "azp-wrong": lambda _: {"azp": "another-client"},
    "exp-past": lambda honest: {"exp": honest["iat"] - HOUR},
    "exp-missing": lambda _: {"exp": GONE},
    "exp-string": lambda honest: {"exp": str(honest["exp"])},
    "exp-within-skew": lambda honest: {"exp": honest["iat"] - 30},
    "iat-missing": lambda _: {"iat": GONE},
    "iat-future": lambda honest: {"iat": honest["iat"] + DAY},
    "iat-week-old": lambda honest: {"iat": honest["iat"] - 7 * DAY},
    "nbf-future": lambda honest: {"nbf": honest["iat"] + HOUR},
    "sub-missing": lambda _: {"sub": GONE},
    "sub-null": lambda _: {"sub": None},
    "sub-empty": lambda _: {"sub": ""},
    "sub-number": lambda _: {"sub": int.from_bytes(b"alic", "big")},
    "sub-array": lambda _: {"sub": ["alice", "somebody-else"]},
    "sub-long": lambda _: {"sub": "alice" + 995 * "x"},
    "sub-case": lambda _: {"sub": "ALICE"},
    "nonce-wrong": lambda _: {"nonce": ANY},
    "nonce-missing": lambda _: {"nonce": GONE},
    "auth-time-old": lambda honest: {"auth_time": honest["auth_time"] - 30 * DAY},
    "auth-time-missing": lambda _: {"auth_time": GONE},
    "acr-low": lambda _: {"acr": "0"},
}
"""What each fault changes in the claims of the honest token, of the same second."""


@shows(*(f"id-token.{name}" for name in CLAIMS))
def one_claim(world: World, fault: str) -> None:
    honest, token = claims(id_token(world)), id_token(world, fault)
    assert changes(honest, claims(token)) == CLAIMS[fault.removeprefix("id-token.")](honest)
    assert is_rightly_signed(world, token)
    assert header(token)["typ"] == "JWT"


@shows("id-token.refresh-other-sub", "id-token.refresh-other-iss")
def at_refresh(world: World, fault: str) -> None:
    claim = fault[-3:]
    first = token_members(world, fault)
    honest = token_members(world)
    refreshed = world.refresh(first["refresh_token"]).json()["id_token"]
    again = world.refresh(honest["refresh_token"]).json()["id_token"]
    assert changes(claims(honest["id_token"]), claims(first["id_token"])) == {}
    expected = {"sub": "somebody-else", "iss": "https://another-issuer.example.test"}
    assert changes(claims(again), claims(refreshed)) == {claim: expected[claim]}
    assert is_rightly_signed(world, refreshed)


@shows("id-token.nonce-from-previous-flow")
def nonce_of_an_earlier_login(world: World, fault: str) -> None:
    id_token(world, nonce="an earlier one")
    assert claims(id_token(world, fault))["nonce"] == "an earlier one"


@shows("id-token.nonce-unsolicited")
def nonce_unsolicited(world: World, fault: str) -> None:
    assert "nonce" not in claims(id_token(world, nonce=None))
    assert claims(id_token(world, fault, nonce=None))["nonce"]
    assert "none is unsolicited" in redeem(world, fault).json()["error_description"]


@shows("id-token.at-hash-wrong")
def access_token_hash(world: World, fault: str) -> None:
    members = token_members(world, fault)
    said = claims(members["id_token"])
    assert said["at_hash"] != jws.half_hash(members["access_token"], "RS256")
    assert len(said["at_hash"]) == 22
    assert changes(claims(id_token(world)), said) == {}


@shows("id-token.c-hash-wrong")
def code_hash(world: World, fault: str) -> None:
    response = dict(response_pairs(authorize(world, fault, response_type="code id_token")))
    assert claims(response["id_token"])["c_hash"] != jws.half_hash(response["code"], "RS256")
    honest = dict(response_pairs(authorize(world, response_type="code id_token")))
    assert claims(honest["id_token"])["c_hash"] == jws.half_hash(honest["code"], "RS256")


# -- signatures --


def unchanged_claims(world: World, token: str) -> bool:
    return changes(claims(id_token(world)), claims(token)) == {}


@shows("id-token.sig-corrupt", "id-token.sig-foreign-key", "id-token.sig-empty")
def broken_signature(world: World, fault: str) -> None:
    token = id_token(world, fault)
    assert header(token) == header(id_token(world))
    assert unchanged_claims(world, token)
    assert not is_rightly_signed(world, token)
    assert token.endswith(".") == fault.endswith("empty")


@shows("id-token.alg-none", "id-token.alg-None", "id-token.alg-NONE", "id-token.alg-NoNe", "id-token.alg-none-with-sig")
def unsigned(world: World, fault: str) -> None:
    token = id_token(world, fault)
    assert header(token)["alg"] == fault.removeprefix("id-token.alg-").removesuffix("-with-sig")
    assert token.endswith(".") != fault.endswith("-with-sig")
    assert unchanged_claims(world, token)


def public_key_as_secret(jwk: dict[str, Any], encoding: str) -> bytes:
    """What a client gets when it takes the published key for a secret, worked out from the JWKS alone."""
    public = jwt.PyJWK(jwk).key
    spki: bytes = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    secrets = {
        "pkcs1-pem": public.public_bytes(Encoding.PEM, PublicFormat.PKCS1),
        "spki-pem": spki,
        "spki-pem-bare": spki.rstrip(),
        "der": public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        "jwk": json.dumps(jwk, separators=(",", ":")).encode(),
        "modulus": jwk["n"].encode(),
    }
    secret: bytes = secrets[encoding]
    return secret


def is_hmac(token: str, secret: bytes) -> bool:
    message, _, signature = token.rpartition(".")
    return base64.urlsafe_b64decode(signature + "=") == hmac.digest(secret, message.encode(), "sha256")


@shows(
    "id-token.alg-hs256-pubkey-pkcs1-pem",
    "id-token.alg-hs256-pubkey-spki-pem",
    "id-token.alg-hs256-pubkey-spki-pem-bare",
    "id-token.alg-hs256-pubkey-der",
    "id-token.alg-hs256-pubkey-jwk",
    "id-token.alg-hs256-pubkey-modulus",
)
def signed_with_the_public_key(world: World, fault: str) -> None:
    token = id_token(world, fault)
    (published,) = jwks(world)
    assert header(token) == {"alg": "HS256", "typ": "JWT", "kid": published["kid"]}
    assert is_hmac(token, public_key_as_secret(published, fault.removeprefix("id-token.alg-hs256-pubkey-")))
    assert unchanged_claims(world, token)


@shows("id-token.alg-hs256-secret")
def signed_with_the_client_secret(world: World, fault: str) -> None:
    token = id_token(world, fault)
    assert header(token)["alg"] == "HS256"
    assert is_hmac(token, b"app-secret")
    code = dict(response_pairs(authorize(world, fault, client_id="spa")))["code"]
    refused = world.redeem(code, auth=None, client_id="spa")
    assert "needs a client with a secret" in refused.json()["error_description"] or refused.status_code == 400


@shows("id-token.alg-other-es256", "id-token.alg-other-ps256", "id-token.alg-other-rs384")
def another_algorithm(world: World, fault: str) -> None:
    token = id_token(world, fault)
    alg = fault[-5:].upper()
    assert header(token)["alg"] == alg
    assert unchanged_claims(world, token)
    public = next(jwt.PyJWK({**key, "alg": alg}) for key in jwks(world) if key["kid"] == header(token)["kid"])
    jwt.PyJWS().decode(token, public, algorithms=[alg])


# -- headers --


@shows("id-token.hdr-jwk", "id-token.hdr-x5c", "id-token.hdr-jku", "id-token.hdr-x5u")
def brings_a_key(world: World, fault: str) -> None:
    token = id_token(world, fault)
    name = fault[-3:]
    assert header(token).keys() == {"alg", "typ", "kid", name}
    assert unchanged_claims(world, token)
    assert header(token)["kid"] not in [key["kid"] for key in jwks(world)]
    if name in {"jku", "x5u"}:
        brought = world.http.get(header(token)[name]).json()["keys"][0]
        assert world.journal()[-1].notes == ["canary-visited"]
        jwt.PyJWS().decode(token, jwt.PyJWK(brought), algorithms=["RS256"])


@shows("id-token.hdr-kid-missing-single")
def no_key_id(world: World, fault: str) -> None:
    token = id_token(world, fault)
    assert "kid" not in header(token)
    (only,) = jwks(world)
    jwt.PyJWS().decode(token, jwt.PyJWK(only), algorithms=["RS256"])


@shows("id-token.hdr-kid-missing-multi")
def no_key_id_of_several(world: World, fault: str) -> None:
    token = id_token(world, fault)
    assert "kid" not in header(token)
    assert len(jwks(world)) == 2
    assert "kid" not in header(id_token(world, fault))
    assert len(jwks(world)) == 2
    assert "the JWKS has several" in redeem(world, "id-token.hdr-kid-missing-single").json()["error_description"]


@shows("id-token.hdr-kid-unknown")
def unknown_key_id(world: World, fault: str) -> None:
    token = id_token(world, fault)
    with pytest.raises(StopIteration):
        key_of(world, token)
    assert header(token)["kid"] != header(id_token(world, fault))["kid"]


@shows("id-token.hdr-kid-injection")
def injected_key_id(world: World, fault: str) -> None:
    token = id_token(world, fault)
    assert header(token)["kid"].endswith("/dev/null")
    assert is_hmac(token, b"")


@shows("id-token.hdr-claims")
def claims_in_the_header(world: World, fault: str) -> None:
    token = id_token(world, fault)
    assert changes(claims(id_token(world)), claims(token)) == {"iss": GONE, "sub": GONE}
    assert (header(token)["iss"], header(token)["sub"]) == (world.issuer, "alice")
    assert is_rightly_signed(world, token)


# -- shapes --


@shows("id-token.duplicate-claim")
def claim_twice(world: World, fault: str) -> None:
    token = id_token(world, fault)
    payload = jwt.utils.base64url_decode(token.split(".")[1])
    pairs = json.loads(payload, object_pairs_hook=list)
    assert [value for name, value in pairs if name == "sub"] == ["somebody-else", "alice"]
    assert is_rightly_signed(world, token)


@shows("id-token.typ-logout")
def logout_token(world: World, fault: str) -> None:
    token = id_token(world, fault)
    assert header(token)["typ"] == "logout+jwt"
    assert changes(claims(id_token(world)), claims(token)) == {"nonce": GONE, "events": ANY}
    assert is_rightly_signed(world, token)


@shows(
    "id-token.malformed-two-segments",
    "id-token.malformed-five-segments",
    "id-token.malformed-padding",
    "id-token.malformed-non-json",
    "id-token.malformed-non-object",
    "id-token.malformed-header",
)
def malformed(world: World, fault: str) -> None:
    token = id_token(world, fault)
    segments = [jwt.utils.base64url_decode(part.rstrip("=")) for part in token.split(".")]
    shape = fault.removeprefix("id-token.malformed-")
    assert len(segments) == {"two-segments": 2, "five-segments": 5}.get(shape, 3)
    assert ("=" in token) == (shape == "padding")
    assert (segments[0] == b"this is not JSON") == (shape == "header")
    assert (segments[1] == b"this is not JSON") == (shape == "non-json")
    if shape == "non-object":
        assert isinstance(json.loads(segments[1]), list)


@shows("id-token.encrypted-unexpected")
def encrypted(world: World, fault: str) -> None:
    token = id_token(world, fault)
    assert token.count(".") == 4
    assert header(token).keys() == {"alg", "enc", "cty", "kid"}
