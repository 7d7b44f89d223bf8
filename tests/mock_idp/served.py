"""A provider on a real socket, and a relying party that walks through it step by step."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import secrets
import socket
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qsl, urlsplit

import httpx
import uvicorn

from mock_idp.accounts import usual_accounts
from mock_idp.provider import Provider
from mock_idp.records import Client, Settings, Tenant
from mock_idp.store.memory import MemoryStore
from mock_idp.wire.asgi import Edge
from mock_idp.wire.connection import Connection

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from mock_idp.journal import Entry

REDIRECT_URI = "http://127.0.0.1:9/callback"
WAIT_S = 10


class Served:
    """A provider under uvicorn, in a thread of its own.

    `tls` is ``ssl_certfile`` and ``ssl_keyfile``. `run` lets a coroutine run in the provider's loop: for what only the
    control API may do from outside.
    """

    def __init__(self, provider: Provider | None = None, **tls: str) -> None:
        self.provider = provider or Provider(MemoryStore())
        # With the protocol named, asyncio sends small answers at once instead of after 40 ms.
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.bind(("127.0.0.1", 0))
        self.base = f"{'https' if tls else 'http'}://127.0.0.1:{self._socket.getsockname()[1]}"
        self.provider.addresses.listening = self.base
        edge = Edge(self.provider)
        quiet: dict[str, Any] = {"log_level": "warning", "access_log": False, "ws": "none", "lifespan": "on"}
        config = uvicorn.Config(edge, http=Connection, **quiet, **tls)  # type: ignore[arg-type]
        self._server = uvicorn.Server(config)
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self.loop: asyncio.AbstractEventLoop | None = None

    def _serve(self) -> None:
        async def serve() -> None:
            self.loop = asyncio.get_running_loop()
            self._ready.set()
            await self._server.serve(sockets=[self._socket])

        asyncio.run(serve())

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(WAIT_S)
        deadline = time.monotonic() + WAIT_S
        while not self._server.started:
            assert time.monotonic() < deadline, "the provider did not start"
            time.sleep(0.005)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(WAIT_S)
        self._socket.close()

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Await something in the provider's loop."""
        assert self.loop is not None
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(WAIT_S)

    def tenant(self, name: str | None = None, **settings: Any) -> World:
        """A new tenant, with one confidential client ``app`` and one public client ``spa``."""
        name = name or f"t{secrets.token_hex(6)}"
        clients = {
            "app": Client("app", secret="app-secret", redirect_uris=[REDIRECT_URI]),
            "spa": Client("spa", redirect_uris=[REDIRECT_URI]),
        }
        tenant = Tenant(name, Settings(**{"auto_approve": "alice", **settings}), clients, usual_accounts())
        self.run(self.provider.make(tenant))
        return World(self, name)


@dataclass
class World:
    """One tenant, as a test uses it. `http` keeps no cookies and follows nothing."""

    served: Served
    name: str
    http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=WAIT_S, verify=False))

    @property
    def issuer(self) -> str:
        return f"{self.served.base}/{self.name}"

    def change(self, edit: Callable[[Tenant], Any]) -> Any:
        """Change the tenant, as the control API does."""
        return self.served.run(self.served.provider.store.change(self.name, edit))

    def journal(self) -> list[Entry]:
        """Everything this tenant was asked."""
        entries: Awaitable[list[Entry]] = self.served.provider.store.entries(self.name)
        found: list[Entry] = self.served.run(entries)  # type: ignore[arg-type] # a coroutine
        return found

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.http.get(f"{self.issuer}/{path}", **options)

    def post(self, path: str, data: Any = None, **options: Any) -> httpx.Response:
        return self.http.post(f"{self.issuer}/{path}", data=data, **options)

    def authorize(self, **parameters: Any) -> httpx.Response:
        """An authorization request with sound defaults; None leaves a parameter out."""
        sound = {
            "response_type": "code",
            "client_id": "app",
            "redirect_uri": REDIRECT_URI,
            "scope": "openid profile email",
            "state": "the-state",
        }
        return self.get("authorize", params=_present({**sound, **parameters}))

    def code(self, **parameters: Any) -> str:
        """A fresh authorization code."""
        return answered(self.authorize(**parameters))["code"]

    def redeem(
        self, code: str, *, auth: tuple[str, str] | None = ("app", "app-secret"), **parameters: Any
    ) -> httpx.Response:
        """A token request for a code, by Basic."""
        sound = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT_URI}
        return self.post("token", _present({**sound, **parameters}), **({"auth": auth} if auth else {}))

    def tokens(self, **parameters: Any) -> dict[str, Any]:
        """The token response of a whole flow."""
        response = self.redeem(self.code(**parameters))
        assert response.status_code == 200, response.text
        members: dict[str, Any] = response.json()
        return members

    def refresh(self, token: str, **parameters: Any) -> httpx.Response:
        """A token request for a refresh token, by Basic."""
        return self.post(
            "token",
            _present({"grant_type": "refresh_token", "refresh_token": token, **parameters}),
            auth=("app", "app-secret"),
        )

    def userinfo(self, access_token: str) -> httpx.Response:
        return self.get("userinfo", headers={"Authorization": f"Bearer {access_token}"})


def answered(response: httpx.Response) -> dict[str, str]:
    """The parameters of an authorization response in the query or fragment."""
    assert response.status_code == 303, response.text
    parts = urlsplit(response.headers["location"])
    return dict(parse_qsl(parts.query or parts.fragment, keep_blank_values=True))


def error_of(response: httpx.Response) -> str:
    """The OAuth error of a JSON answer or of a redirect."""
    if response.status_code == 303:
        return answered(response)["error"]
    error: str = response.json()["error"]
    return error


def challenge() -> tuple[str, dict[str, str]]:
    """A PKCE verifier, and the parameters that go with it."""
    verifier = secrets.token_urlsafe(32)
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    return verifier, {"code_challenge": digest, "code_challenge_method": "S256"}


def claims(token: str) -> dict[str, Any]:
    """What a JWT says, unverified."""
    return _segment(token, 1)


def header(token: str) -> dict[str, Any]:
    """The JOSE header of a JWT."""
    return _segment(token, 0)


def _segment(token: str, number: int) -> dict[str, Any]:
    text = token.split(".")[number]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return found


def _present(parameters: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in parameters.items() if value is not None}


__all__ = ["REDIRECT_URI", "Served", "World", "answered", "challenge", "claims", "error_of", "header"]
