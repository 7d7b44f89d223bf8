"""The provider without a port: how tenants are found, made, settled and lost, and how they are reached."""

from __future__ import annotations

import asyncio
import re
import time
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from mock_idp import provider as module
from mock_idp.addresses import Addresses
from mock_idp.protocol.errors import OAuthError
from mock_idp.provider import Provider
from mock_idp.records import Client, Settings, Tenant
from mock_idp.store.memory import MemoryStore
from mock_idp.tokens import jws
from mock_idp.wire.http import FORM, Request
from tests.mock_idp.served import REDIRECT_URI

if TYPE_CHECKING:
    from collections.abc import Callable

    from mock_idp.wire.http import Answer

T = TypeVar("T")
BASE = "http://127.0.0.1:8080"
AUTHORIZATION = {"response_type": "code", "client_id": "app", "redirect_uri": REDIRECT_URI, "scope": "openid"}


async def authorize(provider: Provider, base: str = BASE, **parameters: str) -> Answer:
    query = urlencode({**AUTHORIZATION, **parameters}).encode()
    return await provider.answer(Request("GET", base, "/t/authorize", query))


async def ask_token(provider: Provider, **form: str) -> Answer:
    body = urlencode({"client_id": "app", "client_secret": "s", **form}).encode()
    return await provider.answer(Request("POST", BASE, "/t/token", b"", [(b"content-type", FORM.encode())], body))


def tenant(**settings: Any) -> Tenant:
    clients = {"app": Client("app", "s", redirect_uris=[REDIRECT_URI])}
    return Tenant("t", Settings(**{"auto_approve": "alice", **settings}), clients)


class TestNames:
    """Which paths make a tenant."""

    @pytest.mark.parametrize(
        "path", ["/a//authorize", "/a/", "/a/b/authorize", "/_control/authorize", f"/{'a/' * 30}x"]
    )
    def test_what_names_no_tenant_makes_none(self, path: str) -> None:
        async def scenario() -> None:
            provider = Provider(MemoryStore())
            assert (await provider.answer(Request("GET", BASE, path))).status == 404
            assert await provider.store.names() == []

        asyncio.run(scenario())

    def test_of_a_path_of_any_length_only_so_many_names_are_looked_up(self) -> None:
        class Counting(MemoryStore):
            asked = 0

            async def tenant(self, name: str) -> Tenant | None:
                self.asked += 1
                return await super().tenant(name)

        async def scenario() -> None:
            store = Counting()
            assert (await Provider(store).answer(Request("GET", BASE, "/a" + "/" * 50_000))).status == 404
            assert store.asked <= module.LONGEST_TENANT

        asyncio.run(scenario())


def test_a_tenant_that_is_dropped_meanwhile_is_not_found() -> None:
    class Dropping(MemoryStore):
        async def change(self, name: str, edit: Callable[[Tenant], T]) -> T:
            await self.drop(name)
            return await super().change(name, edit)

    async def scenario() -> None:
        provider = Provider(Dropping())
        await provider.make(tenant(auto_approve="newcomer"))
        assert (await authorize(provider)).status == 404

    asyncio.run(scenario())


def test_a_tenant_that_is_settled_anew_keeps_its_keys_and_signs_with_what_is_configured_now() -> None:
    async def scenario() -> None:
        provider = Provider(MemoryStore())
        await provider.settle(tenant())
        await provider.settle(tenant(signing_alg="ES256"))
        answer = await authorize(provider, response_type="id_token", nonce="n")
        fragment = dict(parse_qsl(urlsplit(answer.header(b"location") or "").fragment))
        assert jws.unverified_header(fragment["id_token"])["alg"] == "ES256"
        found = await provider.store.tenant("t")
        assert found is not None
        assert found.keys.algorithms() == ["RS256", "ES256"]

    asyncio.run(scenario())


def test_accounts_made_by_signing_in_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        provider = Provider(MemoryStore())
        await provider.make(tenant())
        for number in range(5):
            assert (await authorize(provider, login_hint=f"person-{number}")).status == 303
        found = await provider.store.tenant("t")
        assert found is not None
        assert [*found.accounts] == ["person-0", "person-1", "person-2"]

    monkeypatch.setattr(module, "MOST_ACCOUNTS", 3)
    asyncio.run(scenario())


@pytest.mark.parametrize("name", ["\ud800", "a\nb", "x" * 501])
def test_what_cannot_be_printed_is_nobodys_name(name: str) -> None:
    async def scenario() -> None:
        provider = Provider(MemoryStore())
        made = await provider.make(tenant())
        with pytest.raises(OAuthError, match="no client can be called that"):
            provider.client(made, name)
        with pytest.raises(OAuthError, match="no account can be called"):
            await provider.account(made, name)

    asyncio.run(scenario())


def test_forms_and_cookies_belong_below_the_prefix_that_the_sender_used() -> None:
    async def scenario() -> None:
        provider = Provider(MemoryStore(), Addresses(forwarded=True))
        for base, below in ((BASE, "/t"), (f"{BASE}/idp", "/idp/t"), (f"{BASE}/other", "/other/t")):
            page = await authorize(provider, base)
            assert re.findall(r'<form[^>]* action="([^"]*)"', page.body.decode()) == [f"{below}/sign-in"]
            answer = await provider.answer(
                Request("GET", base, "/t/authorize", urlencode(AUTHORIZATION).encode()), approve="alice"
            )
            assert f"Path={below};" in (answer.header(b"set-cookie") or "")

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "odd",
    [{"sub": ["alice"]}, {"sub": None}, {"sub": ""}, {"auth_time": "soon"}, {"auth_time": None}, {"acr": {"x": 1}}],
)
def test_an_id_token_of_ours_may_say_anything_when_it_is_presented(odd: dict[str, Any]) -> None:
    async def scenario() -> None:
        provider = Provider(MemoryStore())
        made = await provider.make(tenant())
        claims = {"iss": f"{BASE}/t", "sub": "alice", "aud": "app", "exp": int(time.time()) + 60, **odd}
        token = jws.sign(claims, made.keys.active("RS256"))
        uris = "urn:ietf:params:oauth"
        kind = {"subject_token_type": f"{uris}:token-type:id_token"}
        exchange = {"grant_type": f"{uris}:grant-type:token-exchange", "subject_token": token, **kind}
        bearer = {"grant_type": f"{uris}:grant-type:jwt-bearer", "assertion": token}
        for form in (exchange, bearer):
            assert (await ask_token(provider, **form)).status == (400 if "sub" in odd else 200)
        assert (await authorize(provider, id_token_hint=token)).status == 303
        logout = Request("GET", BASE, "/t/logout", urlencode({"id_token_hint": token}).encode())
        assert (await provider.answer(logout)).status in {200, 400}

    asyncio.run(scenario())
