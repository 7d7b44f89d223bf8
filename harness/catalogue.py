"""The catalogue: every requirement of the installed suites, found without naming one of them."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import pkgutil
import re
from pathlib import Path
from typing import TYPE_CHECKING

from harness.requirement import AREAS, Requirement, requirement_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import ModuleType

PACKAGE = "suites"
_HEADING = re.compile(r"^## +([a-z]+\.[a-z0-9.-]+) *$", re.MULTILINE)


class CatalogueError(Exception):
    """The suites are not installed, or not as they should be; the message is one line."""


def folder() -> Path:
    """The folder of the suites.

    Raises:
        CatalogueError: they are not installed.

    """
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise CatalogueError(f"the package {PACKAGE!r} is not installed; install authconform whole")
    return Path(spec.submodule_search_locations[0])


def load() -> list[Requirement]:
    """Every requirement, in the order of the areas and, within one, of the source.

    Raises:
        CatalogueError: the suites are not installed or lack something, or two functions declare the same id.

    """
    found: dict[str, Requirement] = {}
    for declared in _declared():
        if declared.id in found:
            raise CatalogueError(f"{declared.id}: declared twice; an id belongs to one requirement")
        found[declared.id] = declared
    areas = list(AREAS)
    return sorted(found.values(), key=lambda requirement: areas.index(requirement.area))


def find(name: str, requirements: Iterable[Requirement]) -> Requirement:
    """The requirement of that id.

    Raises:
        CatalogueError: there is none; the nearest id is named.

    """
    known = {requirement.id: requirement for requirement in requirements}
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
    hint = f"did you mean {near[0]}?" if near else "authconform list shows them all"
    raise CatalogueError(f"{name}: no such requirement; {hint}")


def remedy_example(name: str) -> str:
    """The example that shows how to fulfil a requirement, as Markdown; empty where none is written.

    It stands in ``remedies/<area>.md`` of the suites, under the heading ``## <id>``.
    """
    file = folder() / "remedies" / f"{name.partition('.')[0]}.md"
    if not file.is_file():
        return ""
    # What `re.split` gives: the text before the first heading, then heading and content in turn.
    _, *parts = _HEADING.split(file.read_text(encoding="utf-8"))
    return dict(zip(parts[::2], parts[1::2], strict=True)).get(name, "").strip()


def _declared() -> Iterator[Requirement]:
    for info in sorted(pkgutil.iter_modules([str(folder())]), key=lambda info: info.name):
        if info.name.startswith("test_"):
            module = _module(f"{PACKAGE}.{info.name}")
            for value in vars(module).values():
                declared = requirement_of(value)
                # What a module only imports is declared elsewhere.
                if declared is not None and getattr(value, "__module__", "") == module.__name__:
                    yield declared


def _module(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise CatalogueError(f"{name}: cannot be imported: {error}") from error
