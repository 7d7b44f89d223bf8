"""Which requirements a run judges, and in which order."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

import pytest

from harness.requirement import AREAS, Requirement, requirement_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def declared_by(item: pytest.Item) -> Requirement | None:
    """The requirement that a test item tests."""
    return requirement_of(getattr(item, "function", None))


def arrange(
    items: Sequence[pytest.Item], only: Iterable[str], *, aggressive_last: bool
) -> tuple[list[pytest.Item], list[pytest.Item]]:
    """Items to keep, in order, and items to leave out; marks what is kept.

    Areas come in the order of the catalogue; the aggressive requirements, where they run, last: they may lock the
    account that the others use. Tests that are no requirements stay where they are.

    Raises:
        pytest.UsageError: ``only`` names what does not exist, or an id is declared twice.

    """
    names = list(only)
    found = [(item, declared) for item in items if (declared := declared_by(item)) is not None]
    ids = [declared.id for _, declared in found]
    twice = sorted({name for name in ids if ids.count(name) > 1})
    if twice:
        raise pytest.UsageError(
            f"{twice[0]}: declared by two functions; ids are names and belong to one requirement each"
        )
    for name in names:
        if name not in AREAS and name not in ids:
            near = difflib.get_close_matches(name, [*AREAS, *ids], n=1, cutoff=0.4)
            raise pytest.UsageError(
                f"--auth-only {name}: no such area or requirement" + (f"; did you mean {near[0]}?" if near else "")
            )
    areas = list(AREAS)

    def place(pair: tuple[pytest.Item, Requirement]) -> tuple[bool, bool, int]:
        declared = pair[1]
        return aggressive_last and declared.act == "aggressive", declared.late, areas.index(declared.area)

    kept = [item for item in items if declared_by(item) is None]
    dropped: list[pytest.Item] = []
    for item, declared in sorted(found, key=place):
        if names and declared.id not in names and declared.area not in names:
            dropped.append(item)
            continue
        item.add_marker(pytest.mark.requirement(declared.id, declared.level.value))
        item.add_marker(getattr(pytest.mark, declared.act))
        item.user_properties += [("requirement", declared.id), ("level", declared.level.value)]
        kept.append(item)
    return kept, dropped
