"""The journal: what relying parties and browsers sent, and what they were answered."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from mock_idp.control.wire import Chosen, Controlled, gives, say

if TYPE_CHECKING:
    from mock_idp.journal import Entry
    from mock_idp.store import Store

router = APIRouter(tags=["journal"])
LONGEST_WAIT = 60.0
"""Seconds that a question may wait for its answer."""


class Wanted(BaseModel, extra="forbid"):
    """Which entries; what is not named is not looked at."""

    endpoint: str | None = Field(None, description="As in the entry: authorization, token, userinfo, jwks, ...")
    client: str | None = None
    account: str | None = None
    grant: str | None = None
    state: str | None = None
    status: int | None = None
    fault: str | None = Field(None, description="Entries that this fault struck.")
    lenient: bool | None = Field(None, description="Entries in which a mistake was let pass, or none was.")
    refused: bool | None = Field(None, description="Entries in which the request was refused, or was not.")
    after: int = Field(0, ge=0, description="Entries with a greater number.")
    limit: int = Field(1000, ge=1, le=10_000, description="At most so many: the newest ones.")
    wait: float = Field(0, ge=0, le=LONGEST_WAIT, description="Seconds to wait until something matches.")

    def fits(self, entry: Entry) -> bool:
        """Is it one of those?"""
        return (
            all(
                wanted is None or wanted == getattr(entry, name)
                for name, wanted in (
                    ("endpoint", self.endpoint),
                    ("client", self.client),
                    ("account", self.account),
                    ("grant", self.grant),
                    ("state", self.state),
                    ("status", self.status),
                )
            )
            and (self.fault is None or self.fault in entry.faults)
            and (self.lenient is None or self.lenient == bool(entry.lenient))
            and (self.refused is None or self.refused == (entry.refused is not None))
        )


@router.get(
    "/tenants/{tenant}/journal", responses=gives("Oldest first; empty where nothing matched in time.", "Entries")
)
async def read_journal(provider: Controlled, tenant: Chosen, wanted: Annotated[Wanted, Query()]) -> Response:
    """Read a tenant's journal, or wait until it holds something that matches."""
    return say(await matching(provider.store, tenant.name, wanted))


async def matching(store: Store, tenant: str, wanted: Wanted) -> list[dict[str, Any]]:
    """The entries that fit; waits for the first one where that is wanted, at most as long as is wanted."""
    deadline, after = time.monotonic() + wanted.wait, wanted.after
    entries = await store.entries(tenant, after)
    while True:
        found = [entry.as_json() for entry in entries if wanted.fits(entry)]
        left = deadline - time.monotonic()
        if found or left <= 0 or await store.tenant(tenant) is None:
            return found[-wanted.limit :]
        after = entries[-1].number if entries else after
        entries = await store.wait(tenant, after, left)
