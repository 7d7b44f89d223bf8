"""Making time pass: by the target's clock where a test deployment offers it, else by waiting."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from harness.flows import Flows

LONGEST_WAIT_S = 900
"""No requirement waits for longer."""


def let_pass(flows: Flows, allow: Collection[str], seconds: float) -> list[tuple[str, str]] | None:
    """Headers for requests that are to come so many seconds later; empty after having waited; None where neither is possible."""
    headers = flows.later(seconds)
    if headers:
        return headers
    if "slow" not in allow or seconds > 1.1 * LONGEST_WAIT_S + 1:
        return None
    time.sleep(seconds)
    return []
