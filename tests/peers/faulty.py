"""A login with one fault, as one client sees it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from mock_idp.faults import FAULTS
from mock_idp.records import Armed
from tests.peers.job import LOGGED_OUT_URI, Job

if TYPE_CHECKING:
    from collections.abc import Callable

    from mock_idp.journal import Entry
    from tests.mock_idp.served import Served, World
    from tests.peers.conftest import Run
    from tests.peers.job import Result

IMPATIENT_S = 1.0
"""Longer than any honest answer takes on a busy machine, and shorter than a stall."""
HONEST = "-honest"


@dataclass(frozen=True, slots=True)
class Scene:
    """What a fault needs to strike.

    Attributes:
        before: happens in the tenant first; may give the fault's value.
        value: of the fault.
        leaks: does an entry of the journal show that the client told a stranger something?
        job: what the client does otherwise than usual.
        settings: of the tenant.
        tls: the provider is on https, and clients are not told to put up with http.

    """

    before: Callable[[World], str | None] | None = None
    value: str = ""
    leaks: Callable[[Entry], bool] = lambda entry: "canary-visited" in entry.notes
    job: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    tls: bool = False


def _complete_a_login(world: World) -> None:
    world.tokens(state="of-another-login", nonce="of-another-login")


def _start_a_login(world: World) -> None:
    world.code(state="of-another-login", nonce="of-another-login")


def _make_an_honest_tenant(world: World) -> str:
    return world.served.tenant(f"{world.name}{HONEST}").name


def _let_log_out(world: World) -> None:
    world.change(lambda tenant: setattr(tenant.clients["app"], "post_logout_redirect_uris", [LOGGED_OUT_URI]))


_LOGOUT = Scene(_let_log_out, job={"then": ("logout",)})
_STEP_UP = Scene(job={"parameters": {"max_age": "60"}})

SCENES = {
    "authorization.state-other-session": Scene(_start_a_login),
    "authorization.state-replayed": Scene(_complete_a_login),
    "authorization.mixup-redirect": Scene(_make_an_honest_tenant, leaks=lambda entry: entry.endpoint == "token"),
    "id-token.nonce-from-previous-flow": Scene(_complete_a_login),
    "id-token.nonce-unsolicited": Scene(job={"nonce": False}),
    "id-token.c-hash-wrong": Scene(
        job={"response_type": "code id_token", "parameters": {"response_mode": "form_post"}, "then": ()}
    ),
    "token.huge-body": Scene(job={"then": ()}),
    "id-token.auth-time-old": _STEP_UP,
    "id-token.auth-time-missing": _STEP_UP,
    "userinfo.signed-bad": Scene(job={"userinfo_alg": "RS256"}, settings={"userinfo_signed": True}),
    "discovery.endpoint-http": Scene(tls=True),
    "logout-token.post-logout-state-missing": _LOGOUT,
    "logout-token.post-logout-state-wrong": _LOGOUT,
    "logout-token.post-logout-state-extra": _LOGOUT,
}


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of a login with a fault.

    Attributes:
        struck: did the fault strike at all?
        leaked: did the client go to a host that it had no reason to trust?

    """

    result: Result
    struck: bool
    leaked: bool


def _scene(name: str) -> Scene:
    if name.endswith(".slow"):
        return Scene(value="0.1")
    if name.endswith(".hang"):
        return Scene(job={"timeout_s": IMPATIENT_S})
    if name.endswith(".drip"):
        return Scene(value=str(3 * IMPATIENT_S), job={"timeout_s": IMPATIENT_S})
    return SCENES.get(name, Scene())


def needs_tls(name: str) -> bool:
    """Does a fault say nothing where http is allowed?"""
    return _scene(name).tls


def log_in_with(served: Served, run: Run, driver: str, name: str) -> Seen:
    """Let a client log in once, in a tenant of its own, with a fault."""
    scene = _scene(name)
    world = served.tenant(**scene.settings)
    try:
        with world.http:
            value = (scene.before(world) if scene.before is not None else None) or scene.value
        job = replace(Job(driver, world.issuer), **scene.job)
        text = f"{name}={value}" if value else name
        if FAULTS[name].of_tenant:
            world.change(lambda tenant: tenant.armed.append(Armed("peers", text)))
        else:
            job = replace(job, parameters={**job.parameters, "mock_fault": text})
        result = run(job)
        journal = world.journal()
    finally:
        for tenant in (world.name, f"{world.name}{HONEST}"):
            served.run(served.provider.store.drop(tenant))
    return Seen(
        result,
        struck=any(name in entry.faults for entry in journal),
        leaked=result.outcome == "leaks" or any(scene.leaks(entry) for entry in journal),
    )
