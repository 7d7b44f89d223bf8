"""Faults that only 42 Intra's make of provider has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mock_idp.dialects.intra42 import api
from mock_idp.faults.ingredients import honest
from mock_idp.faults.registry import fault

if TYPE_CHECKING:
    from mock_idp.dialects.intra42.api import ApiRequest
    from mock_idp.wire.http import Answer


@fault(
    "intra42.rate-limited",
    replaces=api.check_rate,
    correct="waits as long as Retry-After says, and gives up after a bounded number of attempts",
)
async def rate_limited(flow: ApiRequest) -> Answer:
    """The API answers 429 in plain text, with the headers of its limits."""
    await honest(flow)
    return api.too_many_requests(flow)
