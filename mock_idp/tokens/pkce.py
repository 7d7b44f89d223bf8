"""Proof Key for Code Exchange (RFC 7636)."""

from __future__ import annotations

from hashlib import sha256

from mock_idp.tokens.jws import base64url


def challenge_of(verifier: str) -> str:
    """The S256 challenge of a verifier (section 4.2)."""
    return base64url(sha256(verifier.encode("utf-8", "replace")).digest()).decode()
