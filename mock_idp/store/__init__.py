"""Where state lives. One small interface; memory by default, Redis for several processes.

A tenant (settings, clients, accounts, keys, clock, armed faults) is one document, changed as a whole. What
authorizations leave behind are records in tables, one table a type, each with a time to live.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from mock_idp.journal import Entry
    from mock_idp.records import Record, Tenant

R = TypeVar("R", bound="Record")
T = TypeVar("T")


def first_version() -> int:
    """The version of a tenant that is new now: microseconds since 1970, which JSON and JavaScript can hold."""
    return time.time_ns() // 1000


class StoreDownError(Exception):
    """The store does not answer; the sentence names it."""


class Store(Protocol):
    """All methods are safe to call from many tasks, and from many processes where the store is shared."""

    async def tenant(self, name: str) -> Tenant | None:
        """The tenant as it is now. Callers must not change it: `change` does."""

    async def create(self, tenant: Tenant) -> Tenant:
        """Keep a new tenant, and give back that very object; where the name is taken, the one that is there.

        Its version starts above all that a tenant of this name has had, since what is derived from tenants is cached.
        """

    async def change(self, name: str, edit: Callable[[Tenant], T]) -> T:
        """Let `edit` change the tenant, as one atomic step, and count its version up.

        `edit` may run more than once, and checks what it needs before it changes anything.

        Raises:
            KeyError: there is no such tenant.

        """

    async def drop(self, name: str) -> bool:
        """Remove the tenant and all its records and journal. True where there was one."""

    async def names(self) -> list[str]:
        """All tenants, in the order they were made."""

    async def put(self, tenant: str, key: str, record: Record, lifetime: float) -> None:
        """Keep a record for at least `lifetime` seconds of the machine's time."""

    async def get(self, tenant: str, table: type[R], key: str) -> R | None:
        """The record, spent or not."""

    async def spend(self, tenant: str, table: type[R], key: str) -> tuple[R | None, bool]:
        """The record, and True for exactly one caller, ever: atomic."""

    async def delete(self, tenant: str, table: type[Record], key: str) -> bool:
        """Remove a record. True where there was one."""

    async def records(self, tenant: str, table: type[R]) -> dict[str, R]:
        """All records of a table that have not expired and are not spent."""

    async def clear(self, tenant: str) -> None:
        """Remove all records and the journal of a tenant, and keep the tenant."""

    async def write(self, tenant: str, entry: Entry) -> None:
        """Append to the tenant's journal; it gets its number here."""

    async def entries(self, tenant: str, after: int = 0) -> list[Entry]:
        """Journal entries with a number greater than `after`, oldest first."""

    async def wait(self, tenant: str, after: int, timeout: float) -> list[Entry]:  # noqa: ASYNC109 # no error ends it
        """Like `entries`, but waits until there is one, at most `timeout` seconds, or until the tenant is dropped."""

    async def close(self) -> None:
        """Let go of connections."""


def open_store(url: str) -> Store:
    """The store that a URL names; nothing is connected yet.

    Args:
        url: ``memory:``, or ``redis://host:6379/0`` (also ``rediss://`` and ``unix:///path``).

    Raises:
        ValueError: there is no such store; the sentence says which there are, or what is missing.

    """
    scheme = url.partition(":")[0]
    if url == "memory:":
        from mock_idp.store.memory import MemoryStore  # noqa: PLC0415 # only the store that is asked for is loaded

        return MemoryStore()
    if scheme in {"redis", "rediss", "unix"} and "://" in url:
        try:
            from mock_idp.store.redis import RedisStore  # noqa: PLC0415 # its client costs a tenth of a second
        except ModuleNotFoundError as error:
            if error.name != "redis":
                raise
            raise ValueError("a store in Redis needs the package redis: pip install 'authconform[redis]'") from None
        return RedisStore(url)
    raise ValueError(f"no store is named {scheme + ':'!r}; there are memory: and redis://host:6379/0")
