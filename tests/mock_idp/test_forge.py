"""Forgeries: each deviates as its name says, and two libraries that check signatures refuse it."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
from typing import Any

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwt as joserfc_jwt
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, KeySet

from mock_idp.keys import Algorithm, jwk, make, signer
from mock_idp.tokens import forge
from mock_idp.wire.http import json_bytes
from tests.mock_idp.served import header

# joserfc wants the algorithm to be called Ed25519 (RFC 9864), which hardly a relying party understands yet.
pytestmark = pytest.mark.filterwarnings("ignore:EdDSA is deprecated")

CLAIMS = {"iss": "http://127.0.0.1/acme", "sub": "alice", "aud": "app", "exp": 4_000_000_000}
ALGORITHMS: tuple[Algorithm, ...] = ("RS256", "PS256", "ES256", "EdDSA")
RIGHTLY_SIGNED = {
    "alg-other-es256",
    "alg-other-ps256",
    "alg-other-rs384",
    "hdr-kid-missing",
    "hdr-claims",
    "malformed-padding",
    "malformed-non-json",
    "malformed-non-object",
    "malformed-header",
    "duplicate-claim",
    "encrypted",
}
RSA_ONLY = {"alg-hs256-pubkey-pkcs1-pem", "alg-hs256-pubkey-modulus", "alg-other-ps256", "alg-other-rs384"}


def draft(alg: Algorithm = "RS256") -> forge.Draft:
    return forge.Draft(
        claims=CLAIMS,
        ref=asyncio.run(make("acme", alg)),
        secret="the secret of the client",
        canary="http://127.0.0.1/acme/canary",
        other=asyncio.run(make("acme", "ES256", 1)),
    )


def jwks(of: forge.Draft) -> dict[str, Any]:
    return {"keys": [jwk(of.ref)]}


def published_keys(of: forge.Draft) -> KeySet:
    return KeySet([JWKRegistry.import_key(key) for key in jwks(of)["keys"]])


def segment(token: str, number: int) -> bytes:
    text = token.split(".")[number]
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def payload(token: str) -> Any:
    return json.loads(segment(token, 1))


def has_hmac(token: str, secret: bytes) -> bool:
    return hmac.digest(secret, token.rpartition(".")[0].encode(), "sha256") == segment(token, 2)


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_the_honest_twin_is_accepted(alg: Algorithm) -> None:
    made = draft(alg)
    key = jwt.PyJWK(jwks(made)["keys"][0])
    assert jwt.decode(forge.honest(made), key, algorithms=[alg], audience="app") == CLAIMS


@pytest.mark.parametrize("alg", ALGORITHMS)
@pytest.mark.parametrize("name", sorted(set(forge.FORGERIES) - RIGHTLY_SIGNED))
def test_two_libraries_refuse_what_is_not_signed_by_the_published_key(name: str, alg: Algorithm) -> None:
    made = draft(alg)
    if name in RSA_ONLY and alg not in {"RS256", "PS256"}:
        with pytest.raises(forge.UnforgeableError, match="needs an RSA key"):
            forge.FORGERIES[name](made)
        return
    token = forge.FORGERIES[name](made)
    with pytest.raises(jwt.PyJWTError):
        jwt.decode(token, jwt.PyJWK(jwks(made)["keys"][0]), algorithms=[alg], audience="app")
    with pytest.raises((JoseError, ValueError)):
        joserfc_jwt.decode(token, published_keys(made), algorithms=[alg])


@pytest.mark.parametrize("name", sorted(forge.FORGERIES))
def test_a_forgery_differs_from_the_honest_token(name: str) -> None:
    assert forge.FORGERIES[name](draft()) != forge.honest(draft())


@pytest.mark.parametrize("name", sorted(forge.FORGERIES))
def test_every_forgery_says_what_it_is(name: str) -> None:
    assert (forge.FORGERIES[name].__doc__ or "").endswith(".")


def test_only_the_signature_is_broken() -> None:
    made = draft()
    for name in ("sig-corrupt", "sig-empty", "sig-foreign-key"):
        token = forge.FORGERIES[name](made)
        assert token.rpartition(".")[0] == forge.honest(made).rpartition(".")[0]
    assert segment(forge.sig_empty(made), 2) == b""
    right, wrong = segment(forge.honest(made), 2), segment(forge.sig_corrupt(made), 2)
    assert sum((a ^ b).bit_count() for a, b in zip(right, wrong, strict=True)) == 1


def test_the_foreign_key_has_signed() -> None:
    token = forge.sig_foreign_key(draft())
    forger = json.loads(forge.forger_jwks("RS256"))["keys"][0]
    assert jwt.decode(token, jwt.PyJWK(forger), algorithms=["RS256"], audience="app") == CLAIMS


@pytest.mark.parametrize("spelling", ["none", "None", "NONE", "NoNe"])
def test_unsigned_in_every_spelling(spelling: str) -> None:
    token = forge.FORGERIES[f"alg-{spelling}"](draft())
    assert header(token)["alg"] == spelling
    assert token.endswith(".")
    assert payload(token) == CLAIMS


def test_none_with_a_signature() -> None:
    token = forge.alg_none_with_sig(draft())
    assert header(token)["alg"] == "none"
    assert len(segment(token, 2)) == 256


def test_the_public_key_is_the_secret_in_each_encoding() -> None:
    made = draft()
    public = signer(made.ref).private.public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    published = jwks(made)["keys"][0]
    secrets = {
        "pkcs1-pem": public.public_bytes(Encoding.PEM, PublicFormat.PKCS1),
        "spki-pem": pem,
        "spki-pem-bare": pem[:-1],
        "der": public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        "jwk": json.dumps(published, separators=(",", ":")).encode(),
        "modulus": published["n"].encode(),
    }
    assert pem.endswith(b"-----\n")
    for name, secret in secrets.items():
        token = forge.FORGERIES[f"alg-hs256-pubkey-{name}"](made)
        assert header(token) == {"typ": "JWT", "alg": "HS256", "kid": made.ref.kid}
        assert has_hmac(token, secret), name


def test_the_jwk_that_is_the_secret_stands_in_the_jwks_to_the_letter() -> None:
    made = draft()
    assert has_hmac(forge.alg_hs256_pubkey_jwk(made), json_bytes(jwk(made.ref)))


def test_the_client_secret_signs() -> None:
    assert has_hmac(forge.alg_hs256_secret(draft()), b"the secret of the client")
    with pytest.raises(forge.UnforgeableError, match="needs a client with a secret"):
        forge.alg_hs256_secret(forge.Draft(CLAIMS, draft().ref))


def test_other_algorithms_are_rightly_signed() -> None:
    made = draft()
    public = signer(made.ref).private.public_key()
    for name, alg in (("alg-other-ps256", "PS256"), ("alg-other-rs384", "RS384")):
        token = forge.FORGERIES[name](made)
        assert header(token)["kid"] == made.ref.kid
        assert jwt.decode(token, public, algorithms=[alg], audience="app") == CLAIMS
    assert made.other is not None
    other = jwt.PyJWK(jwk(made.other))
    assert jwt.decode(forge.alg_other_es256(made), other, algorithms=["ES256"], audience="app") == CLAIMS


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_headers_bring_along_a_key_that_verifies(alg: Algorithm) -> None:
    made = draft(alg)
    token = forge.hdr_jwk(made)
    brought = header(token)["jwk"]
    assert jwt.decode(token, jwt.PyJWK({**brought, "alg": alg}), algorithms=[alg], audience="app") == CLAIMS
    token = forge.hdr_x5c(made)
    public: Any = x509.load_der_x509_certificate(base64.b64decode(header(token)["x5c"][0])).public_key()
    assert jwt.decode(token, public, algorithms=[alg], audience="app") == CLAIMS
    for name in ("jku", "x5u"):
        token = forge.FORGERIES[f"hdr-{name}"](made)
        assert header(token)[name] == made.canary
        served = json.loads(forge.forger_jwks(alg))["keys"][0]
        assert served["kid"] == header(token)["kid"] != made.ref.kid
        assert jwt.decode(token, jwt.PyJWK(served), algorithms=[alg], audience="app") == CLAIMS


def test_key_ids() -> None:
    made = draft()
    key = jwt.PyJWK(jwks(made)["keys"][0])
    missing = forge.hdr_kid_missing(made)
    assert "kid" not in header(missing)
    assert jwt.decode(missing, key, algorithms=["RS256"], audience="app") == CLAIMS
    assert header(forge.hdr_kid_unknown(made))["kid"] != header(forge.hdr_kid_unknown(made))["kid"]
    injected = forge.hdr_kid_injection(made)
    assert header(injected)["kid"].endswith("/dev/null")
    assert has_hmac(injected, b"")


def test_claims_in_the_header_only() -> None:
    token = forge.hdr_claims(draft())
    assert (header(token)["iss"], header(token)["sub"]) == (CLAIMS["iss"], "alice")
    assert payload(token) == {"aud": "app", "exp": 4_000_000_000}


def test_shapes() -> None:
    made = draft()
    assert forge.malformed_two_segments(made) == forge.honest(made).rpartition(".")[0]
    assert forge.malformed_five_segments(made).count(".") == 4
    padded = forge.malformed_padding(made).split(".")
    assert all(len(part) % 4 == 0 for part in padded)
    assert padded[1].endswith("=")
    assert segment(forge.malformed_non_json(made), 1) == b"this is not JSON"
    assert payload(forge.malformed_non_object(made)) == [CLAIMS]
    assert segment(forge.malformed_header(made), 0) == b"this is not JSON"


def test_malformed_payloads_are_rightly_signed() -> None:
    made = draft()
    public = signer(made.ref).private.public_key()
    assert isinstance(public, rsa.RSAPublicKey)
    for name in ("padding", "non-json", "non-object", "header"):
        token = forge.FORGERIES[f"malformed-{name}"](made)
        message = token.rpartition(".")[0].encode()
        public.verify(segment(token, 2), message, padding.PKCS1v15(), SHA256())


def test_a_claim_stands_twice() -> None:
    pairs = json.loads(segment(forge.duplicate_claim(draft()), 1), object_pairs_hook=list)
    assert [value for name, value in pairs if name == "sub"] == ["somebody-else", "alice"]
    assert payload(forge.duplicate_claim(draft())) == CLAIMS


def test_typ_is_replaced_or_left_out() -> None:
    assert header(forge.with_typ(draft(), "logout+jwt"))["typ"] == "logout+jwt"
    assert "typ" not in header(forge.with_typ(draft(), None))


def test_the_jwe_holds_the_honest_token_for_somebody_else() -> None:
    made = draft()
    token = forge.encrypted(made)
    assert header(token)["enc"] == "A256GCM"
    private = signer(forge.forger_key("RS256")).private
    assert isinstance(private, rsa.RSAPrivateKey)
    oaep = padding.OAEP(mgf=padding.MGF1(SHA256()), algorithm=SHA256(), label=None)
    content_key = private.decrypt(segment(token, 1), oaep)
    sealed = segment(token, 3) + segment(token, 4)
    inner = AESGCM(content_key).decrypt(segment(token, 2), sealed, token.split(".")[0].encode())
    assert inner.decode() == forge.honest(made)
