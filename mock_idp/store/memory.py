"""State in this process, bounded: expired records leave, and each table keeps the newest `keep` of them."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, deque
from typing import TYPE_CHECKING, TypeVar

from mock_idp.store import first_version

if TYPE_CHECKING:
    from collections.abc import Callable

    from mock_idp.journal import Entry
    from mock_idp.records import Record, Tenant
    from mock_idp.store import R

T = TypeVar("T")


class _Row:
    __slots__ = ("deadline", "record", "spent")

    def __init__(self, record: Record, deadline: float) -> None:
        self.record = record
        self.deadline = deadline
        self.spent = False


class _World:
    """All that belongs to one tenant."""

    __slots__ = ("journal", "number", "tables", "tenant", "written")

    def __init__(self, tenant: Tenant, journal_length: int) -> None:
        self.tenant = tenant
        self.tables: dict[type, OrderedDict[str, _Row]] = {}
        self.journal: deque[Entry] = deque(maxlen=journal_length)
        self.number = 0
        self.written: asyncio.Event | None = None


class MemoryStore:
    """State in dictionaries. Every method runs without suspending, hence atomically.

    Args:
        keep: records of one type that one tenant keeps; the oldest leave first.
        journal_length: entries that one tenant's journal keeps.

    """

    def __init__(self, keep: int = 5_000, journal_length: int = 1_000) -> None:
        self._keep = keep
        self._journal_length = journal_length
        self._worlds: dict[str, _World] = {}

    async def tenant(self, name: str) -> Tenant | None:
        """See `mock_idp.store.Store`."""
        world = self._worlds.get(name)
        return world.tenant if world else None

    async def create(self, tenant: Tenant) -> Tenant:
        """See `mock_idp.store.Store`."""
        world = self._worlds.get(tenant.name)
        if world is None:
            tenant.version = first_version()
            world = self._worlds[tenant.name] = _World(tenant, self._journal_length)
        return world.tenant

    async def change(self, name: str, edit: Callable[[Tenant], T]) -> T:
        """See `mock_idp.store.Store`."""
        tenant = self._worlds[name].tenant
        outcome = edit(tenant)
        tenant.version += 1
        return outcome

    async def drop(self, name: str) -> bool:
        """See `mock_idp.store.Store`."""
        world = self._worlds.pop(name, None)
        if world and world.written:
            world.written.set()
        return world is not None

    async def names(self) -> list[str]:
        """See `mock_idp.store.Store`."""
        return list(self._worlds)

    async def put(self, tenant: str, key: str, record: Record, lifetime: float) -> None:
        """See `mock_idp.store.Store`."""
        world = self._worlds.get(tenant)
        if world is None:
            return
        kind = type(record)
        table = world.tables.get(kind)
        if table is None:
            table = world.tables[kind] = OrderedDict()
        now = time.monotonic()
        row = table.get(key)
        if row is not None and row.deadline >= now:
            row.record, row.deadline = record, now + lifetime
            return
        if row is not None:
            del table[key]
        table[key] = _Row(record, now + lifetime)
        # Lifetimes of one table are much alike, so the oldest row is the first to expire.
        while table and (len(table) > self._keep or next(iter(table.values())).deadline < now):
            table.popitem(last=False)

    def _row(self, tenant: str, table: type, key: str) -> _Row | None:
        world = self._worlds.get(tenant)
        rows = world.tables.get(table) if world else None
        row = rows.get(key) if rows else None
        return row if row is not None and row.deadline >= time.monotonic() else None

    async def get(self, tenant: str, table: type[R], key: str) -> R | None:
        """See `mock_idp.store.Store`."""
        row = self._row(tenant, table, key)
        return row.record if row else None  # type: ignore[return-value] # a table holds one type

    async def spend(self, tenant: str, table: type[R], key: str) -> tuple[R | None, bool]:
        """See `mock_idp.store.Store`."""
        row = self._row(tenant, table, key)
        if row is None:
            return None, False
        first, row.spent = not row.spent, True
        return row.record, first  # type: ignore[return-value] # a table holds one type

    async def delete(self, tenant: str, table: type[Record], key: str) -> bool:
        """See `mock_idp.store.Store`."""
        world = self._worlds.get(tenant)
        return bool(world and world.tables.get(table, OrderedDict()).pop(key, None))

    async def records(self, tenant: str, table: type[R]) -> dict[str, R]:
        """See `mock_idp.store.Store`."""
        world = self._worlds.get(tenant)
        rows = world.tables.get(table) if world else None
        now = time.monotonic()
        return {key: row.record for key, row in (rows or {}).items() if not row.spent and row.deadline >= now}  # type: ignore[misc]

    async def clear(self, tenant: str) -> None:
        """See `mock_idp.store.Store`."""
        world = self._worlds.get(tenant)
        if world:
            world.tables.clear()
            world.journal.clear()

    async def write(self, tenant: str, entry: Entry) -> None:
        """See `mock_idp.store.Store`."""
        world = self._worlds.get(tenant)
        if world is None:
            return
        world.number += 1
        entry.number = world.number
        world.journal.append(entry)
        if world.written:
            world.written.set()
            world.written = None

    async def entries(self, tenant: str, after: int = 0) -> list[Entry]:
        """See `mock_idp.store.Store`."""
        world = self._worlds.get(tenant)
        return [entry for entry in world.journal if entry.number > after] if world else []

    async def wait(self, tenant: str, after: int, timeout: float) -> list[Entry]:  # noqa: ASYNC109
        """See `mock_idp.store.Store`."""
        deadline = time.monotonic() + timeout
        while True:
            found = await self.entries(tenant, after)
            left = deadline - time.monotonic()
            world = self._worlds.get(tenant)
            if found or left <= 0 or world is None:
                return found
            world.written = world.written or asyncio.Event()
            try:
                await asyncio.wait_for(world.written.wait(), left)
            except TimeoutError:
                return []

    async def close(self) -> None:
        """Nothing to let go of."""
