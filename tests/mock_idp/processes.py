"""The provider as its users start it: a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_WAIT_S = 30.0


@contextmanager
def started(*arguments: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """``python -m mock_idp`` on a free port: the base that its first line tells, and the process."""
    command = [sys.executable, "-m", "mock_idp", "--port", "0", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        too_late = threading.Timer(_WAIT_S, process.kill)
        too_late.start()
        try:
            line = process.stdout.readline()
            too_late.cancel()
            assert line, process.communicate()[1]
            yield json.loads(line)["base"], process
        finally:
            too_late.cancel()
            process.terminate()
            try:
                process.communicate(timeout=_WAIT_S)
            except subprocess.TimeoutExpired:
                process.kill()
