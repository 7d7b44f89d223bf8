"""Somebody in front of a browser without scripts: keeps cookies, reads pages, sends their forms."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qs, urljoin

import httpx

from mock_idp.tokens import jws
from tests.mock_idp.served import REDIRECT_URI, WAIT_S

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mock_idp.keys.ring import KeyRef
    from tests.mock_idp.served import World


@dataclass
class Form:
    """One form of a page."""

    action: str
    method: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    buttons: list[tuple[str, str]] = field(default_factory=list)
    ticked: list[tuple[str, str]] = field(default_factory=list)


class Page(HTMLParser):
    """What a person sees of a page: its text, its forms, what it links and frames."""

    def __init__(self, response: httpx.Response) -> None:
        super().__init__()
        self.response = response
        self.forms: list[Form] = []
        self.links: list[str] = []
        self.frames: list[str] = []
        self.loaded: list[str] = []
        self.scripts = 0
        self._words: list[str] = []
        self._hidden = 0
        self.feed(response.text)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self._words).split())

    @property
    def form(self) -> Form:
        return self.forms[0]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag in {"style", "script", "title"}:
            self._hidden += 1
            self.scripts += tag == "script"
        if tag == "form":
            self.forms.append(Form(urljoin(str(self.response.url), found["action"]), found["method"]))
        elif tag == "a":
            self.links.append(found["href"])
        elif tag == "iframe":
            self.frames.append(found["src"])
        elif tag in {"img", "link"}:
            self.loaded.append(found.get("src", "") + found.get("href", ""))
        elif tag == "input" and self.forms:
            self._input(found)
        elif tag == "button" and self.forms:
            self.form_at_hand.buttons.append((found.get("name", ""), found.get("value", "")))

    @property
    def form_at_hand(self) -> Form:
        return self.forms[-1]

    def _input(self, found: dict[str, str]) -> None:
        if found.get("type") == "checkbox":
            if "checked" in found and "disabled" not in found:
                self.form_at_hand.ticked.append((found["name"], found["value"]))
        elif "name" in found:
            self.form_at_hand.fields.append((found["name"], found.get("value", "")))

    def handle_endtag(self, tag: str) -> None:
        if tag in {"style", "script", "title"}:
            self._hidden -= 1

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self._words.append(data)


class Person:
    """A browser with its own cookies, in one tenant. Follows nothing by itself."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.http = httpx.Client(timeout=WAIT_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def authorize(self, **parameters: Any) -> httpx.Response:
        """An authorization request with sound defaults; None leaves a parameter out."""
        sound = {
            "response_type": "code",
            "client_id": "app",
            "redirect_uri": REDIRECT_URI,
            "scope": "openid profile email",
            "state": "the-state",
        }
        asked = {name: value for name, value in {**sound, **parameters}.items() if value is not None}
        return self.http.get(f"{self.world.issuer}/authorize", params=asked)

    def get(self, path: str, **parameters: Any) -> httpx.Response:
        return self.http.get(f"{self.world.issuer}/{path}", params=parameters)

    def send(self, response: httpx.Response, *pressed: tuple[str, str], **typed: str) -> httpx.Response:
        """Send the first form of a page: a button pressed or boxes ticked, fields filled in."""
        page = Page(response)
        fields = [(name, typed.pop(name, value)) for name, value in page.form.fields]
        data = [*fields, *page.form.ticked, *pressed, *typed.items()]
        return self.http.request(page.form.method.upper(), page.form.action, data=_multi(data))

    def choose(self, response: httpx.Response, account: str, *faults: str) -> httpx.Response:
        """Press the button of an account, with faults ticked."""
        return self.send(response, ("account", account), *(("fault", fault) for fault in faults))

    def sign_in(self, account: str = "alice", **parameters: Any) -> httpx.Response:
        """The whole way, from request to response."""
        return self.choose(self.authorize(**parameters), account)


def _multi(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    data: dict[str, list[str]] = {}
    for name, value in pairs:
        data.setdefault(name, []).append(value)
    return data


class Listener:
    """A relying party's logout endpoint: remembers what it is sent, and answers as told.

    Attributes:
        received: the forms, in their order.

    """

    def __init__(self, status: int = 200) -> None:
        listener = self
        self.received: list[Mapping[str, list[str]]] = []
        self.documents: dict[str, str] = {"/favicon.ico": ""}

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["content-length"])
                listener.received.append(parse_qs(self.rfile.read(length).decode()))
                self._answer(status, "")

            def do_GET(self) -> None:
                document = listener.documents.get(self.path.partition("?")[0])
                self._answer(404 if document is None else 200, document or "")

            def _answer(self, code: int, body: str) -> None:
                self.send_response(code)
                self.send_header("content-length", str(len(body.encode())))
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 # the library's name
                """Nothing on stderr."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(WAIT_S)


def signed(claims: dict[str, Any], key: KeyRef, **header: Any) -> str:
    """A JWT that a client signs."""
    return jws.sign(claims, key, header=header or None)
