"""Headers that go on every answer, and the bound on those of requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.datastructures import MutableHeaders

from reference_app.errors import Errors, Refusal

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from reference_app.settings import Settings

YEAR_S: Final = 365 * 86400
LIMIT_BYTES: Final = 32 * 1024
STORABLE: Final = "storable"
"""Key of the request's state: the answer says nothing about caching."""


class SecurityHeaders:
    """ASGI middleware: what keeps answers out of caches, frames and guessed types; and requests of odd size out.

    An answer may not be stored unless its route says otherwise, so that none is forgotten.
    """

    def __init__(self, app: ASGIApp, settings: Settings, errors: Errors) -> None:
        self._app = app
        self._hsts = settings.tls and settings.rules.transport_security_sent
        self._errors = errors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add the headers on the way out."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("X-Content-Type-Options", "nosniff")
                headers.setdefault("Referrer-Policy", "same-origin")
                if not scope.get("state", {}).get(STORABLE):
                    headers.setdefault("Cache-Control", "no-store")
                if self._hsts and scope["scheme"] == "https":
                    headers["Strict-Transport-Security"] = f"max-age={YEAR_S}"
            await send(message)

        if sum(len(name) + len(value) for name, value in scope["headers"]) > LIMIT_BYTES:
            refusal = Refusal(431, "The request's headers are too large", {"Connection": "close"})
            await self._errors.answer(refusal)(scope, receive, answer)
            return
        await self._app(scope, receive, answer)
