"""Reading and forging JSON Web Tokens without trusting them."""

from __future__ import annotations

from harness.tokens.forge import Forgery, forgeries, tamper_opaque
from harness.tokens.jwt import Jwt, find_jwts, looks_like_jwt
from harness.tokens.secrets import guess_key

__all__ = ["Forgery", "Jwt", "find_jwts", "forgeries", "guess_key", "looks_like_jwt", "tamper_opaque"]
