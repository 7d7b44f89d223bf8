"""Proof of possession of a key (DPoP, RFC 9449): each check of section 4.3 is a step."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit

from mock_idp.keys.thumbprint import thumbprint
from mock_idp.protocol.client_keys import first_use, verified
from mock_idp.protocol.errors import OAuthError
from mock_idp.protocol.table import Table
from mock_idp.protocol.vocabulary import ASYMMETRIC
from mock_idp.tokens.jws import TokenRefusedError, base64url, unverified_header

if TYPE_CHECKING:
    from mock_idp.protocol.table import Flow

HEADER = b"dpop"
LONGEST_AGE_S = 300
"""How old a proof may be (section 11.1)."""
NONCE_PERIOD_S = 300
"""How often there is a new nonce; that of the period before is still taken."""
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_PORTS = {"http": 80, "https": 443}


@dataclass(slots=True)
class Proof:
    """A proof that is being checked.

    Attributes:
        endpoint: metadata name of the endpoint that was asked.
        access_token: that it accompanies, at a resource.
        status: of the answer where it is refused: 400 at the token endpoint, 401 at a resource.
        thumbprint: of the key that was proved (RFC 7638).

    """

    flow: Flow
    endpoint: str
    access_token: str | None = None
    status: int = 400
    text: str = ""
    jwk: dict[str, Any] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)
    thumbprint: str = ""

    def refusal(self, why: str, source: str = "RFC 9449, section 4.3") -> OAuthError:
        """The proof is not accepted."""
        return OAuthError("invalid_dpop_proof", f"the DPoP proof is refused: {why}", source, status=self.status)


def take_header(proof: Proof) -> None:
    """There is one ``DPoP`` header (check 1)."""
    lines = proof.flow.request.headers_named(HEADER)
    if len(lines) != 1:
        raise proof.refusal(f"there are {len(lines)} DPoP headers, not one")
    proof.text = lines[0].strip()


def read_key(proof: Proof) -> None:
    """Its header holds a public key, and nothing of the private one (checks 2 and 7)."""
    try:
        jwk = unverified_header(proof.text).get("jwk")
        if not isinstance(jwk, dict):
            raise proof.refusal("its header has no jwk")
        if _PRIVATE & jwk.keys():
            raise proof.refusal("its jwk holds a private key")
        proof.thumbprint = thumbprint(jwk)
        proof.jwk = jwk
    except (TokenRefusedError, ValueError, TypeError) as error:
        raise proof.refusal(str(error)) from error


def check_signature(proof: Proof) -> None:
    """``typ`` is ``dpop+jwt``, ``alg`` is asymmetric, the signature is that of its key, all claims are there.

    Checks 3 to 6. ``kid`` and the like do not matter: the proof names its key itself. ``iat`` in the future is refused.
    """
    # Members such as "use" or "alg" of the embedded key are the client's affair.
    bare = {name: value for name, value in proof.jwk.items() if name in ("kty", "crv", "x", "y", "n", "e")}
    try:
        found = verified(
            proof.flow,
            proof.text,
            bare,
            algs=ASYMMETRIC,
            typ=("dpop+jwt",),
            require=("jti", "htm", "htu", "iat"),
        )
    except TokenRefusedError as error:
        raise proof.refusal(str(error)) from error
    proof.claims = found.claims


def check_method(proof: Proof) -> None:
    """``htm`` is the method of the request (check 8)."""
    if proof.claims["htm"] != proof.flow.request.method:
        raise proof.refusal(f"its htm is {proof.claims['htm']!r}, the request is a {proof.flow.request.method}")


def check_uri(proof: Proof) -> None:
    """``htu`` is the URI of the request, without query and fragment (check 9)."""
    flow = proof.flow
    asked = flow.request.base + quote(flow.request.path, safe="/")
    # Behind a proxy the client knows the endpoint by the name in the metadata.
    known = [asked, *(url for name, url in flow.provider.endpoints(flow).items() if name == proof.endpoint)]
    named = proof.claims["htu"]
    if not isinstance(named, str) or _comparable(named) not in map(_comparable, known):
        raise proof.refusal(f"its htu is {str(named)[:200]!r}, the request went to {known[-1]}")


def _comparable(uri: str) -> tuple[str, str, int | None, str] | None:
    """Two URIs that are equivalent give the same (RFC 3986, sections 6.2.2 and 6.2.3)."""
    try:
        parts = urlsplit(uri)
        port = parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return None
    return parts.scheme, parts.hostname or "", port, unquote(parts.path) or "/"


def check_age(proof: Proof) -> None:
    """``iat`` is not long ago (check 11)."""
    flow, issued = proof.flow, float(proof.claims["iat"])
    # As with all that a client dates, either clock will do.
    age = min(abs(flow.now - issued), abs(flow.entry.at - issued))
    if age > LONGEST_AGE_S:
        raise proof.refusal(f"it is {age:.0f} seconds old; {LONGEST_AGE_S} are allowed", "RFC 9449, section 11.1")


def check_nonce(proof: Proof) -> None:
    """``nonce`` is one of ours, where the tenant asks for it (check 10; sections 8 and 9)."""
    if not proof.flow.tenant.settings.dpop_nonce:
        return
    sent = proof.claims.get("nonce")
    if not isinstance(sent, str) or not any(_equal(sent, nonce(proof.flow, back)) for back in (0, 1)):
        raise OAuthError(
            "use_dpop_nonce",
            "the DPoP proof has to hold the nonce of the DPoP-Nonce header",
            "RFC 9449, section 8" if proof.access_token is None else "RFC 9449, section 9",
            status=proof.status,
            headers=nonce_headers(proof.flow),
        )


def _equal(text: str, other: str) -> bool:
    return hmac.compare_digest(text.encode("utf-8", "replace"), other.encode())


def check_access_token(proof: Proof) -> None:
    """``ath`` is the hash of the access token that it accompanies (check 12)."""
    if proof.access_token is None:
        return
    digest = sha256(proof.access_token.encode("utf-8", "replace")).digest()
    if proof.claims.get("ath") != base64url(digest).decode():
        raise proof.refusal("its ath is missing, or not the hash of the access token")


async def check_once(proof: Proof) -> None:
    """Its ``jti`` was not used before with this key and URI (section 11.1)."""
    jti = proof.claims["jti"]
    if not isinstance(jti, str) or not jti:
        raise proof.refusal("its jti is no text")
    identifier = f"{proof.thumbprint} {proof.flow.request.path} {jti}"
    if not await first_use(proof.flow, "dpop", identifier, 2 * LONGEST_AGE_S):
        raise proof.refusal("it was used before (its jti is known)", "RFC 9449, section 11.1")


PROOF: Table[Proof] = Table(
    "DPoP proof",
    take_header,
    read_key,
    check_signature,
    check_method,
    check_uri,
    check_age,
    check_nonce,
    check_access_token,
    check_once,
)


async def prove(flow: Flow, endpoint: str, access_token: str | None = None) -> str:
    """Check the proof that a request brings.

    Args:
        flow: of the request.
        endpoint: metadata name of the endpoint that was asked.
        access_token: that the proof accompanies, at a resource.

    Returns:
        the thumbprint of the key that was proved (RFC 7638).

    Raises:
        OAuthError: there is no proof, or it is not acceptable.

    """
    proof = Proof(flow, endpoint, access_token, status=400 if access_token is None else 401)
    await PROOF.walk(proof)
    return proof.thumbprint


def nonce(flow: Flow, periods_back: int = 0) -> str:
    """The nonce of this period, the same in every process: derived from the tenant's oldest key."""
    period = int(flow.now // NONCE_PERIOD_S) - periods_back
    secret = flow.tenant.keys.keys[0].origin.encode()
    return base64url(hmac.digest(secret, f"{flow.tenant.name} {period}".encode(), "sha256")).decode()


def nonce_headers(flow: Flow) -> list[tuple[bytes, bytes]]:
    """``DPoP-Nonce``, where the tenant asks for nonces: also with a success there comes one (section 8.2)."""
    if not flow.tenant.settings.dpop_nonce:
        return []
    return [(b"dpop-nonce", nonce(flow).encode())]
