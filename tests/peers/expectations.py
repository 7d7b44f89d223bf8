"""What each client does with each fault: `expected.toml`, read and asked."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mock_idp.faults import FAULTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mock_idp.faults import Fault

PATH = Path(__file__).parent / "expected.toml"
OUTCOMES = ("accepts", "refuses", "stumbles", "leaks")


@dataclass(frozen=True, slots=True)
class Client:
    """One column.

    Attributes:
        package: and the version that was seen, as its registry names them.
        language: what it is written in.
        uses: how the driver uses it.
        can: every capability that `test_honest` asks for.
        leaves: glob of faults that are not its business, and why.
        reasons: glob of faults with which it does otherwise than a correct client, and why.

    """

    name: str
    package: str
    version: str
    language: str
    uses: str
    auth: tuple[str, ...]
    assertions: tuple[str, ...] = ()
    response_types: tuple[str, ...] = ("code",)
    dpop: tuple[str, ...] = ()
    pushed: bool = False
    request_objects: bool = False
    registers: bool = False
    then: tuple[str, ...] = ()
    leaves: Mapping[str, str] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)

    def leaves_alone(self, fault: str) -> str | None:
        """Why a fault is not its business; None where it is."""
        return _matching(self.leaves, fault)

    def reason(self, fault: str) -> str | None:
        """Why it does otherwise than a correct client."""
        return _matching(self.reasons, fault)


def _matching(globs: Mapping[str, str], name: str) -> str | None:
    return next((why for glob, why in globs.items() if fnmatchcase(name, glob)), None)


@cache
def _document() -> dict[str, Any]:
    return tomllib.loads(PATH.read_text())


@cache
def clients() -> tuple[Client, ...]:
    """In the order of the file."""
    return tuple(_client(name, told) for name, told in _document()["clients"].items())


def _client(name: str, told: dict[str, Any]) -> Client:
    members: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in told.items()}
    return Client(name, **members)


def client(name: str) -> Client:
    """The client of that name."""
    return next(one for one in clients() if one.name == name)


def for_people() -> dict[str, str]:
    """Glob of faults that no client alone can meet, and why."""
    found: dict[str, str] = _document()["for_people"]
    return found


def outcomes() -> dict[str, dict[str, str]]:
    """Outcome by fault and client."""
    found: dict[str, dict[str, str]] = _document()["outcomes"]
    return found


def played() -> Iterator[tuple[str, Fault]]:
    """Every pair of client and fault that is played."""
    for fault in FAULTS.values():
        if _matching(for_people(), fault.name) is None:
            for one in clients():
                if one.leaves_alone(fault.name) is None:
                    yield one.name, fault


_HAS_TO_REFUSE = ("refuses", "discards", "does not use", "does not authenticate")
_MAY_GO_ON = (", or ", " may")


def is_sound(fault: Fault, outcome: str) -> bool:
    """Is that what a correct client does? `Fault.correct` says it in words; where it may do either, both are sound."""
    if fault.positive:
        return outcome == "accepts"
    if fault.correct.startswith(_HAS_TO_REFUSE) and not any(word in fault.correct for word in _MAY_GO_ON):
        return outcome == "refuses"
    return outcome in ("accepts", "refuses")
