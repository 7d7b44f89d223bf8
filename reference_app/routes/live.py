"""The WebSocket: greets its user by name."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

from fastapi import APIRouter, WebSocket
from fastapi.concurrency import run_in_threadpool
from starlette.websockets import WebSocketDisconnect

from reference_app.dependencies import ServicesDep  # noqa: TC001
from reference_app.errors import Forbidden, Refusal, Unauthenticated
from reference_app.services import Services  # noqa: TC001

POLICY_VIOLATION: Final = 1008
FIRST_MESSAGE_S: Final = 10

router = APIRouter()


@router.websocket("/ws")
async def live(socket: WebSocket, app: ServicesDep) -> None:
    """Answer `{"username": …}` and close.

    With cookies the handshake authenticates, and is refused to foreign pages: CORS does not cover WebSockets. Without
    them, the first message is the access token.
    """
    with suppress(WebSocketDisconnect):  # the client may leave at any time
        if app.settings.architecture.takes_cookie:
            await _by_cookie(socket, app)
        else:
            await _by_first_message(socket, app)


async def _by_cookie(socket: WebSocket, app: Services) -> None:
    origin = socket.headers.get("origin", "")
    if app.rules.websocket_origin_checked and not app.csrf.trusts(socket, origin):
        await _refuse(socket, app, Forbidden("Handshakes from that origin are refused"))
        return
    value = socket.cookies.get(app.cookies.access.name)
    username = await _username(app, value)
    if username is None:
        await _refuse(socket, app, Unauthenticated(value))
        return
    await socket.accept()
    await _greet(socket, username)


async def _by_first_message(socket: WebSocket, app: Services) -> None:
    await socket.accept()
    try:
        token = await asyncio.wait_for(socket.receive_text(), FIRST_MESSAGE_S)
    except (TimeoutError, KeyError):  # KeyError: the message was binary
        await socket.close(POLICY_VIOLATION)
        return
    username = await _username(app, token)
    if username is None:
        await socket.close(POLICY_VIOLATION)
        return
    await _greet(socket, username)


async def _username(app: Services, value: str | None) -> str | None:
    principal = await run_in_threadpool(app.sessions.authenticate, value) if value else None
    return principal.user.username if principal else None


async def _greet(socket: WebSocket, username: str) -> None:
    await socket.send_json({"username": username})
    await socket.close()


async def _refuse(socket: WebSocket, app: Services, refusal: Refusal) -> None:
    await socket.send_denial_response(app.errors.answer(refusal))
