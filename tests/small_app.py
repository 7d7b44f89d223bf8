"""A small application on the standard library, sound until a test makes one path misbehave."""

from __future__ import annotations

import json
import secrets
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

PASSWORDS = {"ann": "Ann-secret-4711", "ben": "Ben-secret-0815"}
PROFILE = """
[target]
origin = "{origin}"
openapi = false
[accounts.ann]
username = "ann"
password = "Ann-secret-4711"
[accounts.ben]
username = "ben"
password = "Ben-secret-0815"
[login]
path = "/in"
[probe]
path = "/who"
identity = "/user"
[logout]
path = "/out"
[limits]
timeout_s = {timeout_s}
"""

Misbehaviour = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """`POST /in`, `GET /who`, `POST /out`; sessions are opaque and end on the server."""

    protocol_version = "HTTP/1.1"
    server: SmallApp

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def setup(self) -> None:
        super().setup()
        self.connection.settimeout(10)

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    do_HEAD = do_PUT = do_DELETE = do_OPTIONS = do_PATCH = do_GET  # noqa: N815

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        self.sent = self.rfile.read(length)
        with self.server.lock:
            self.server.seen += 1
            seen = self.server.seen
        path = self.path.partition("?")[0]
        if self.server.dies_after and seen > self.server.dies_after:
            self.close_connection = True
            return
        misbehaviour = self.server.misbehaviours.get(path)
        if misbehaviour is not None:
            misbehaviour(self)
            return
        route = {"/in": self.sign_in, "/who": self.who, "/out": self.sign_out}.get(path)
        if route is None:
            self.answer(404, {"detail": "not found"})
        else:
            route()

    def answer(self, status: int, document: Any, *headers: tuple[str, str], body: bytes | None = None) -> None:
        """A complete answer."""
        content = json.dumps(document).encode() if body is None else body
        self.send_response(status)
        for name, value in (("Content-Type", "application/json"), ("Cache-Control", "no-store"), *headers):
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    @property
    def user(self) -> str | None:
        """Who the request's session belongs to."""
        jar = SimpleCookie(self.headers.get("Cookie", ""))
        return self.server.sessions.get(jar["sid"].value) if "sid" in jar else None

    def sign_in(self) -> None:
        try:
            given = json.loads(self.sent)
        except ValueError:
            given = {}
        if (
            self.command != "POST"
            or self.headers.get("Content-Type") != "application/json"
            or not isinstance(given, dict)
        ):
            self.answer(415, {"detail": "JSON only"})
            return
        name, word = given.get("username"), given.get("password")
        if not isinstance(name, str) or not isinstance(word, str) or PASSWORDS.get(name) != word:
            self.server.wrong += 1
            self.answer(401, {"detail": "wrong"}, ("WWW-Authenticate", "Session"))
            return
        jar = SimpleCookie(self.headers.get("Cookie", ""))
        self.server.sessions.pop(jar["sid"].value if "sid" in jar else "", None)
        value = secrets.token_urlsafe(32)
        self.server.sessions[value] = name
        self.answer(200, {"user": name}, ("Set-Cookie", f"sid={value}; HttpOnly; SameSite=Lax; Path=/"))

    def who(self) -> None:
        if self.user is None:
            self.answer(401, {"detail": "sign in"}, ("WWW-Authenticate", "Session"))
        else:
            self.answer(200, {"user": self.user})

    def sign_out(self) -> None:
        if self.command != "POST" or self.headers.get("Sec-Fetch-Site") not in {None, "same-origin", "none"}:
            self.answer(405, {"detail": "no"})
            return
        jar = SimpleCookie(self.headers.get("Cookie", ""))
        self.server.sessions.pop(jar["sid"].value if "sid" in jar else "", None)
        self.answer(200, {}, ("Set-Cookie", "sid=; Max-Age=0; HttpOnly; SameSite=Lax; Path=/"))


class SmallApp(ThreadingHTTPServer):
    """The application.

    Attributes:
        misbehaviours: path to what is done instead of answering.
        dies_after: number of requests after which every connection is dropped.
        seen: requests so far; wrong: wrong passwords so far.

    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.lock = threading.Lock()
        self.sessions: dict[str, str] = {}
        self.misbehaviours: dict[str, Misbehaviour] = {}
        self.dies_after = 0
        self.seen = 0
        self.wrong = 0

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up on a misbehaving server is what the tests are about."""

    @property
    def origin(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def profile(self, folder: Path, *, timeout_s: float = 0.5, origin: str = "", more: str = "") -> Path:
        """A profile for it, in a file."""
        path = folder / "small.toml"
        path.write_text(PROFILE.format(origin=origin or self.origin, timeout_s=timeout_s) + more)
        return path


@contextmanager
def small_app() -> Iterator[SmallApp]:
    """The application, running."""
    app = SmallApp()
    thread = threading.Thread(target=app.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield app
    finally:
        app.shutdown()
        app.server_close()
        thread.join(5)


def unused_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
