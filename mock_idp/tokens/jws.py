"""Compact JWS (RFC 7515) signed with prepared keys, and verification by PyJWT with the tenant's clock.

Signing goes to the key objects directly: the library's encoding costs as much again as an Ed25519 signature's own
overhead. Verification is rare and reads what strangers wrote, so the library does it.
"""

from __future__ import annotations

import binascii
import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from mock_idp.keys.material import signer

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from jwt import PyJWS
    from jwt.types import SigOptions

    from mock_idp.keys.ring import KeyRef

encode_json: Callable[[object], str] = json.JSONEncoder(separators=(",", ":")).encode
"""JSON without white space; made once, because `json.dumps` makes an encoder for every call with arguments."""

_URL_ALPHABET = bytes.maketrans(b"+/", b"-_")
_HASHES = {"256": hashlib.sha256, "384": hashlib.sha384}
_SYMMETRIC = frozenset({"HS256", "HS384", "HS512"})
_ED25519 = frozenset({"EdDSA", "Ed25519"})
"""One algorithm: as RFC 8037 names it, and as RFC 9864 does, which openid-client follows."""
_DEFAULT_LEEWAY = 30.0
_LATEST = 253402300799
"""The end of the year 9999."""


class TokenRefusedError(Exception):
    """A token that is not accepted; the text is a sentence that says why."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What a verified token says."""

    claims: dict[str, Any]
    header: dict[str, Any]


def base64url(octets: bytes) -> bytes:
    """Base64url without padding (RFC 7515 section 2)."""
    return binascii.b2a_base64(octets, newline=False).translate(_URL_ALPHABET, b"=")


def sign(
    claims: Mapping[str, Any], ref: KeyRef, *, typ: str | None = "JWT", header: Mapping[str, Any] | None = None
) -> str:
    """A JWT in compact serialization.

    Args:
        claims: JSON types only.
        ref: the key; gives ``alg`` and ``kid``.
        typ: ``typ`` of the header; None leaves it out.
        header: members added to the header, or put in place of its own.

    Returns:
        ASCII text of three segments.
    """
    if header:
        head = header_segment({"alg": ref.alg, **({"typ": typ} if typ else {}), "kid": ref.kid, **header})
    else:
        head = _header(ref.alg, ref.kid, typ)
    signing_input = head + b"." + base64url(encode_json(claims).encode())
    return (signing_input + b"." + base64url(signer(ref).sign(signing_input))).decode()


def header_segment(header: Mapping[str, Any]) -> bytes:
    """A JOSE header as the first segment."""
    return base64url(encode_json(header).encode())


@lru_cache(maxsize=4096)
def _header(alg: str, kid: str, typ: str | None) -> bytes:
    return header_segment({"alg": alg, **({"typ": typ} if typ else {}), "kid": kid})


def half_hash(value: str, alg: str) -> str:
    """``at_hash``, ``c_hash`` or ``s_hash`` of a value: the left half of its hash (OIDC Core 1.0 section 3.1.3.6).

    Args:
        value: ASCII text.
        alg: the JWS algorithm of the ID Token, whose hash is taken; for EdDSA with Ed25519 that is SHA-512.

    Returns:
        base64url of 16 octets for RS256, PS256, ES256 and HS256, of 24 for those with 384, of 32 for the rest.
    """
    digest = _HASHES.get(alg[-3:], hashlib.sha512)(value.encode()).digest()
    return base64url(digest[: len(digest) // 2]).decode()


def verify(  # noqa: PLR0913 - each names one check
    token: str,
    key: str | Mapping[str, Any],
    *,
    algs: Collection[str],
    now: float,
    aud: str | Collection[str] | None = None,
    iss: str | None = None,
    typ: Collection[str] | None = None,
    require: Collection[str] = (),
    leeway: float = _DEFAULT_LEEWAY,
    check_times: bool = True,
) -> Verified:
    """Check a JWT that somebody else, or this provider earlier, has signed.

    Args:
        token: compact serialization.
        key: a client secret for HS256 and its kin; a JWK or a JWK Set for the others.
        algs: what is allowed; HMAC ones count only with a secret, the others only with a JWK.
        now: the tenant's time, seconds since 1970.
        aud: any one of these has to be in ``aud``; None does not look.
        iss: ``iss`` has to be equal; None does not look.
        typ: ``typ`` of the header has to be one of these, without regard to case and ``application/``; None does
            not look.
        require: claims that must be there.
        leeway: seconds by which clocks may differ.
        check_times: False for an ``id_token_hint``, which may have expired (OIDC RP-Initiated Logout 1.0, section 2).

    Returns:
        claims and header.

    Raises:
        TokenRefusedError: it is malformed, wrongly signed, out of its time, or meant for somebody else.
    """
    header = unverified_header(token)
    payload = _checked_signature(token, header, key, algs)
    claims = _claims(payload)
    _check_typ(header, typ)
    for name in require:
        if name not in claims:
            raise TokenRefusedError(f"the claim {name!r} is missing")
    if check_times:
        _check_times(claims, now, leeway)
    _check_issuer(claims, iss)
    _check_audience(claims, aud)
    return Verified(claims, header)


def unverified_header(token: str) -> dict[str, Any]:
    """The JOSE header, before anything is checked.

    Raises:
        TokenRefusedError: the text is no compact JWS.
    """
    # PyJWT loads the cryptography library, which the server does not do before it has to.
    from jwt.exceptions import PyJWTError  # noqa: PLC0415

    try:
        return _library().get_unverified_header(token)
    except (PyJWTError, UnicodeError) as error:
        raise TokenRefusedError(f"it is no signed JWT: {error}") from None


def unverified_claims(token: str) -> dict[str, Any]:
    """The claims, before anything is checked: to learn whose key will tell whether they can be believed.

    Raises:
        TokenRefusedError: the text is no compact JWS of a JSON object.
    """
    from jwt.exceptions import PyJWTError  # noqa: PLC0415

    try:
        payload: bytes = _library().decode_complete(token, options={"verify_signature": False})["payload"]
    except (PyJWTError, UnicodeError) as error:
        raise TokenRefusedError(f"it is no signed JWT: {error}") from None
    return _claims(payload)


def _checked_signature(
    token: str, header: Mapping[str, Any], key: str | Mapping[str, Any], algs: Collection[str]
) -> bytes:
    from jwt.exceptions import InvalidSignatureError, PyJWTError  # noqa: PLC0415

    alg = header.get("alg")
    possible = [name for name in algs if (name in _SYMMETRIC) == isinstance(key, str)]
    if alg not in possible:
        raise TokenRefusedError(f"it is signed with {alg!r}; allowed are {', '.join(possible) or 'none'}")
    if key == "":
        raise TokenRefusedError("there is no secret to check it by")
    strict: SigOptions = {"verify_signature": True, "enforce_minimum_key_length": True}
    reason = "the signature is wrong"
    for candidate in _candidates(key, header):
        try:
            payload: bytes = _library().decode(token, candidate, algorithms=[alg], options=strict)
        except InvalidSignatureError:
            continue
        except (PyJWTError, ValueError, TypeError) as error:
            reason = f"its key cannot be used: {error}"
        else:
            return payload
    raise TokenRefusedError(reason)


def _candidates(key: str | Mapping[str, Any], header: Mapping[str, Any]) -> list[Any]:
    """The keys to try: the one that ``kid`` names, or without ``kid`` all that fit the algorithm."""
    if isinstance(key, str):
        return [key]
    keys = key["keys"] if isinstance(key.get("keys"), list) else [key]
    kid = header.get("kid")
    named = [jwk for jwk in keys if isinstance(jwk, dict) and (kid is None or jwk.get("kid") in (kid, None))]
    fitting = [public for jwk in named if (public := _public_key(jwk, header["alg"])) is not None]
    if not fitting:
        raise TokenRefusedError(
            f"no {header['alg']} key {f'with kid {kid!r} ' if kid is not None else ''}is registered for it"
        )
    return fitting


def _public_key(jwk: dict[str, Any], alg: str) -> Any:
    from jwt.exceptions import PyJWTError  # noqa: PLC0415

    names = tuple(_ED25519) if alg in _ED25519 else (alg,)  # a registered key may hold anything, also what has no hash
    types = {"R": "RSA", "P": "RSA", "E": "OKP" if alg in _ED25519 else "EC"}
    if jwk.get("kty") != types[alg[0]] or jwk.get("alg", alg) not in names or jwk.get("use", "sig") != "sig":
        return None
    try:
        public = _library().get_algorithm_by_name(alg).from_jwk(jwk)
    except (PyJWTError, NotImplementedError, ValueError, TypeError, KeyError) as error:
        raise TokenRefusedError(f"the {alg} key registered for it cannot be read: {error}") from None
    # Somebody who registered a private key by mistake is served by its public half.
    return public.public_key() if hasattr(public, "public_key") else public


@lru_cache(maxsize=1)
def _library() -> PyJWS:
    """PyJWT that takes client secrets of any length, as the provider does elsewhere."""
    from jwt import PyJWS  # noqa: PLC0415
    from jwt.algorithms import HMACAlgorithm, OKPAlgorithm  # noqa: PLC0415

    class ShortSecrets(HMACAlgorithm):
        def check_key_length(self, key: bytes) -> None:
            """Nothing to object to: a mock's secrets are short."""

    library = PyJWS()
    for name, hash_function in (("HS256", hashlib.sha256), ("HS384", hashlib.sha384), ("HS512", hashlib.sha512)):
        library.unregister_algorithm(name)
        library.register_algorithm(name, ShortSecrets(hash_function))
    library.register_algorithm("Ed25519", OKPAlgorithm())
    return library


def _claims(payload: bytes) -> dict[str, Any]:
    try:
        claims = json.loads(payload)
    except (ValueError, RecursionError):
        raise TokenRefusedError("its payload is not JSON") from None
    if not isinstance(claims, dict):
        raise TokenRefusedError("its payload is no JSON object")
    return claims


def _check_typ(header: Mapping[str, Any], allowed: Collection[str] | None) -> None:
    if allowed is None:
        return
    typ = str(header.get("typ", "")).lower().removeprefix("application/")
    if typ not in {name.lower() for name in allowed}:
        raise TokenRefusedError(f"its typ is {header.get('typ')!r}; allowed are {', '.join(allowed)}")


def _check_times(claims: Mapping[str, Any], now: float, leeway: float) -> None:
    expires, begins, issued = (_time(claims, name) for name in ("exp", "nbf", "iat"))
    if expires is not None and now >= expires + leeway:
        raise TokenRefusedError(f"it expired {now - expires:.0f} seconds ago (exp is {expires:.0f}, now is {now:.0f})")
    if begins is not None and now < begins - leeway:
        raise TokenRefusedError(f"it is not valid for another {begins - now:.0f} seconds (nbf)")
    if issued is not None and now < issued - leeway:
        raise TokenRefusedError(f"it was issued {issued - now:.0f} seconds in the future (iat)")


def _time(claims: Mapping[str, Any], name: str) -> float | None:
    if name not in claims:
        return None
    value = claims[name]
    # NaN, which Python's JSON reads, would compare as never expired.
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LATEST:
        raise TokenRefusedError(f"the claim {name!r} is no time in seconds since 1970 but {str(value)[:40]!r}")
    return float(value)


def _check_issuer(claims: Mapping[str, Any], expected: str | None) -> None:
    if expected is not None and claims.get("iss") != expected:
        raise TokenRefusedError(f"its iss is {claims.get('iss')!r}; expected is {expected!r}")


def _check_audience(claims: Mapping[str, Any], expected: str | Collection[str] | None) -> None:
    if expected is None:
        return
    wanted = {expected} if isinstance(expected, str) else set(expected)
    audience = claims.get("aud")
    named = audience if isinstance(audience, list) else [audience]
    if not any(isinstance(name, str) and name in wanted for name in named):
        raise TokenRefusedError(f"its aud is {audience!r}; expected is one of {', '.join(sorted(wanted))}")
