"""Names of keys."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_REQUIRED = {"RSA": ("e", "kty", "n"), "EC": ("crv", "kty", "x", "y"), "OKP": ("crv", "kty", "x"), "oct": ("k", "kty")}


def thumbprint(jwk: Mapping[str, str]) -> str:
    """The JWK thumbprint with SHA-256 (RFC 7638 section 3, for OKP RFC 8037 section 2).

    Args:
        jwk: a key as a JWK; only the members that its type requires count.

    Returns:
        43 characters of base64url, the same for a private key and its public half.

    Raises:
        ValueError: the key has another type, or lacks a member that its type requires.
    """
    members = _REQUIRED.get(jwk.get("kty", ""))
    if members is None:
        raise ValueError(f"a key of type {jwk.get('kty')!r} has no thumbprint; known are {', '.join(_REQUIRED)}")
    missing = [member for member in members if member not in jwk]
    if missing:
        raise ValueError(f"the {jwk['kty']} key lacks {', '.join(missing)}")
    canonical = json.dumps({member: jwk[member] for member in members}, separators=(",", ":"), sort_keys=True)
    return base64.urlsafe_b64encode(hashlib.sha256(canonical.encode()).digest()).rstrip(b"=").decode()
