"""Several processes that are one provider: what happens once happens once, whichever of them is asked."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
import subprocess
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import pytest

import mock_idp
from mock_idp.accounts import usual_accounts
from mock_idp.provider import Provider
from mock_idp.records import Armed, Client, Settings, Tenant
from mock_idp.store.redis import RedisStore
from tests.mock_idp.processes import started
from tests.mock_idp.relying_party import RelyingParty, client
from tests.mock_idp.served import REDIRECT_URI

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from tests.mock_idp.redis_server import RedisServer

WAIT_S = 30.0
ROUNDS = 10
AT_ONCE = 6


@dataclass(frozen=True)
class Replicas:
    """Two processes over one store."""

    store: str
    one: str
    other: str


@pytest.fixture(scope="module")
def replicas(redis_url: str) -> Iterator[Replicas]:
    store = f"{redis_url}?prefix=test-{secrets.token_hex(6)}"
    with started("--store", store) as (one, _), started("--store", store) as (other, _):
        yield Replicas(store, one, other)


@asynccontextmanager
async def a_tenant(url: str, **settings: Any) -> AsyncIterator[tuple[str, RedisStore]]:
    """A tenant that approves everything, and the store where it is."""
    store = RedisStore(url)
    name = f"t{secrets.token_hex(6)}"
    clients = {"app": Client("app", "app-secret", redirect_uris=[REDIRECT_URI])}
    merged = Settings(**{"auto_approve": "alice", "signing_alg": "EdDSA", **settings})
    await Provider(store).make(Tenant(name, merged, clients, usual_accounts()))
    try:
        yield name, store
    finally:
        await store.drop(name)
        await store.close()


def in_a_tenant(replicas: Replicas, scenario: Callable[[str, RedisStore, httpx.AsyncClient], Awaitable[None]]) -> None:
    async def go() -> None:
        async with a_tenant(replicas.store) as (name, store), client() as http:
            await scenario(name, store, http)

    asyncio.run(go())


def test_a_code_of_one_is_redeemed_by_the_other(replicas: Replicas) -> None:
    async def scenario(name: str, store: RedisStore, http: httpx.AsyncClient) -> None:
        party, other = RelyingParty(http, f"{replicas.one}/{name}"), f"{replicas.other}/{name}"
        response = await party.redeem(await party.code(), other)
        assert response.status_code == 200, response.text
        profile = await party.userinfo(response.json()["access_token"])
        assert profile.json()["sub"] == "alice"
        journal = await store.entries(name)
        assert [entry.endpoint for entry in journal] == ["authorization", "token", "userinfo"]
        assert len({entry.grant for entry in journal}) == 1

    in_a_tenant(replicas, scenario)


def test_a_code_is_redeemed_once_however_many_try(replicas: Replicas) -> None:
    async def scenario(name: str, store: RedisStore, http: httpx.AsyncClient) -> None:
        issuers = [f"{base}/{name}" for base in (replicas.one, replicas.other)]
        for number in range(ROUNDS):
            party = RelyingParty(http, issuers[number % 2])
            code = await party.code()
            answers = await asyncio.gather(*(party.redeem(code, issuers[k % 2]) for k in range(AT_ONCE)))
            assert sorted(one.status_code for one in answers) == [200] + [400] * (AT_ONCE - 1)
            assert {one.json()["error"] for one in answers if one.status_code != 200} == {"invalid_grant"}
            won = next(one.json() for one in answers if one.status_code == 200)
            # The others were replays: what the first one gave is dead at both, even where it was still being made.
            for issuer in issuers:
                assert (await party.userinfo(won["access_token"], issuer)).status_code == 401
                assert (await party.refresh(won["refresh_token"], issuer)).json()["error"] == "invalid_grant"

    in_a_tenant(replicas, scenario)


def test_a_refresh_token_rotates_once_however_many_try_and_the_family_dies(replicas: Replicas) -> None:
    async def scenario(name: str, store: RedisStore, http: httpx.AsyncClient) -> None:
        issuers = [f"{base}/{name}" for base in (replicas.one, replicas.other)]
        for number in range(ROUNDS):
            party = RelyingParty(http, issuers[number % 2])
            first = (await party.redeem(await party.code())).json()
            second = (await party.refresh(first["refresh_token"], issuers[1 - number % 2])).json()
            answers = await asyncio.gather(
                *(party.refresh(second["refresh_token"], issuers[k % 2]) for k in range(AT_ONCE))
            )
            assert sorted(one.status_code for one in answers) == [200] + [400] * (AT_ONCE - 1)
            third = next(one.json() for one in answers if one.status_code == 200)
            for issuer in issuers:
                for tokens in (first, second, third):
                    assert (await party.refresh(tokens["refresh_token"], issuer)).json()["error"] == "invalid_grant"
                    assert (await party.userinfo(tokens["access_token"], issuer)).status_code == 401

    in_a_tenant(replicas, scenario)


def test_a_counted_fault_strikes_as_often_as_it_is_counted(replicas: Replicas) -> None:
    async def scenario(name: str, store: RedisStore, http: httpx.AsyncClient) -> None:
        await store.change(name, lambda tenant: tenant.armed.append(Armed("1", "token.http-500", times=3)))
        issuers = [f"{base}/{name}" for base in (replicas.one, replicas.other)]
        parties = [RelyingParty(http, issuers[number % 2]) for number in range(12)]
        codes = await asyncio.gather(*(party.code() for party in parties))
        answers = await asyncio.gather(*(party.redeem(code) for party, code in zip(parties, codes, strict=True)))
        assert sorted(answer.status_code for answer in answers) == [200] * 9 + [500] * 3

    in_a_tenant(replicas, scenario)


def test_a_change_made_by_one_is_seen_by_the_other_at_once(replicas: Replicas) -> None:
    async def scenario(name: str, store: RedisStore, http: httpx.AsyncClient) -> None:
        bases = (replicas.one, replicas.other)
        for number in range(ROUNDS):

            def edit(tenant: Tenant, number: int = number) -> None:
                tenant.settings.scopes = ["openid", f"scope-{number}"]

            await store.change(name, edit)
            for base in bases:
                metadata = (await http.get(f"{base}/{name}/.well-known/openid-configuration")).json()
                assert metadata["scopes_supported"] == ["openid", f"scope-{number}"]

    in_a_tenant(replicas, scenario)


def test_a_tenant_that_both_make_on_first_use_is_one(replicas: Replicas) -> None:
    async def scenario(_: str, store: RedisStore, http: httpx.AsyncClient) -> None:
        for _round in range(ROUNDS):
            name = f"t{secrets.token_hex(6)}"
            asked = [f"{base}/{name}/jwks" for base in (replicas.one, replicas.other)] * 3
            answers = await asyncio.gather(*(http.get(url) for url in asked))
            assert len({answer.text for answer in answers}) == 1
            assert (await store.names()).count(name) == 1
            await store.drop(name)

    in_a_tenant(replicas, scenario)


def test_a_store_that_goes_away_is_a_clean_503_and_is_taken_up_again(redis_server: RedisServer) -> None:
    async def scenario(base: str) -> None:
        async with client() as http:
            async with a_tenant(redis_server.url) as (name, _):
                party = RelyingParty(http, f"{base}/{name}")
                tokens = (await party.redeem(await party.code())).json()
                code = await party.code()
                redis_server.stop()
                for answer in (
                    await party.authorize(),
                    await party.redeem(code),
                    await party.userinfo(tokens["access_token"]),
                    await http.get(f"{base}/{name}/.well-known/openid-configuration"),
                    await http.get(f"{base}/another/jwks"),
                ):
                    assert answer.status_code == 503
                    assert answer.json()["error"] == "temporarily_unavailable"
                    assert redis_server.url in answer.json()["error_description"]
                    assert "\n" not in answer.json()["error_description"]
                assert redis_server.start()
            async with a_tenant(redis_server.url) as (name, _):
                # It came back empty: what was issued before is unknown, and everything works.
                party = RelyingParty(http, f"{base}/{name}")
                assert (await party.redeem(code)).json()["error"] == "invalid_grant"
                assert (await party.userinfo(tokens["access_token"])).status_code == 401
                assert (await party.redeem(await party.code())).status_code == 200

    with started("--store", redis_server.url) as (base, _):
        asyncio.run(scenario(base))


def test_tenants_of_a_shared_store_are_made_over_http(redis_url: str) -> None:
    store = f"{redis_url}?prefix=test-{secrets.token_hex(6)}"
    with mock_idp.start(store=store) as one, mock_idp.start(store=store) as other:
        idp = one.tenant("acme", auto_approve="alice")
        assert other.tenants() == ["acme"]
        assert httpx.get(f"{other.base}/acme/jwks").json() == httpx.get(f"{idp.issuer}/jwks").json()
        with pytest.raises(mock_idp.IdpError, match="there is a tenant 'acme' already"):
            other.ask("POST", "/tenants", {"name": "acme"})
        idp.drop()


def test_workers_share_a_port_and_one_that_dies_is_replaced(redis_url: str) -> None:
    store = f"{redis_url}?prefix=test-{secrets.token_hex(6)}"

    async def flows(base: str, number: int) -> list[int]:
        async with a_tenant(store) as (name, _):

            async def flow() -> int:
                async with client(1) as http:  # a connection each, so that both workers get some
                    party = RelyingParty(http, f"{base}/{name}")
                    tokens = (await party.redeem(await party.code())).json()
                    return (await party.userinfo(tokens["access_token"])).status_code

            return await asyncio.gather(*(flow() for _ in range(number)))

    with started("--store", store, "--workers", "2") as (base, process):
        assert asyncio.run(flows(base, 12)) == [200] * 12
        os.kill(min(workers_of(process.pid)), signal.SIGKILL)
        assert process.stderr is not None
        assert "another one takes its place" in process.stderr.readline()
        assert asyncio.run(flows(base, 12)) == [200] * 12


def workers_of(parent: int) -> list[int]:
    """Process ids of the workers."""
    listing = subprocess.run(
        ["ps", "-Aww", "-o", "pid=,ppid=,args="], capture_output=True, text=True, check=True
    ).stdout
    rows = [line.split(maxsplit=2) for line in listing.splitlines()]
    return [int(pid) for pid, ppid, args in rows if int(ppid) == parent and "spawn_main" in args]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--workers", "2"], "--workers 2 needs a store that the processes share: --store redis://localhost:6379/0"),
        (["--store", "redis://:the-pass@127.0.0.1:1/0"], "the store redis://:***@127.0.0.1:1/0 does not answer: "),
        (["--workers", "2", "--store", "redis://127.0.0.1:1/0"], "the store redis://127.0.0.1:1/0 does not answer: "),
        (["--store", "sqlite:x"], "no store is named 'sqlite:'; there are memory: and redis://host:6379/0"),
    ],
)
def test_a_start_that_cannot_be_says_why_in_one_line(arguments: list[str], sentence: str) -> None:
    command = [sys.executable, "-m", "mock_idp", "--port", "0", *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=WAIT_S, check=False)
    assert ended.returncode == 4
    assert ended.stdout == ""
    assert ended.stderr.removeprefix("mock_idp: ").startswith(sentence)
    assert len(ended.stderr.splitlines()) == 1
    assert "the-pass" not in json.dumps(ended.stderr)
