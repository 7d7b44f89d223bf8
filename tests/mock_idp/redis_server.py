"""A Redis for tests: the one that REDIS_URL names, or the system's ``redis-server``, started on a free port."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from typing import TYPE_CHECKING

from tests.small_app import unused_port

if TYPE_CHECKING:
    from pathlib import Path

EXECUTABLE = shutil.which("redis-server")
URL = os.environ.get("REDIS_URL")
NEITHER = "neither REDIS_URL is set nor is redis-server installed"

_READY_WITHIN = 20.0
_ATTEMPTS = 5


class RedisServer:
    """One Redis without persistence; `stop` and `start` again bring it back empty, under the same address."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0
        for _ in range(_ATTEMPTS):
            self.port = unused_port()
            if self.start():
                return
        raise RuntimeError(f"redis-server did not start; its log is {folder}/redis.log")

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> bool:
        """False where another process was quicker to take the port."""
        assert EXECUTABLE
        options = {"port": self.port, "bind": "127.0.0.1", "dir": self._folder, "logfile": "redis.log"}
        options |= {"save": "", "appendonly": "no", "loglevel": "warning"}
        command = [EXECUTABLE, *(str(word) for name, value in options.items() for word in (f"--{name}", value))]
        self._process = subprocess.Popen(command)
        deadline = time.monotonic() + _READY_WITHIN
        while self._process.poll() is None and time.monotonic() < deadline:
            if self._answers():
                return True
            time.sleep(0.005)
        self.stop()
        return False

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False

    def stop(self) -> None:
        """As a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(_READY_WITHIN)
            self._process = None

    def freeze(self) -> None:
        """It keeps its connections and says nothing more."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)
