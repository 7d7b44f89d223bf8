"""The application's clock: the system's, and in a test deployment one that a request may move for itself."""

from __future__ import annotations

import math
import time
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

from starlette.responses import JSONResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_offset: ContextVar[float] = ContextVar("offset", default=0.0)

HEADER: Final = b"x-clock-offset"
FARTHEST_S: Final = 10 * 366 * 86400


class Clock:
    """Seconds since the epoch, as the request being answered sees them."""

    def now(self) -> float:
        """The present, later by what the request asked for."""
        return time.time() + _offset.get()


class ClockHeader:
    """ASGI middleware: `X-Clock-Offset: <seconds>` makes it that much later for this request; the answer confirms it.

    An offset belongs to one request, so that tests that travel in time can run side by side.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request in its own time; 400 when the offset is not a number of seconds."""
        sent = dict(scope.get("headers", ())).get(HEADER)
        if sent is None:
            await self._app(scope, receive, send)
            return
        offset = _seconds(sent)
        if offset is None:
            await JSONResponse({"detail": "X-Clock-Offset is not a number of seconds."}, 400)(scope, receive, send)
            return

        async def confirm(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), (HEADER, sent)]
            await send(message)

        token = _offset.set(offset)
        try:
            await self._app(scope, receive, confirm)
        finally:
            _offset.reset(token)


def _seconds(sent: bytes) -> float | None:
    try:
        seconds = float(sent)
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and abs(seconds) <= FARTHEST_S else None
