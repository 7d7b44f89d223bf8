"""The catalogue: requirements found in whatever suites are installed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from harness import catalogue
from harness.catalogue import CatalogueError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DECLARED = '''
from harness.requirement import MUST, requirement
from harness.sources import CWE

@requirement("{id}", MUST, [CWE(1)], defects=[], remedy="Mend it.")
def {name}():
    """It holds.

    Why: it must.
    Test: look.
    """
'''


@pytest.fixture
def suites(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty package in the place of the suites."""
    name = f"suites_of_{tmp_path.name.replace('-', '_')}"
    package = tmp_path / name
    package.mkdir()
    (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(catalogue, "PACKAGE", name)
    yield package
    for module in [module for module in sys.modules if module.partition(".")[0] == name]:
        del sys.modules[module]


def declare(suites: Path, module: str, *ids: str, more: str = "") -> None:
    text = more + "".join(DECLARED.format(id=name, name=f"test_{number}") for number, name in enumerate(ids))
    (suites / f"{module}.py").write_text(text)


def test_requirements_come_in_the_order_of_areas_and_source(suites: Path) -> None:
    declare(suites, "test_a", "errors.one", "login.zwei", "login.ein")
    declare(suites, "test_b", "cookies.one", more=f"from {suites.name}.test_a import test_1 as borrowed\n")
    declare(suites, "helper", "cors.never")
    assert [found.id for found in catalogue.load()] == ["login.zwei", "login.ein", "cookies.one", "errors.one"]


def test_an_id_belongs_to_one_requirement(suites: Path) -> None:
    declare(suites, "test_a", "login.one")
    declare(suites, "test_b", "login.one")
    with pytest.raises(CatalogueError, match=r"login\.one: declared twice"):
        catalogue.load()


def test_suites_that_lack_something_say_what(suites: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    declare(suites, "test_a", more="import a_module_that_is_not_installed\n")
    with pytest.raises(CatalogueError, match=r"test_a: cannot be imported: .*a_module_that_is_not_installed"):
        catalogue.load()
    monkeypatch.setattr(catalogue, "PACKAGE", "a_package_that_is_not_installed")
    with pytest.raises(CatalogueError, match="is not installed"):
        catalogue.load()


def test_a_remedy_may_come_with_an_example(suites: Path) -> None:
    assert catalogue.remedy_example("login.one") == ""
    (suites / "remedies").mkdir()
    text = "# Login\n\n## login.one\n\n```python\n## a comment\nx = 1\n```\n\n## login.one-more\nnothing\n"
    (suites / "remedies" / "login.md").write_text(text)
    assert catalogue.remedy_example("login.one") == "```python\n## a comment\nx = 1\n```"
    assert catalogue.remedy_example("login.one-more") == "nothing"
    assert catalogue.remedy_example("login.two") == ""
    assert catalogue.remedy_example("cors.one") == ""
