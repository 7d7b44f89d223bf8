"""Refusals, and the one place that turns them into answers."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import HTMLResponse, JSONResponse, Response

from reference_app.settings import Architecture

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import FastAPI, Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from reference_app.settings import Settings

REALM: Final = 'realm="reference app"'
TITLES: Final = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    422: "Unprocessable Content",
}

_log = logging.getLogger(__name__)


class Refusal(Exception):  # noqa: N818 - a refusal is an answer, not an error of ours
    """The request is refused: a status and a sentence that is safe to send."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})


class Unauthenticated(Refusal):
    """Nobody is signed in (401): no credential, or one that is not good (any more)."""

    def __init__(self, sent: str | None = None) -> None:
        super().__init__(401, "Not authenticated" if sent is None else "The credential is not valid")
        self.sent = sent


class WrongPassword(Refusal):
    """Sign-in refused (401). The same words whether the name or the password was wrong."""

    def __init__(self) -> None:
        super().__init__(401, "Wrong username or password")


class Forbidden(Refusal):
    """The user is known and may not do this, or the request looks forged (403)."""

    def __init__(self, detail: str) -> None:
        super().__init__(403, detail)


class Errors:
    """Renders refusals in the shape that the settings ask for."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._rules = settings.rules

    def install(self, app: FastAPI) -> None:
        """Answer every refusal, also those of the framework, in one shape."""
        app.add_exception_handler(Refusal, self._refusal)
        app.add_exception_handler(HTTPException, self._framework)
        app.add_exception_handler(RequestValidationError, self._invalid)

    def answer(self, refusal: Refusal) -> Response:
        """The response that a refusal becomes."""
        status, detail = refusal.status, refusal.detail
        if isinstance(refusal, Unauthenticated) and not self._rules.unauthenticated_is_401:
            status, detail = 403, "Not authenticated"
        if isinstance(refusal, Unauthenticated) and not self._rules.errors_keep_internals:
            detail = _as_traceback(refusal)
        response = self._body(status, detail)
        response.headers.update(refusal.headers)
        if status == 401 and self._rules.challenge_sent:  # noqa: PLR2004
            for challenge in self.challenges(refusal):
                response.headers.append("WWW-Authenticate", challenge)
        return response

    def challenges(self, refusal: Refusal) -> list[str]:
        """How to authenticate (RFC 9110, 11.6.1); an error code only when a credential was sent (RFC 6750, 3.1).

        There is no registered scheme for cookies. `Cookie` names what is missing without inviting a user agent to
        prompt for a password (as Basic would) or a client to send a header that is not read (as Bearer would).
        """
        failed = isinstance(refusal, Unauthenticated) and refusal.sent is not None
        code = ', error="invalid_token"' if failed else ""
        architecture = self._settings.architecture
        challenges = []
        if architecture.takes_header:
            challenges.append(f"Bearer {REALM}{code}")
        if architecture.takes_cookie:
            challenges.append(f'Cookie {REALM}, form-action="{self._settings.root_path}/login"{code}')
        if architecture is Architecture.BEARER and self._settings.basic:
            challenges.append(f'Basic {REALM}, charset="UTF-8"')
        return challenges

    def _body(self, status: int, detail: str) -> Response:
        if status in {401, 403} and not self._rules.errors_machine_readable:
            return HTMLResponse(f"<html><head><title>{status}</title></head><body>Access denied.</body></html>", status)
        if self._settings.errors == "problem":
            problem = {"type": "about:blank", "title": TITLES.get(status, "Error"), "status": status, "detail": detail}
            return JSONResponse(problem, status, media_type="application/problem+json")
        return JSONResponse({"detail": detail}, status)

    async def _refusal(self, _: Request, error: Exception) -> Response:
        return self.answer(error if isinstance(error, Refusal) else Refusal(500, "Internal error"))

    async def _framework(self, _: Request, error: Exception) -> Response:
        if not isinstance(error, HTTPException):
            return self.answer(Refusal(500, "Internal error"))
        return self.answer(Refusal(error.status_code, str(error.detail), error.headers))

    async def _invalid(self, _: Request, error: Exception) -> Response:
        # Which field, never its value: it may be a password.
        fields = error.errors() if isinstance(error, RequestValidationError) else []
        named = ", ".join(sorted({str(field["loc"][-1]) for field in fields}))
        return self.answer(Refusal(422, f"Not valid: {named}"))


class CatchAll:
    """ASGI middleware: what nobody handled becomes a plain 500, inside the layers that add headers.

    Starlette's own handler stands outside every middleware, so its answers would lack the CORS headers.
    """

    def __init__(self, app: ASGIApp, errors: Errors) -> None:
        self._app = app
        self._errors = errors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; log and answer what goes wrong."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def watch(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, watch)
        except ClientDisconnect:  # nobody is left to answer
            return
        except Exception:
            if started:
                raise
            _log.exception("unhandled error")
            await self._errors.answer(Refusal(500, "Internal error"))(scope, receive, send)


def _as_traceback(refusal: Unauthenticated) -> str:
    return (
        "Traceback (most recent call last):\n"
        '  File "/srv/app/authentication.py", line 61, in signed_in\n'
        f"    principal = sessions.authenticate({refusal.sent!r})\n"
        f"AuthenticationError: {refusal.detail}"
    )
