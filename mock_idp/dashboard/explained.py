"""What a token says, claim by claim, for people who do not know the specifications by heart."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

CLAIMS: dict[str, tuple[str, str]] = {
    "iss": ("who issued it; a client compares it with the issuer it knows", "OpenID Connect Core 1.0, 3.1.3.7"),
    "sub": (
        "who it is about; iss and sub together are what an account may be keyed by",
        "OpenID Connect Core 1.0, 2",
    ),
    "aud": ("for whom it is meant; a client refuses a token for somebody else", "OpenID Connect Core 1.0, 3.1.3.7"),
    "azp": ("the party it was issued to", "OpenID Connect Core 1.0, 2"),
    "exp": ("good until then", "RFC 7519, 4.1.4"),
    "iat": ("issued then", "RFC 7519, 4.1.6"),
    "nbf": ("not good before then", "RFC 7519, 4.1.5"),
    "jti": ("its own name, so that it counts once", "RFC 7519, 4.1.7"),
    "nonce": (
        "that of the authorization request; binds the token to one browser",
        "OpenID Connect Core 1.0, 3.1.2.1",
    ),
    "auth_time": ("when the person signed in", "OpenID Connect Core 1.0, 2"),
    "acr": ("how strongly the person signed in", "OpenID Connect Core 1.0, 2"),
    "amr": ("by which methods", "OpenID Connect Core 1.0, 2"),
    "at_hash": ("half a hash of the access token it came with", "OpenID Connect Core 1.0, 3.1.3.6"),
    "c_hash": ("half a hash of the code it came with", "OpenID Connect Core 1.0, 3.3.2.11"),
    "s_hash": ("half a hash of the state", "FAPI 1.0 Advanced, 5.1.1"),
    "sid": ("the sign-in session, for logout", "OpenID Connect Front-Channel Logout 1.0, 3"),
    "events": ("what happened; a logout token names the logout event", "OpenID Connect Back-Channel Logout 1.0, 2.4"),
    "client_id": ("the client that asked for it", "RFC 9068, 2.2"),
    "scope": ("what it allows", "RFC 9068, 2.2.3"),
    "act": ("who acts on behalf of the subject", "RFC 8693, 4.1"),
    "cnf": ("the key its holder has to prove", "RFC 9449, 6"),
    "email": ("an address, never an identifier", "OpenID Connect Core 1.0, 5.7"),
    "email_verified": ("the provider has seen that the address is theirs", "OpenID Connect Core 1.0, 5.1"),
    "name": ("for display", "OpenID Connect Core 1.0, 5.1"),
    "preferred_username": ("may change and may be reassigned", "OpenID Connect Core 1.0, 5.7"),
    "hd": ("the Google Workspace domain", "Google, OpenID Connect"),
    "alg": ("how it is signed; a client takes what it registered, nothing else", "RFC 8725, 3.1"),
    "kid": ("which key of the JWKS", "RFC 7515, 4.1.4"),
    "typ": ("what kind of token", "RFC 8725, 3.11"),
}
_TIMES = frozenset({"exp", "iat", "nbf", "auth_time", "updated_at"})


@dataclass(frozen=True, slots=True)
class Line:
    """One header member or claim: its value as JSON, what it means, and who says so."""

    name: str
    value: str
    meaning: str
    source: str


@dataclass(frozen=True, slots=True)
class Token:
    """A token found in an answer; `lines` is empty where it is opaque."""

    name: str
    text: str
    header: list[Line]
    claims: list[Line]


def tokens_in(body: str, now: float) -> list[Token]:
    """The tokens of a token or authorization response.

    Args:
        body: JSON, or a form.
        now: the tenant's time, to say how far away dates are.

    """
    found = []
    for name, text in _members(body).items():
        if name in ("id_token", "access_token", "refresh_token", "logout_token") and isinstance(text, str):
            segments = text.split(".")
            header, claims = (_object(segments[0]), _object(segments[1])) if len(segments) == 3 else (None, None)  # noqa: PLR2004
            found.append(Token(name, text, _lines(header, now), _lines(claims, now)))
    return found


def _members(body: str) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _object(segment: str) -> dict[str, Any] | None:
    try:
        document = json.loads(base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _lines(members: dict[str, Any] | None, now: float) -> list[Line]:
    return [
        Line(name, _value(name, value, now), *CLAIMS.get(name, ("", ""))) for name, value in (members or {}).items()
    ]


def _value(name: str, value: Any, now: float) -> str:
    text = json.dumps(value, ensure_ascii=False)
    if name in _TIMES and isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e11:  # noqa: PLR2004
        apart = round(value - now)
        when = f"in {apart} s" if apart >= 0 else f"{-apart} s ago"
        return f"{text} = {datetime.fromtimestamp(value, UTC):%Y-%m-%d %H:%M:%S} UTC, {when}"
    return text
