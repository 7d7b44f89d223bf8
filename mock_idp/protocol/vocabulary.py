"""Names and values that endpoints take and discovery tells, apart from the endpoints, which are loaded when asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mock_idp.records import AuthMethod, GrantType

ASYMMETRIC = ("RS256", "PS256", "ES256", "EdDSA", "Ed25519")
"""Algorithms by which clients sign with keys of their own."""
SYMMETRIC = ("HS256", "HS384", "HS512")
"""Algorithms by which clients sign with their secret."""
CLIENT_ALGORITHMS = (*ASYMMETRIC, *SYMMETRIC)
"""Both: for assertions (RFC 7523) and request objects (RFC 9101)."""
AUTH_METHODS: tuple[AuthMethod, ...] = (
    "client_secret_basic",
    "client_secret_post",
    "client_secret_jwt",
    "private_key_jwt",
    "none",
)
"""How clients may authenticate at the token endpoint (RFC 8414, section 2)."""
PROMPTS = ("none", "login", "consent", "select_account")
"""OpenID Connect Core 1.0, section 3.1.2.1."""
RESPONSE_MODES = ("query", "fragment", "form_post")
"""OAuth 2.0 Multiple Response Types, section 2.1, and Form Post Response Mode."""
REPEATABLE = ("resource", "audience")
"""Parameters that may stand several times (RFC 8707, section 2; RFC 8693, section 2.1)."""
DEVICE_CODE: GrantType = "urn:ietf:params:oauth:grant-type:device_code"
JWT_BEARER: GrantType = "urn:ietf:params:oauth:grant-type:jwt-bearer"


def in_order(response_type: str) -> str:
    """A response type with its words sorted, as their order does not matter (RFC 6749, section 3.1.1)."""
    return " ".join(sorted(response_type.split())) if " " in response_type else response_type
