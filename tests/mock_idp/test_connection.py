"""What clients do to a connection that has nothing to do with OAuth."""

from __future__ import annotations

import socket
from http.client import HTTPResponse
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.mock_idp.served import World

OFFER = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"


@pytest.mark.parametrize("pieces", [1, 2])
def test_a_token_request_that_offers_http2_is_read_body_and_all(tenant: World, pieces: int) -> None:
    """Java's HttpClient makes the offer with each request, and may send the body after the head."""
    body = b"grant_type=client_credentials&client_id=app&client_secret=app-secret"
    head = b"POST /%s/token HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    length = b"Content-Length: %d\r\n" % len(body)
    first = head % tenant.name.encode() + length + OFFER + b"\r\n"
    host, port = tenant.served.base.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as wire:
        for piece in [first + body] if pieces == 1 else [first, body]:
            wire.sendall(piece)
        assert status(wire) == 200
        wire.sendall(b"GET /%s/jwks HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" % tenant.name.encode())
        assert status(wire) == 200


def status(wire: socket.socket) -> int:
    """That of the next response, which is read to its end."""
    with HTTPResponse(wire) as response:
        response.begin()
        response.read()
        return response.status
