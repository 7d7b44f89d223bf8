"""Keys of clients, one for each algorithm."""

from __future__ import annotations

from typing import Any

from joserfc.jwk import ECKey, OKPKey, RSAKey


def _told(key: Any, alg: str) -> dict[str, Any]:
    made: dict[str, Any] = {**key.as_dict(private=True), "alg": alg, "use": "sig", "kid": f"{alg}-key"}
    return made


def public(key: dict[str, Any]) -> dict[str, Any]:
    """The part that is registered."""
    return {name: value for name, value in key.items() if name not in {"d", "p", "q", "dp", "dq", "qi"}}


_RSA = RSAKey.generate_key(2048, private=True)
KEYS = {
    "RS256": _told(_RSA, "RS256"),
    "PS256": _told(_RSA, "PS256"),
    "ES256": _told(ECKey.generate_key("P-256", private=True), "ES256"),
    "EdDSA": _told(OKPKey.generate_key("Ed25519", private=True), "EdDSA"),
}
"""Private JWKs by algorithm."""
