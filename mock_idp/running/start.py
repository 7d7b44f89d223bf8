"""Starting a provider from Python: in a thread of this process, or in a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
from typing import IO, TYPE_CHECKING, Any, Protocol

from mock_idp.addresses import Addresses, base_url, path_prefix
from mock_idp.control.client import Control, IdpError
from mock_idp.running.options import TOKEN_VARIABLE, Options, StartError, new_control_token

if TYPE_CHECKING:
    from mock_idp.provider import Provider
    from mock_idp.running.server import Server

START_S = 20.0
STOP_S = 5.0


class _Host(Protocol):
    def begin(self) -> Options:
        """Start; the options, filled in. Raises StartError."""

    def end(self) -> None:
        """Stop, within `STOP_S` seconds."""


class Running(Control):
    """A provider that was started from here, and ends with its ``with`` block or by `stop`.

    Attributes:
        base: where it listens.
        token: its control token.
        ca_file: certificate of the authority to trust, where it speaks https.

    """

    def __init__(self, host: _Host) -> None:
        options = host.begin()
        super().__init__(options.addresses.listening, options.control_token, options.ca_file)
        self._host = host
        self._stopped = False

    def ask(self, *arguments: Any, **options: Any) -> Any:
        """See `Control.ask`."""
        if self._stopped:
            raise IdpError(f"the provider at {self.base} was stopped and does not answer")
        return super().ask(*arguments, **options)

    def stop(self) -> None:
        """End the provider; what it knew is gone. A second call does nothing."""
        self._stopped = True
        self._host.end()
        super().close()

    def close(self) -> None:
        """The same as `stop`."""
        self.stop()


def start(  # noqa: PLR0913 # each is an option of the command line
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    public: bool = False,
    process: bool = False,
    tls: bool = False,
    ca_file: str = "",
    config: str = "",
    store: str = "memory:",
    issuer: str = "",
    server_url: str = "",
    prefix: str = "",
    control_token: str = "",
) -> Running:
    """Start a provider.

    Args:
        host: address to listen on.
        port: 0 takes any free one.
        public: allow an address that other machines reach.
        process: in a process of its own, not in a thread of this one.
        tls: https, with a certificate of an authority made for this start.
        ca_file: where the authority's certificate is written; a temporary file where not given.
        config: tenants, clients and accounts (docs/provider-config.md).
        store: ``memory:`` or ``redis://...``.
        issuer: base of all issuers; it follows the Host header where not given.
        server_url: base of the endpoints that servers ask, if they need another.
        prefix: path that a proxy serves it under.
        control_token: a new one where not given.

    Returns:
        the provider, running: ``with start() as provider: idp = provider.tenant()``.

    Raises:
        StartError: it cannot start like this; one line says why.

    """
    try:
        addresses = Addresses(
            public=base_url(issuer) if issuer else None,
            server=base_url(server_url) if server_url else None,
            prefix=path_prefix(prefix),
        )
    except ValueError as error:
        raise StartError(f"issuer, server_url or prefix: {error}") from None
    options = Options(
        host=host,
        port=port,
        public=public,
        tls=tls,
        ca_file=ca_file,
        config=config,
        store=store,
        control_token=control_token or new_control_token(),
        addresses=addresses,
    )
    return Running(_Process(options) if process else _Thread(options))


def start_with(options: Options) -> Running:
    """Start a provider in a thread, by the options of the command line; they are filled in.

    Raises:
        StartError: it cannot start like this; one line says why.

    """
    return Running(_Thread(options))


# --- in a thread ------------------------------------------------------------------------------------------------------


class _Thread:
    def __init__(self, options: Options) -> None:
        self._options = options
        self._ready = threading.Event()
        self._server: Server | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._failure: BaseException | None = None
        self._thread: threading.Thread | None = None

    def begin(self) -> Options:
        from mock_idp.running.server import listen  # noqa: PLC0415 # only who starts one loads a server

        sock = listen(self._options)
        self._thread = threading.Thread(target=self._run, args=(sock,), name="mock_idp", daemon=True)
        self._thread.start()
        if not self._ready.wait(START_S):
            raise StartError(f"the provider did not start within {START_S:g} s")
        if self._failure is not None:
            self._thread.join(STOP_S)
            sock.close()
            raise self._failure
        return self._options

    def _run(self, sock: Any) -> None:
        from mock_idp.running.server import loop_factory, serve  # noqa: PLC0415 # see `begin`

        def announce(_: Provider, server: Server) -> None:
            self._server, self._loop = server, asyncio.get_running_loop()
            self._ready.set()

        try:
            with asyncio.Runner(loop_factory=loop_factory()) as runner:
                runner.run(serve(self._options, sock, announce))
        except BaseException as error:  # noqa: BLE001 # raised again where the start waits for it
            self._failure = error
        finally:
            self._ready.set()

    def end(self) -> None:
        if self._thread is None or self._loop is None or self._server is None:
            return
        with contextlib.suppress(RuntimeError):  # the loop has ended by itself
            self._loop.call_soon_threadsafe(self._server.stop)
        self._thread.join(STOP_S)


# --- in a process -----------------------------------------------------------------------------------------------------


class _Process:
    def __init__(self, options: Options) -> None:
        self._options = options
        self._process: subprocess.Popen[str] | None = None

    def begin(self) -> Options:
        options = self._options
        environment = {**os.environ, TOKEN_VARIABLE: options.control_token}
        self._process = subprocess.Popen(  # noqa: S603 # our own module
            [sys.executable, "-m", "mock_idp", *_arguments(options)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        assert self._process.stdout is not None  # noqa: S101 # asked for above
        line = _first_line(self._process.stdout)
        if not line.startswith("{"):
            raise StartError(self._last_words())
        told = json.loads(line)
        # Nobody reads them, and a full pipe would stop the provider.
        for stream in (self._process.stdout, self._process.stderr):
            threading.Thread(target=_drain, args=(stream,), daemon=True).start()
        options.addresses.listening, options.ca_file = told["base"], told["ca_file"] or ""
        return options

    def _last_words(self) -> str:
        process = self._process
        assert process is not None  # noqa: S101 # just started
        process.kill()
        _, errors = process.communicate()
        lines = errors.strip().splitlines()
        return lines[-1].removeprefix("mock_idp: ") if lines else f"the provider did not start within {START_S:g} s"

    def end(self) -> None:
        process = self._process
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _arguments(options: Options) -> list[str]:
    addresses = options.addresses
    given = {
        "--host": options.host,
        "--port": str(options.port),
        "--store": options.store,
        "--config": options.config,
        "--ca-file": options.ca_file,
        "--issuer": addresses.public or "",
        "--server-url": addresses.server or "",
        "--prefix": addresses.prefix,
    }
    flags = [flag for flag, wanted in (("--tls", options.tls), ("--public", options.public)) if wanted]
    return [part for name, value in given.items() if value for part in (name, value)] + flags


def _first_line(stream: IO[str]) -> str:
    lines: queue.Queue[str] = queue.Queue()
    threading.Thread(target=lambda: lines.put(stream.readline()), daemon=True).start()
    try:
        return lines.get(timeout=START_S)
    except queue.Empty:
        return ""


def _drain(stream: IO[str] | None) -> None:
    if stream is not None:
        with stream:
            for _ in stream:
                pass
