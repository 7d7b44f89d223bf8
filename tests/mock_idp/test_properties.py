"""What no sequence of requests may bring about."""

from __future__ import annotations

import asyncio
import secrets
import string
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from mock_idp.provider import Provider
from mock_idp.records import Client
from mock_idp.store.redis import RedisStore
from mock_idp.tokens.pkce import challenge_of
from tests.mock_idp.served import REDIRECT_URI, Served
from tests.mock_idp.wire import Reply, Wire

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mock_idp.records import Tenant

CODE_S, ACCESS_S = 60, 3600
BEGINNING = 1_800_000_000.0
UNRESERVED = string.ascii_letters + string.digits + "-._~"
verifiers = st.text(UNRESERVED, min_size=43, max_size=128)

numbers = st.integers(0, 1000)
"""Which of many, from the latest on: tokens differ from run to run, their order does not."""


@pytest.fixture(params=["memory", "redis"])
def provider(request: pytest.FixtureRequest) -> Iterator[Served]:
    """A provider over each store."""
    if request.param == "memory":
        yield request.getfixturevalue("served")
        return
    url = request.getfixturevalue("redis_url")
    with Served(Provider(RedisStore(f"{url}?prefix=test-{secrets.token_hex(6)}"))) as over_redis:
        yield over_redis


@dataclass
class Family:
    """All that came from one authorization.

    Attributes:
        dead: revoked as a whole.
        redeemed: its code was.
        rotating: refresh tokens that are good.
        refresh: refresh tokens that ever were.
        access: access tokens, and when they end.

    """

    dead: bool = False
    redeemed: bool = False
    rotating: set[str] = field(default_factory=set)
    refresh: list[str] = field(default_factory=list)
    access: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Issued:
    """A code, with what has to be known to redeem it."""

    text: str
    verifier: str | None
    expires_at: float
    family: Family
    attempts: list[str] = field(default_factory=list)


def chosen(held: list[tuple[Family, str]], number: int) -> tuple[Family, str]:
    return held[-1 - number % len(held)]


class TokenLife(RuleBasedStateMachine):
    """Codes, refresh tokens and access tokens of one tenant, used in any order, rightly and wrongly.

    `where` and `runner` are set by the test that runs it.
    """

    where: Served
    runner: asyncio.Runner

    codes = Bundle("codes")

    def __init__(self) -> None:
        super().__init__()
        self.world = self.where.tenant(signing_alg="EdDSA")
        self.now = BEGINNING
        self.world.change(self._begin)
        self.wire = Wire(int(self.where.base.rpartition(":")[2]))
        self.families: list[Family] = []

    def _begin(self, tenant: Tenant) -> None:
        tenant.clock.frozen = self.now
        tenant.clients["other"] = Client("other", "other-secret", redirect_uris=[REDIRECT_URI])

    def teardown(self) -> None:
        self.runner.run(self.wire.close())
        self.world.http.close()
        self.where.run(self.where.provider.store.drop(self.world.name))

    def ask(self, method: str, path: str, form: dict[str, Any]) -> Reply:
        encoded = urlencode({name: value for name, value in form.items() if value is not None})
        target = f"/{self.world.name}/{path}"
        if method == "GET":
            return self.runner.run(self.wire.ask(b"GET", f"{target}?{encoded}".encode()))
        return self.runner.run(self.wire.ask(b"POST", target.encode(), encoded.encode()))

    # --- what relying parties and thieves do --------------------------------------------------------------------------

    @rule(target=codes, verifier=st.one_of(st.none(), verifiers))
    def authorize(self, verifier: str | None) -> Issued:
        pkce = {"code_challenge": challenge_of(verifier), "code_challenge_method": "S256"} if verifier else {}
        back = {"client_id": "app", "redirect_uri": REDIRECT_URI}
        reply = self.ask("GET", "authorize", {"response_type": "code", "scope": "openid", **back, **pkce})
        code = dict(parse_qsl(urlsplit(reply.headers["location"]).query))["code"]
        family = Family()
        self.families.append(family)
        return Issued(code, verifier, self.now + CODE_S, family)

    @initialize(target=codes, verifier=verifiers)
    def log_in(self, verifier: str) -> Any:
        """There is a family to begin with."""
        code: Any = self.authorize(verifier)
        self.redeem(code, "right", "app")
        return code

    @rule(
        code=codes,
        verifier=st.sampled_from(["right", "right", "right", "wrong", "missing"]),
        client=st.sampled_from(["app", "app", "app", "thief", "other"]),
    )
    def redeem(self, code: Issued, verifier: str, client: str) -> None:
        sent = {"right": code.verifier, "wrong": "w" * 43, "missing": None}[verifier]
        right = sent == code.verifier and client == "app"
        secret = {"app": "app-secret", "thief": "guessed", "other": "other-secret"}[client]
        who = {"client_id": "other" if client == "other" else "app", "client_secret": secret}
        form = {
            "grant_type": "authorization_code",
            "code": code.text,
            "redirect_uri": REDIRECT_URI,
            "code_verifier": sent,
        }
        reply = self.ask("POST", "token", {**form, **who})
        if code.family.redeemed or not right or code.expires_at <= self.now:
            assert reply.status in {400, 401}, reply
        elif not code.attempts:
            assert reply.status == 200, reply
        if client != "thief":  # who cannot say who it is changes nothing
            code.family.dead = code.family.dead or bool(code.attempts)
            code.attempts.append(client)
        if reply.status == 200:
            code.family.redeemed = True
            self.keep(code.family, reply.json())

    def refresh_tokens(self) -> list[tuple[Family, str]]:
        """All that were ever issued."""
        return [(family, token) for family in self.families for token in family.refresh]

    def access_tokens(self) -> list[tuple[Family, str]]:
        """All that were ever issued."""
        return [(family, token) for family in self.families for token in family.access]

    @precondition(lambda self: bool(self.refresh_tokens()))
    @rule(number=numbers)
    def refresh(self, number: int) -> None:
        family, token = chosen(self.refresh_tokens(), number)
        form = {
            "grant_type": "refresh_token",
            "refresh_token": token,
            "client_id": "app",
            "client_secret": "app-secret",
        }
        reply = self.ask("POST", "token", form)
        if family.dead or token not in family.rotating:
            assert reply.status == 400, reply
            assert reply.json()["error"] == "invalid_grant"
            family.dead = True
            return
        assert reply.status == 200, reply
        family.rotating.discard(token)
        self.keep(family, reply.json())

    @precondition(lambda self: bool(self.refresh_tokens()))
    @rule(number=numbers)
    def steal_refresh_token(self, number: int) -> None:
        """Another client cannot use it, and does not use it up."""
        _, token = chosen(self.refresh_tokens(), number)
        form = {"grant_type": "refresh_token", "refresh_token": token}
        reply = self.ask("POST", "token", {**form, "client_id": "other", "client_secret": "other-secret"})
        assert reply.status == 400, reply

    @precondition(lambda self: bool(self.refresh_tokens()))
    @rule(number=numbers, client=st.sampled_from(["app", "other"]))
    def revoke_refresh_token(self, number: int, client: str) -> None:
        family, token = chosen(self.refresh_tokens(), number)
        reply = self.ask("POST", "revoke", {"token": token, "client_id": client, "client_secret": f"{client}-secret"})
        assert reply.status == (200 if client == "app" or family.dead else 400), reply
        family.dead = family.dead or client == "app"

    @precondition(lambda self: bool(self.access_tokens()))
    @rule(number=numbers)
    def revoke_access_token(self, number: int) -> None:
        family, token = chosen(self.access_tokens(), number)
        form = {"token": token, "client_id": "app", "client_secret": "app-secret"}
        assert self.ask("POST", "revoke", form).status == 200
        family.access[token] = 0

    @rule(seconds=st.sampled_from([20, 1000, 3000]))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds

        def advance(tenant: Tenant) -> None:
            tenant.clock.frozen = self.now

        self.world.change(advance)

    def keep(self, family: Family, tokens: dict[str, Any]) -> None:
        family.access[tokens["access_token"]] = self.now + ACCESS_S
        family.rotating.add(tokens["refresh_token"])
        family.refresh.append(tokens["refresh_token"])

    # --- what holds after each of these -------------------------------------------------------------------------------

    @invariant()
    def exactly_the_right_tokens_are_alive(self) -> None:
        for family in self.families:
            alive = {token for token in family.refresh if self.active(token)}
            assert len(alive) <= 1
            assert alive == (set() if family.dead else family.rotating)
            for token, end in family.access.items():
                lives = not family.dead and end > self.now
                assert self.active(token) == lives
                bearer = f"authorization: Bearer {token}".encode()
                reply = self.runner.run(self.wire.ask(b"GET", f"/{self.world.name}/userinfo".encode(), None, bearer))
                assert reply.status == (200 if lives else 401)

    def active(self, token: str) -> bool:
        reply = self.ask("POST", "introspect", {"token": token, "client_id": "app", "client_secret": "app-secret"})
        active: bool = reply.json()["active"]
        return active


def test_nothing_is_used_twice_and_what_is_revoked_is_dead(provider: Served) -> None:
    with asyncio.Runner() as running:

        class Here(TokenLife):
            where = provider
            runner = running

        run_state_machine_as_test(
            Here,
            settings=settings(
                max_examples=30, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
            ),
        )


def test_no_verifier_but_the_right_one_passes(served: Served) -> None:
    world = served.tenant(signing_alg="EdDSA")
    near_misses = st.sampled_from(
        [
            lambda right: right[:-1],
            lambda right: right + "A",
            lambda right: right + " ",
            lambda right: right + "\x00",
            lambda right: " " + right,
            lambda right: right.swapcase(),
            lambda right: right[::-1],
            lambda right: right.replace("-", "+").replace("_", "/"),
            lambda right: right + "=",
            challenge_of,
            lambda _right: "",
        ]
    )

    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(verifiers, st.one_of(verifiers, st.text(max_size=130), near_misses))
    def try_it(right: str, other: Any) -> None:
        sent = other if isinstance(other, str) else other(right)
        pkce = {"code_challenge": challenge_of(right), "code_challenge_method": "S256"}
        code = world.code(**pkce)
        if sent == right:
            assert world.redeem(code, code_verifier=sent).status_code == 200
        else:
            refused = world.redeem(code, code_verifier=sent)
            assert refused.status_code == 400
            assert refused.json()["error"] in {"invalid_grant", "invalid_request"}
        assert world.redeem(world.code(**pkce), code_verifier=right).status_code == 200

    with world.http:
        try_it()
    served.run(served.provider.store.drop(world.name))
