"""One provider a test session (and xdist worker), a fresh tenant a test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.mock_idp.served import Served, World

if TYPE_CHECKING:
    from collections.abc import Iterator


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
