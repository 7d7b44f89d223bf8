"""Clients that know GitHub, Google and 42 log in to the dialects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.peers.job import Job

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mock_idp.records import DialectName
    from tests.mock_idp.served import Served, World
    from tests.peers.conftest import Run


@pytest.fixture
def world(request: pytest.FixtureRequest, served: Served) -> Iterator[World]:
    """A tenant of the make that the test names."""
    dialect: DialectName = request.param
    made = served.tenant(dialect=dialect)
    yield made
    served.run(served.provider.store.drop(made.name))


def _log_in(run: Run, world: World, driver: str, provider: str, **more: Any) -> dict[str, Any]:
    result = run(Job(driver, world.issuer, provider=provider, **more))
    assert result.outcome == "accepts", result
    assert [entry.refused for entry in world.journal() if entry.refused] == []
    assert [entry.lenient for entry in world.journal() if entry.lenient] == []
    return result.seen


@pytest.mark.parametrize("world", ["github"], indirect=True)
class TestGitHub:
    """Its own paths, form-encoded answers unless JSON is asked for, a numeric id."""

    @pytest.mark.parametrize("driver", ["arctic", "authlib", "requests-oauthlib"])
    def test_login(self, world: World, run: Run, driver: str) -> None:
        seen = _log_in(run, world, driver, "github")
        assert isinstance(seen["profile"]["id"], int)
        assert seen["profile"]["login"] == "alice"

    def test_arctic_reads_the_emails(self, world: World, run: Run) -> None:
        emails = _log_in(run, world, "arctic", "github")["emails"]
        assert [one["email"] for one in emails if one["primary"] and one["verified"]] == ["alice@example.test"]


@pytest.mark.parametrize("world", ["google"], indirect=True)
class TestGoogle:
    """OpenID Connect with a refresh token on request only."""

    def test_arctic(self, world: World, run: Run) -> None:
        seen = _log_in(run, world, "arctic", "google", then=("refresh",))
        assert seen["claims"]["sub"] == seen["profile"]["sub"]
        assert seen["refreshed"]

    def test_arctic_revokes(self, world: World, run: Run) -> None:
        result = run(Job("arctic", world.issuer, provider="google", then=("revoke",)))
        assert result.outcome == "accepts", result
        assert result.seen["usable_after_revocation"] is False

    @pytest.mark.parametrize("driver", ["authlib", "openid-client", "oauth4webapi"])
    def test_by_discovery(self, world: World, run: Run, driver: str) -> None:
        scope, parameters = "openid profile email", {"access_type": "offline", "prompt": "consent"}
        seen = _log_in(run, world, driver, "google", scope=scope, parameters=parameters)
        assert seen["sub"] == seen["profile"]["sub"] == seen.get("refreshed_sub", seen["sub"])
        assert len(seen["sub"]) == 21


@pytest.mark.parametrize("world", ["intra42"], indirect=True)
class TestIntra42:
    """OAuth 2.0 with more members in its token response, and a large profile."""

    @pytest.mark.parametrize("driver", ["arctic", "authlib", "requests-oauthlib"])
    def test_login(self, world: World, run: Run, driver: str) -> None:
        profile = _log_in(run, world, driver, "intra42")["profile"]
        assert isinstance(profile["id"], int)
        assert profile["login"] == "alice"
        assert isinstance(profile["cursus_users"], list)

    def test_arctic_sees_when_secrets_end(self, world: World, run: Run) -> None:
        token = _log_in(run, world, "arctic", "intra42")["token"]
        assert {"created_at", "secret_valid_until"} <= token.keys()
