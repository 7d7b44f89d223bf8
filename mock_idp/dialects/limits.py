"""Counting requests, as APIs do that limit them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mock_idp.records import Usage

if TYPE_CHECKING:
    from mock_idp.protocol.table import Flow

HOUR = 3600
_SPARE = 60
"""Seconds that a count outlives its window by, since the tenant's clock is not the machine's."""


class Count(NamedTuple):
    """How a limit stands after a request.

    Attributes:
        limit: requests in one window.
        used: requests in this window, this one among them.
        resets_at: when the next window begins, in seconds since 1970 by the tenant's clock.

    """

    limit: int
    used: int
    resets_at: int

    @property
    def remaining(self) -> int:
        """Requests that are left in this window."""
        return max(0, self.limit - self.used)

    @property
    def exceeded(self) -> bool:
        """Was this one too many?"""
        return self.used > self.limit


async def count(flow: Flow, key: str, limit: int, seconds: int) -> Count:
    """Count a request.

    Read and written in two steps: replicas that share a store may miss one of each other's now and then, as the real
    ones do.

    Args:
        flow: of the request.
        key: whose requests are counted.
        limit: how many are allowed.
        seconds: length of the window.

    """
    store, name = flow.provider.store, flow.tenant.name
    window = int(flow.now // seconds)
    before = await store.get(name, Usage, f"{seconds} {key}")
    used = before.count + 1 if before is not None and before.window == window else 1
    await store.put(name, f"{seconds} {key}", Usage(window, used), seconds + _SPARE)
    return Count(limit, used, (window + 1) * seconds)
