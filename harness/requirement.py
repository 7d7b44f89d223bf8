"""Requirements: what a sound application does, each declared by decorating the one function that tests it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal, TypeVar

if TYPE_CHECKING:
    from harness.sources import Source

Act = Literal["reads", "writes", "aggressive"]
Test = TypeVar("Test", bound=Callable[..., None])

AREAS = {
    "login": "First-party login",
    "session": "Session lifecycle",
    "cookies": "Cookie attributes",
    "refresh": "Refresh",
    "logout": "Logout",
    "transport": "Credential transport",
    "cors": "CORS with credentials",
    "csrf": "Cross-site request forgery",
    "tokens": "Application-issued tokens",
    "errors": "Errors",
}
"""Area to title, in the order in which a run goes through them."""


class Level(StrEnum):
    """How binding a requirement is: the keyword of its first source."""

    MUST = "MUST"
    SHOULD = "SHOULD"
    INFO = "INFO"


MUST, SHOULD, INFO = Level.MUST, Level.SHOULD, Level.INFO


@dataclass(frozen=True, slots=True)
class Requirement:
    """One promise of a sound application.

    Attributes:
        id: ``area.name``; never reused, never renumbered.
        level: MUST, SHOULD or INFO.
        sentence: what holds in a sound application.
        why: what goes wrong where it does not hold.
        how: what the test does.
        sources: what the level rests on, the binding one first.
        needs: what the target must have for the requirement to apply (names of `harness.needs.NEEDS`).
        act: ``reads``, ``writes`` (uses the test account) or ``aggressive`` (locks out, floods, guesses).
        remedy: how to mend it, in a sentence or two.
        defects: the reference app's defects that break it.
        late: judged after the others, since it sends wrong passwords and a strict target may then refuse right ones.

    """

    id: str
    level: Level
    sentence: str
    why: str
    how: str
    sources: tuple[Source, ...]
    needs: tuple[str, ...]
    act: Act
    remedy: str
    defects: tuple[str, ...]
    late: bool = False

    @property
    def area(self) -> str:
        """The part of the id before the dot."""
        return self.id.partition(".")[0]

    def as_json(self) -> dict[str, Any]:
        """The catalogue's part of a verdict in run.json."""
        return {
            "id": self.id,
            "area": self.area,
            "level": self.level.value,
            "title": self.sentence,
            "why": self.why,
            "remedy": self.remedy,
            "sources": [source.as_json() for source in self.sources],
        }


def requirement(  # noqa: PLR0913 - all that a requirement declares
    id: str,  # noqa: A002 - the word of the catalogue
    level: Level,
    sources: Iterable[Source],
    *,
    defects: Iterable[str],
    remedy: str,
    needs: Iterable[str] = (),
    act: Act = "reads",
    late: bool = False,
) -> Callable[[Test], Test]:
    """Declare that the decorated function tests a requirement.

    The docstring gives the sentence (first paragraph), ``Why:`` and ``Test:``.

    Raises:
        ValueError: the id has no known area, or the docstring lacks a part.

    """

    def declare(test: Test) -> Test:
        sentence, why, how = _docstring(id, test)
        declared = Requirement(
            id, level, sentence, why, how, tuple(sources), tuple(needs), act, remedy, tuple(defects), late
        )
        if declared.area not in AREAS:
            raise ValueError(f"{id}: unknown area {declared.area!r}; there are {', '.join(AREAS)}")
        test.__requirement__ = declared  # type: ignore[attr-defined]
        return test

    return declare


def requirement_of(test: object) -> Requirement | None:
    """The requirement that a function tests, if it tests one."""
    declared = getattr(test, "__requirement__", None)
    return declared if isinstance(declared, Requirement) else None


def _docstring(name: str, test: Callable[..., None]) -> tuple[str, str, str]:
    paragraphs = [" ".join(p.split()) for p in (inspect.getdoc(test) or "").split("\n\n")]
    parts = dict.fromkeys(("Why:", "Test:"), "")
    for line in " \n".join(paragraphs[1:]).replace(" Test: ", " \nTest: ").split("\n"):
        for marker in parts:
            if line.strip().startswith(marker):
                parts[marker] = line.strip().removeprefix(marker).strip()
    if not paragraphs[0] or not all(parts.values()):
        raise ValueError(f"{name}: the docstring needs a sentence, a paragraph 'Why: …' and a paragraph 'Test: …'")
    return paragraphs[0], parts["Why:"], parts["Test:"]
