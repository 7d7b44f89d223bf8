"""Defences against requests that another site makes a browser send."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING, Final

from reference_app.bodies import FORMS, form, media_type
from reference_app.errors import Forbidden, Refusal

if TYPE_CHECKING:
    from fastapi import Request
    from starlette.requests import HTTPConnection

    from reference_app.cookies import Cookies
    from reference_app.settings import Settings

HEADER: Final = "X-CSRF-Token"
FIELD: Final = "csrf_token"
CUSTOM_HEADER: Final = "X-Requested-With"
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class Csrf:
    """Tokens bound to a session, and the check of where a request comes from."""

    def __init__(self, settings: Settings, cookies: Cookies, key: bytes) -> None:
        self._settings = settings
        self._rules = settings.rules
        self._cookies = cookies
        self._key = key

    def token(self, session_id: str) -> str | None:
        """A fresh token for a session; None where the deployment defends itself otherwise."""
        return self.sign(session_id) if self._settings.csrf == "token" else None

    def sign(self, bound_to: str) -> str:
        """`nonce.signature`: nobody without the key can make one for another `bound_to`."""
        nonce = secrets.token_urlsafe(16)
        return f"{nonce}.{self._signature(nonce, bound_to)}"

    def belongs(self, token: str | None, bound_to: str) -> bool:
        """True when `token` was made for `bound_to`."""
        nonce, _, signature = (token or "").partition(".")
        return hmac.compare_digest(self._signature(nonce, bound_to).encode(), signature.encode(errors="replace"))

    async def check_write(self, request: Request, session_id: str) -> None:
        """Let a request that a cookie authenticated change something only if a page of ours sent it.

        Raises:
            Forbidden: the proof is missing or is not for this session.
        """
        if not self._rules.csrf_checked:
            return
        if not self._rules.csrf_for_every_media_type and media_type(request) in {"", "text/plain"}:
            return
        if self._settings.csrf == "origin":
            self.check_origin(request)
        elif self._settings.csrf == "custom-header":
            if CUSTOM_HEADER not in request.headers:
                raise Forbidden(f"{CUSTOM_HEADER} is missing")
        elif not self._proven(request, await _submitted(request), session_id):
            raise Forbidden("The anti-forgery token is missing or is not for this session")

    def check_origin(self, connection: HTTPConnection) -> None:
        """Refuse what another site's page sent. A browser always tells; a client that does not tell is none.

        Raises:
            Forbidden: the page is foreign.
        """
        origin = connection.headers.get("origin")
        if origin is not None:
            if not self.trusts(connection, origin):
                raise Forbidden("Requests from that origin are refused")
        elif connection.headers.get("sec-fetch-site", "none").lower() not in {"same-origin", "none"}:
            raise Forbidden("Requests from other sites are refused")

    def trusts(self, connection: HTTPConnection, origin: str) -> bool:
        """True for the application's own origin and the front ends it serves."""
        scheme = {"ws": "http", "wss": "https"}.get(connection.url.scheme, connection.url.scheme)
        own = f"{scheme}://{connection.headers.get('host', '')}"
        return origin in {own, *self._settings.allowed_origins}

    def _proven(self, request: Request, submitted: str | None, session_id: str) -> bool:
        if not self._rules.csrf_token_verified:
            return bool(submitted) and submitted == self._cookies.csrf.read(request)
        return self.belongs(submitted, session_id)

    def _signature(self, nonce: str, bound_to: str) -> str:
        message = f"{nonce}.{bound_to if self._rules.csrf_bound_to_session else ''}"
        return hmac.new(self._key, message.encode(errors="replace"), hashlib.sha256).hexdigest()


async def _submitted(request: Request) -> str | None:
    if HEADER in request.headers:
        return request.headers[HEADER]
    if media_type(request) not in FORMS:
        return None
    try:
        return (await form(request)).get(FIELD)
    except Refusal:  # a broken form proves nothing
        return None
