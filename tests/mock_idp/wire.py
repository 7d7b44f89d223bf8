"""HTTP/1.1 as bytes on a socket: lean, and free to send what client libraries would not."""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass
from typing import Any, Self

WAIT_S = 30.0


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer. Header names are in lower case; of repeated ones the last counts."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.body)
        return document


class Wire:
    """One connection, kept alive, and opened anew where the server has closed it.

    Args:
        port: on 127.0.0.1.

    """

    def __init__(self, port: int) -> None:
        self.port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, method: bytes, target: bytes, body: bytes | None = None, *headers: bytes) -> Reply:
        """Send one request and read the answer.

        Args:
            method: such as ``GET``.
            target: path and query, raw.
            body: sent as a form where no header says otherwise.
            headers: raw lines, without the line's end.

        """
        lines = [method + b" " + target + b" HTTP/1.1", b"host: 127.0.0.1:%d" % self.port, *headers]
        if body is not None:
            lines.append(b"content-length: %d" % len(body))
            if not any(line.lower().startswith(b"content-type:") for line in headers):
                lines.append(b"content-type: application/x-www-form-urlencoded")
        return await asyncio.wait_for(self._exchange(b"\r\n".join(lines) + b"\r\n\r\n" + (body or b"")), WAIT_S)

    async def _exchange(self, request: bytes) -> Reply:
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self.port)
        reader, writer = self._streams
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        status_line, *lines = head.rstrip("\r\n").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = 0 if request.startswith(b"HEAD ") else int(headers.get("content-length", "0"))
        body = await reader.readexactly(length)
        if headers.get("connection", "").lower() == "close":
            await self.close()
        return Reply(int(status_line.split(" ", 2)[1]), headers, body)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Hang up."""
        if self._streams is not None:
            _, writer = self._streams
            self._streams = None
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
