"""Server processes: started on a core of their own, timed until their first answer, weighed, stopped."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

START_LIMIT = 30.0
"""Seconds within which a server must give its first answer."""
PROC = Path("/proc")
_ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""An installed package is compiled already; one that runs from a checkout must be allowed to be."""


@dataclass(frozen=True, slots=True)
class Cores:
    """Which core the server gets and which the load; ``None`` where this machine cannot pin."""

    server: int | None
    load: int | None

    @property
    def described(self) -> str:
        """One line for the report."""
        if self.server is None:
            return "not pinned: this system cannot bind processes to cores, so server and load disturb each other"
        if self.server == self.load:
            return (
                f"server and load share core {self.server}, the only one there is: rates are lower than they could be"
            )
        return f"server on core {self.server}, load on core {self.load}"


def choose_cores() -> Cores:
    """A core for the server and one for the load."""
    if not hasattr(os, "sched_getaffinity"):
        return Cores(None, None)
    usable = sorted(os.sched_getaffinity(0))
    return Cores(usable[0], usable[-1])


def pin(core: int | None) -> None:
    """Bind this process, and what it starts from now on, to a core."""
    if core is not None:
        os.sched_setaffinity(0, {core})


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@dataclass(frozen=True, slots=True)
class Command:
    """How a server is started: arguments, working folder, additions to the environment."""

    arguments: list[str]
    folder: Path
    environment: dict[str, str]


class DidNotStart(Exception):  # noqa: N818 - reads as what happened
    """A server gave no answer; the message ends with the last line that it printed, ``printed`` is more of it."""

    def __init__(self, what: str, printed: str = "") -> None:
        last = printed.strip().rpartition("\n")[2].strip()
        super().__init__(f"{what}: {last}" if last else what)
        self.printed = printed


class Server:
    """A running server. Use it in a ``with`` block.

    Args:
        command: how to start it.
        port: where it will listen.
        path: of the document whose first 200 counts as its first answer.
        cores: where to run it.

    Attributes:
        cold_start: seconds from starting the process to the first answer.

    Raises:
        DidNotStart: it ended, or did not answer within ``START_LIMIT`` seconds.
    """

    def __init__(self, command: Command, port: int, path: str, cores: Cores) -> None:
        self.port = port
        self._path = path
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed in __exit__
        pin(cores.server)
        began = time.perf_counter()
        try:
            self._process = subprocess.Popen(
                command.arguments,
                cwd=command.folder,
                env={**_ENVIRONMENT, **command.environment},
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=subprocess.STDOUT,
            )
        except OSError as why:
            raise DidNotStart(f"{command.arguments[0]}: {why.strerror}") from why
        finally:
            pin(cores.load)
        try:
            self.first_answer = self._wait(began + START_LIMIT)
        except DidNotStart:
            self.stop()
            raise
        self.cold_start = time.perf_counter() - began

    def _wait(self, limit: float) -> bytes:
        while time.perf_counter() < limit:
            if self._process.poll() is not None:
                raise DidNotStart(f"it ended with exit status {self._process.returncode}", self._printed())
            body = self._ask()
            if body is not None:
                return body
            time.sleep(0.0005)
        raise DidNotStart(f"no answer within {START_LIMIT:.0f} s", self._printed())

    def _ask(self) -> bytes | None:
        """The document, or ``None`` while there is none."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=START_LIMIT) as wire:
                request = f"GET {self._path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nConnection: close\r\n\r\n"
                wire.sendall(request.encode())
                received = b""
                while more := wire.recv(65536):
                    received += more
        except OSError:
            return None
        return received if received[9:12] == b"200" else None

    def _printed(self) -> str:
        self._log.seek(0)
        return self._log.read().decode(errors="replace")[-3000:]

    def _pids(self) -> list[int]:
        """The process and all that descend from it."""
        found = [self._process.pid]
        for pid in found:
            for children in (PROC / str(pid)).glob("task/*/children"):
                found.extend(int(child) for child in children.read_text().split())
        return found

    def memory(self) -> float | None:
        """Resident memory of the process and its children in MB, ``None`` where the system does not tell."""
        if not PROC.is_dir():
            return None
        pages = sum(int((PROC / str(pid) / "statm").read_text().split()[1]) for pid in self._pids())
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    def cpu(self) -> float | None:
        """Seconds of processor time used so far, ``None`` where the system does not tell."""
        if not PROC.is_dir():
            return None
        ticks = 0
        for pid in self._pids():
            fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        """End it; a server that does not go when asked is killed after five seconds."""
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()


def machine_busy() -> float | None:
    """Seconds of processor time that this whole machine used since it booted, ``None`` where it does not tell."""
    try:
        fields = (PROC / "stat").read_text().split("\n", 1)[0].split()[1:]
    except OSError:
        return None
    user, nice, system, _, _, irq, softirq, *_ = (int(field) for field in fields)
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")
