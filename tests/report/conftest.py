"""A document with something of everything, made by the public doors that make one in a run."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from harness.report.document import RunDocument
from harness.report.run import assemble
from tests.report.samples import exchange, row, verdicts

Make = Callable[..., RunDocument]


@pytest.fixture
def make() -> Make:
    """A document, some members of it replaced."""

    def made(**changes: Any) -> RunDocument:
        values: dict[str, Any] = {
            "target": {
                "name": "shop",
                "origin": "http://127.0.0.1:8000",
                "front_origin": "http://127.0.0.1:3000",
                "architecture": "cookie",
                "carriers": ["cookie"],
                "profile": "shop.toml",
            },
            "started": datetime(2026, 11, 21, 4, 25, tzinfo=UTC),
            "duration_s": 12.3456,
            "verdicts": verdicts(),
            "exchanges": [
                exchange(3, agent="attacker", initiator="https://evil.example", method="GET", status=403),
                exchange(1),
                exchange(2, url="http://127.0.0.1:8000/users/me"),
                exchange(4, status=None, error="the connection was refused"),
            ],
            "matrix": [row("GET /users/me"), row("DELETE /notes/{note_id}")],
        }
        return assemble(**{**values, **changes})

    return made


@pytest.fixture
def document(make: Make) -> RunDocument:
    return make()
