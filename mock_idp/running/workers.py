"""Several processes behind one port, with their state in a store they share.

The parent listens and hands the socket to its workers; a worker ends when the pipe to its parent closes, so that none
is left behind, and one that dies is replaced.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import multiprocessing
import signal
import threading
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING

from mock_idp.provider import Provider
from mock_idp.running.dumps import dump_state
from mock_idp.running.options import StartError
from mock_idp.running.server import Server, base_of, listen, log_to_stderr, loop_factory, prepare, say_ready, serve
from mock_idp.store import open_store

if TYPE_CHECKING:
    import socket
    from multiprocessing.context import SpawnProcess
    from types import FrameType

    from mock_idp.running.options import Options

START_S = 30.0
"""How long a worker may take until it serves."""
STOP_S = 5.0
"""How long a worker may take to end before it is killed."""

_SPAWN = multiprocessing.get_context("spawn")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Worker:
    process: SpawnProcess
    pipe: Connection


def run_workers(options: Options) -> None:
    """Serve in the foreground by `options.workers` processes; one line of JSON on standard output once all serve.

    Raises:
        StartError: the store is of one process only, or see `mock_idp.running.server.run`.

    """
    if options.store == "memory:":
        raise StartError(
            f"--workers {options.workers} needs a store that the processes share: --store redis://localhost:6379/0"
        )
    log_to_stderr()
    with contextlib.closing(listen(options)) as sock:
        options.addresses.listening = base_of(sock, options)
        asyncio.run(_prepare_once(options))
        # What configuration and dump tell of is in the store by now: read again it would undo what happened since.
        _supervise(replace(options, config="", load="", dump=""), sock)
    if options.dump:
        asyncio.run(_dump(options))


async def _prepare_once(options: Options) -> None:
    provider = await prepare(options)
    await provider.store.close()


async def _dump(options: Options) -> None:
    store = open_store(options.store)
    try:
        await dump_state(Provider(store, options.addresses), options.dump)
    finally:
        await store.close()


def _supervise(options: Options, sock: socket.socket) -> None:
    workers: list[_Worker] = []
    before = {number: signal.signal(number, _interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        workers += [_start(options, sock) for _ in range(options.workers)]
        for worker in workers:
            _await_ready(worker)
        say_ready(options)
        while True:
            wait([worker.process.sentinel for worker in workers])
            _replace_dead(workers, options, sock)
    except KeyboardInterrupt:
        pass
    finally:
        for number in before:
            signal.signal(number, signal.SIG_IGN)
        for worker in workers:
            worker.pipe.close()
        for worker in workers:
            _end(worker)
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _start(options: Options, sock: socket.socket) -> _Worker:
    ours, theirs = _SPAWN.Pipe()
    process = _SPAWN.Process(target=_work, args=(options, sock, theirs), daemon=True)
    process.start()
    theirs.close()
    return _Worker(process, ours)


def _await_ready(worker: _Worker) -> None:
    if not worker.pipe.poll(START_S):
        raise StartError(f"a worker did not serve within {START_S:.0f} s")
    try:
        problem: str = worker.pipe.recv()
    except EOFError:
        worker.process.join(STOP_S)
        raise StartError(f"a worker ended with {worker.process.exitcode} before it served") from None
    if problem:
        raise StartError(problem)


def _replace_dead(workers: list[_Worker], options: Options, sock: socket.socket) -> None:
    for place, worker in enumerate(workers):
        if not worker.process.is_alive():
            _log.warning(
                "worker %s ended with %s; another one takes its place", worker.process.pid, worker.process.exitcode
            )
            worker.pipe.close()
            workers[place] = _start(options, sock)
            _await_ready(workers[place])


def _end(worker: _Worker) -> None:
    worker.process.join(STOP_S)
    if worker.process.is_alive():
        worker.process.kill()
        worker.process.join(STOP_S)


def _work(options: Options, sock: socket.socket, pipe: Connection) -> None:
    """One worker, in its own process. Tells its parent "" once it serves, or why it cannot."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent ends its workers
    log_to_stderr()

    def announce(_: Provider, server: Server) -> None:
        arguments = (pipe, asyncio.get_running_loop(), server)
        threading.Thread(target=_stop_with_parent, args=arguments, daemon=True).start()
        pipe.send("")

    try:
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(serve(options, sock, announce))
    except StartError as error:
        pipe.send(str(error))


def _stop_with_parent(pipe: Connection, loop: asyncio.AbstractEventLoop, server: Server) -> None:
    wait([pipe])  # the parent says nothing: what comes is its end
    try:
        loop.call_soon_threadsafe(server.stop)
    except RuntimeError:  # the loop has ended by itself
        return
