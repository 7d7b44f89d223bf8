"""Every fault strikes where it is bound, as it says, and nowhere else."""

from __future__ import annotations

import re
import secrets
import time
from html import unescape
from typing import TYPE_CHECKING

import pytest

from mock_idp.faults import FAULTS, docs, find
from mock_idp.protocol.errors import OAuthError
from mock_idp.provider import Provider
from mock_idp.records import Armed, Match
from mock_idp.store import open_store
from tests.mock_idp.faults import (
    of_authorization,
    of_dialects,
    of_id_token,
    of_logout,
    of_metadata,
    of_token,
    of_userinfo,
    walk,
)
from tests.mock_idp.faults.walk import CHECKS, authorize, honest, id_token, redeem, struck, token_members
from tests.mock_idp.served import Served, answered, claims, error_of, header

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.mock_idp.served import World

AREAS = (of_authorization, of_id_token, of_logout, of_metadata, of_token, of_userinfo)
"""Imported for what they show."""


@pytest.fixture
def still(tenant: World) -> World:
    """A tenant whose clock stands, so that two tokens of one test have the same times."""
    now = float(int(time.time()))
    tenant.change(lambda settings: setattr(settings.clock, "frozen", now))
    return tenant


@pytest.mark.parametrize("name", sorted(CHECKS))
def test_a_fault_strikes_as_it_says_and_a_login_after_it_is_honest(name: str, still: World) -> None:
    before = honest(still)
    assert struck(still) == []
    CHECKS[name](still, name)
    assert name in struck(still)
    strikes = len(struck(still))
    assert honest(still) == before
    assert len(struck(still)) == strikes


def test_every_fault_has_its_check() -> None:
    assert FAULTS.keys() - CHECKS.keys() == {"intra42.rate-limited"}, "which has a test of its own below"
    assert all(area.__doc__ for area in AREAS)


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_every_fault_is_described(name: str) -> None:
    fault = FAULTS[name]
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*\.[A-Za-z0-9]+(-[A-Za-z0-9]+)*", name)
    assert fault.sentence.endswith(".")
    assert fault.correct
    assert not fault.correct.endswith(".")
    assert fault.replaces.__module__.startswith(("mock_idp.protocol.", "mock_idp.dialects."))
    assert name.partition(".")[0] in docs.AREAS
    assert f"`{name}`" in docs.document()
    assert f"  {name}" in docs.listing()


def test_the_document_is_current() -> None:
    assert docs.main(["--check"]) == 0


# -- binding --


def test_a_fault_is_bound_by_signing_in(served: Served) -> None:
    world = served.tenant(auto_approve="fault:id-token.aud-wrong:bob")
    with world.http:
        said = claims(id_token(world))
        assert (said["aud"], said["sub"]) == ("another-client", "bob")
        assert claims(id_token(world, login_hint="carol"))["aud"] == "app"


def test_a_fault_beats_approval_at_once(tenant: World) -> None:
    assert error_of(authorize(tenant, "authorization.error-login-required")) == "login_required"


def test_several_faults_strike_in_one_login(tenant: World) -> None:
    members = token_members(tenant, "id-token.sub-case token.token-type-case id-token.aud-wrong")
    said = claims(members["id_token"])
    assert (said["sub"], said["aud"], members["token_type"]) == ("ALICE", "another-client", "BEARER")


def test_interleaved_logins_do_not_touch_each_other(tenant: World) -> None:
    codes = [tenant.code(mock_fault=fault) for fault in (None, "id-token.sub-case", None, "id-token.aud-wrong")]
    said = [claims(tenant.redeem(code).json()["id_token"]) for code in codes]
    assert [token["sub"] for token in said] == ["alice", "ALICE", "alice", "alice"]
    assert [token["aud"] for token in said] == ["app", "app", "app", "another-client"]


@pytest.mark.parametrize(
    ("faults", "sentence"),
    [
        ("id-token.aud-worng", "no fault is named 'id-token.aud-worng'; did you mean id-token.aud-wrong?"),
        ("nonsense", "no fault is named 'nonsense'"),
        ("id-token.aud-wrong id-token.aud-missing", "replace the same step; use one of them"),
        ("jwks.empty", "belongs to a tenant: arm it"),
        ("token.http-500=3", "the fault token.http-500 takes no value"),
        ("token.slow=soon", "takes seconds, from 0 to 3600, not 'soon'"),
        ("token.slow=nan", "takes seconds, from 0 to 3600, not 'nan'"),
        ("token.slow=3601", "takes seconds, from 0 to 3600, not '3601'"),
    ],
)
def test_what_cannot_be_bound_is_said_at_once(tenant: World, faults: str, sentence: str) -> None:
    response = authorize(tenant, faults)
    assert response.status_code == 400
    assert sentence.lower() in unescape(response.text).lower()


def test_an_unknown_fault_is_an_oauth_error() -> None:
    with pytest.raises(OAuthError):
        find("no.such-fault")


# -- arming --


def armed(world: World, fault: str, times: int | None = None, **match: object) -> None:
    world.change(lambda tenant: tenant.armed.append(Armed("one", fault, Match(**match), times)))  # type: ignore[arg-type]


def test_an_armed_fault_strikes_so_many_times(tenant: World) -> None:
    armed(tenant, "token.http-500", times=2)
    assert [redeem(tenant).status_code for _ in range(4)] == [500, 500, 200, 200]


def test_an_armed_fault_strikes_the_nth_time(tenant: World) -> None:
    armed(tenant, "token.http-500", nth=3)
    assert [redeem(tenant).status_code for _ in range(5)] == [200, 200, 500, 200, 200]


def test_an_armed_fault_strikes_what_it_matches(tenant: World) -> None:
    armed(tenant, "id-token.sub-case", account="bob")
    assert claims(id_token(tenant))["sub"] == "alice"
    assert claims(id_token(tenant, login_hint="bob"))["sub"] == "BOB"
    assert claims(id_token(tenant, login_hint="bob", state="another"))["sub"] == "BOB"


def test_an_armed_fault_is_bound_to_an_endpoint_and_a_grant_type(tenant: World) -> None:
    armed(tenant, "id-token.sub-case", endpoint="token", grant="refresh_token")
    members = token_members(tenant)
    assert claims(members["id_token"])["sub"] == "alice"
    assert claims(tenant.refresh(members["refresh_token"]).json()["id_token"])["sub"] == "ALICE"
    hybrid = answered(authorize(tenant, response_type="code id_token"))
    assert claims(hybrid["id_token"])["sub"] == "alice"


def test_a_fault_for_a_refresh_waits_for_one(tenant: World) -> None:
    armed(tenant, "id-token.refresh-other-sub", times=1)
    members = token_members(tenant)
    assert claims(members["id_token"])["sub"] == "alice"
    refreshed = tenant.refresh(members["refresh_token"]).json()
    assert claims(refreshed["id_token"])["sub"] == "somebody-else"
    assert claims(tenant.refresh(refreshed["refresh_token"]).json()["id_token"])["sub"] == "alice"


# -- what has to happen first --


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("authorization.state-other-session", "start a login in another browser"),
        ("authorization.state-replayed", "complete a login of this client"),
        ("authorization.wrong-callback", "name the other redirect URI"),
        ("authorization.mixup-redirect", "name the honest provider"),
        ("authorization.mixup-redirect=nobody", "name the honest provider"),
    ],
)
def test_a_page_says_what_has_to_happen_first(tenant: World, fault: str, sentence: str) -> None:
    response = authorize(tenant, fault)
    assert response.status_code == 400
    assert response.headers["content-type"].startswith("text/html")
    assert sentence in response.text


def test_the_state_of_a_login_that_waits_on_its_page(served: Served) -> None:
    world = served.tenant(auto_approve=None)
    with world.http:
        assert world.authorize(state="of/the other+one").status_code == 200
        page = world.authorize(mock_fault="authorization.state-other-session").text
        pending = re.search(r'name="pending" value="([^"]+)"', page)
        assert pending
        response = answered(world.post("sign-in", {"pending": pending[1], "account": "alice"}))
        assert response["state"] == "of/the other+one"


def test_a_nonce_of_an_earlier_login_needs_one(tenant: World) -> None:
    refused = redeem(tenant, "id-token.nonce-from-previous-flow")
    assert refused.status_code == 400
    assert "first complete a login" in refused.json()["error_description"]


def test_forgeries_that_need_another_key_say_so(served: Served) -> None:
    world = served.tenant(signing_alg="EdDSA")
    with world.http:
        refused = redeem(world, "id-token.alg-hs256-pubkey-modulus")
        assert "set signing_alg to RS256" in refused.json()["error_description"]
        walk.honest(world)


@pytest.mark.parametrize("alg", ["PS256", "ES256", "EdDSA"])
@pytest.mark.parametrize("fault", ["id-token.sig-foreign-key", "id-token.hdr-jwk", "id-token.alg-hs256-pubkey-der"])
def test_forgeries_of_other_algorithms(served: Served, alg: str, fault: str) -> None:
    world = served.tenant(signing_alg=alg)
    with world.http:
        token = id_token(world, fault)
        assert header(token)["alg"] == ("HS256" if "hs256" in fault else alg)
        assert walk.changes(claims(id_token(world)), claims(token), {"at_hash", "sid", "exp", "iat", "auth_time"}) == {}


# -- other makes of provider --

LATE = {name for name in FAULTS if name.rpartition(".")[2] in {"hang", "slow", "drip", "reset", "cut", "delayed"}}
NO_ID_TOKEN = {"token.missing-id-token", "token.null-id-token"}
OTHERWISE = {
    "authorization.state-other-session",
    "authorization.state-replayed",
    "authorization.mixup-redirect",
    "authorization.wrong-callback",
    "token.scope-reduced",
    "token.huge-body",
}
"""Faults that need something to have happened, or that cost much."""


def bound_by_login(area: str) -> list[str]:
    """The faults of an area that a login without refresh and logout meets."""
    names = {name for name, fault in FAULTS.items() if name.startswith(area) and not fault.of_tenant and not fault.when}
    return sorted(names - LATE - OTHERWISE - {"token.refresh-invalid-grant"})


@pytest.mark.parametrize("dialect", sorted(of_dialects.PATHS))
@pytest.mark.parametrize("area", ["authorization.", "token.", "userinfo."])
def test_faults_strike_in_other_makes_of_provider(served: Served, dialect: str, area: str) -> None:
    for name in bound_by_login(area):
        world = served.tenant(dialect=dialect)
        with world.http:
            honest_ones = of_dialects.login(world, dialect)
            assert [answer.status_code for answer in honest_ones] == [303, 200, 200]
            faulty = of_dialects.login(world, dialect, name)
            if dialect == "google" or name not in NO_ID_TOKEN:
                assert struck(world) == [name]
            assert all(answer.status_code < 500 for answer in faulty) or "http-5" in name
            after = of_dialects.login(world, dialect)
            assert after[-1].json()[of_dialects.PATHS[dialect].subject]
        served.run(served.provider.store.drop(world.name))


@pytest.mark.parametrize("dialect", ["github", "intra42"])
def test_a_reassigned_login_is_another_person_in_other_makes(served: Served, dialect: str) -> None:
    world = served.tenant(dialect=dialect)
    with world.http:
        before, after = (
            of_dialects.login(world, dialect, fault)[-1].json() for fault in (None, "userinfo.login-reassigned")
        )
        assert before["login"] == after["login"]
        assert before["id"] != after["id"]
        renamed = of_dialects.login(world, dialect, "userinfo.login-renamed")[-1].json()
        assert (renamed["login"], renamed["id"]) == ("alice-renamed", before["id"])


def test_42_limits_its_rate(served: Served) -> None:
    world = served.tenant(dialect="intra42")
    with world.http:
        profile = of_dialects.login(world, "intra42", "intra42.rate-limited")[-1]
        assert profile.status_code == 429
        assert "x-hourly-ratelimit-remaining" in profile.headers
        assert struck(world) == ["intra42.rate-limited"]
        assert of_dialects.login(world, "intra42")[-1].json()["login"] == "alice"


# -- over a shared store --

KEPT = [
    "authorization.code-foreign",
    "authorization.delayed",
    "authorization.state-other-session",
    "authorization.state-replayed",
    "id-token.alg-other-es256",
    "id-token.hdr-kid-missing-multi",
    "id-token.nonce-from-previous-flow",
    "id-token.refresh-other-sub",
    "jwks.rotate",
    "jwks.rotate-before-sign",
    "jwks.wrong-use",
    "logout-token.jti-replay",
    "token.refresh-new",
    "token.refresh-omitted",
    "token.refresh-same",
    "userinfo.login-reassigned",
]
"""Faults that read or write what is kept."""


@pytest.fixture(scope="module")
def shared(redis_url: str) -> Iterator[Served]:
    """A provider over Redis."""
    with Served(Provider(open_store(f"{redis_url}?prefix=faults-{secrets.token_hex(6)}"))) as running:
        yield running


@pytest.mark.parametrize("name", KEPT)
def test_what_is_kept_is_kept_in_redis_too(name: str, shared: Served) -> None:
    world = shared.tenant()
    now = float(int(time.time()))
    world.change(lambda tenant: setattr(tenant.clock, "frozen", now))
    with world.http:
        before = honest(world)
        CHECKS[name](world, name)
        assert name in struck(world)
        assert honest(world) == before
