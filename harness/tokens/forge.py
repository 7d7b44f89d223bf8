"""Forged tokens: what an attacker makes of a genuine one without knowing its key.

Every function takes a genuine token and returns another one that a sound application refuses.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import string
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.tokens.jwt import Jwt, decode, encode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NONE_SPELLINGS = ("none", "None", "NONE", "nOnE")
DIGESTS = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}
"""The HMAC algorithms of RFC 7518, section 3.2."""


@dataclass(frozen=True, slots=True)
class Forgery:
    """A forged token and, in one line, what was done to it."""

    name: str
    token: str = field(repr=False)


def forgeries(token: str, *, other: str | None = None) -> list[Forgery]:
    """Everything that can be made of `token` without its key.

    Args:
        token: a genuine token.
        other: another genuine one, whose signature may be tried on this one.

    Raises:
        ValueError: `token` is no signed JWT.

    """
    seen = {token}
    kept = []
    for forgery in _every(token, other):
        if forgery.token not in seen:
            seen.add(forgery.token)
            kept.append(forgery)
    return kept


def _every(token: str, other: str | None) -> Iterator[Forgery]:
    jwt = _parsed(token)
    yield Forgery("the payload changed by one digit, the signature kept", flip_payload(token))
    if jwt.signature:
        yield Forgery("one character of the signature changed", flip_signature(token))
        yield Forgery("the signature cut in half", truncate_signature(token))
        yield Forgery("the signature removed", empty_signature(token))
    if other is not None and Jwt.parse(other) is not None:
        yield Forgery("the signature of another token", other_signature(token, other))
    for spelling in NONE_SPELLINGS:
        yield Forgery(f"alg {spelling!r} without a signature", alg_none(token, spelling))
    yield Forgery("alg 'none' with the signature kept", alg_none(token, "none", keep_signature=True))
    yield Forgery("signed with an empty HMAC key", hs256(jwt.claims, b"", header=_with_alg(jwt)))
    nowhere = {**_with_alg(jwt), "kid": "../../../../../../dev/null"}
    yield Forgery("signed with an empty HMAC key, its kid naming an empty file", hs256(jwt.claims, b"", header=nowhere))
    own = {**_with_alg(jwt), "jwk": {"kty": "oct", "alg": "HS256", "k": encode(_OWN_KEY)}}
    yield Forgery("signed with a key supplied in its own header (jwk)", hs256(jwt.claims, _OWN_KEY, header=own))


_OWN_KEY = b"a key that only the attacker knows"


def flip_payload(token: str) -> str:
    """Change the payload as little as can be, so that only the signature tells: a date by one second, else any text."""
    jwt = _parsed(token)
    payload = decode(jwt.segments[1]) or b""
    for claim, step in (("exp", 1), ("iat", -1), ("nbf", -1)):
        found = re.search(rb'"%s"\s*:\s*(\d+)' % claim.encode(), payload)
        if found and isinstance(jwt.claims.get(claim), int):
            nudged = b"%d" % (int(found.group(1)) + step)
            changed = payload[: found.start(1)] + nudged + payload[found.end(1) :]
            return _joined(jwt.segments[0], encode(changed), jwt.segments[2])
    return swap_claim(token, "forged", value=True)


def flip_signature(token: str) -> str:
    """Change one character in the middle of the signature: the last one may carry bits that decoding drops."""
    jwt = _signed(token)
    middle = (len(jwt.segments[2]) - 1) // 2
    return _joined(*jwt.segments[:2], _flipped(jwt.segments[2], middle, _BASE64URL))


def truncate_signature(token: str) -> str:
    """Keep the first half of the signature's bytes."""
    jwt = _signed(token)
    return _joined(*jwt.segments[:2], encode(jwt.signature[: len(jwt.signature) // 2]))


def empty_signature(token: str) -> str:
    """Keep header and payload, and the dot after them."""
    jwt = _parsed(token)
    return _joined(*jwt.segments[:2], "")


def other_signature(token: str, other: str) -> str:
    """`token` with the signature of `other`."""
    return _joined(*_parsed(token).segments[:2], _parsed(other).segments[2])


def swap_claim(token: str, name: str, value: Any) -> str:
    """`token` with one claim set to `value`, under the old signature."""
    jwt = _parsed(token)
    return _joined(jwt.segments[0], _json({**jwt.claims, name: value}), jwt.segments[2])


def strip_claim(token: str, name: str) -> str:
    """`token` without one claim, under the old signature."""
    jwt = _parsed(token)
    return _joined(jwt.segments[0], _json({k: v for k, v in jwt.claims.items() if k != name}), jwt.segments[2])


def with_header(token: str, **members: Any) -> str:
    """`token` with header members set, under the old signature; None takes a member out."""
    jwt = _parsed(token)
    header = {k: v for k, v in {**jwt.header, **members}.items() if v is not None}
    return _joined(_json(header), *jwt.segments[1:])


def alg_none(token: str, spelling: str = "none", *, keep_signature: bool = False) -> str:
    """`token` declared to be unsigned (RFC 7518, section 3.6), in any spelling."""
    jwt = _parsed(token)
    return _joined(_json({**jwt.header, "alg": spelling}), jwt.segments[1], jwt.segments[2] if keep_signature else "")


def expired(token: str, *, key: str | bytes | None = None, ago_s: int = 3600) -> str:
    """`token` as if it had expired `ago_s` seconds ago.

    It is signed again where its HMAC `key` is known, else it keeps the old signature.
    """
    jwt = _parsed(token)
    expiry = int(time.time()) - ago_s
    claims = {**jwt.claims, "exp": expiry}
    if jwt.issued_at is not None:
        claims["iat"] = min(int(jwt.issued_at), expiry - ago_s)
    if key is not None:
        return hs256(claims, key, header=jwt.header)
    return _joined(jwt.segments[0], _json(claims), jwt.segments[2])


def hs256(claims: Mapping[str, Any], key: str | bytes, *, header: Mapping[str, Any] | None = None) -> str:
    """A token signed by HMAC (RFC 7515, section 5.1).

    Args:
        claims: the payload.
        key: the key, text as UTF-8.
        header: the JOSE header; its ``alg`` chooses HS256 (also where it is absent), HS384 or HS512.

    Raises:
        ValueError: another ``alg``.

    """
    members = {"alg": "HS256", "typ": "JWT", **(header or {})}
    signing_input = f"{_json(members)}.{_json(claims)}"
    return f"{signing_input}.{encode(hmac_of(str(members['alg']), key, signing_input))}"


def hmac_of(algorithm: str, key: str | bytes, signing_input: str) -> bytes:
    """The signature of a JWS signing input.

    Raises:
        ValueError: `algorithm` is none of RFC 7518's HMACs.

    """
    if algorithm not in DIGESTS:
        raise ValueError(f"{algorithm!r} is no HMAC algorithm; there are {', '.join(DIGESTS)}")
    secret = key.encode() if isinstance(key, str) else key
    return hmac.new(secret, signing_input.encode("ascii"), DIGESTS[algorithm]).digest()


def tamper_opaque(text: str) -> str:
    """A credential of unknown make, one letter or digit in its middle changed; hexadecimal stays hexadecimal.

    Raises:
        ValueError: `text` has neither letter nor digit.

    """
    escapes = {i for found in re.finditer(r"%[0-9A-Fa-f]{2}", text) for i in range(*found.span())}
    places = [i for i, char in enumerate(text) if char in _ALNUM and i not in escapes]
    if not places:
        raise ValueError("a credential without a letter or digit cannot be tampered with")
    place = min(places, key=lambda i: abs(i - (len(text) - 1) / 2))
    alphabet = next(letters for letters in _ALPHABETS if text[place] in letters)
    return _flipped(text, place, alphabet)


_ALNUM = string.digits + string.ascii_letters
_ALPHABETS = (string.digits, "abcdef", "ABCDEF", string.ascii_lowercase, string.ascii_uppercase)
_BASE64URL = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"


def _flipped(text: str, place: int, alphabet: str) -> str:
    neighbour = alphabet[(alphabet.index(text[place]) + 1) % len(alphabet)]
    return text[:place] + neighbour + text[place + 1 :]


def _with_alg(jwt: Jwt) -> dict[str, Any]:
    return {**jwt.header, "alg": "HS256"}


def _parsed(token: str) -> Jwt:
    jwt = Jwt.parse(token)
    if jwt is None:
        raise ValueError("not a signed JWT, so it cannot be forged as one")
    return jwt


def _signed(token: str) -> Jwt:
    jwt = _parsed(token)
    if not jwt.signature:
        raise ValueError("the JWT has no signature")
    return jwt


def _json(value: Mapping[str, Any]) -> str:
    return encode(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "backslashreplace"))


def _joined(header: str, payload: str, signature: str) -> str:
    return f"{header}.{payload}.{signature}"
