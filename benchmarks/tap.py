"""A pytest plugin for the benchmark: keeps every request as it was sent, and when the first verdict was there."""

from __future__ import annotations

import os
import pickle
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.user_agent import Wire

if TYPE_CHECKING:
    from harness.user_agent.wire import WireRequest, WireResponse

_sent: list[tuple[str, str, list[tuple[str, str]], bytes | None]] = []
_first: list[float] = []
_send = Wire.send


def _tapped(self: Wire, request: WireRequest) -> WireResponse:
    _sent.append((request.method, str(request.url), list(request.headers), request.body))
    return _send(self, request)


def pytest_configure() -> None:
    """Listen in on the wire."""
    Wire.send = _tapped  # type: ignore[method-assign]


def pytest_runtest_logreport(report: Any) -> None:
    """When the first verdict was there, as seconds since the epoch."""
    if hasattr(report, "authconform") and not _first:
        _first.append(time.time())


def pytest_unconfigure() -> None:
    """Hand over what was heard."""
    Path(os.environ["AUTHCONFORM_TAP"]).write_bytes(pickle.dumps({"sent": _sent, "first": _first}))
