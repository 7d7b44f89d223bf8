"""Every client logs in, asks UserInfo, refreshes, introspects, revokes and logs out, in every way it can."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.peers.expectations import client, clients
from tests.peers.job import LOGGED_OUT_URI, Job
from tests.peers.keys import KEYS, public

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mock_idp.records import Tenant
    from tests.mock_idp.served import Served, World
    from tests.peers.conftest import Run
    from tests.peers.job import Result

ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]
NAMES = [one.name for one in clients()]


@pytest.fixture
def worlds(served: Served) -> Iterator[Worlds]:
    """Makes tenants, and drops them."""
    made = Worlds(served)
    yield made
    made.drop()


class Worlds:
    """Tenants of one test."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._names: list[str] = []

    def make(self, **settings: Any) -> World:
        """A tenant whose client may log out to `LOGGED_OUT_URI`."""
        world = self._served.tenant(**settings)
        self._names.append(world.name)
        world.change(_let_log_out)
        return world

    def drop(self) -> None:
        """Drop them all."""
        for name in self._names:
            self._served.run(self._served.provider.store.drop(name))


def _let_log_out(tenant: Tenant) -> None:
    for one in tenant.clients.values():
        one.post_logout_redirect_uris = [LOGGED_OUT_URI]


def assert_all_went_well(result: Result, world: World, then: tuple[str, ...]) -> None:
    """To the end, with the right person, and with nothing that the provider had to let pass."""
    assert result.outcome == "accepts", result
    seen = result.seen
    assert seen["profile"]["sub"] == "alice"
    assert seen["profile"]["email"] == "alice@example.test"
    assert seen.get("sub", "alice") == "alice"
    assert ("refresh" in then) == seen.get("rotated", False)
    assert seen.get("refreshed_sub", "alice") == "alice"
    assert ("introspect" in then) == seen.get("active", False)
    assert seen.get("usable_after_revocation", False) is False
    if "logout" in then:
        assert seen["logged_out_to"] == f"{LOGGED_OUT_URI}?state=STATE"
    for entry in world.journal():
        assert entry.lenient == []
        assert entry.notes == [], entry.url
        revoked = entry.endpoint == "userinfo" and entry.status == 401 and "revoke" in then
        assert revoked or entry.refused is None, (entry.url, entry.refused)


@pytest.mark.parametrize("alg", ALGORITHMS)
@pytest.mark.parametrize("name", NAMES)
def test_login_and_all_that_follows(worlds: Worlds, run: Run, name: str, alg: str) -> None:
    """Code flow with PKCE, state and nonce, in every signing algorithm; then whatever the client can."""
    world = worlds.make(signing_alg=alg)
    then = client(name).then
    result = run(Job(name, world.issuer, signing_alg=alg, then=then))
    assert_all_went_well(result, world, then)


@pytest.mark.parametrize(
    ("name", "method"),
    [(one.name, method) for one in clients() for method in one.auth if method != "private_key_jwt"],
)
def test_client_authentication(worlds: Worlds, run: Run, name: str, method: str) -> None:
    """By every method that the client has; the provider takes that one only."""
    world = worlds.make()
    client_id = "spa" if method == "none" else "app"
    secret = None if method == "none" else "app-secret"
    world.change(lambda tenant: setattr(tenant.clients[client_id], "auth_methods", [method]))
    then = _without_introspection(name) if method == "none" else client(name).then
    job = Job(name, world.issuer, client_id=client_id, client_secret=secret, auth=method, then=then)
    assert_all_went_well(run(job), world, then)


@pytest.mark.parametrize(("name", "alg"), [(one.name, alg) for one in clients() for alg in one.assertions])
def test_private_key_jwt(worlds: Worlds, run: Run, name: str, alg: str) -> None:
    """By assertions signed in every algorithm."""
    world = worlds.make()
    key = KEYS[alg]

    def register(tenant: Tenant) -> None:
        app = tenant.clients["app"]
        app.auth_methods, app.secret = ["private_key_jwt"], None
        app.jwks = {"keys": [public(key)]}

    world.change(register)
    then = client(name).then
    job = Job(name, world.issuer, client_secret=None, auth="private_key_jwt", private_key=key, then=then)
    assert_all_went_well(run(job), world, then)


@pytest.mark.parametrize("name", [one.name for one in clients() if one.pushed])
def test_pushed_authorization_request(worlds: Worlds, run: Run, name: str) -> None:
    """RFC 9126, where the provider takes no other."""
    world = worlds.make(require_pushed_requests=True)
    assert_all_went_well(run(Job(name, world.issuer, pushed=True)), world, ("userinfo", "refresh"))


@pytest.mark.parametrize(("name", "alg"), [(one.name, alg) for one in clients() for alg in one.dpop])
def test_dpop(worlds: Worlds, run: Run, name: str, alg: str) -> None:
    """RFC 9449: tokens are bound to a key, at the token endpoint, at UserInfo and at refresh."""
    world = worlds.make()
    result = run(Job(name, world.issuer, dpop=alg))
    assert_all_went_well(result, world, ("userinfo", "refresh"))
    assert result.seen["token_type"].lower() == "dpop"


@pytest.mark.parametrize("name", [one.name for one in clients() if one.dpop])
def test_pushed_dpop(worlds: Worlds, run: Run, name: str) -> None:
    """RFC 9449, section 10.1: the key is named when the request is pushed."""
    world = worlds.make(require_pushed_requests=True)
    result = run(Job(name, world.issuer, dpop="ES256", pushed=True))
    assert_all_went_well(result, world, ("userinfo", "refresh"))


@pytest.mark.parametrize("name", [one.name for one in clients() if one.dpop])
def test_dpop_with_a_nonce_of_the_provider(worlds: Worlds, run: Run, name: str) -> None:
    """RFC 9449, sections 8 and 9: the first proof is refused, the client takes up the nonce."""
    world = worlds.make(dpop_nonce=True)
    result = run(Job(name, world.issuer, dpop="ES256"))
    assert result.outcome == "accepts", result
    assert [entry.endpoint for entry in world.journal() if entry.refused] == ["token"]


@pytest.mark.parametrize("pushed", [False, True], ids=["sent", "pushed"])
@pytest.mark.parametrize("alg", ALGORITHMS)
@pytest.mark.parametrize("name", [one.name for one in clients() if one.request_objects])
def test_request_object(worlds: Worlds, run: Run, name: str, alg: str, pushed: bool) -> None:  # noqa: FBT001 # a case
    """RFC 9101, and RFC 9126, section 3."""
    world = worlds.make()
    world.change(lambda tenant: setattr(tenant.clients["app"], "jwks", {"keys": [public(KEYS[alg])]}))
    job = Job(name, world.issuer, private_key=KEYS[alg], request_object=True, pushed=pushed)
    assert_all_went_well(run(job), world, ("userinfo", "refresh"))


@pytest.mark.parametrize("name", [one.name for one in clients() if one.registers])
def test_registration(worlds: Worlds, run: Run, name: str) -> None:
    """RFC 7591: the client registers itself, and logs in by what it was given; the tenant takes no unknown client."""
    world = worlds.make(strict=True)
    assert_all_went_well(run(Job(name, world.issuer, register=True)), world, ("userinfo", "refresh"))


@pytest.mark.parametrize("alg", ALGORITHMS)
@pytest.mark.parametrize("name", [one.name for one in clients() if "code id_token" in one.response_types])
def test_hybrid_flow(worlds: Worlds, run: Run, name: str, alg: str) -> None:
    """OpenID Connect Core 1.0, section 3.3: the ID Token of the front channel is verified, with its ``c_hash``."""
    world = worlds.make(signing_alg=alg)
    parameters = {"response_mode": "form_post"}
    job = Job(name, world.issuer, signing_alg=alg, response_type="code id_token", parameters=parameters)
    assert_all_went_well(run(job), world, ("userinfo", "refresh"))


@pytest.mark.parametrize("name", [one.name for one in clients() if "id_token" in one.response_types])
def test_implicit_flow(worlds: Worlds, run: Run, name: str) -> None:
    """OpenID Connect Core 1.0, section 3.2, without an access token."""
    world = worlds.make()
    parameters = {"response_mode": "form_post"}
    result = run(Job(name, world.issuer, response_type="id_token", parameters=parameters, then=()))
    assert result.outcome == "accepts", result
    assert (result.seen["sub"], result.seen["email"]) == ("alice", "alice@example.test")


@pytest.mark.parametrize("alg", ALGORITHMS)
@pytest.mark.parametrize("name", ["openid-client", "oauth4webapi"])
def test_signed_userinfo_and_jwt_access_tokens(worlds: Worlds, run: Run, name: str, alg: str) -> None:
    """OpenID Connect Core 1.0, section 5.3.2, and RFC 9068."""
    world = worlds.make(signing_alg=alg, userinfo_signed=True, access_token="jwt")
    result = run(Job(name, world.issuer, signing_alg=alg, userinfo_alg=alg))
    assert_all_went_well(result, world, ("userinfo", "refresh"))


@pytest.mark.parametrize("name", ["authlib", "openid-client", "oauth4webapi"])
def test_form_post(worlds: Worlds, run: Run, name: str) -> None:
    """OAuth 2.0 Form Post Response Mode."""
    world = worlds.make()
    result = run(Job(name, world.issuer, parameters={"response_mode": "form_post"}))
    assert_all_went_well(result, world, ("userinfo", "refresh"))


@pytest.mark.parametrize("name", NAMES)
def test_https(secure_served: Served, run: Run, name: str) -> None:
    """With the test authority trusted, and no leave to put up with http."""
    world = secure_served.tenant()
    callback = "https://127.0.0.1:9/callback"
    world.change(lambda tenant: tenant.clients["app"].redirect_uris.append(callback))
    result = run(Job(name, world.issuer, redirect_uri=callback))
    assert_all_went_well(result, world, ("userinfo", "refresh"))
    secure_served.run(secure_served.provider.store.drop(world.name))


def _without_introspection(name: str) -> tuple[str, ...]:
    """Introspection needs authentication (RFC 7662, section 2.1), which public clients do not have."""
    return tuple(step for step in client(name).then if step != "introspect")
