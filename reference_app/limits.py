"""Throttling of password guesses."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from reference_app.clock import Clock

FAILURES: Final = 10
WINDOW_S: Final = 60
ACCOUNTS_REMEMBERED: Final = 10_000


class Throttle:
    """At most ten failures in a row for one account within a minute.

    Names that belong to nobody are counted alike: otherwise the limit would tell which accounts exist.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._attempts: dict[str, deque[float]] = {}

    def attempt(self, account: str) -> float:
        """Count an attempt before it is judged, so that parallel guesses cannot slip past.

        Returns:
            Seconds to wait; 0 when the attempt may go ahead.
        """
        now = self._clock.now()
        with self._lock:
            self._forget(now)
            attempts = self._attempts.setdefault(account.casefold(), deque(maxlen=FAILURES))
            while attempts and attempts[0] <= now - WINDOW_S:
                attempts.popleft()
            if len(attempts) == FAILURES:
                return attempts[0] + WINDOW_S - now
            attempts.append(now)
            return 0.0

    def succeeded(self, account: str) -> None:
        """The right password: the failures before it no longer count."""
        with self._lock:
            self._attempts.pop(account.casefold(), None)

    def _forget(self, now: float) -> None:
        """Keep the memory bounded: drop accounts that nobody tried within the window."""
        if len(self._attempts) < ACCOUNTS_REMEMBERED:
            return
        for account in [name for name, times in self._attempts.items() if not times or times[-1] <= now - WINDOW_S]:
            del self._attempts[account]
