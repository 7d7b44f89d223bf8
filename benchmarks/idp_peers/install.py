"""The peers, brought on demand by npm and pip into a cache folder; nothing of theirs is part of this repository."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

INSTALL_LIMIT = 600
"""Seconds that npm or pip may take."""
NODE = "24.21.0"


class Missing(Exception):  # noqa: N818 - reads as what is the matter
    """A peer cannot be had; the message says why."""


def default_folder() -> Path:
    """Where peers are kept when nothing else is said."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "authconform" / "peers"


def _run(command: list[str], folder: Path) -> None:
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=INSTALL_LIMIT,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        raise Missing(f"{command[0]} did not finish within {INSTALL_LIMIT} s") from None
    if done.returncode != 0:
        lines = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
        raise Missing(f"{Path(command[0]).name} failed: {lines[-1] if lines else f'exit status {done.returncode}'}")


def _fresh(folder: Path) -> Path:
    """An empty folder; what a broken installation left is removed."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def npm(peers: Path, package: str, version: str) -> Path:
    """A folder whose ``node_modules`` holds the package in exactly that version.

    Raises:
        Missing: there is no npm, or it could not install the package.
    """
    folder = peers / f"{package.replace('/', '-').lstrip('@')}-{version}"
    if (folder / "installed").exists():
        return folder
    program = shutil.which("npm")
    if program is None:
        raise Missing("npm is not on the PATH")
    (_fresh(folder) / "package.json").write_text('{"private": true}')
    _run([program, "install", "--no-audit", "--no-fund", "--save-exact", f"{package}@{version}"], folder)
    (folder / "installed").touch()
    return folder


def node(peers: Path) -> str:
    """A node of one version for all peers, whatever this machine has."""
    return str(npm(peers, "node", NODE) / "node_modules" / ".bin" / "node")


def pip(peers: Path, package: str, version: str, oldest: tuple[int, int]) -> str:
    """The python of a virtual environment that holds the package in exactly that version.

    Raises:
        Missing: no Python is new enough, or pip could not install the package.
    """
    folder = peers / f"{package}-{version}"
    program = folder / "bin" / "python"
    if (folder / "installed").exists():
        return str(program)
    _environment(_python(oldest), folder)
    _run([str(program), "-m", "pip", "install", "--quiet", f"{package}=={version}"], folder)
    (folder / "installed").touch()
    return str(program)


def _environment(python: str, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    if python == sys.executable:
        venv.create(folder, with_pip=True)
    else:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _run([python, "-m", "venv", str(folder)], folder.parent)


def _python(oldest: tuple[int, int]) -> str:
    """A Python of at least that version: this one, one on the PATH, or one that pyenv keeps."""
    if sys.version_info[:2] >= oldest:
        return sys.executable
    named = [shutil.which(f"python3.{minor}") for minor in range(20, oldest[1] - 1, -1)]
    kept = sorted((Path.home() / ".pyenv" / "versions").glob(f"{oldest[0]}.*/bin/python"), reverse=True)
    wanted = f"import sys; raise SystemExit(sys.version_info[:2] < {oldest})"
    for candidate in [*filter(None, named), *map(str, kept)]:
        if subprocess.run([candidate, "-c", wanted], check=False, capture_output=True).returncode == 0:
            return candidate
    raise Missing(f"it needs Python {oldest[0]}.{oldest[1]} or newer, and none was found")
