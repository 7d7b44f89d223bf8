"""Making and reading the values that clients carry: signed tokens (JWT), or opaque references."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

import jwt

from reference_app.models import Kind

if TYPE_CHECKING:
    from jwt.types import Options

    from reference_app.clock import Clock
    from reference_app.models import Session, User
    from reference_app.rules import Rules

ISSUER: Final = "https://reference.example"
AUDIENCE: Final = "reference-app"
ALGORITHM: Final = "HS256"
UNVERIFIED: Final = ("verify_exp", "verify_iat", "verify_nbf", "verify_aud", "verify_iss")
SUBJECT: Final = re.compile(r"[0-9]{1,15}")


@dataclass(frozen=True, slots=True)
class Draft:
    """What a value is made from. The same draft always yields the same value."""

    kind: Kind
    user: User
    session: Session
    nonce: str
    issued_at: float
    expires_at: float | None


@dataclass(frozen=True, slots=True)
class Reading:
    """What a value says: which row it is, and for a signed token whose and which kind."""

    key: str
    kind: Kind | None = None
    user_id: int | None = None
    session_id: str | None = None


class Tokens(Protocol):
    """One way of making credentials."""

    def write(self, draft: Draft) -> tuple[str, str]:
        """The value, and the key of its row."""

    def read(self, value: str, wanted: Kind) -> Reading | None:
        """What `value`, sent where a `wanted` one belongs, says; None when it is not ours."""


class OpaqueTokens:
    """References: 256 bits that mean nothing without their row."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def write(self, draft: Draft) -> tuple[str, str]:
        """An HMAC of the nonce: it can be made again, though neither it nor the secret is in the database."""
        digest = hmac.digest(self._key, draft.nonce.encode(), hashlib.sha256)
        value = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        return value, fingerprint(value)

    def read(self, value: str, wanted: Kind) -> Reading:
        """The row it must have; only the database can tell whether there is one."""
        del wanted  # the row knows
        return Reading(fingerprint(value))


class JwtTokens:
    """Signed tokens (RFC 7519) with only the claims that are needed."""

    def __init__(self, key: bytes, clock: Clock, rules: Rules) -> None:
        self._key = key
        self._clock = clock
        self._rules = rules

    def write(self, draft: Draft) -> tuple[str, str]:
        """The token; its key is its `jti`."""
        claims: dict[str, object] = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": str(draft.user.id),
            "sid": draft.session.id,
            "jti": draft.nonce,
            "iat": int(draft.issued_at),
            "typ": draft.kind.value,
        }
        if draft.expires_at is not None:
            claims["exp"] = int(draft.expires_at)
        if draft.kind is Kind.ACCESS and not self._rules.access_claims_minimal:
            claims |= draft.user.public() | {"password_hash": draft.user.password_hash}
        return jwt.encode(claims, self._key, ALGORITHM), draft.nonce

    def read(self, value: str, wanted: Kind) -> Reading | None:
        """Signature, issuer, audience, expiry and types of the claims are checked; the kind is the caller's affair."""
        try:
            return self._reading(self._verified(value, wanted), wanted)
        except self._bad_token():
            return None

    def _verified(self, value: str, wanted: Kind) -> dict[str, Any]:
        """The claims, once the signature holds. Times are checked later, against the application's own clock."""
        algorithm = str(jwt.get_unverified_header(value).get("alg"))
        rules = self._rules
        verified = rules.access_signature_verified if wanted is Kind.ACCESS else rules.refresh_signature_verified
        algorithms = [ALGORITHM]
        if wanted is Kind.ACCESS and not rules.access_algorithm_fixed:
            algorithms = [algorithm]
            verified = verified and algorithm.lower() != "none"
        if algorithm not in algorithms and wanted is Kind.ACCESS:
            raise jwt.InvalidAlgorithmError(algorithm)
        options = cast("Options", {"verify_signature": verified, **dict.fromkeys(UNVERIFIED, False)})
        claims: dict[str, Any] = jwt.decode(value, self._key, algorithms=algorithms, options=options)
        return claims

    def _reading(self, claims: dict[str, Any], wanted: Kind) -> Reading:
        if claims.get("iss") != ISSUER or claims.get("aud") != AUDIENCE:
            raise jwt.InvalidIssuerError("not for this application")
        subject, identifier, expires_at = claims.get("sub"), claims.get("jti"), claims.get("exp")
        if not isinstance(subject, str) or not SUBJECT.fullmatch(subject) or not isinstance(identifier, str):
            raise jwt.InvalidTokenError("claims missing or of the wrong type")
        checked = wanted is Kind.REFRESH or self._rules.access_expiry_checked
        if checked and expires_at is not None and not self._clock.now() < expires_at:
            raise jwt.ExpiredSignatureError("expired")
        return Reading(identifier, _kind(claims.get("typ")), int(subject), str(claims.get("sid")))

    def _bad_token(self) -> type[Exception]:
        if self._rules.bad_tokens_caught:
            return jwt.PyJWTError
        error: type[Exception] = jwt.JWTError  # type: ignore[attr-defined] # python-jose's name: PyJWT has none such
        return error


class CountedTokens(OpaqueTokens):
    """Opaque refresh values, and access values that are counted up."""

    def write(self, draft: Draft) -> tuple[str, str]:
        """The number of the draft, in base64."""
        if draft.kind is Kind.REFRESH:
            return super().write(draft)
        value = base64.b64encode(draft.nonce.encode()).decode()
        return value, fingerprint(value)


def fingerprint(value: str) -> str:
    """The SHA-256 of a value, in hex: what the database keeps of it."""
    return hashlib.sha256(value.encode(errors="replace")).hexdigest()


def _kind(claim: object) -> Kind:
    try:
        return Kind(str(claim))
    except ValueError:
        raise jwt.InvalidTokenError("unknown kind of token") from None
