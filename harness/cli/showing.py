"""``authconform list`` and ``authconform explain``: the catalogue on screen."""

from __future__ import annotations

import difflib
import json
from typing import TYPE_CHECKING, Any

from harness import catalogue
from harness.cli.output import UsageError, columns, dim, labelled, say
from harness.requirement import AREAS

if TYPE_CHECKING:
    from harness.requirement import Requirement

_ACTS = {
    "reads": "only looks",
    "writes": "uses the test account",
    "aggressive": "guesses, floods or locks out; runs only with --allow aggressive",
}


def show_all(area: str | None, *, as_json: bool) -> None:
    """The requirements, all or those of one area.

    Raises:
        UsageError: there is no such area.

    """
    if area is not None and area not in AREAS:
        near = difflib.get_close_matches(area, AREAS, n=1)
        raise UsageError(
            f"{area}: no such area; " + (f"did you mean {near[0]}?" if near else f"there are {', '.join(AREAS)}")
        )
    chosen = [requirement for requirement in _load() if area in {None, requirement.area}]
    if as_json:
        say(json.dumps([_as_json(requirement) for requirement in chosen], indent=2, ensure_ascii=False))
        return
    width = max((len(requirement.id) for requirement in chosen), default=0)
    for name in dict.fromkeys(requirement.area for requirement in chosen):
        say(AREAS[name])
        for requirement in chosen:
            if requirement.area == name:
                say(_cut(f"  {requirement.id:<{width}}  {requirement.level:<6}  {requirement.sentence}"))
        say()
    say(f"{len(chosen)} requirements; authconform explain ID tells more of each.")


def show_one(name: str) -> None:
    """Everything about one requirement.

    Raises:
        UsageError: there is none of that id.

    """
    try:
        requirement = catalogue.find(name, _load())
    except catalogue.CatalogueError as error:
        raise UsageError(str(error)) from None
    say(f"{requirement.id}  {dim(requirement.level)}")
    say(requirement.sentence)
    say()
    labelled("why", requirement.why)
    labelled("test", requirement.how)
    labelled("act", _ACTS[requirement.act])
    if requirement.needs:
        labelled("needs", ", ".join(requirement.needs))
    for place, source in enumerate(requirement.sources):
        labelled("" if place else "sources", str(source))
        labelled("", source.url)
    labelled("remedy", requirement.remedy)
    if requirement.defects:
        labelled("seen in", f"authconform app --defect {' | '.join(requirement.defects)}")
    example = catalogue.remedy_example(requirement.id)
    if example:
        say()
        say(example)


def _load() -> list[Requirement]:
    try:
        return catalogue.load()
    except catalogue.CatalogueError as error:
        raise UsageError(str(error)) from None


def _as_json(requirement: Requirement) -> dict[str, Any]:
    return {
        **requirement.as_json(),
        "how": requirement.how,
        "act": requirement.act,
        "needs": list(requirement.needs),
        "defects": list(requirement.defects),
    }


def _cut(line: str) -> str:
    width = columns()
    return line if width is None or len(line) <= width else f"{line[: width - 1]}…"
