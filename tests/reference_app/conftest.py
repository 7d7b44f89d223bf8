"""Running applications, and somebody to visit them. Every test starts its own: it takes milliseconds."""

from __future__ import annotations

import ssl
import threading
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, Protocol

import httpx
import pytest

from reference_app import defects
from reference_app.app import create_app
from reference_app.server import certified, listen, server
from reference_app.settings import Architecture, Settings, read

if TYPE_CHECKING:
    from collections.abc import Iterator

    import uvicorn
    from fastapi import FastAPI

PASSWORDS = {"alice": "Alice-correct-horse-1", "bob": "Bob-battery-staple-2", "carol": "Carol-paper-clip-3"}
JOIN_S = 10


@dataclass
class Visitor:
    """A client that keeps what it is given, cookies by name, and sends all of it: the strictest reader is elsewhere."""

    running: Running
    http: httpx.Client
    cookies: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)

    def send(self, method: str, path: str, *, proof: bool = True, **options: Any) -> httpx.Response:
        """One request, with the credentials at hand and (`proof`) the anti-forgery token; nothing is followed."""
        headers = [*_pairs(options.pop("headers", None))]
        if self.cookies:
            headers.append(("Cookie", "; ".join(f"{name}={value}" for name, value in self.cookies.items())))
        if self.access_token and not any(name.lower() == "authorization" for name, _ in headers):
            headers.append(("Authorization", f"Bearer {self.access_token}"))
        if proof and method not in {"GET", "HEAD"} and self.csrf_token:
            headers.append(("X-CSRF-Token", self.csrf_token))
        response = self.http.request(method, self.running.root + path, headers=headers, **options)
        self._keep(response)
        return response

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.send("GET", path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self.send("POST", path, **options)

    def login(self, username: str = "alice", password: str | None = None, **more: Any) -> httpx.Response:
        body = {"username": username, "password": password or PASSWORDS.get(username), **more}
        return self.post("/auth/login", json=body)

    def refresh(self) -> httpx.Response:
        if "refresh_token" in self.tokens:
            return self.post("/auth/refresh", json={"refresh_token": self.tokens["refresh_token"]})
        return self.post("/auth/refresh")

    def logout(self) -> httpx.Response:
        return self.post("/auth/logout")

    def me(self, **options: Any) -> str | None:
        """The username that the probe answers with; None when it refuses."""
        response = self.get("/users/me", **options)
        return str(response.json()["username"]) if response.status_code == 200 else None

    def write(self, text: str = "a note", **options: Any) -> bool:
        return self.post("/notes", json={"text": text}, **options).status_code == 201

    def notes(self) -> list[str]:
        return [note["text"] for note in self.get("/notes").json()]

    def twin(self) -> Visitor:
        """Somebody else who holds the same credentials: what was captured before it was ended."""
        return Visitor(self.running, self.http, dict(self.cookies), dict(self.tokens))

    def cookie(self, name: str) -> str | None:
        """The value of a cookie, whatever its prefix."""
        return next((value for full, value in self.cookies.items() if full.rpartition("-")[2] == name), None)

    @property
    def access_token(self) -> str | None:
        return self.tokens.get("access_token")

    @property
    def access(self) -> str:
        """The access value, however it travels."""
        return self.access_token or self.cookie("access") or ""

    @property
    def csrf_token(self) -> str | None:
        return self.cookie("csrf")

    def put_access(self, value: str) -> Visitor:
        """A visitor with nothing but this access value, where it belongs."""
        visitor = self.running.visitor()
        if self.tokens:
            visitor.tokens["access_token"] = value
        else:
            visitor.cookies[self.running.cookie_name("access")] = value
        return visitor

    def put_refresh(self, value: str) -> Visitor:
        """A visitor with nothing but this refresh value, and the anti-forgery token."""
        visitor = self.running.visitor()
        if self.tokens:
            visitor.tokens["refresh_token"] = value
        else:
            visitor.cookies = {self.running.cookie_name("refresh"): value}
            visitor.cookies |= {name: kept for name, kept in self.cookies.items() if name.endswith("csrf")}
        return visitor

    @property
    def refresh_value(self) -> str:
        return self.tokens.get("refresh_token") or self.cookie("refresh") or ""

    def _keep(self, response: httpx.Response) -> None:
        for line in response.headers.get_list("set-cookie"):
            pair, _, attributes = line.partition(";")
            name, _, value = pair.partition("=")
            if "Max-Age=0" in attributes:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value
        if response.status_code == 200 and response.request.url.path.endswith(("/auth/login", "/auth/refresh")):
            sent = response.json()
            self.tokens |= {name: sent[name] for name in ("access_token", "refresh_token") if name in sent}


@dataclass
class Running:
    """An application that listens."""

    settings: Settings
    port: int
    verify: ssl.SSLContext
    clients: list[httpx.Client]

    @property
    def origin(self) -> str:
        return f"{'https' if self.settings.tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def root(self) -> str:
        return self.settings.root_path

    def visitor(self) -> Visitor:
        """Somebody who was never here before."""
        no_jar = CookieJar(policy=DefaultCookiePolicy(allowed_domains=[]))
        client = httpx.Client(base_url=self.origin, verify=self.verify, cookies=no_jar, trust_env=False, timeout=20)
        self.clients.append(client)
        return Visitor(self, client)

    def signed_in(self, username: str = "alice") -> Visitor:
        visitor = self.visitor()
        assert visitor.login(username).status_code in {200, 204, 303, 307}
        return visitor

    def cookie_name(self, name: str) -> str:
        """The full name of a cookie, as this deployment prefixes it."""
        visitor = self.signed_in()
        return next(full for full in visitor.cookies if full.rpartition("-")[2] == name)


class Launch(Protocol):
    def __call__(
        self, architecture: str = "cookie", defect: str | None = None, *, tls: bool = False, **settings: object
    ) -> Running: ...


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's TLS context, and that of clients who trust it."""
    ca_file = tmp_path_factory.mktemp("ca") / "ca.pem"
    context = certified(("127.0.0.1", "app.site.example"), ca_file)
    return context, ssl.create_default_context(cafile=ca_file)


@pytest.fixture(scope="session")
def threads() -> Iterator[list[threading.Thread]]:
    """The threads that served: told to stop after their test, waited for at the end of the run."""
    started: list[threading.Thread] = []
    yield started
    for thread in started:
        thread.join(JOIN_S)


@pytest.fixture
def launch(threads: list[threading.Thread], authority: tuple[ssl.SSLContext, ssl.SSLContext]) -> Iterator[Launch]:
    """Starts an application of the test's own."""
    clients: list[httpx.Client] = []
    started: list[tuple[FastAPI, uvicorn.Server]] = []

    def start(
        architecture: str = "cookie", defect: str | None = None, *, tls: bool = False, **given: object
    ) -> Running:
        fixed = {"architecture": Architecture(architecture), "tls": tls, "argon2": "light", **given}
        settings = defects.apply(read({}, **fixed), [defect] if defect else [])
        app, listening = create_app(settings), listen("127.0.0.1", 0)
        serving = server(app, authority[0] if tls else None)
        thread = threading.Thread(target=serving.run, args=([listening],), daemon=True)
        thread.start()
        threads.append(thread)
        started.append((app, serving))
        return Running(settings, listening.getsockname()[1], authority[1], clients)

    yield start
    for client in clients:
        client.close()
    for app, serving in started:
        serving.should_exit = True
        app.state.services.store.close()


def _pairs(headers: Any) -> list[tuple[str, str]]:
    return list(headers.items()) if isinstance(headers, dict) else list(headers or [])
