"""Key objects behind a key's origin, prepared once a process.

The cryptography library is loaded by the first signature, not at start: its import takes longer than all else the
provider does before its first answer. That is why its imports stand inside functions in this module.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from mock_idp.keys.pool import pool
from mock_idp.keys.thumbprint import thumbprint

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    from mock_idp.keys.ring import Algorithm, KeyRef

    PrivateKey = RSAPrivateKey | EllipticCurvePrivateKey | Ed25519PrivateKey

_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_P256_OCTETS = 32


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key ready to sign.

    Attributes:
        private: the cryptography library's key object.
        sign: signing input to the octets of a JWS signature (RFC 7518 section 3; for ES256 r and s of 32 octets each).

    """

    private: PrivateKey
    sign: Callable[[bytes], bytes]


def signer(ref: KeyRef) -> Signer:
    """The prepared key of a reference; the 1024 used last are kept.

    Raises:
        ValueError: the origin is none this provider writes.
    """
    return _signer(ref.origin, ref.alg)


def public_jwk(origin: str, alg: Algorithm) -> dict[str, str]:
    """The public half as a JWK with ``kid`` (its RFC 7638 thumbprint), without ``use`` and ``alg``."""
    kind, _, value = origin.partition(":")
    if kind == "pool":
        return pool()[int(value)]["jwk"]
    return _derived_jwk(origin, alg)


@lru_cache(maxsize=1024)
def _signer(origin: str, alg: Algorithm) -> Signer:
    private = _private(origin, alg)
    return Signer(private, _sign_function(private, alg))


def _private(origin: str, alg: Algorithm) -> PrivateKey:
    kind, _, value = origin.partition(":")
    if kind == "pool":
        return _from_der(base64.b64decode(pool()[int(value)]["pkcs8"]))
    if kind == "der":
        return _from_der(base64.b64decode(value))
    if kind == "seed":
        return _from_seed(bytes.fromhex(value), alg)
    raise ValueError(f"the key's origin {origin[:20]!r} is none of pool:SLOT, seed:HEX and der:BASE64")


def _from_der(der: bytes) -> PrivateKey:
    from cryptography.hazmat.primitives.serialization import load_der_private_key  # noqa: PLC0415

    # The keys are our own, and checking the primes takes 65 ms against 13 microseconds without.
    return load_der_private_key(der, None, unsafe_skip_rsa_key_validation=True)  # type: ignore[return-value]


def _from_seed(seed: bytes, alg: Algorithm) -> PrivateKey:
    if alg == "EdDSA":
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415

        return Ed25519PrivateKey.from_private_bytes(seed)
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    return ec.derive_private_key(int.from_bytes(seed, "big") % (_P256_ORDER - 1) + 1, ec.SECP256R1())


def _sign_function(private: PrivateKey, alg: Algorithm) -> Callable[[bytes], bytes]:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding  # noqa: PLC0415
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415

    if isinstance(private, ed25519.Ed25519PrivateKey):
        return private.sign
    if isinstance(private, ec.EllipticCurvePrivateKey):
        return partial(_ecdsa_signature, private, ec.ECDSA(SHA256()))
    if alg == "PS256":
        pss = padding.PSS(padding.MGF1(SHA256()), padding.PSS.DIGEST_LENGTH)
        return partial(private.sign, padding=pss, algorithm=SHA256())
    return partial(private.sign, padding=padding.PKCS1v15(), algorithm=SHA256())


def _ecdsa_signature(private: EllipticCurvePrivateKey, ecdsa: object, message: bytes) -> bytes:
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature  # noqa: PLC0415

    r, s = decode_dss_signature(private.sign(message, ecdsa))  # type: ignore[arg-type]
    return r.to_bytes(_P256_OCTETS, "big") + s.to_bytes(_P256_OCTETS, "big")


@lru_cache(maxsize=1024)
def _derived_jwk(origin: str, alg: Algorithm) -> dict[str, str]:
    from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm  # noqa: PLC0415

    public: Any = _signer(origin, alg).private.public_key()
    if alg == "ES256":
        jwk = ECAlgorithm.to_jwk(public, as_dict=True)
    elif alg == "EdDSA":
        jwk = OKPAlgorithm.to_jwk(public, as_dict=True)
    else:
        jwk = RSAAlgorithm.to_jwk(public, as_dict=True)
    members = {member: value for member, value in jwk.items() if member in {"kty", "crv", "x", "y", "n", "e"}}
    return {**members, "kid": thumbprint(members)}


def generate_rsa() -> str:
    """A new RSA key of 2048 bits as an origin (``der:...``). Takes some 70 ms: call it in a thread."""
    from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    private = generate_private_key(public_exponent=65537, key_size=2048)
    der = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return "der:" + base64.b64encode(der).decode()
