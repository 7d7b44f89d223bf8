"""Fixtures: flows recorded once and shared by the requirements that assert on them.

``suites/conftest.py`` brings them in; a project with requirements of its own does the same in its conftest.py.
Whatever ends a session takes one of its own from `sign_in`; the shared `login` stays signed in to the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from harness import matrix as carrier_matrix
from harness.conductor import EXPECT
from harness.discovery import Operation
from harness.discovery import operations as discover
from harness.evidence.exchange import Recorder
from harness.evidence.redaction import Redactor
from harness.flows import THROTTLED, Flows
from harness.flows.credentials import Captured, Login, Probe
from harness.flows.elimination import credential_cookies
from harness.plugin import CONDUCTOR
from harness.requirement import requirement_of
from harness.user_agent import Unreachable, WireLimits
from harness.user_agent.guest import GuestWire
from harness.verdict import Expect, Inconclusive, NotApplicable

if TYPE_CHECKING:
    from harness.matrix import Matrix
    from harness.run import Run
    from harness.target import Account, Target

__all__ = [
    "SignIn", "access_cookies", "anonymous", "auth_run", "expect", "flows", "held", "login", "matrix", "opening",
    "operations", "other_login", "recorder", "sign_in", "target",
]  # fmt: skip

SignIn = Callable[..., Login]
"""``sign_in(account=None) -> Login``: a login of one's own, which may be ended or spoilt."""


@pytest.fixture(scope="session")
def auth_run(request: pytest.FixtureRequest) -> Run:
    """This run."""
    run: Run = request.config.stash[CONDUCTOR].run
    return run


@pytest.fixture(scope="session")
def target(auth_run: Run) -> Target:
    """What is under test."""
    return auth_run.target


@pytest.fixture(scope="session")
def recorder(auth_run: Run, request: pytest.FixtureRequest) -> Recorder:
    """Where every exchange of the run goes, masked."""
    recorder = Recorder(Redactor(auth_run.salt))
    request.config.stash[CONDUCTOR].recorder = recorder
    return recorder


@pytest.fixture(scope="session")
def flows(auth_run: Run, target: Target, recorder: Recorder) -> Iterator[Flows]:
    """What users do, ready to be done."""
    limits = WireLimits(total_s=target.limits.timeout_s, read_s=min(10.0, target.limits.timeout_s))
    ca = auth_run.path.parent / target.at.ca if target.at.ca else None
    wire = GuestWire(
        pace=target.limits.requests_per_second,
        limits=limits,
        ca_file=ca,
        resolve=target.at.resolve,
        extra_headers=target.at.headers,
    )
    yield Flows(target, wire, recorder, auth_run.login_function)
    wire.close()


@pytest.fixture(scope="session")
def opening(flows: Flows, auth_run: Run) -> Iterator[tuple[Login, Probe]]:
    """The login that opens the run, and what the probe said after it. It need not have worked.

    Where it did, the user signs in once more when everything is judged: a run whose last login fails is doubtful.
    """
    login = flows.attempt(flows.target.user)
    probe = flows.probe_in(login.agent, login.header)
    yield login, probe
    if probe.names(login.account):
        try:
            flows.log_in()
        except (Inconclusive, Unreachable) as error:
            # Where passwords were guessed on purpose, a target that now throttles its guest does as it should.
            throttled = isinstance(error, Inconclusive) and error.cause == THROTTLED
            if not (throttled and "aggressive" in auth_run.options.allow):
                said = f"the login that closes the run failed, so verdicts late in the run may be wrong: {error}"
                auth_run.doubtful = said


@pytest.fixture(scope="session")
def anonymous(flows: Flows, target: Target) -> Probe:
    """The probe's answer to somebody without credentials.

    Raises:
        Inconclusive: it names a user, so nothing can be told from it.

    """
    probe = flows.probe()
    if any(probe.names(account) for account in flows.target.accounts.values()):
        raise Inconclusive(
            f"the probe {target.probe.path} answers anonymous users as {probe.identity}; "
            "choose an endpoint that needs a sign-in (probe.path)",
            probe,
            cause="probe answers anonymous users",
        )
    return probe


@pytest.fixture(scope="session")
def login(flows: Flows, opening: tuple[Login, Probe], anonymous: Probe) -> Login:
    """A signed-in user, shared by everything that only looks.

    Raises:
        Inconclusive: nobody can be signed in, so nothing about signed-in users can be judged.

    """
    first, probe = opening
    if not probe.names(first.account):
        raise flows.refused(first, probe)
    del anonymous  # asked for so that a probe which answers anyone stops everything here
    return first


@pytest.fixture(scope="session")
def access_cookies(flows: Flows, login: Login) -> frozenset[str]:
    """Names of the cookies that authenticate, found by elimination; empty where none does."""
    names = credential_cookies(flows, login)
    if flows.target.refresh is not None:
        flows.find_refresh_cookie(login, names)
    return names


@pytest.fixture(scope="session")
def held(flows: Flows, login: Login, access_cookies: frozenset[str]) -> Captured:
    """Everything that could be taken from the shared login."""
    del access_cookies  # it tells which cookie carries the refresh credential
    return flows.capture(login)


@pytest.fixture
def sign_in(flows: Flows, login: Login, access_cookies: frozenset[str]) -> SignIn:
    """A login of one's own, which may be ended or spoilt."""
    del login, access_cookies

    def one(account: Account | None = None) -> Login:
        return flows.log_in(account)

    return one


@pytest.fixture(scope="session")
def other_login(flows: Flows, login: Login, access_cookies: frozenset[str]) -> Login:
    """The second account, signed in, shared."""
    del login, access_cookies
    account = flows.target.other_user
    if account is None:
        raise NotApplicable("the profile declares one account; a second one tells users apart")
    return flows.log_in(account)


@pytest.fixture(scope="session")
def operations(flows: Flows) -> list[Operation]:
    """The operations that may be called."""
    return discover(flows)


@pytest.fixture(scope="session")
def matrix(
    flows: Flows, operations: list[Operation], held: Captured, access_cookies: frozenset[str], auth_run: Run
) -> Matrix:
    """Every protected operation by every carrier."""
    built = carrier_matrix.build(flows, operations, held, access_cookies)
    auth_run.measured = built.as_json()
    return built


@pytest.fixture
def expect(request: pytest.FixtureRequest) -> Expect:
    """Collects what the requirement's test expected and observed."""
    declared = requirement_of(request.function)
    if declared is None:
        raise TypeError("the fixture `expect` belongs to functions declared with @requirement")
    request.node.stash[EXPECT] = made = Expect(declared)
    return made
