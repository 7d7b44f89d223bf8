from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.evidence.exchange import Recorder
from harness.evidence.redaction import Redactor
from harness.user_agent import UserAgent
from tests.user_agent.doubles import Clock, Network
from tests.user_agent.served import Serve, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def network() -> Network:
    return Network()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def recorder() -> Recorder:
    return Recorder(Redactor(b"a salt for tests"))


@pytest.fixture
def agent(network: Network, recorder: Recorder, clock: Clock) -> UserAgent:
    return UserAgent(network, recorder, label="alice", clock=clock)


@pytest.fixture
def notes(recorder: Recorder) -> Callable[[], str]:
    """Notes of the last exchange, one a line."""
    return lambda: "\n".join(recorder.exchanges[-1].notes)


@pytest.fixture
def serve() -> Iterator[Serve]:
    with serving() as start:
        yield start
