"""State in Redis, for several processes or replicas that are one provider.

Whatever must happen at once happens in one Lua script, which Redis runs atomically. A tenant is a hash (its document, a
stamp that changes with the document, and the number of its last journal entry), a record is a hash that expires by
itself, a journal is a stream. Scripts reach keys that they compute, so this is for one Redis, not for a Redis Cluster.
"""

from __future__ import annotations

import asyncio
import math
import secrets
import time
from collections import OrderedDict
from functools import lru_cache
from hashlib import sha1
from typing import TYPE_CHECKING, Any, TypeVar, get_args
from urllib.parse import parse_qsl, urlsplit, urlunsplit
from weakref import WeakValueDictionary

from redis.asyncio import BlockingConnectionPool, ConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, NoScriptError, RedisError
from redis.exceptions import ConnectionError as UnreachableError
from redis.exceptions import TimeoutError as SilentError

from mock_idp.journal import Entry
from mock_idp.records import Record, Tenant
from mock_idp.store import StoreDownError, first_version
from mock_idp.store.codec import dump, load

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mock_idp.store import R

T = TypeVar("T")

PREFIX = "authconform"
CONNECT_TIMEOUT = 2.0
"""Seconds until a Redis that cannot be reached is given up."""
ANSWER_TIMEOUT = 3.0
"""Seconds until a Redis that is silent is given up, and that a request waits for a free connection."""
CONNECTIONS = 50
MOST_WAITING = 1_000
"""Connections for those who wait for the journal; each holds one."""
LONGEST_BLOCK = 1.0
"""Seconds after which a wait looks whether its tenant is still there: readers of a dropped stream are not woken."""
MOST_TRIES = 100
CACHED_TENANTS = 4_096

_TABLES = [table.__name__ for table in get_args(Record)]

_Word = bytes | str | int | float
_FAILURES = (RedisError, OSError)


class _Script:
    """Lua, and the name under which Redis keeps it once it has seen it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.sha = sha1(text.encode(), usedforsecurity=False).hexdigest()


# KEYS: names, tenant; ARGV: name, stamp, document. Gives the stamp and the document that count.
_CREATE = _Script("""
if redis.call('EXISTS', KEYS[2]) == 1 then return redis.call('HMGET', KEYS[2], 'stamp', 'document') end
local now = redis.call('TIME')
redis.call('ZADD', KEYS[1], now[1] * 1000000 + now[2], ARGV[1])
redis.call('HSET', KEYS[2], 'stamp', ARGV[2], 'document', ARGV[3])
return {ARGV[2], ARGV[3]}
""")

# KEYS: tenant; ARGV: the stamp that was read, the new stamp, the new document.
_CHANGE = _Script("""
if redis.call('HGET', KEYS[1], 'stamp') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'stamp', ARGV[2], 'document', ARGV[3])
return 1
""")

# KEYS: tenant, index, row; ARGV: key, record, milliseconds, most rows, what keys of rows begin with.
# A row that has expired left its index entry behind: it counts as new.
_PUT = _Script("""
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
local new = redis.call('EXISTS', KEYS[3]) == 0
redis.call('HSET', KEYS[3], 'record', ARGV[2])
redis.call('PEXPIRE', KEYS[3], ARGV[3])
if not new then return 1 end
local now = redis.call('TIME')
redis.call('ZADD', KEYS[2], now[1] * 1000000 + now[2], ARGV[1])
while true do
  local oldest = redis.call('ZRANGE', KEYS[2], 0, 0)[1]
  if not oldest then break end
  local full = redis.call('ZCARD', KEYS[2]) > tonumber(ARGV[4])
  if not full and redis.call('EXISTS', ARGV[5] .. oldest) == 1 then break end
  redis.call('ZREM', KEYS[2], oldest)
  redis.call('UNLINK', ARGV[5] .. oldest)
end
return 1
""")

# KEYS: row.
_SPEND = _Script("""
local record = redis.call('HGET', KEYS[1], 'record')
if not record then return false end
return {record, redis.call('HSETNX', KEYS[1], 'spent', 1)}
""")

# KEYS: index, row; ARGV: key.
_DELETE = _Script("""
redis.call('ZREM', KEYS[1], ARGV[1])
return redis.call('DEL', KEYS[2])
""")

# KEYS: index; ARGV: what keys of rows begin with. Gives key, record, key, record, ...
_RECORDS = _Script("""
local found = {}
for _, key in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  local row = redis.call('HMGET', ARGV[1] .. key, 'record', 'spent')
  if row[1] and not row[2] then
    found[#found + 1] = key
    found[#found + 1] = row[1]
  end
end
return found
""")

# KEYS: journal, then the indexes; ARGV: what keys of rows begin with, in the order of the indexes.
_CLEAR = _Script("""
for number, start in ipairs(ARGV) do
  for _, key in ipairs(redis.call('ZRANGE', KEYS[number + 1], 0, -1)) do redis.call('UNLINK', start .. key) end
  redis.call('UNLINK', KEYS[number + 1])
end
redis.call('UNLINK', KEYS[1])
""")

# KEYS: names, tenant; ARGV: name.
_DROP = _Script("""
redis.call('ZREM', KEYS[1], ARGV[1])
return redis.call('DEL', KEYS[2])
""")

# KEYS: tenant, journal; ARGV: entry, most entries.
_WRITE = _Script("""
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
local number = redis.call('HINCRBY', KEYS[1], 'number', 1)
redis.call('XADD', KEYS[2], 'MAXLEN', ARGV[2], number .. '-0', 'entry', ARGV[1])
return number
""")


class RedisStore:
    """State in Redis.

    Args:
        url: ``redis://``, ``rediss://`` or ``unix://``, as redis-py reads it; ``?prefix=`` lets several providers
            share one database.
        keep: records of one type that one tenant keeps; the oldest leave first.
        journal_length: entries that one tenant's journal keeps.

    Raises:
        ValueError: the URL cannot be read; the sentence says why, and shows no password.

    """

    def __init__(self, url: str, keep: int = 5_000, journal_length: int = 1_000) -> None:
        self.address = redacted(url)
        bare, self._prefix = _prefix(url, self.address)
        self._keep = keep
        self._journal_length = journal_length
        options: dict[str, Any] = {
            "socket_connect_timeout": CONNECT_TIMEOUT,
            "protocol": 2,
            "retry": Retry(NoBackoff(), 0),
        }
        try:
            self._pool = BlockingConnectionPool.from_url(
                bare, max_connections=CONNECTIONS, timeout=ANSWER_TIMEOUT, socket_timeout=ANSWER_TIMEOUT, **options
            )
            self._waiting_pool = ConnectionPool.from_url(
                bare, max_connections=MOST_WAITING, socket_timeout=ANSWER_TIMEOUT + LONGEST_BLOCK, **options
            )
        except ValueError as error:
            raise ValueError(f"the store {self.address} cannot be used: {error}") from None
        self._redis = Redis(connection_pool=self._pool)
        self._waiting = Redis(connection_pool=self._waiting_pool)
        self._batch: list[tuple[tuple[_Word, ...], asyncio.Future[Any]]] = []
        self._sending: set[asyncio.Task[None]] = set()
        self._cache: OrderedDict[str, tuple[bytes, Tenant]] = OrderedDict()
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def _key(self, *parts: str) -> bytes:
        # Lone surrogates can stand in what a client chose, such as the ``jti`` of an assertion.
        return ":".join((self._prefix, *parts)).encode("utf-8", "surrogatepass")

    async def _command(self, *words: _Word) -> Any:
        """Ask Redis; whatever it does other than answer is the store being down."""
        try:
            return await self._batched(words)
        except _FAILURES as error:
            raise self._down(error) from error

    async def _run(self, script: _Script, keys: Sequence[bytes], words: Sequence[_Word] = ()) -> Any:
        """Run a script, by its name where Redis knows it already."""
        rest = (len(keys), *keys, *words)
        try:
            return await self._batched(("EVALSHA", script.sha, *rest))
        except NoScriptError:
            return await self._command("EVAL", script.text, *rest)
        except _FAILURES as error:
            raise self._down(error) from error

    def _batched(self, words: tuple[_Word, ...]) -> asyncio.Future[Any]:
        """The answer to a command, which is sent together with all others of this turn of the loop.

        One at a time they would cost three times as much, most of it for the connection.
        """
        loop = asyncio.get_running_loop()
        answer = loop.create_future()
        if not self._batch:
            loop.call_soon(self._flush)
        self._batch.append((words, answer))
        return answer

    def _flush(self) -> None:
        batch, self._batch = self._batch, []
        task = asyncio.get_running_loop().create_task(self._send(batch))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _send(self, batch: list[tuple[tuple[_Word, ...], asyncio.Future[Any]]]) -> None:
        pipeline = self._redis.pipeline(transaction=False)
        for words, _ in batch:
            pipeline.execute_command(*words)
        try:
            answers = await pipeline.execute(raise_on_error=False)
        except _FAILURES as error:
            answers = [error] * len(batch)
        for (_, waiting), answer in zip(batch, answers, strict=True):
            if waiting.done():  # whoever asked has gone
                continue
            if isinstance(answer, Exception):
                waiting.set_exception(answer)
            else:
                waiting.set_result(answer)

    def _down(self, error: Exception) -> StoreDownError:
        silent = isinstance(error, (UnreachableError, SilentError, OSError)) and not isinstance(
            error, AuthenticationError
        )
        reason = " ".join(str(error).split()) or type(error).__name__
        return StoreDownError(
            f"the store {self.address} {'does not answer' if silent else 'refuses'}: {reason.rstrip('.')}"
        )

    def _load(self, kind: type[T], raw: bytes) -> T:
        try:
            return load(kind, raw)
        except ValueError as error:
            deed = f"holds what this release cannot read (use an empty database, or ?prefix=): {error}"
            raise StoreDownError(f"the store {self.address} {deed}") from error

    async def tenant(self, name: str) -> Tenant | None:
        """See `mock_idp.store.Store`. One HGET where the tenant has not changed since."""
        key = self._key("tenant", _quoted(name))
        cached = self._cache.get(name)
        if cached is not None and await self._command("HGET", key, "stamp") == cached[0]:
            return cached[1]
        found = await self._read(name)
        if found is None:
            self._cache.pop(name, None)
            return None
        return self._remember(name, *found)

    async def _read(self, name: str) -> tuple[bytes, Tenant] | None:
        key = self._key("tenant", _quoted(name))
        stamp, document = await self._command("HMGET", key, "stamp", "document")
        return None if stamp is None else (stamp, self._load(Tenant, document))

    def _remember(self, name: str, stamp: bytes, tenant: Tenant) -> Tenant:
        self._cache[name] = (stamp, tenant)
        self._cache.move_to_end(name)
        if len(self._cache) > CACHED_TENANTS:
            self._cache.popitem(last=False)
        return tenant

    async def create(self, tenant: Tenant) -> Tenant:
        """See `mock_idp.store.Store`."""
        keys = [self._key("names"), self._key("tenant", _quoted(tenant.name))]
        name = tenant.name.encode("utf-8", "surrogatepass")
        tenant.version = first_version()
        own = _stamp()
        stamp, document = await self._run(_CREATE, keys, [name, own, dump(tenant)])
        there = self._remember(tenant.name, stamp, self._load(Tenant, document))
        return tenant if stamp == own else there

    async def change(self, name: str, edit: Callable[[Tenant], T]) -> T:
        """See `mock_idp.store.Store`.

        Processes that change a tenant at the same time try again; one of them succeeds each time.
        """
        key = self._key("tenant", _quoted(name))
        async with self._locks.setdefault(name, asyncio.Lock()):
            for _ in range(MOST_TRIES):
                found = await self._read(name)
                if found is None:
                    raise KeyError(name)
                read, tenant = found
                outcome = edit(tenant)
                tenant.version += 1
                written = _stamp()
                if await self._run(_CHANGE, [key], [read, written, dump(tenant)]):
                    self._remember(name, written, tenant)
                    return outcome
        raise StoreDownError(
            f"the store {self.address} is too busy: tenant {name!r} changed {MOST_TRIES} times meanwhile"
        )

    async def drop(self, name: str) -> bool:
        """See `mock_idp.store.Store`."""
        self._cache.pop(name, None)
        keys = [self._key("names"), self._key("tenant", _quoted(name))]
        # The tenant goes first: from then on nothing new is kept for it.
        dropped = await self._run(_DROP, keys, [name.encode("utf-8", "surrogatepass")])
        await self.clear(name)
        return bool(dropped)

    async def names(self) -> list[str]:
        """See `mock_idp.store.Store`."""
        found = await self._command("ZRANGE", self._key("names"), 0, -1)
        return [name.decode("utf-8", "surrogatepass") for name in found]

    async def put(self, tenant: str, key: str, record: Record, lifetime: float) -> None:
        """See `mock_idp.store.Store`."""
        owner, table = _quoted(tenant), type(record).__name__
        keys = [self._key("tenant", owner), self._key("index", owner, table), self._key("row", owner, table, key)]
        milliseconds = math.ceil(lifetime * 1000)
        start = self._key("row", owner, table, "")
        name = key.encode("utf-8", "surrogatepass")
        await self._run(_PUT, keys, [name, dump(record), milliseconds, self._keep, start])

    async def get(self, tenant: str, table: type[R], key: str) -> R | None:
        """See `mock_idp.store.Store`."""
        row = self._key("row", _quoted(tenant), table.__name__, key)
        record = await self._command("HGET", row, "record")
        return None if record is None else self._load(table, record)

    async def spend(self, tenant: str, table: type[R], key: str) -> tuple[R | None, bool]:
        """See `mock_idp.store.Store`."""
        row = self._key("row", _quoted(tenant), table.__name__, key)
        found = await self._run(_SPEND, [row])
        return (self._load(table, found[0]), bool(found[1])) if found else (None, False)

    async def delete(self, tenant: str, table: type[Record], key: str) -> bool:
        """See `mock_idp.store.Store`."""
        owner = _quoted(tenant)
        keys = [self._key("index", owner, table.__name__), self._key("row", owner, table.__name__, key)]
        return bool(await self._run(_DELETE, keys, [key.encode("utf-8", "surrogatepass")]))

    async def records(self, tenant: str, table: type[R]) -> dict[str, R]:
        """See `mock_idp.store.Store`."""
        owner = _quoted(tenant)
        start = self._key("row", owner, table.__name__, "")
        found = await self._run(_RECORDS, [self._key("index", owner, table.__name__)], [start])
        pairs = zip(found[::2], found[1::2], strict=True)
        return {key.decode("utf-8", "surrogatepass"): self._load(table, record) for key, record in pairs}

    async def clear(self, tenant: str) -> None:
        """See `mock_idp.store.Store`."""
        owner = _quoted(tenant)
        indexes = [self._key("index", owner, table) for table in _TABLES]
        starts = [self._key("row", owner, table, "") for table in _TABLES]
        await self._run(_CLEAR, [self._key("journal", owner), *indexes], starts)

    async def write(self, tenant: str, entry: Entry) -> None:
        """See `mock_idp.store.Store`."""
        owner = _quoted(tenant)
        keys = [self._key("tenant", owner), self._key("journal", owner)]
        entry.number = await self._run(_WRITE, keys, [dump(entry), self._journal_length])

    async def entries(self, tenant: str, after: int = 0) -> list[Entry]:
        """See `mock_idp.store.Store`."""
        journal = self._key("journal", _quoted(tenant))
        found = await self._command("XRANGE", journal, f"{after + 1}-0", "+")
        return [self._entry(*item) for item in found]

    def _entry(self, identifier: bytes, fields: dict[bytes, bytes]) -> Entry:
        entry = self._load(Entry, fields[b"entry"])
        entry.number = int(identifier.partition(b"-")[0])
        return entry

    async def wait(self, tenant: str, after: int, timeout: float) -> list[Entry]:  # noqa: ASYNC109 # see there
        """See `mock_idp.store.Store`."""
        deadline = time.monotonic() + timeout
        owner = _quoted(tenant)
        journal = self._key("journal", owner)
        while True:
            found = await self.entries(tenant, after)
            left = deadline - time.monotonic()
            if found or left <= 0 or not await self._command("EXISTS", self._key("tenant", owner)):
                return found
            block = max(1, int(min(left, LONGEST_BLOCK) * 1000))
            streams = {journal: f"{after}-0"}
            try:
                read: Any = await self._waiting.xread(streams, block=block)  # type: ignore[arg-type]
            except _FAILURES as error:
                raise self._down(error) from error
            for _, items in read or ():
                return [self._entry(*item) for item in items]

    async def close(self) -> None:
        """See `mock_idp.store.Store`."""
        await self._pool.disconnect()
        await self._waiting_pool.disconnect()


def redacted(url: str) -> str:
    """The URL as it may be shown: without password and options."""
    parts = urlsplit(url)
    login, at, place = parts.netloc.rpartition("@")
    user, colon, _ = login.partition(":")
    return f"{parts.scheme}://{user}{colon and ':***'}{at}{place}{parts.path}"


def _prefix(url: str, address: str) -> tuple[str, str]:
    """The URL without our own option, and that option."""
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query))
    prefix = options.pop("prefix", PREFIX)
    if options and parts.scheme != "unix":
        raise ValueError(f"the store {address} takes no option {', '.join(sorted(options))}; there is only prefix")
    return urlunsplit(parts._replace(query="&".join(f"{name}={value}" for name, value in options.items()))), prefix


def _stamp() -> bytes:
    return secrets.token_bytes(8)


@lru_cache(maxsize=CACHED_TENANTS)
def _quoted(tenant: str) -> str:
    """The tenant's name without colons, which separate the parts of a key."""
    return tenant.replace("%", "%25").replace(":", "%3A")
