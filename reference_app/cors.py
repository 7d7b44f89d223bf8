"""Cross-origin resource sharing (WHATWG Fetch, 3.3), as the outermost layer: errors carry the headers too."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, Response

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from reference_app.settings import Settings

METHODS: Final = "GET, POST, DELETE"
HEADERS: Final = "Authorization, Content-Type, X-CSRF-Token, X-Requested-With"
EXPOSED: Final = "X-CSRF-Token, Retry-After"
MAX_AGE_S: Final = 600


class Cors:
    """Lets the pages of named origins read answers, with credentials."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._rules = settings.rules
        self._origins = settings.allowed_origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a preflight; let everything else through and add what its origin may have."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        if scope["method"] == "OPTIONS" and origin and "access-control-request-method" in headers:
            await self._preflight(origin)(scope, receive, send)
            return

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._mark(MutableHeaders(scope=message), origin, message["status"])
            await send(message)

        await self._app(scope, receive, answer)

    def _preflight(self, origin: str) -> Response:
        """Browsers send it without credentials, so it is answered before anybody asks for them."""
        if not self._rules.cors_before_authentication:
            return JSONResponse({"detail": "Not authenticated"}, 401)
        response = Response(status_code=204)
        self._mark(response.headers, origin, 204)
        response.headers.add_vary_header("Access-Control-Request-Method")
        response.headers.add_vary_header("Access-Control-Request-Headers")
        if self._trusted(origin):
            response.headers["Access-Control-Allow-Methods"] = METHODS
            response.headers["Access-Control-Allow-Headers"] = HEADERS if self._rules.cors_headers_named else "*"
            response.headers["Access-Control-Max-Age"] = str(MAX_AGE_S)
        return response

    def _mark(self, headers: MutableHeaders, origin: str | None, status: int) -> None:
        if status in {401, 403, 422} and not self._rules.cors_on_errors:
            return
        if self._rules.cors_varies_by_origin:
            headers.add_vary_header("Origin")
        if origin and self._trusted(origin):
            headers["Access-Control-Allow-Origin"] = origin
            headers["Access-Control-Allow-Credentials"] = "true"
            headers["Access-Control-Expose-Headers"] = EXPOSED

    def _trusted(self, origin: str) -> bool:
        """Exactly one of the origins, scheme and port included; never `null`."""
        if self._rules.cors_origins == "any":
            return True
        if self._rules.cors_origins == "unanchored":
            hosts = "|".join(re.escape(urlsplit(trusted).hostname or "") for trusted in self._origins)
            return re.match(rf"https?://.*({hosts})", origin) is not None
        return origin in self._origins
