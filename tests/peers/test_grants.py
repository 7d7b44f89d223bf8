"""Grants without a browser, by the clients that have them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.peers.job import Job
from tests.peers.keys import KEYS, public

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.mock_idp.served import Served, World
    from tests.peers.conftest import Run


@pytest.fixture
def world(served: Served) -> Iterator[World]:
    """A tenant."""
    made = served.tenant()
    with made.http:
        yield made
    served.run(served.provider.store.drop(made.name))


@pytest.mark.parametrize("driver", ["authlib", "requests-oauthlib", "openid-client"])
def test_client_credentials(world: World, run: Run, driver: str) -> None:
    """RFC 6749, section 4.4."""
    result = run(Job(f"{driver}-grants", world.issuer, grant="client_credentials"))
    assert result.outcome == "accepts", result
    assert result.seen == {"sub": "app", "scope": "email"}


@pytest.mark.parametrize("driver", ["authlib", "openid-client"])
def test_device_code(world: World, run: Run, driver: str) -> None:
    """RFC 8628, with the page decided by its form."""
    result = run(Job(f"{driver}-grants", world.issuer, grant="device_code"))
    assert result.outcome == "accepts", result
    assert (result.seen["sub"], result.seen["profile"]["email"]) == ("alice", "alice@example.test")


@pytest.mark.parametrize("driver", ["authlib", "openid-client"])
def test_token_exchange(world: World, run: Run, driver: str) -> None:
    """RFC 8693: an access token for another one."""
    token = world.tokens()["access_token"]
    result = run(Job(f"{driver}-grants", world.issuer, grant="token_exchange", subject_token=token))
    assert result.outcome == "accepts", result
    assert result.seen == {"sub": "alice", "issued_token_type": "urn:ietf:params:oauth:token-type:access_token"}


@pytest.mark.parametrize("alg", KEYS)
def test_jwt_bearer(world: World, run: Run, alg: str) -> None:
    """RFC 7523, section 2.1, by Authlib's `AssertionSession`: a client speaks for alice."""
    world.change(lambda tenant: setattr(tenant.clients["app"], "jwks", {"keys": [public(KEYS[alg])]}))
    result = run(Job("authlib-grants", world.issuer, grant="jwt_bearer", private_key=KEYS[alg]))
    assert result.outcome == "accepts", result
    assert result.seen["sub"] == "alice"
