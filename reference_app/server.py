"""Listening: uvicorn, with a certificate made on the spot when TLS is asked for."""

from __future__ import annotations

import os
import socket
import ssl
import threading
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import uvicorn
from starlette.responses import RedirectResponse

from reference_app.app import create_app
from reference_app.settings import SettingsError

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.types import ASGIApp, Receive, Scope, Send

    from reference_app.settings import Settings

GOODBYE_S: Final = 2
BACKLOG: Final = 128


def serve(settings: Settings, host: str, port: int, ca_file: Path | None = None) -> None:
    """Serve until told to stop.

    Args:
        settings: the application to serve.
        host: the address to listen on.
        port: the port; TLS when the settings say so.
        ca_file: where to leave the certificate of the authority that signed the server's.

    Raises:
        SettingsError: the address cannot be had, the database not opened, or the file not written.
    """
    app = create_app(settings)
    context = certified(settings.tls_names, ca_file) if settings.tls else None
    listening = listen(host, port)
    if settings.plain_port is not None:
        plain: ASGIApp = _ToTls(settings, port) if settings.rules.clear_text_redirected else app
        _in_background(server(plain), listen(host, settings.plain_port))
    server(app, context).run([listening])


def server(app: ASGIApp, context: ssl.SSLContext | None = None) -> uvicorn.Server:
    """A uvicorn server that says as little as possible about itself, and believes no proxy: there is none."""
    config = uvicorn.Config(
        app,
        access_log=False,
        lifespan="off",
        log_level="warning",
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=GOODBYE_S,
    )
    config.load()
    config.ssl = context
    return uvicorn.Server(config)


class _ToTls:
    """ASGI application: what a sound deployment answers in the clear."""

    def __init__(self, settings: Settings, port: int) -> None:
        self._names = settings.tls_names
        self._port = port

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Redirect to the same path over TLS; 308 keeps the method, and nothing was processed."""
        if scope["type"] != "http":
            return
        sent = dict(scope["headers"]).get(b"host", b"").decode("latin-1")
        name = urlsplit(f"//{sent}").hostname
        name = name if name in self._names else self._names[0]
        path = scope["raw_path"].decode("latin-1")
        query = f"?{scope['query_string'].decode('latin-1')}" if scope["query_string"] else ""
        await RedirectResponse(f"https://{name}:{self._port}{path}{query}", 308)(scope, receive, send)


def listen(host: str, port: int) -> socket.socket:
    """A socket that already accepts connections; port 0 chooses a free one.

    Raises:
        SettingsError: the address cannot be had.
    """
    try:
        return socket.create_server((host, port), backlog=BACKLOG)
    except (OSError, OverflowError) as error:
        reason = str(error).partition("] ")[2].partition(" (")[0] or error
        raise SettingsError(f"cannot listen on {host}:{port}: {reason}") from None


def _in_background(plain: uvicorn.Server, listening: socket.socket) -> None:
    threading.Thread(target=plain.run, args=([listening],), daemon=True).start()


def certified(names: tuple[str, ...], ca_file: Path | None) -> ssl.SSLContext:
    """A context for `names`, signed by an authority that exists for this run only."""
    import trustme  # noqa: PLC0415 - start-up without TLS does not pay for it

    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(*names).configure_cert(context)
    if ca_file is not None:
        _write(ca_file, authority.cert_pem.bytes())
    return context


def _write(path: Path, content: bytes) -> None:
    """All or nothing: whoever waits for the file never reads half of it."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    except OSError as error:
        raise SettingsError(f"cannot write {path}: {error.strerror}") from None
