"""Clients from npm: installed once into the user's cache, and driven by one Node process a test session."""

from __future__ import annotations

import hashlib
import json
import os
import selectors
import shutil
import subprocess
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from tests.peers.job import Result

if TYPE_CHECKING:
    from tests.peers.job import Job

DRIVERS = Path(__file__).parent / "node"
INSTALL_S = 120
JOB_S = 20


class NodeMissingError(Exception):
    """These clients cannot run here; the sentence says what is missing."""


class NotInstalledError(Exception):
    """npm did not install the clients; the sentence says why."""


class NodeSession:
    """One Node process with every driver. Takes one job after the other.

    Args:
        authority: file of a certificate authority that it trusts besides the usual ones.

    """

    def __init__(self, authority: str) -> None:
        node = _program("node")
        self._folder = tempfile.TemporaryDirectory(prefix="peers-")
        folder = Path(self._folder.name)
        for driver in DRIVERS.glob("*.mjs"):
            shutil.copy(driver, folder)
        # Node looks for packages beside the module that asks, so the drivers move to where a link can stand.
        (folder / "node_modules").symlink_to(_installed() / "node_modules")
        self._command = [node, "session.mjs"]
        self._environment = {**os.environ, "NODE_EXTRA_CA_CERTS": authority}
        self._process = self._start()

    def _start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self._command,
            cwd=self._folder.name,
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, job: Job) -> Result:
        """Do one job."""
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(asdict(job)) + "\n")
        process.stdin.flush()
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            if not selector.select(JOB_S):
                self._end(process)
                self._process = self._start()
                raise TimeoutError(f"{job.driver} did not end within {JOB_S} s")
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"Node ended with {process.wait(JOB_S)} while {job.driver} ran")
        return Result(**json.loads(line))

    def close(self) -> None:
        """End the process and remove its folder."""
        self._end(self._process)
        self._folder.cleanup()

    def _end(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        process.kill()  # it keeps nothing
        process.wait(JOB_S)
        process.stdin.close()
        process.stdout.close()


def _installed() -> Path:
    """The folder with ``node_modules``.

    It is named by the lock file's hash, and moved into place when whole: parallel sessions need no lock of their own.
    """
    lock = (DRIVERS / "package-lock.json").read_bytes()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "authconform"
    place = cache / f"peers-{hashlib.sha256(lock).hexdigest()[:16]}"
    if place.exists():
        return place
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as made:
        whole = Path(made) / "whole"
        whole.mkdir()
        for name in ("package.json", "package-lock.json"):
            shutil.copy(DRIVERS / name, whole)
        _install(whole)
        try:
            whole.rename(place)
        except OSError:  # another session was first
            if not place.exists():
                raise
    return place


def _install(folder: Path) -> None:
    command = [_program("npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=INSTALL_S, check=False)
    except subprocess.TimeoutExpired:
        raise NotInstalledError(f"npm did not install the clients within {INSTALL_S} s") from None
    if done.returncode:
        raise NotInstalledError(f"npm cannot install the clients: {done.stderr.strip()[-300:]}")


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise NodeMissingError(f"{name} is not installed")
    return found
