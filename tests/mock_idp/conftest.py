"""One provider a test session (and xdist worker), a fresh tenant a test."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from tests.mock_idp.redis_server import EXECUTABLE, NEITHER, URL, RedisServer
from tests.mock_idp.served import Served, World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def served() -> Iterator[Served]:
    """A provider on a free port."""
    with Served() as running:
        yield running


@pytest.fixture
def tenant(served: Served) -> Iterator[World]:
    """A fresh tenant; every authorization is approved as alice. ``served.tenant(...)`` makes others."""
    world = served.tenant()
    with world.http:
        yield world
    served.run(served.provider.store.drop(world.name))


@pytest.fixture
def new_tenant(served: Served) -> Iterator[Callable[..., World]]:
    """Makes tenants with settings of their own; ``new_tenant(access_token="jwt")``."""
    with ExitStack() as worlds:

        def make(**settings: Any) -> World:
            world = served.tenant(**settings)
            worlds.callback(lambda: served.run(served.provider.store.drop(world.name)))
            worlds.enter_context(world.http)
            return world

        yield make


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis for tests that leave it running. Each uses a ``?prefix=`` of its own."""
    if URL:
        yield URL
        return
    if not EXECUTABLE:
        pytest.skip(NEITHER)
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    yield server.url
    server.stop()


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis for a test that stops it."""
    if not EXECUTABLE:
        pytest.skip("redis-server is not installed")
    server = RedisServer(tmp_path)
    yield server
    server.stop()
