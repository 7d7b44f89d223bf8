"""The WebSocket."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

if TYPE_CHECKING:
    from tests.reference_app.conftest import Launch, Running

TIMEOUT_S = 10


def greeted(app: Running, origin: str | None = None, cookie: str = "", message: str | bytes | None = None) -> str | int:
    """The username the server greets with, or the status or close code it refuses with."""
    url = f"ws://127.0.0.1:{app.port}{app.root}/ws"
    headers = {"Cookie": cookie} if cookie else {}
    headers |= {"Origin": origin} if origin else {}
    try:
        with connect(url, additional_headers=headers, open_timeout=TIMEOUT_S, proxy=None) as socket:
            if message is not None:
                socket.send(message)
            return str(json.loads(socket.recv(TIMEOUT_S))["username"])
    except InvalidStatus as refused:
        return refused.response.status_code
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else 0


@pytest.mark.parametrize("architecture", ["cookie", "both"])
def test_own_pages_connect_with_the_cookie(launch: Launch, architecture: str) -> None:
    app = launch(architecture)
    cookie = f"access={app.signed_in().access}"
    assert greeted(app, app.origin, cookie) == "alice"
    assert greeted(app, "http://127.0.0.1:3000", cookie) == "alice"
    for origin in ("https://evil.example", "null", None):
        assert greeted(app, origin, cookie) == 403
    assert greeted(app, app.origin) == 401
    assert greeted(app, app.origin, "access=garbage") == 401


def test_bearer_sends_the_token_first(launch: Launch) -> None:
    app = launch("bearer")
    access = app.signed_in().access
    assert greeted(app, message=access) == "alice"
    assert greeted(app, message="garbage") == 1008
    assert greeted(app, message=b"binary") == 1008
    assert greeted(app, cookie=f"access={access}", message="garbage") == 1008
