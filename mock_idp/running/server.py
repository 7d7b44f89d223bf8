"""One server process: a port, the provider behind it, and a clean end."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import json
import logging
import signal
import socket
import sys
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import uvicorn

from mock_idp.provider import Provider
from mock_idp.running.options import Options, StartError
from mock_idp.running.rooms import rooms
from mock_idp.store import StoreDownError, open_store
from mock_idp.wire.asgi import Edge
from mock_idp.wire.connection import Connection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mock_idp.configuration.config import Config

STOP_S = 1
"""Seconds that requests which hang, as some faults do, may go on once the provider is to stop."""

LINGER_S = 0.05
"""How long connections that carry no request may take to close."""

BACKLOG = 1024


def listen(options: Options) -> socket.socket:
    """Bind the port, before anything else costs time.

    Raises:
        StartError: the port is taken, the address is not this machine's, or not loopback without ``--public``.

    """
    family, address = _resolve(options)
    # The protocol is named because asyncio lets small answers go at once only where it is.
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind(address)
        sock.listen(BACKLOG)
    except OSError as error:
        sock.close()
        if error.errno == errno.EADDRINUSE:
            raise StartError(
                f"port {options.port} of {options.host} is taken; stop what listens there, "
                "or choose another by --port (0 takes any free one)"
            ) from None
        raise StartError(f"cannot listen on {options.host}, port {options.port}: {error.strerror}") from None
    sock.setblocking(False)
    return sock


def _resolve(options: Options) -> tuple[socket.AddressFamily, Any]:
    try:
        found = socket.getaddrinfo(options.host, options.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (socket.gaierror, UnicodeError):
        raise StartError(f"{options.host} is no address of this machine; --host takes 127.0.0.1 or ::1") from None
    family, _, _, _, address = found[0]
    if not options.public and not ipaddress.ip_address(str(address[0]).partition("%")[0]).is_loopback:
        raise StartError(
            f"{options.host} can be reached from other machines, and whoever reaches a mock may sign in as anybody; "
            "add --public where that is meant"
        )
    return family, address


def base_of(sock: socket.socket, options: Options) -> str:
    """Scheme, host and port of a listening socket, as this machine reaches it."""
    host, port = sock.getsockname()[:2]
    if ipaddress.ip_address(host).is_unspecified:
        host = "127.0.0.1"
    name = f"[{host}]" if ":" in host else host
    return f"{'https' if options.tls else 'http'}://{name}:{port}"


def settle(options: Options, config: Config) -> None:
    """Let a configuration fill in what the command line left open, and say what could not be carried over."""
    addresses, table = options.addresses, config.provider
    addresses.public = addresses.public or table.issuer
    addresses.server = addresses.server or table.server_url
    addresses.prefix = addresses.prefix or table.prefix
    addresses.names += table.names
    addresses.forwarded = addresses.forwarded or table.forwarded
    options.open = options.open and table.open
    options.template = config.defaults
    options.first_tenant = config.tenants[0].name if config.tenants else ""
    for note in config.notes:
        logging.getLogger(__name__).warning("%s: %s", options.config, note)


async def prepare(options: Options) -> Provider:
    """The provider, with the tenants that configuration and dump tell of; fills in what the options leave open.

    Raises:
        StartError: one of them cannot be used, there is no such store, or no certificate.

    """
    if options.config:
        from mock_idp.configuration import files  # noqa: PLC0415 # only who has one pays for reading it

        try:
            configured = files.load(options.config)
        except files.ConfigError as error:
            raise StartError(str(error)) from None
        settle(options, configured)
        tenants = configured.tenants
    else:
        tenants = []
    if options.addresses.public and not options.addresses.prefix:
        options.addresses.prefix = urlsplit(options.addresses.public).path
    if options.tls:
        from mock_idp.running.tls import certify  # noqa: PLC0415 # only https needs it

        certify(options)
    try:
        provider = Provider(open_store(options.store), options.addresses, open=options.open, template=options.template)
        for tenant in tenants:
            await provider.settle(tenant)
        if options.load:
            from mock_idp.running.dumps import load_state  # noqa: PLC0415 # only who has a dump pays for reading it

            await load_state(provider, options.load)
        await provider.store.names()
    except (ValueError, StoreDownError) as error:
        raise StartError(str(error)) from None
    return provider


class Server(uvicorn.Server):
    """uvicorn, ended by an event at once, and by signals without dying of them.

    Args:
        provider: what is served.
        options: how.
        announce: called once the port answers.

    """

    def __init__(self, provider: Provider, options: Options, announce: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                Edge(provider, rooms(provider, options)),
                http=Connection,
                ws="none",
                lifespan="on",
                interface="asgi3",
                log_config=None,
                access_log=False,
                proxy_headers=False,  # the edge reads them itself, where it is told to
                server_header=False,
                backlog=BACKLOG,
                timeout_graceful_shutdown=STOP_S,
                ssl_certfile=options.tls_cert or None,
                ssl_keyfile=options.tls_key or None,
            )
        )
        self._announce = announce
        self._stop = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Say so once the port answers."""
        await super().startup(sockets)
        self._announce()

    def stop(self) -> None:
        """End the server; from its own loop."""
        self.should_exit = True
        self._stop.set()

    async def main_loop(self) -> None:
        """Tick as uvicorn does, and end without waiting for the next tick."""
        counter = 0
        while not await self.on_tick(counter):
            counter = (counter + 1) % 864_000
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), 0.1)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End within `STOP_S`, also where clients keep connections open: over TLS they would have to agree."""
        asyncio.get_running_loop().call_later(LINGER_S, self._hang_up)
        await super().shutdown(sockets)
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)

    def _hang_up(self) -> None:
        """Cut the connections that carry no request."""
        for connection in list(self.server_state.connections):
            cycle = getattr(connection, "cycle", None)
            if cycle is None or cycle.response_complete:
                connection.transport.abort()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """SIGINT and SIGTERM end the server; what has to be written at the end still is."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()

        def handle(*_: Any) -> None:
            loop.call_soon_threadsafe(self.stop)

        before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


async def serve(options: Options, sock: socket.socket, announce: Callable[[Provider, Server], None]) -> None:
    """Serve until stopped.

    Args:
        options: how; `listen` made `sock` by them.
        sock: listens.
        announce: called once the port answers.

    Raises:
        StartError: configuration, dump or certificate cannot be used.

    """
    options.addresses.listening = base_of(sock, options)
    provider = await prepare(options)
    server = Server(provider, options, lambda: announce(provider, server))
    await server.serve([sock])
    if options.dump:
        from mock_idp.running.dumps import dump_state  # noqa: PLC0415 # only who asked for one pays for it

        await dump_state(provider, options.dump)
        await provider.store.close()


def run(options: Options) -> None:
    """Serve in the foreground; one line of JSON on standard output says when and where.

    Raises:
        StartError: see `listen` and `serve`.

    """
    log_to_stderr()
    with contextlib.closing(listen(options)) as sock, asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(serve(options, sock, lambda _provider, _server: say_ready(options)))


def log_to_stderr() -> None:
    """Warnings and worse, one line each."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="mock_idp: %(message)s")


def say_ready(options: Options) -> None:
    """The one line on standard output that says that the port answers."""
    addresses = options.addresses
    line = {
        "ready": True,
        "base": addresses.listening,
        "issuer": addresses.public or addresses.listening + addresses.prefix,
        "dashboard": f"{addresses.listening}{addresses.prefix}/_/",
        "control_token": options.control_token,
        "ca_file": options.ca_file or None,
        "mock": "a mock: whoever reaches it may sign in as anybody",
    }
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """uvloop, where there is one for this system."""
    try:
        import uvloop  # noqa: PLC0415 # not made for Windows
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop
