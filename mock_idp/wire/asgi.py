"""The ASGI edge: reads requests within bounds, and writes answers, also those that misbehave."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from mock_idp.wire.http import Answer, Request, json_answer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    from mock_idp.provider import Provider

    Scope = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
    Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

MOST_BYTES = 1024 * 1024
"""Of a request's body; more is 413."""


class Edge:
    """The provider as an ASGI application.

    Args:
        provider: answers protocol requests.
        rooms: further applications by their first path segment (``_control``, ``_``), made when first asked for.

    """

    def __init__(self, provider: Provider, rooms: dict[str, Callable[[], Awaitable[Any]]] | None = None) -> None:
        self.provider = provider
        self._rooms = rooms or {}
        self._made: dict[str, Any] = {}
        self._bases: dict[tuple[str, bytes], str] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection event (ASGI 3)."""
        kind = scope["type"]
        if kind == "lifespan":
            await self._lifespan(receive, send)
        elif kind == "websocket":
            await receive()
            await send({"type": "websocket.close"})
        else:
            path: str = self.provider.addresses.below(scope["path"])
            first = path[1 : path.find("/", 1)] if path.find("/", 1) > 0 else path[1:]
            if first in self._rooms:
                if path != scope["path"]:
                    raw = scope["raw_path"].removeprefix(self.provider.addresses.prefix.encode())
                    scope = {**scope, "path": path, "raw_path": raw}
                await (await self._room(first))(scope, receive, send)
            else:
                await self._protocol(path, scope, receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                await self.provider.store.close()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return

    async def _room(self, name: str) -> Any:
        if name not in self._made:
            self._made[name] = await self._rooms[name]()
        return self._made[name]

    async def _protocol(self, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        method: str = scope["method"]
        body = b"" if method == "GET" else await _body(receive)
        if body is None:
            why = f"the body has more than {MOST_BYTES} bytes"
            answer = json_answer(413, {"error": "invalid_request", "error_description": why})
        else:
            headers: list[tuple[bytes, bytes]] = scope["headers"]
            client = scope["client"]
            request = Request(
                "GET" if method == "HEAD" else method,
                self._base(scope["scheme"], headers),
                path,
                scope["query_string"],
                headers,
                body,
                client[0] if client else "",
            )
            answer = await self.provider.answer(request)
        if answer.transport is None:
            await _write(send, answer)
        else:
            await _misbehave(receive, send, answer)

    def _base(self, scheme: str, headers: list[tuple[bytes, bytes]]) -> str:
        host = b""
        for name, value in headers:
            if name == b"host":
                host = value
                break
        addresses = self.provider.addresses
        if addresses.forwarded:
            return addresses.forwarded_base(scheme, host, headers)
        base = self._bases.get((scheme, host))
        if base is None:
            if len(self._bases) > 1000:  # noqa: PLR2004 # whoever sends that many names gets each worked out anew
                self._bases.clear()
            base = self._bases[scheme, host] = addresses.base(scheme, host.decode("latin-1"))
        return base


async def _body(receive: Receive) -> bytes | None:
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body"):
        return body if len(body) <= MOST_BYTES else None
    parts, size = [body], len(body)
    while message.get("more_body"):
        message = await receive()
        part = message.get("body", b"")
        size += len(part)
        if size <= MOST_BYTES:
            parts.append(part)  # what is too much is read on and forgotten, so that the answer is heard
    return b"".join(parts) if size <= MOST_BYTES else None


async def _write(send: Send, answer: Answer) -> None:
    headers = answer.headers
    headers.append((b"content-length", b"%d" % len(answer.body)))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


async def _misbehave(receive: Receive, send: Send, answer: Answer) -> None:
    transport = answer.transport
    assert transport is not None  # noqa: S101 # the caller looked
    if transport.delay and await _gone_within(receive, transport.delay):
        return
    if transport.cut == 0:
        _abort(send)
        return
    headers = [*answer.headers, (b"content-length", b"%d" % len(answer.body))]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    if transport.drip:
        for byte in answer.body:
            await send({"type": "http.response.body", "body": bytes([byte]), "more_body": True})
            if await _gone_within(receive, transport.drip):
                return
        await send({"type": "http.response.body", "body": b""})
    elif transport.cut is not None:
        await send({"type": "http.response.body", "body": answer.body[: transport.cut], "more_body": True})
        await asyncio.sleep(0)
        _abort(send)
    else:
        await send({"type": "http.response.body", "body": answer.body})


async def _gone_within(receive: Receive, seconds: float) -> bool:
    """Wait so long; True, and at once, where the client has gone: nobody stalls for those who gave up."""
    try:
        await asyncio.wait_for(_gone(receive), seconds)
    except TimeoutError:
        return False
    return True


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _abort(send: Send) -> None:
    """Close the connection as a crashed server would. ASGI has no word for it; uvicorn's cycle holds the socket."""
    cycle = getattr(send, "__self__", None)
    if cycle is not None:
        cycle.disconnected = True  # or it would log an error, and answer 500 on the closed socket
        cycle.transport.abort()
