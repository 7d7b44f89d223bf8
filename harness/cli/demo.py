"""``authconform app``: the reference application to try things on, with the profile that judges it."""

from __future__ import annotations

import contextlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from harness import profile
from harness.cli.output import UsageError, say

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_START_S = 30.0
_STOP_S = 10.0
_LAUNCH = re.compile(r"^\[launch\]\n.*?(?=^\[)", re.MULTILINE | re.DOTALL)


def serve(architecture: str, *, defects: Sequence[str], port: int, tls: bool, extra: Sequence[str]) -> int:
    """Run the reference app until it is stopped.

    Args:
        architecture: how it is put together.
        defects: bugs to start it with.
        port: where it listens; 0 takes any free one.
        tls: over TLS.
        extra: further arguments, passed on.

    Returns:
        Its exit code; 0 where it was stopped from outside.

    """
    with tempfile.TemporaryDirectory(prefix="authconform-") as folder:
        values = {
            "python": sys.executable,
            "port": str(port or _free_port()),
            "plain_port": str(_free_port()),
            "dir": folder,
        }
        shipped = _shipped(f"{architecture}-tls" if tls else architecture, values)
        command = tomllib.loads(shipped)["launch"]["command"] if shipped else _command(architecture, values, tls=tls)
        command[1:1] = ["-P"]  # a module of the current folder is not what is asked for
        command += [part for defect in defects for part in ("--defect", defect)]
        with _running([*command, *extra]) as process:
            try:
                if _listens(process, int(values["port"])):
                    _introduce(_LAUNCH.sub("", shipped), values)
                return process.wait()
            except KeyboardInterrupt:
                return 0


def _shipped(name: str, values: dict[str, str]) -> str:
    """The shipped profile of that name, filled in; empty where none is shipped."""
    try:
        text = profile.locate(f"{profile.SHIPPED}{name}").read_text(encoding="utf-8")
    except profile.ProfileError:
        return ""
    for key, value in values.items():
        text = text.replace(f"{{{key}}}", value)
    return text


def _command(architecture: str, values: dict[str, str], *, tls: bool) -> list[str]:
    command = [values["python"], "-m", "reference_app", "--architecture", architecture, "--port", values["port"]]
    return [*command, "--tls", "--ca-file", f"{values['dir']}/ca.pem"] if tls else command


@contextlib.contextmanager
def _running(command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """The process, ended with the block. SIGTERM ends the block as Ctrl-C does."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    process = subprocess.Popen(command)  # noqa: S603
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
        signal.signal(signal.SIGTERM, before)


def _listens(process: subprocess.Popen[bytes], port: int) -> bool:
    """Wait until it listens; False where it ended instead (it has said why)."""
    deadline = time.monotonic() + _START_S
    while process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
        if time.monotonic() > deadline:
            raise UsageError(f"the reference app does not listen on port {port} after {_START_S:g} s")
        time.sleep(0.05)
    return False


def _introduce(text: str, values: dict[str, str]) -> None:
    if not text:
        say(f"The reference app listens on port {values['port']}; no profile is shipped for this combination.")
        sys.stdout.flush()
        return
    file = Path(values["dir"]) / "profile.toml"
    file.write_text(text, encoding="utf-8")
    tables = tomllib.loads(text)
    say(f"The reference app is at {tables['target']['origin']} (Ctrl-C stops it)")
    for account in tables["accounts"].values():
        say(f"  {account['username']:<8} {account['password']}")
    say("Judge it from another terminal:")
    say(f"  authconform run --profile {file}")
    sys.stdout.flush()


def _free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])
