"""Time that must pass: moved where the target's clock can be, waited for where that is short and allowed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from harness.verdict import NotRun

if TYPE_CHECKING:
    from harness.flows import Flows
    from harness.run import Run

LONGEST_S = 900
"""Seconds that are waited for at most, and only with ``--auth-allow slow``."""


class Clock:
    """The target's time, counted from now.

    Args:
        flows: the flows.
        run: the run, which says whether waiting is allowed.
        longest_s: the latest moment that will be asked for.

    Raises:
        NotRun: it can neither be reached nor waited for.

    """

    def __init__(self, flows: Flows, run: Run, longest_s: float) -> None:
        self._flows = flows
        self._moved = bool(flows.later(0))
        self._began = time.monotonic()
        if not self._moved and longest_s > LONGEST_S:
            raise NotRun(
                f"{longest_s:.0f} s would have to pass (the declared limit and a tenth): "
                "a test deployment can move its clock (hooks.clock_header)"
            )
        if not self._moved and "slow" not in run.options.allow:
            raise NotRun(
                f"waits {longest_s:.0f} s: allow it (--allow slow), or let the clock be moved (hooks.clock_header)"
            )

    def at(self, seconds: float) -> list[tuple[str, str]]:
        """Headers for requests at that moment; returns when it has come, where nothing can be moved."""
        if not self._moved:
            time.sleep(max(0.0, seconds - (time.monotonic() - self._began)))
        return self._flows.later(seconds)
