"""The wire of a polite guest: paced, and no longer knocking when nobody is there."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from harness.user_agent import Unreachable, Wire

if TYPE_CHECKING:
    from harness.user_agent.wire import WireRequest, WireResponse

_GIVE_UP_AFTER = 3


class GuestWire(Wire):
    """A wire that keeps to a number of requests a second and gives up on a target that is gone.

    After three failures in a row nothing more is sent: each further request fails at once with the same sentence, so
    that a target which dies in the middle of a run costs seconds, not one timeout for each requirement.
    """

    def __init__(self, *, pace: float | None, **wire: Any) -> None:
        super().__init__(**wire)
        self._gap_s = 1 / pace if pace else 0.0
        self._next = 0.0
        self._lock = threading.Lock()
        self._failures: list[Unreachable] = []

    def send(self, request: WireRequest) -> WireResponse:
        """Send one request within the pace.

        Raises:
            Unreachable: no answer came, now or to the last requests before it.

        """
        if len(self._failures) >= _GIVE_UP_AFTER:
            raise self._failures[-1]
        self._wait()
        try:
            response = super().send(request)
        except Unreachable as error:
            self._failures.append(error)
            raise
        self._failures.clear()
        return response

    def _wait(self) -> None:
        if not self._gap_s:
            return
        with self._lock:
            now = time.monotonic()
            at = max(now, self._next)
            self._next = at + self._gap_s
        time.sleep(at - now)
