"""uvicorn's HTTP/1.1, deaf to offers of HTTP/2."""

from __future__ import annotations

import re

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_OFFER = re.compile(rb"\r\nupgrade:[ \t]*h2c[ \t]*(?=\r\n)", re.IGNORECASE)


class Connection(HttpToolsProtocol):
    """One connection.

    Java's HttpClient offers HTTP/2 with each request (RFC 7540, section 3.2). A server may ignore the offer; the parser
    would stop at it and lose the body.
    """

    def data_received(self, data: bytes) -> None:
        """Read on, without the offer."""
        if b"h2c" in data:
            head, blank, body = data.partition(b"\r\n\r\n")
            data = _OFFER.sub(b"", head + b"\r\n").removesuffix(b"\r\n") + blank + body
        super().data_received(data)
