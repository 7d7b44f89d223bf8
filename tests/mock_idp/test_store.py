"""One suite over both stores, and what only one of them can do wrong."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import pytest

from mock_idp.journal import Entry
from mock_idp.keys.ring import KeyRef
from mock_idp.records import AccessToken, Account, Armed, Client, Code, DeviceCode, Grant, Match, Seen, Tenant
from mock_idp.store import Store, StoreDownError, open_store
from mock_idp.store.memory import MemoryStore
from mock_idp.store.redis import RedisStore, redacted

if TYPE_CHECKING:
    from tests.mock_idp.redis_server import RedisServer

Scenario = Callable[[Store], Awaitable[None]]
Use = Callable[..., None]
WAIT_S = 20.0
HOUR = 3600.0


@pytest.fixture(params=["memory", "redis"])
def use(request: pytest.FixtureRequest) -> Use:
    """``use(scenario, **options)``: run a scenario on a fresh store with a tenant named t."""

    def make(options: dict[str, Any]) -> Store:
        if request.param == "memory":
            return MemoryStore(**options)
        url = request.getfixturevalue("redis_url")
        return RedisStore(f"{url}?prefix=test-{secrets.token_hex(6)}", **options)

    def run(scenario: Scenario, **options: Any) -> None:
        async def go() -> None:
            store = make(options)
            try:
                await store.create(Tenant("t"))
                await scenario(store)
            finally:
                for name in await store.names():
                    await store.drop(name)
                await store.close()

        asyncio.run(go())

    return run


def grant(identifier: str = "g") -> Grant:
    return Grant(
        identifier, "app", "alice", "alice", ["openid"], 1.5, "http://issuer", claims={"userinfo": {"x": None}}
    )


def entry(url: str = "http://idp/") -> Entry:
    return Entry(1.25, "GET", url, [(b"x-odd", b"\xff")], b"\x00\xfe")


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not await condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.005)


# --- tenants ----------------------------------------------------------------------------------------------------------


def test_a_tenant_comes_back_whole(use: Use) -> None:
    whole = Tenant("a/b:c%d")
    whole.settings.signing_alg = "EdDSA"
    whole.settings.lifetimes.code = 7
    whole.clients["app"] = Client("app", "s€cret", lenient=["code-reuse"], jwks={"keys": []})
    whole.accounts["ann"] = Account("ann", claims={"nested": {"list": [1, 2.5, None, True]}, "lone": "\ud800"})
    whole.keys.keys.append(KeyRef("kid", "EdDSA", "seed:00", "announced"))
    whole.armed.append(Armed("1", "token.http-500", Match(nth=3), times=2))
    whole.clock.frozen = 12.5

    async def scenario(store: Store) -> None:
        await store.create(whole)
        assert await store.tenant("a/b:c%d") == whole
        assert await store.tenant("a/b") is None

    use(scenario)


def test_the_first_to_create_a_tenant_wins(use: Use) -> None:
    async def scenario(store: Store) -> None:
        first, second = Tenant("same", accounts={"a": Account("a")}), Tenant("same")
        assert await store.create(first) is first
        assert list((await store.create(second)).accounts) == ["a"]
        assert await store.names() == ["t", "same"]

    use(scenario)


def test_changes_of_many_are_all_kept_and_counted(use: Use) -> None:
    async def scenario(store: Store) -> None:
        before = await store.tenant("t")
        assert before is not None
        version = before.version

        def add(name: str) -> Callable[[Tenant], str]:
            def edit(tenant: Tenant) -> str:
                return tenant.accounts.setdefault(name, Account(name)).sub

            return edit

        names = [f"n{number}" for number in range(40)]
        assert await asyncio.gather(*(store.change("t", add(name)) for name in names)) == names
        after = await store.tenant("t")
        assert after is not None
        assert sorted(after.accounts) == sorted(names)
        assert after.version == version + len(names)

    use(scenario)


def test_changing_what_is_not_there_says_so(use: Use) -> None:
    async def scenario(store: Store) -> None:
        with pytest.raises(KeyError):
            await store.change("nobody", lambda _: None)

    use(scenario)


def test_a_dropped_tenant_leaves_no_trace_and_starts_anew(use: Use) -> None:
    async def scenario(store: Store) -> None:
        first = await store.tenant("t")
        assert first is not None
        old_version = first.version
        await store.put("t", "g", grant(), HOUR)
        await store.write("t", entry())
        assert await store.drop("t") is True
        assert await store.drop("t") is False
        await store.put("t", "late", grant("late"), HOUR)
        await store.write("t", entry())
        assert await store.tenant("t") is None
        again = await store.create(Tenant("t"))
        assert again.version > old_version
        assert await store.records("t", Grant) == {}
        assert await store.get("t", Grant, "g") is None
        assert await store.entries("t") == []
        one = entry()
        await store.write("t", one)
        assert one.number == 1

    use(scenario)


# --- records ----------------------------------------------------------------------------------------------------------


def test_a_record_comes_back_whole(use: Use) -> None:
    code = Code(grant(), 99.5, None, challenge="c")
    device = DeviceCode("app", ["openid"], 5.0, "http://issuer.test", grant=grant())

    async def scenario(store: Store) -> None:
        for key, record in (("k:1", code), ("", device), ("\ud800", Seen(1.0))):
            await store.put("t", key, record, HOUR)
            assert await store.get("t", type(record), key) == record
        assert await store.get("t", Grant, "k:1") is None
        assert await store.get("other", Code, "k:1") is None

    use(scenario)


def test_exactly_one_of_many_spends_a_record(use: Use) -> None:
    async def scenario(store: Store) -> None:
        await store.put("t", "c", Seen(1.0), HOUR)
        outcomes = await asyncio.gather(*(store.spend("t", Seen, "c") for _ in range(40)))
        assert [record for record, _ in outcomes] == [Seen(1.0)] * 40
        assert sum(first for _, first in outcomes) == 1
        assert await store.get("t", Seen, "c") == Seen(1.0)
        assert await store.records("t", Seen) == {}

    use(scenario)


def test_a_record_that_is_put_again_stays_spent(use: Use) -> None:
    async def scenario(store: Store) -> None:
        await store.put("t", "c", Seen(1.0), HOUR)
        await store.spend("t", Seen, "c")
        await store.put("t", "c", Seen(2.0), HOUR)
        assert await store.spend("t", Seen, "c") == (Seen(2.0), False)

    use(scenario)


def test_nothing_is_spent_where_nothing_is(use: Use) -> None:
    async def scenario(store: Store) -> None:
        assert await store.spend("t", Seen, "c") == (None, False)
        assert await store.delete("t", Seen, "c") is False

    use(scenario)


def test_a_deleted_record_is_gone_and_its_key_is_free(use: Use) -> None:
    async def scenario(store: Store) -> None:
        await store.put("t", "c", Seen(1.0), HOUR)
        await store.spend("t", Seen, "c")
        assert await store.delete("t", Seen, "c") is True
        assert await store.get("t", Seen, "c") is None
        await store.put("t", "c", Seen(2.0), HOUR)
        assert await store.spend("t", Seen, "c") == (Seen(2.0), True)

    use(scenario)


def test_an_expired_record_is_gone_and_its_key_is_free(use: Use) -> None:
    async def scenario(store: Store) -> None:
        async def gone() -> bool:
            return await store.get("t", Seen, "c") is None

        await store.put("t", "c", Seen(1.0), 0.02)
        await store.spend("t", Seen, "c")
        await until(gone)
        assert await store.spend("t", Seen, "c") == (None, False)
        await store.put("t", "c", Seen(2.0), HOUR)
        assert await store.records("t", Seen) == {"c": Seen(2.0)}
        assert await store.spend("t", Seen, "c") == (Seen(2.0), True)

    use(scenario)


def test_a_lifetime_in_the_past_keeps_nothing(use: Use) -> None:
    async def scenario(store: Store) -> None:
        await store.put("t", "c", Seen(1.0), -5)
        assert await store.get("t", Seen, "c") is None

    use(scenario)


def test_a_table_keeps_the_newest(use: Use) -> None:
    async def scenario(store: Store) -> None:
        for number in range(20):
            await store.put("t", f"k{number}", Seen(float(number)), HOUR)
        assert list(await store.records("t", Seen)) == ["k15", "k16", "k17", "k18", "k19"]
        assert await store.get("t", Seen, "k14") is None

    use(scenario, keep=5)


def test_clearing_keeps_the_tenant_and_its_journal_numbers(use: Use) -> None:
    async def scenario(store: Store) -> None:
        await store.create(Tenant("u"))
        for name in ("t", "u"):
            await store.put(name, "g", grant(), HOUR)
            await store.write(name, entry())
        await store.clear("t")
        assert await store.records("t", Grant) == {}
        assert await store.entries("t") == []
        assert await store.tenant("t") is not None
        assert await store.records("u", Grant) == {"g": grant()}
        one = entry()
        await store.write("t", one)
        assert one.number == 2

    use(scenario)


# --- the journal ------------------------------------------------------------------------------------------------------


def test_the_journal_is_ordered_whole_and_bounded(use: Use) -> None:
    async def scenario(store: Store) -> None:
        for number in range(12):
            await store.write("t", entry(f"http://idp/{number}"))
        found = await store.entries("t")
        assert [one.number for one in found] == [8, 9, 10, 11, 12]
        expected = entry("http://idp/11")
        expected.number = 12
        assert await store.entries("t", 11) == [expected]
        assert await store.entries("t", 12) == []

    use(scenario, journal_length=5)


def test_waiting_ends_with_the_first_entry(use: Use) -> None:
    async def scenario(store: Store) -> None:
        waiting = [asyncio.create_task(store.wait("t", 0, WAIT_S)) for _ in range(3)]
        await asyncio.sleep(0)
        await store.write("t", entry())
        for found in await asyncio.gather(*waiting):
            assert [one.number for one in found] == [1]

    use(scenario)


def test_waiting_has_a_bound_and_what_is_there_is_given_at_once(use: Use) -> None:
    async def scenario(store: Store) -> None:
        assert await store.wait("t", 0, 0.02) == []
        assert await store.wait("t", 0, 0) == []
        assert await store.wait("nobody", 0, WAIT_S) == []
        await store.write("t", entry())
        assert len(await store.wait("t", 0, WAIT_S)) == 1

    use(scenario)


def test_waiting_ends_when_the_tenant_is_dropped(use: Use) -> None:
    async def scenario(store: Store) -> None:
        waiting = asyncio.create_task(store.wait("t", 0, 600))
        await asyncio.sleep(0)
        await store.drop("t")
        assert await asyncio.wait_for(waiting, WAIT_S) == []

    use(scenario)


# --- bounds -----------------------------------------------------------------------------------------------------------


def test_a_million_finished_flows_do_not_grow_the_memory_store() -> None:
    async def scenario() -> None:
        store = MemoryStore(keep=1000)
        await store.create(Tenant("t"))
        token = AccessToken("g", 1.0, [], [], 0.0)
        for number in range(1_000_000):
            await store.put("t", str(number), token, HOUR)
        assert len(await store.records("t", AccessToken)) == 1000

    asyncio.run(scenario())


def test_expired_records_leave_redis_without_being_asked_for(redis_url: str) -> None:
    async def scenario() -> None:
        store = RedisStore(f"{redis_url}?prefix=test-{secrets.token_hex(6)}", keep=50)
        await store.create(Tenant("t"))
        before = await keys_of(store)
        for number in range(2_000):
            await store.put("t", str(number), Seen(1.0), HOUR)
        # The rows that are kept, and their index.
        assert await keys_of(store) == before + 50 + 1
        for number in range(50):
            await store.put("t", f"short{number}", Seen(1.0), 0.01)

        async def expired() -> bool:
            return await keys_of(store) == before + 1

        await until(expired)
        await store.put("t", "last", Seen(1.0), HOUR)
        assert await store._command("ZCARD", store._key("index", "t", "Seen")) == 1
        await store.drop("t")
        assert await keys_of(store) == 0
        await store.close()

    asyncio.run(scenario())


async def keys_of(store: RedisStore) -> int:
    """How many keys the store has in Redis."""
    return len([key async for key in store._redis.scan_iter(match=store._key("*"), count=1000)])


# --- two processes, and a Redis that goes away ------------------------------------------------------------------------


def test_two_stores_share_everything(redis_url: str) -> None:
    async def scenario() -> None:
        url = f"{redis_url}?prefix=test-{secrets.token_hex(6)}"
        one, other = RedisStore(url), RedisStore(url)
        await one.create(Tenant("t"))
        assert (await other.tenant("t")) == (await one.tenant("t"))
        waiting = asyncio.create_task(other.wait("t", 0, WAIT_S))

        def add(name: str) -> Callable[[Tenant], Account]:
            return lambda tenant: tenant.accounts.setdefault(name, Account(name))

        stores = [one, other] * 20
        await asyncio.gather(*(store.change("t", add(str(number))) for number, store in enumerate(stores)))
        for store in (one, other):
            seen = await store.tenant("t")
            assert seen is not None
            assert len(seen.accounts) == 40
        await one.put("t", "c", Seen(1.0), HOUR)
        spent = await asyncio.gather(*(store.spend("t", Seen, "c") for store in stores))
        assert sum(first for _, first in spent) == 1
        await asyncio.gather(*(store.write("t", entry(str(number))) for number, store in enumerate(stores)))
        assert [one.number for one in await other.entries("t")] == list(range(1, 41))
        assert await waiting
        await one.drop("t")
        assert await other.tenant("t") is None
        # Made anew with the very same content, it is another tenant all the same.
        await one.create(Tenant("t", accounts={"new": Account("new")}))
        anew = await other.tenant("t")
        assert anew is not None
        assert list(anew.accounts) == ["new"]
        await one.drop("t")
        await one.close()
        await other.close()

    asyncio.run(scenario())


def test_a_redis_that_goes_away_is_told_in_one_line_and_taken_up_again(redis_server: RedisServer) -> None:
    async def scenario() -> None:
        url = redis_server.url.replace("://", "://somebody:the-pass@")
        store = RedisStore(redis_server.url)
        await store.create(Tenant("t"))
        await store.put("t", "c", Seen(1.0), HOUR)
        waiting = asyncio.create_task(store.wait("t", 0, WAIT_S))
        await asyncio.sleep(0)
        redis_server.stop()
        for ask in (
            lambda: store.tenant("t"),
            lambda: store.get("t", Seen, "c"),
            lambda: store.spend("t", Seen, "c"),
            lambda: store.put("t", "d", Seen(1.0), HOUR),
            lambda: store.change("t", lambda _: None),
            lambda: store.write("t", entry()),
            lambda: store.entries("t"),
            lambda: waiting,
        ):
            with pytest.raises(StoreDownError) as caught:
                await ask()
            assert str(caught.value).startswith(f"the store {redis_server.url} does not answer: ")
            assert "\n" not in str(caught.value)
        refused = RedisStore(url)
        with pytest.raises(StoreDownError) as caught:
            await refused.names()
        assert "the-pass" not in str(caught.value)
        assert redis_server.start()
        assert await store.names() == []
        await store.create(Tenant("t"))
        await store.put("t", "c", Seen(1.0), HOUR)
        assert await store.spend("t", Seen, "c") == (Seen(1.0), True)
        with pytest.raises(StoreDownError, match="refuses"):
            await refused.names()
        await store.close()
        await refused.close()

    asyncio.run(scenario())


def test_a_redis_that_is_silent_is_given_up(redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mock_idp.store.redis.ANSWER_TIMEOUT", 0.2)

    async def scenario() -> None:
        store = RedisStore(redis_server.url)
        await store.create(Tenant("t"))
        redis_server.freeze()
        with pytest.raises(StoreDownError, match="does not answer"):
            await asyncio.wait_for(store.tenant("t"), WAIT_S)
        redis_server.thaw()
        assert await store.tenant("t") is not None
        await store.close()

    asyncio.run(scenario())


def test_what_cannot_be_read_is_told_in_one_line(redis_url: str) -> None:
    async def scenario() -> None:
        store = RedisStore(f"{redis_url}?prefix=test-{secrets.token_hex(6)}")
        await store.create(Tenant("t"))
        await store._command("HSET", store._key("tenant", "t"), "stamp", "x", "document", '["not", "ours"]')
        with pytest.raises(StoreDownError, match="cannot read"):
            await store.tenant("t")
        await store.drop("t")
        await store.close()

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("", "no store is named ':'; there are memory: and redis://host:6379/0"),
        ("memory", "no store is named 'memory:'; there are memory: and redis://host:6379/0"),
        ("postgres://host/db", "no store is named 'postgres:'; there are memory: and redis://host:6379/0"),
        ("redis:6379", "no store is named 'redis:'; there are memory: and redis://host:6379/0"),
        ("redis://u:the-pass@h/0?size=3", "the store redis://u:***@h/0 takes no option size; there is only prefix"),
        ("redis://u:the-pass@h:many/0", "the store redis://u:***@h:many/0 cannot be used: "),
    ],
)
def test_no_such_store(url: str, sentence: str) -> None:
    with pytest.raises(ValueError, match="store") as caught:
        open_store(url)
    assert str(caught.value).startswith(sentence)
    assert "the-pass" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://host:1/2?prefix=x", "redis://host:1/2"),
        ("redis://:the-pass@host", "redis://:***@host"),
        ("rediss://u:p@ss@host/0", "rediss://u:***@host/0"),
        ("unix:///run/redis.sock?db=1&password=the-pass", "unix:///run/redis.sock"),
    ],
)
def test_passwords_are_not_shown(url: str, shown: str) -> None:
    assert redacted(url) == shown
