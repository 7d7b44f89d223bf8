"""Forged JWTs: each function makes one that a relying party must refuse, or must not trip over.

A forgery differs from the honest token of the same `Draft` in one respect. What attackers did with each is described in
RFC 8725 (JSON Web Token Best Current Practices), section 2, unless a function names another source.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from mock_idp.keys.material import public_jwk, signer
from mock_idp.keys.pool import FORGER_SLOT
from mock_idp.keys.ring import KeyRef, jwk
from mock_idp.tokens.jws import base64url, encode_json, header_segment, sign

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    from mock_idp.keys.ring import Algorithm

_UNNAMED_FILE = "../../../../../../../../dev/null"
_CEK_OCTETS = 32
_NONCE_OCTETS = 12
_TAG_OCTETS = 16


class UnforgeableError(ValueError):
    """What is asked for makes no sense with this token; the text is a sentence that says why and what would."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A token that is about to be signed.

    Attributes:
        claims: JSON types only.
        ref: the key the honest token would be signed with.
        header: members of the honest header besides ``alg`` and ``kid``.
        secret: the client's, where it has one.
        canary: absolute URL that nobody has reason to fetch, for headers that name one.
        other: a published key of another algorithm, for `alg_other_es256`.

    """

    claims: dict[str, Any]
    ref: KeyRef
    header: dict[str, Any] = field(default_factory=lambda: {"typ": "JWT"})
    secret: str | None = None
    canary: str = ""
    other: KeyRef | None = None


def honest(draft: Draft) -> str:
    """The token as it should be."""
    return sign(draft.claims, draft.ref, typ=None, header=draft.header)


# -- signatures --


def sig_corrupt(draft: Draft) -> str:
    """The signature is that of the token with one bit turned over."""
    head, payload, signature = honest(draft).split(".")
    octets = bytearray(base64.urlsafe_b64decode(signature + "=="))
    octets[len(octets) // 2] ^= 1
    return f"{head}.{payload}.{base64url(bytes(octets)).decode()}"


def sig_empty(draft: Draft) -> str:
    """The header names the honest algorithm and key; the signature is empty."""
    return honest(draft).rpartition(".")[0] + "."


def sig_foreign_key(draft: Draft) -> str:
    """Signed with a key that the provider never published, under the ``kid`` of one that it did."""
    return sign(draft.claims, replace_kid(forger_key(draft.ref.alg), draft.ref.kid), typ=None, header=draft.header)


# -- algorithms --


def alg_none(draft: Draft) -> str:
    """Unsigned, ``alg`` is ``none`` (RFC 7519 section 6)."""
    return _unsigned(draft, "none")


def alg_none_capital(draft: Draft) -> str:
    """Unsigned, ``alg`` is ``None``: past filters that compare with ``none``."""
    return _unsigned(draft, "None")


def alg_none_upper(draft: Draft) -> str:
    """Unsigned, ``alg`` is ``NONE``: past filters that compare with ``none``."""
    return _unsigned(draft, "NONE")


def alg_none_mixed(draft: Draft) -> str:
    """Unsigned, ``alg`` is ``NoNe``: past filters that know the usual spellings."""
    return _unsigned(draft, "NoNe")


def alg_none_with_sig(draft: Draft) -> str:
    """``alg`` is ``none``, and the octets of a signature follow nevertheless."""
    return _unsigned(draft, "none") + honest(draft).rpartition(".")[2]


def alg_hs256_pubkey_pkcs1_pem(draft: Draft) -> str:
    """HS256 with the public RSA key as PKCS#1 PEM for the secret."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: PLC0415

    return _hs256(draft, _rsa(draft).public_key().public_bytes(Encoding.PEM, PublicFormat.PKCS1))


def alg_hs256_pubkey_spki_pem(draft: Draft) -> str:
    """HS256 with the public key as SubjectPublicKeyInfo PEM, last line ended, for the secret."""
    return _hs256(draft, _spki(draft, pem=True))


def alg_hs256_pubkey_spki_pem_bare(draft: Draft) -> str:
    """HS256 with the public key as SubjectPublicKeyInfo PEM, last line not ended, for the secret."""
    return _hs256(draft, _spki(draft, pem=True).rstrip(b"\n"))


def alg_hs256_pubkey_der(draft: Draft) -> str:
    """HS256 with the public key as SubjectPublicKeyInfo DER for the secret."""
    return _hs256(draft, _spki(draft, pem=False))


def alg_hs256_pubkey_jwk(draft: Draft) -> str:
    """HS256 with the public key's JWK, as the JWKS writes it, for the secret."""
    return _hs256(draft, encode_json(jwk(draft.ref)).encode())


def alg_hs256_pubkey_modulus(draft: Draft) -> str:
    """HS256 with the RSA modulus, base64url as in the JWKS, for the secret."""
    _rsa(draft)
    return _hs256(draft, public_jwk(draft.ref.origin, draft.ref.alg)["n"].encode())


def alg_hs256_secret(draft: Draft) -> str:
    """HS256 with the client secret, though the client is registered for another algorithm (OIDC Core 10.1)."""
    if not draft.secret:
        raise UnforgeableError(
            "alg-hs256-secret needs a client with a secret: register one, or send one when redeeming"
        )
    return _hs256(draft, draft.secret.encode())


def alg_other_ps256(draft: Draft) -> str:
    """Rightly signed by the published RSA key, with PS256 instead of the algorithm it is published for."""
    private = _rsa(draft)
    if draft.ref.alg == "PS256":
        raise UnforgeableError("alg-other-ps256 is the honest algorithm of this tenant: set signing_alg to RS256")
    from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS  # noqa: PLC0415
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415

    padding = PSS(MGF1(SHA256()), PSS.DIGEST_LENGTH)
    return _signed(draft, "PS256", lambda message: private.sign(message, padding, SHA256()))


def alg_other_rs384(draft: Draft) -> str:
    """Rightly signed by the published RSA key, with RS384 instead of the algorithm it is published for."""
    private = _rsa(draft)
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15  # noqa: PLC0415
    from cryptography.hazmat.primitives.hashes import SHA384  # noqa: PLC0415

    return _signed(draft, "RS384", lambda message: private.sign(message, PKCS1v15(), SHA384()))


def alg_other_es256(draft: Draft) -> str:
    """Rightly signed with ES256 by another published key of the provider, which the client is not registered for."""
    if draft.ref.alg == "ES256":
        raise UnforgeableError("alg-other-es256 is the honest algorithm of this tenant: set signing_alg to RS256")
    if draft.other is None:
        raise UnforgeableError("alg-other-es256 needs an ES256 key in the tenant's JWKS")
    return sign(draft.claims, draft.other, typ=None, header=draft.header)


# -- headers --


def hdr_jwk(draft: Draft) -> str:
    """Signed with a key of the forger's, which the header brings along as ``jwk``."""
    forger = forger_key(draft.ref.alg)
    return _by_forger(draft, {"jwk": public_jwk(forger.origin, forger.alg)})


def hdr_jku(draft: Draft) -> str:
    """Signed with a key of the forger's; ``jku`` says where its key set is to be fetched."""
    return _by_forger(draft, {"jku": draft.canary})


def hdr_x5u(draft: Draft) -> str:
    """Signed with a key of the forger's; ``x5u`` says where its certificate is to be fetched."""
    return _by_forger(draft, {"x5u": draft.canary})


def hdr_x5c(draft: Draft) -> str:
    """Signed with a key of the forger's, whose self-signed certificate the header brings along as ``x5c``."""
    return _by_forger(draft, {"x5c": [base64.b64encode(forger_certificate(draft.ref.alg)).decode()]})


def hdr_kid_missing(draft: Draft) -> str:
    """Honest, but the header has no ``kid`` (allowed by OIDC Core 10.1 where the JWKS has one key)."""
    return _signed_with(draft, {"alg": draft.ref.alg, **draft.header}, signer(draft.ref).sign)


def hdr_kid_unknown(draft: Draft) -> str:
    """Signed with a key of the forger's under a ``kid`` that no JWKS lists."""
    return sign(
        draft.claims,
        replace_kid(forger_key(draft.ref.alg), secrets.token_urlsafe(16)),
        typ=None,
        header=draft.header,
    )


def hdr_kid_injection(draft: Draft) -> str:
    """``kid`` is a path to an empty file, and the signature HS256 with an empty secret."""
    return _hs256(draft, b"", kid=_UNNAMED_FILE)


def hdr_claims(draft: Draft) -> str:
    """``iss`` and ``sub`` stand in the header only (RFC 7519 section 5.3 replicates claims there, for JWE)."""
    moved: dict[str, Any] = {name: draft.claims[name] for name in ("iss", "sub") if name in draft.claims}
    rest = {name: value for name, value in draft.claims.items() if name not in moved}
    return sign(rest, draft.ref, typ=None, header={**draft.header, **moved})


# -- shapes --


def malformed_two_segments(draft: Draft) -> str:
    """Header and payload without a third segment."""
    return honest(draft).rpartition(".")[0]


def malformed_five_segments(draft: Draft) -> str:
    """The honest token with two more segments."""
    return honest(draft) + ".AAAA.AAAA"


def malformed_padding(draft: Draft) -> str:
    """Segments padded with ``=``, which base64url in JWS leaves out (RFC 7515 section 2); the signature is right."""
    head = _padded(header_segment({"alg": draft.ref.alg, "kid": draft.ref.kid, **draft.header}))
    message = head + b"." + _padded(base64url(_json_of_odd_length(draft.claims)))
    return (message + b"." + _padded(base64url(signer(draft.ref).sign(message)))).decode()


def malformed_non_json(draft: Draft) -> str:
    """The payload is text that is not JSON; the signature is right."""
    return signed_payload(draft, b"this is not JSON")


def malformed_non_object(draft: Draft) -> str:
    """The payload is a JSON array that holds the claims; the signature is right."""
    return signed_payload(draft, encode_json([draft.claims]).encode())


def malformed_header(draft: Draft) -> str:
    """The header is text that is not JSON; the signature is right."""
    message = base64url(b"this is not JSON") + b"." + base64url(encode_json(draft.claims).encode())
    return (message + b"." + base64url(signer(draft.ref).sign(message))).decode()


def duplicate_claim(draft: Draft, name: str = "sub", first: object = "somebody-else") -> str:
    """One claim stands twice in the payload (RFC 7519 section 4: reject, or take the last); the signature is right."""
    members = encode_json(draft.claims)
    return signed_payload(draft, f"{{{json.dumps(name)}:{encode_json(first)},{members[1:]}".encode())


def encrypted(draft: Draft) -> str:
    """The honest token inside a JWE (RFC 7516) that nobody asked for, to a key that the client does not have."""
    from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP  # noqa: PLC0415
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415

    forger = forger_key("RS256")
    head = header_segment({"alg": "RSA-OAEP-256", "enc": "A256GCM", "cty": "JWT", "kid": forger.kid})
    content_key, nonce = secrets.token_bytes(_CEK_OCTETS), secrets.token_bytes(_NONCE_OCTETS)
    public = _forger_rsa().public_key()
    wrapped = public.encrypt(content_key, OAEP(mgf=MGF1(SHA256()), algorithm=SHA256(), label=None))
    sealed = AESGCM(content_key).encrypt(nonce, honest(draft).encode(), head)
    parts = (wrapped, nonce, sealed[:-_TAG_OCTETS], sealed[-_TAG_OCTETS:])
    return b".".join([head, *(base64url(part) for part in parts)]).decode()


def with_typ(draft: Draft, typ: str | None) -> str:
    """Honest, but for the ``typ`` of the header; None leaves it out."""
    header = {name: value for name, value in draft.header.items() if name != "typ"}
    return honest(replace(draft, header={**header, "typ": typ} if typ is not None else header))


def signed_payload(draft: Draft, payload: bytes) -> str:
    """Any octets, rightly signed."""
    message = header_segment({"alg": draft.ref.alg, "kid": draft.ref.kid, **draft.header}) + b"." + base64url(payload)
    return (message + b"." + base64url(signer(draft.ref).sign(message))).decode()


FORGERIES: dict[str, Callable[[Draft], str]] = {
    "sig-corrupt": sig_corrupt,
    "sig-empty": sig_empty,
    "sig-foreign-key": sig_foreign_key,
    "alg-none": alg_none,
    "alg-None": alg_none_capital,
    "alg-NONE": alg_none_upper,
    "alg-NoNe": alg_none_mixed,
    "alg-none-with-sig": alg_none_with_sig,
    "alg-hs256-pubkey-pkcs1-pem": alg_hs256_pubkey_pkcs1_pem,
    "alg-hs256-pubkey-spki-pem": alg_hs256_pubkey_spki_pem,
    "alg-hs256-pubkey-spki-pem-bare": alg_hs256_pubkey_spki_pem_bare,
    "alg-hs256-pubkey-der": alg_hs256_pubkey_der,
    "alg-hs256-pubkey-jwk": alg_hs256_pubkey_jwk,
    "alg-hs256-pubkey-modulus": alg_hs256_pubkey_modulus,
    "alg-hs256-secret": alg_hs256_secret,
    "alg-other-es256": alg_other_es256,
    "alg-other-ps256": alg_other_ps256,
    "alg-other-rs384": alg_other_rs384,
    "hdr-jwk": hdr_jwk,
    "hdr-jku": hdr_jku,
    "hdr-x5u": hdr_x5u,
    "hdr-x5c": hdr_x5c,
    "hdr-kid-missing": hdr_kid_missing,
    "hdr-kid-unknown": hdr_kid_unknown,
    "hdr-kid-injection": hdr_kid_injection,
    "hdr-claims": hdr_claims,
    "malformed-two-segments": malformed_two_segments,
    "malformed-five-segments": malformed_five_segments,
    "malformed-padding": malformed_padding,
    "malformed-non-json": malformed_non_json,
    "malformed-non-object": malformed_non_object,
    "malformed-header": malformed_header,
    "duplicate-claim": duplicate_claim,
    "encrypted": encrypted,
}
"""Every forgery that needs nothing but a draft, by the name that faults and the control API use."""


# -- the forger's keys --


def forger_key(alg: Algorithm) -> KeyRef:
    """A key that no tenant has, for an algorithm."""
    rsa = alg in {"RS256", "PS256"}
    origin = f"pool:{FORGER_SLOT}" if rsa else "seed:" + hashlib.sha256(f"forger/{alg}".encode()).hexdigest()
    return KeyRef(public_jwk(origin, alg)["kid"], alg, origin)


def forger_jwks(alg: Algorithm) -> bytes:
    """What a canary URL serves to those who follow ``jku``: a JWK Set with the forger's key."""
    forger = forger_key(alg)
    return encode_json({"keys": [jwk(forger)]}).encode()


def forger_certificate(alg: Algorithm) -> bytes:
    """A self-signed certificate of the forger's key as DER (RFC 5280), valid from 2020 to 2099."""
    import datetime as dt  # noqa: PLC0415

    from cryptography import x509  # noqa: PLC0415
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415

    private = signer(forger_key(alg)).private
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "forger of a mock identity provider")])
    builder = x509.CertificateBuilder(
        issuer_name=name,
        subject_name=name,
        public_key=private.public_key(),
        serial_number=1,
        not_valid_before=dt.datetime(2020, 1, 1, tzinfo=dt.UTC),
        not_valid_after=dt.datetime(2099, 12, 31, tzinfo=dt.UTC),
    )
    return builder.sign(private, None if alg == "EdDSA" else SHA256()).public_bytes(Encoding.DER)


def replace_kid(ref: KeyRef, kid: str) -> KeyRef:
    """The same key under another ``kid``."""
    return replace(ref, kid=kid)


# -- parts --


def _unsigned(draft: Draft, alg: str) -> str:
    head = header_segment({**draft.header, "alg": alg})
    return (head + b"." + base64url(encode_json(draft.claims).encode()) + b".").decode()


def _hs256(draft: Draft, secret: bytes, kid: str | None = None) -> str:
    header = {**draft.header, "alg": "HS256", "kid": draft.ref.kid if kid is None else kid}
    return _signed_with(draft, header, lambda message: hmac.digest(secret, message, "sha256"))


def _signed(draft: Draft, alg: str, signature: Callable[[bytes], bytes]) -> str:
    return _signed_with(draft, {**draft.header, "alg": alg, "kid": draft.ref.kid}, signature)


def _signed_with(draft: Draft, header: dict[str, Any], signature: Callable[[bytes], bytes]) -> str:
    message = header_segment(header) + b"." + base64url(encode_json(draft.claims).encode())
    return (message + b"." + base64url(signature(message))).decode()


def _by_forger(draft: Draft, header: dict[str, Any]) -> str:
    """Signed by the forger's key under its own ``kid``, with members added to the header."""
    return sign(draft.claims, forger_key(draft.ref.alg), typ=None, header={**draft.header, **header})


def _padded(segment: bytes) -> bytes:
    return segment + b"=" * (-len(segment) % 4)


def _json_of_odd_length(claims: dict[str, Any]) -> bytes:
    """Claims as JSON with white space at the end, so that base64 has to pad it."""
    payload = encode_json(claims).encode()
    return payload if len(payload) % 3 else payload + b" "


def _rsa(draft: Draft) -> RSAPrivateKey:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey  # noqa: PLC0415

    private = signer(draft.ref).private
    if not isinstance(private, RSAPrivateKey):
        raise UnforgeableError(
            f"this forgery needs an RSA key, and the tenant signs with {draft.ref.alg}: set signing_alg to RS256"
        )
    return private


def _forger_rsa() -> RSAPrivateKey:
    return _rsa(Draft({}, forger_key("RS256")))


def _spki(draft: Draft, *, pem: bool) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: PLC0415

    encoding = Encoding.PEM if pem else Encoding.DER
    return signer(draft.ref).private.public_key().public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)
