"""One provider and one Node process a test session; tenants are made by the tests."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from mock_idp.running.options import Options
from mock_idp.running.tls import certify
from tests.mock_idp.served import Served
from tests.peers import grants_in_python, with_authlib, with_requests_oauthlib
from tests.peers.with_node import NodeMissingError, NodeSession, NotInstalledError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.peers.job import Job, Result

    Run = Callable[[Job], Result]

IN_PYTHON = {
    "authlib": with_authlib.run,
    "authlib-grants": grants_in_python.authlib,
    "requests-oauthlib": with_requests_oauthlib.run,
    "requests-oauthlib-grants": grants_in_python.requests_oauthlib,
}


@pytest.fixture(scope="session")
def served() -> Iterator[Served]:
    """A provider on a free port."""
    with Served() as running:
        yield running


@pytest.fixture(scope="session")
def certified() -> Options:
    """Certificate, key and authority, as ``authconform idp --tls`` makes them."""
    options = Options(tls=True)
    certify(options)
    return options


@pytest.fixture(scope="session")
def secure_served(certified: Options) -> Iterator[Served]:
    """A provider on https."""
    assert certified.tls_cert is not None
    assert certified.tls_key is not None
    with Served(ssl_certfile=certified.tls_cert, ssl_keyfile=certified.tls_key) as running:
        yield running


@pytest.fixture(scope="session")
def node(certified: Options) -> Iterator[NodeSession]:
    """The clients from npm. Without Node, or without a registry, their tests are skipped and say why.

    In CI the registry is no excuse.
    """
    try:
        session = NodeSession(certified.ca_file or "")
    except NodeMissingError as error:
        pytest.skip(str(error))
    except NotInstalledError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))
    yield session
    session.close()


@pytest.fixture
def run(request: pytest.FixtureRequest, certified: Options, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Let a client do a job. It trusts the authority of `secure_served`."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", certified.ca_file or "")

    def run(job: Job) -> Result:
        if job.driver in IN_PYTHON:
            return IN_PYTHON[job.driver](job)
        session: NodeSession = request.getfixturevalue("node")
        return session.run(job)

    return run
