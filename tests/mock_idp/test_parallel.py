"""Fifty tenants, a hundred interleaved flows each: nobody sees anything of anybody else, faults included."""

from __future__ import annotations

import asyncio
import random
import secrets
from base64 import b64encode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from jwt import InvalidSignatureError, PyJWK, PyJWS

from mock_idp.records import Armed, Match
from tests.mock_idp.served import REDIRECT_URI, Served, World, challenge, claims
from tests.mock_idp.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Callable

    from mock_idp.records import Tenant

TENANTS = 50
FLOWS = 100
AT_ONCE = 64
RSA_TENANTS = 6
PEOPLE = ("alice", "bob", "carol")

VISIBLE = (
    "authorization.error-access-denied",
    "authorization.state-random",
    "authorization.iss-wrong",
    "token.http-500",
    "token.missing-access-token",
    "token.missing-id-token",
    "id-token.sig-corrupt",
    "id-token.iss-wrong",
    "id-token.aud-wrong",
    "id-token.nonce-wrong",
    "id-token.exp-past",
    "userinfo.http-500",
    "userinfo.sub-mismatch",
)
"""Faults that a strict relying party can tell from each other by one flow."""
TOGETHER = (
    ("authorization.iss-wrong", "id-token.aud-wrong"),
    ("id-token.nonce-wrong", "userinfo.sub-mismatch"),
    ("id-token.sig-corrupt", "id-token.exp-past", "authorization.state-random"),
)
BASIC = b"authorization: Basic " + b64encode(b"app:app-secret")


@dataclass
class Login:
    """One flow of one browser, and what it was meant to meet.

    Attributes:
        bound: the faults it was bound to.
        met: the faults that the relying party saw.

    """

    world: World
    key: PyJWK
    account: str
    bound: frozenset[str]
    way: str
    state: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    met: set[str] = field(default_factory=set)

    async def run(self, wire: Wire) -> None:
        """Look as closely as a strict relying party, and go on after each surprise, to see what else is wrong."""
        verifier, pkce = challenge()
        response = await self.authorize(wire, pkce)
        if "error" in response:
            self.note("authorization.error-access-denied", struck=response["error"] == "access_denied")
            return
        self.note("authorization.state-random", struck=response["state"] != self.state)
        self.note("authorization.iss-wrong", struck=response["iss"] != self.world.issuer)
        form = {"grant_type": "authorization_code", "code": response["code"], "redirect_uri": REDIRECT_URI}
        body = urlencode({**form, "code_verifier": verifier}).encode()
        reply = await wire.ask(b"POST", f"/{self.world.name}/token".encode(), body, BASIC)
        if reply.status != 200:
            self.note("token.http-500", struck=reply.status == 500)
            return
        tokens = reply.json()
        self.check_id_token(tokens.get("id_token"))
        if tokens.get("access_token") is None:
            self.met.add("token.missing-access-token")
            return
        await self.check_userinfo(wire, tokens["access_token"])

    async def authorize(self, wire: Wire, pkce: dict[str, str]) -> dict[str, str]:
        faults = " ".join(sorted(self.bound))
        by_name = f"fault:{'+'.join(sorted(self.bound))}:{self.account}"
        parameters = {
            "response_type": "code",
            "client_id": "app",
            "redirect_uri": REDIRECT_URI,
            "scope": "openid profile",
            "state": self.state,
            "nonce": self.nonce,
            "login_hint": by_name if self.way == "account" and faults else self.account,
            **({"mock_fault": faults} if self.way == "parameter" and faults else {}),
            **pkce,
        }
        target = f"/{self.world.name}/authorize?{urlencode(parameters, quote_via=quote)}"
        reply = await wire.ask(b"GET", target.encode())
        assert reply.status == 303, reply
        return dict(parse_qsl(urlsplit(reply.headers["location"]).query, keep_blank_values=True))

    def check_id_token(self, token: str | None) -> None:
        if token is None:
            self.met.add("token.missing-id-token")
            return
        try:
            PyJWS().decode(token, self.key, algorithms=[self.key.algorithm_name])
        except InvalidSignatureError:
            self.met.add("id-token.sig-corrupt")
        said = claims(token)
        assert said["sub"] == self.account
        self.note("id-token.iss-wrong", struck=said["iss"] != self.world.issuer)
        self.note("id-token.aud-wrong", struck=said["aud"] != "app")
        self.note("id-token.nonce-wrong", struck=said["nonce"] != self.nonce)
        self.note("id-token.exp-past", struck=said["exp"] <= said["iat"])

    async def check_userinfo(self, wire: Wire, access_token: str) -> None:
        bearer = f"authorization: Bearer {access_token}".encode()
        reply = await wire.ask(b"GET", f"/{self.world.name}/userinfo".encode(), None, bearer)
        if reply.status != 200:
            self.note("userinfo.http-500", struck=reply.status == 500)
            return
        profile = reply.json()
        self.note("userinfo.sub-mismatch", struck=profile["sub"] != self.account)
        assert profile["preferred_username"] == self.account

    def note(self, fault: str, *, struck: bool) -> None:
        if struck:
            self.met.add(fault)


def test_nobody_sees_anything_of_anybody_else(served: Served) -> None:
    worlds = [served.tenant(signing_alg="RS256" if n < RSA_TENANTS else "EdDSA") for n in range(TENANTS)]
    logins = [login for number, world in enumerate(worlds) for login in planned(world, lies=number % 2 == 1)]
    random.shuffle(logins)
    asyncio.run(run_all(logins, int(served.base.rpartition(":")[2])))

    wrong = [(login.way, sorted(login.bound), sorted(login.met)) for login in logins if login.met != login.bound]
    assert wrong == []
    assert sum(bool(login.bound) for login in logins) > TENANTS * FLOWS / 8
    for world in worlds:
        journal_agrees(world, [login for login in logins if login.world is world])
        served.run(served.provider.store.drop(world.name))
        world.http.close()


def planned(world: World, *, lies: bool) -> list[Login]:
    """A hundred logins of a tenant, half of them with faults where it `lies`."""
    key = PyJWK(world.get("jwks").json()["keys"][0])
    logins = []
    for number in range(FLOWS):
        faults = random.choice([(fault,) for fault in VISIBLE] + [*TOGETHER]) if lies and number % 2 else ()
        way = random.choice(["parameter", "account", "armed"])
        logins.append(Login(world, key, random.choice(PEOPLE), frozenset(faults), way))
    armed = [login for login in logins if login.way == "armed"]
    world.change(arming(armed))
    return logins


def arming(logins: list[Login]) -> Callable[[Tenant], None]:
    def arm(tenant: Tenant) -> None:
        for login in logins:
            for fault in login.bound:
                tenant.armed.append(Armed(secrets.token_hex(4), fault, Match(state=login.state), times=1))

    return arm


async def run_all(logins: list[Login], port: int) -> None:
    """So many at once that their requests interleave; each on whatever connection is free."""
    waiting = iter(logins)

    async def work() -> None:
        async with Wire(port) as wire:
            for login in waiting:
                await login.run(wire)

    await asyncio.gather(*(work() for _ in range(AT_ONCE)))


def journal_agrees(world: World, logins: list[Login]) -> None:
    """The journal names the same faults for the same logins, and nothing that was lenient."""
    struck: dict[str, set[str]] = {login.state: set() for login in logins}
    for entry in world.journal():
        assert not entry.lenient
        if entry.faults:
            assert entry.state is not None
            struck[entry.state].update(entry.faults)
    assert struck == {login.state: set(login.bound) for login in logins}


def test_a_code_is_good_in_its_own_tenant_only(served: Served, tenant: World) -> None:
    other = served.tenant()
    with other.http:
        code = tenant.code()
        assert other.redeem(code).json()["error"] == "invalid_grant"
        tokens = tenant.redeem(code).json()
        assert other.userinfo(tokens["access_token"]).status_code == 401
        assert tenant.userinfo(tokens["access_token"]).status_code == 200
    served.run(served.provider.store.drop(other.name))
