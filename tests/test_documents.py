"""What the documents say is so."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness import profile
from harness.catalogue import load, remedy_example
from harness.target import Target

if TYPE_CHECKING:
    from harness.requirement import Requirement

ROOT = Path(__file__).resolve().parent.parent


def test_the_readme_profile_is_a_whole_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    text = re.search(r"```toml\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert text is not None
    monkeypatch.setenv("ALICE_PASSWORD", "a-word-for-alice")
    path = tmp_path / "my-app.toml"
    path.write_text(text[1])
    assert isinstance(profile.load(str(path)), Target)


def test_the_readme_fixture_runs_as_it_stands(tmp_path: Path) -> None:
    text = re.search(r"```python\n(def test_.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert text is not None
    (tmp_path / "test_readme.py").write_text(text[1])
    command = [sys.executable, "-m", "pytest", "-q", "test_readme.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("document", ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"])
def test_links_and_named_files_exist(document: str) -> None:
    text = (ROOT / document).read_text()
    links = [link for link in re.findall(r"\]\(([^)#]+)", text) if "://" not in link]
    assert [link for link in links if not (ROOT / link).exists()] == []
    named = re.findall(r"`((?:harness|suites|tests|reference_app|benchmarks|docs|examples)/[\w/.-]+)`", text)
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("declared", load(), ids=lambda one: one.id)
def test_every_requirement_can_be_explained(declared: Requirement) -> None:
    """A sentence, a why, a how, a source with a link, a remedy in words and in code."""
    assert declared.sentence.endswith(".")
    assert declared.why
    assert declared.how
    assert all(source.url.startswith("https://") for source in declared.sources)
    assert declared.remedy.endswith(".")
    assert remedy_example(declared.id)


def test_shipped_profiles_are_toml() -> None:
    for path in (ROOT / "reference_app" / "profiles").glob("*.toml"):
        assert tomllib.loads(path.read_text())["launch"]["command"]
