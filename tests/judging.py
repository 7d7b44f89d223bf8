"""Judging the reference app through the plugin, inside this process: what `pytest suites` does, without its start-up."""

from __future__ import annotations

import importlib.resources
import json
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

_HERE = Path(__file__).parent
Document = dict[str, Any]

_QUIET = (
    "-p",
    "no:terminal",
    "-p",
    "no:cacheprovider",
    "-p",
    "no:randomly",
    "-p",
    "no:xdist",
    "-p",
    "no:timeout",
    "-p",
    "no:faulthandler",
    "-s",
)
COLOURLESS = frozenset({"pass", "not_applicable", "not_run"})


def reference_profile(
    folder: Path,
    name: str,
    *,
    defects: Iterable[str] = (),
    settings: Mapping[str, str] | None = None,
    replace: Mapping[str, str] | None = None,
) -> Path:
    """A shipped profile, its launch command and its text changed, in a file of its own.

    Args:
        folder: where the file goes.
        name: ``cookie`` for ``reference:cookie``.
        defects: bugs to start the app with.
        settings: ``--set`` pairs for the app.
        replace: passages of the profile to others; each must occur.

    """
    text = (importlib.resources.files("reference_app") / "profiles" / f"{name}.toml").read_text()
    for old, new in (replace or {}).items():
        assert old in text, f"{old!r} does not occur in {name}.toml"
        text = text.replace(old, new)
    extra = [
        part for key, value in {"argon2": "light", **(settings or {})}.items() for part in ("--set", f"{key}={value}")
    ]
    extra += [part for defect in defects for part in ("--defect", defect)]
    marker = '"clock_header=true"'
    assert marker in text
    path = folder / f"{name}.toml"
    path.write_text(text.replace(marker, ", ".join([marker, *map(json.dumps, extra)])))
    return path


def judge(profile: Path, report: Path, *, allow: Collection[str] = (), only: Collection[str] = ()) -> Document:
    """Run the suites against what a profile starts; the document that the run wrote."""
    options = [f"--auth-allow={kind}" for kind in allow] + [f"--auth-only={name}" for name in only]
    code = pytest.main(
        [
            "--pyargs",
            "suites",
            "-c",
            str(_HERE / "judged.toml"),
            f"--confcutdir={_HERE.parent}",
            *_QUIET,
            "--auth-profile",
            str(profile),
            "--auth-report",
            str(report),
            *options,
        ]
    )
    assert code in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}, f"pytest ended with {code!r}"
    document: Document = json.loads((report / "run.json").read_text())
    return document


def coloured(document: Document) -> dict[str, str]:
    """Requirement to what was found wrong, for every verdict that is not plainly good; what a root cause kept from being judged is not counted."""
    found = {v["id"]: v for v in document["verdicts"] if v["outcome"] not in COLOURLESS}
    direct = {name: v for name, v in found.items() if v["outcome"] != "inconclusive" or v["cause"] not in found}
    return {name: f"{v['outcome']}: {v['reason']}" for name, v in direct.items()}
