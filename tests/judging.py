"""Judging the reference app through the plugin, inside this process: what `pytest suites` does, without its start-up.

The app listens in a thread of this process where that is enough, and over TLS it is started by the profile's own
command; the suites reach both over HTTP and cannot tell.
"""

from __future__ import annotations

import importlib.resources
import json
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from reference_app.app import create_app
from reference_app.defects import apply
from reference_app.server import listen, server
from reference_app.settings import Settings, read

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

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
    "-p",
    "no:playwright",  # it keeps one state a process, and this is a session within a session
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


def judge_reference(
    folder: Path,
    name: str,
    *,
    defects: Iterable[str] = (),
    settings: Mapping[str, str] | None = None,
    replace: Mapping[str, str] | None = None,
) -> Document:
    """Run all suites, the aggressive ones too, against the reference app as a shipped profile has it.

    Args:
        folder: where profile and report go.
        name: the shipped profile.
        defects: bugs to start the app with.
        settings: ``--set`` pairs for the app.
        replace: passages of the profile to others.

    """
    profile = reference_profile(folder, name, defects=defects, settings=settings, replace=replace)
    if name.endswith("-tls"):
        return judge(profile, folder, allow=["aggressive"])
    pairs = {"argon2": "light", "clock_header": "true", **(settings or {})}
    with listening(apply(read(pairs, architecture=name), defects)) as origin:
        return judge(profile, folder, allow=["aggressive"], target=origin)


@contextmanager
def listening(settings: Settings) -> Iterator[str]:
    """The app in a thread; its origin."""
    socket = listen("127.0.0.1", 0)
    running = server(create_app(settings))
    thread = threading.Thread(target=running.run, args=([socket],), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{socket.getsockname()[1]}"
    finally:
        running.should_exit = True
        thread.join(10)


def judge(
    profile: Path, report: Path, *, allow: Collection[str] = (), only: Collection[str] = (), target: str = ""
) -> Document:
    """Run the suites against a target that runs, or what the profile starts; the document that the run wrote."""
    options = [f"--auth-allow={kind}" for kind in allow] + [f"--auth-only={name}" for name in only]
    options += [f"--auth-target={target}"] if target else []
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
    """Requirement to what was found wrong, for every verdict that is not plainly good.

    What a root cause kept from being judged is not counted.
    """
    found = {v["id"]: v for v in document["verdicts"] if v["outcome"] not in COLOURLESS}
    broken = {name for name, v in found.items() if v["outcome"] != "inconclusive"}
    direct = {name: v for name, v in found.items() if v["outcome"] != "inconclusive" or v["cause"] not in broken}
    return {name: f"{v['outcome']}: {v['reason']}" for name, v in direct.items()}
