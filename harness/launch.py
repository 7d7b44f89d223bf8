"""Starting a target that is not running: any command, stopped again with everything it started."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from harness.user_agent import TlsNotTrusted, Unreachable, Wire
from harness.user_agent.urls import parse_url
from harness.user_agent.wire import WireRequest

if TYPE_CHECKING:
    from pathlib import Path

    from harness.target import Target

_TAIL_LINES = 15
_STOP_S = 5.0


class LaunchError(Exception):
    """The target could not be started; the message ends with what it printed last."""


def placeholders() -> dict[str, str]:
    """What ``{python}``, ``{port}``, ``{plain_port}`` and ``{dir}`` of a profile stand for in this run."""
    port, plain_port = _free_ports(2)
    return {
        "python": sys.executable,
        "port": port,
        "plain_port": plain_port,
        "dir": tempfile.mkdtemp(prefix="authconform-"),
    }


class Launched:
    """A target that this run started.

    Args:
        target: with its `launch` section.
        base: the profile's folder.
        folder: a fresh folder of this run, removed at the end.

    """

    def __init__(self, target: Target, base: Path, folder: Path) -> None:
        if target.launch is None:
            raise LaunchError("the profile has no [launch]")
        self._launch = target.launch
        self._target = target
        self._folder = folder
        self._base = base
        self._output = folder / "output.log"
        command = self._launch.command
        try:
            with self._output.open("wb") as output:
                self._process = subprocess.Popen(  # noqa: S603 - running the profile's command is the purpose
                    command,
                    cwd=base / (self._launch.cwd or "."),
                    env={**os.environ, **self._launch.env},
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
        except OSError as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise LaunchError(f"launch.command: {command[0]} cannot be started: {error.strerror}") from error

    def wait_until_ready(self) -> None:
        """Wait until the target listens, and answers ``launch.ready`` with a status below 500.

        Raises:
            LaunchError: it ended, or was not ready in time.

        """
        parts = urlsplit(self._target.origin)
        host = self._target.at.resolve.get(parts.hostname or "", parts.hostname or "")
        port = parts.port or (443 if parts.scheme == "https" else 80)
        deadline = time.monotonic() + self._launch.timeout_s
        while not _listens(host, port):
            code = self._process.poll()
            if code is not None:
                raise LaunchError(
                    f"launch.command ended with exit code {code} before it listened on {host}:{port}{self._tail()}"
                )
            if time.monotonic() > deadline:
                raise LaunchError(
                    f"launch.command does not listen on {host}:{port} after {self._launch.timeout_s:g} s "
                    f"(launch.timeout_s){self._tail()}"
                )
            time.sleep(0.02)
        self._wait_for_answer(deadline)

    def _wait_for_answer(self, deadline: float) -> None:
        ca = self._target.at.ca
        request = WireRequest("GET", parse_url(self._target.url(self._launch.ready)))
        said = "no answer"
        at = self._target.at
        ca_file = self._base / ca if ca else None
        if ca_file is not None and not ca_file.is_file():
            raise LaunchError(f"target.ca: {ca_file} is not there, though launch.command listens{self._tail()}")
        with Wire(ca_file=ca_file, resolve=at.resolve, extra_headers=at.headers) as wire:
            while time.monotonic() < deadline:
                try:
                    status = wire.send(request).status
                except TlsNotTrusted:
                    return  # it answers; whom to trust is the run's question, not that of readiness
                except Unreachable as error:
                    said = error.line
                else:
                    if status < HTTPStatus.INTERNAL_SERVER_ERROR:
                        return
                    said = f"it answered {status}"
                time.sleep(0.1)
        raise LaunchError(
            f"launch.ready {self._launch.ready} is not ready after {self._launch.timeout_s:g} s: {said}{self._tail()}"
        )

    def stop(self) -> None:
        """End the process and its whole group, and remove the run's folder."""
        # The second signal is for children that outlive the process, or do not listen to the first.
        for name in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, name)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_STOP_S)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _tail(self) -> str:
        lines = self._output.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-_TAIL_LINES:]
        return ". It printed:\n  " + "\n  ".join(lines) if lines else ". It printed nothing"


def _listens(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False


def _free_ports(count: int) -> list[str]:
    """Ports that nothing listens on now, all different: held open together, then let go."""
    held = [socket.socket() for _ in range(count)]
    try:
        for one in held:
            one.bind(("127.0.0.1", 0))
        return [str(one.getsockname()[1]) for one in held]
    finally:
        for one in held:
            one.close()
