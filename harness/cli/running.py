"""``authconform run``: check the profile, say which pytest command this is, become it."""

from __future__ import annotations

import importlib.util
import os
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from harness import catalogue, profile
from harness.cli.output import UsageError, dim, say

DEFAULT_PROFILE = "authconform.toml"

# Stand-ins for what a run fills in: the profile is checked here, not started.
_PLACEHOLDERS = {"python": sys.executable, "port": "1", "plain_port": "2", "dir": "."}


@dataclass(frozen=True)
class Wanted:
    """What the command line asked for."""

    url: str | None
    profile: str | None
    report: str | None
    only: tuple[str, ...]
    allow: tuple[str, ...]
    workers: str | None
    pytest: tuple[str, ...]


def judge(wanted: Wanted) -> int:
    """Run the suites against the target; on POSIX this process becomes pytest and does not return.

    Raises:
        UsageError: no profile, a wrong one, or something is not installed.

    """
    name = wanted.profile or _default(wanted.url)
    try:
        path = profile.locate(name)
        tables = profile.read(path)
        started_by_us = "launch" in tables and wanted.url is None
        profile.build(path, tables, origin=wanted.url, values=_PLACEHOLDERS if started_by_us else None)
        suites = catalogue.folder()
    except (profile.ProfileError, catalogue.CatalogueError) as error:
        raise UsageError(str(error)) from None
    if wanted.workers is not None and importlib.util.find_spec("xdist") is None:
        raise UsageError("-n needs pytest-xdist: pip install 'authconform[parallel]'")
    command = pytest_command(wanted, name, suites)
    say(dim(f"$ {shlex.join(command)}"))
    return _become(command)


def pytest_command(wanted: Wanted, profile_name: str, suites: Path) -> list[str]:
    """The pytest command that a run stands for.

    It keeps to the suites: neither modules of the current folder (``-P``) nor its conftest.py take part, no cache is
    left behind, and the order stays the catalogue's.
    """
    command = [sys.executable, "-P", "-m", "pytest", str(suites), "-c", str(suites / "run.toml")]
    command += ["--confcutdir", str(suites), "-p", "harness.plugin", "-p", "no:cacheprovider", "-p", "no:randomly"]
    command.append(f"--auth-profile={profile_name}")
    if wanted.url is not None:
        command.append(f"--auth-target={wanted.url}")
    if wanted.report is not None:
        command.append(f"--auth-report={wanted.report}")
    command += [f"--auth-only={name}" for name in wanted.only]
    command += [f"--auth-allow={kind}" for kind in wanted.allow]
    if wanted.workers is not None:
        command += ["-n", wanted.workers]
    return [*command, *wanted.pytest]


def _default(url: str | None) -> str:
    if Path(DEFAULT_PROFILE).is_file():
        return DEFAULT_PROFILE
    from harness.profile.examples import minimal  # noqa: PLC0415 - only who has no profile needs one

    example = "".join(f"    {line}" if line.strip() else line for line in minimal(url).splitlines(keepends=True))
    raise UsageError(
        f"no profile was named and there is no {DEFAULT_PROFILE} here. The smallest one says:\n\n{example}\n"
        f"Save it as {DEFAULT_PROFILE} (docs/profile.md tells the rest), or judge the reference app:\n"
        "authconform run --profile reference:cookie"
    )


def _become(command: list[str]) -> int:
    sys.stdout.flush()
    if os.name == "posix":
        # Signals and the exit code are then pytest's own, with no process in between.
        os.execv(command[0], command)  # noqa: S606
    return subprocess.call(command)  # noqa: S603
