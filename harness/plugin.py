"""The pytest plugin: options and markers. In a run that is not ours it does nothing and imports nothing.

What a run of ours needs is in `harness.conductor`, which is imported when a profile is named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from harness.conductor import Conductor

CONDUCTOR: pytest.StashKey[Conductor] = pytest.StashKey()
_NO_TARGET = (
    "requirements were selected and no target: name a profile with --auth-profile FILE "
    "(docs/profile.md tells what goes in), or auth_profile in the ini file"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """One group, one prefix, an ini twin for each."""
    group = parser.getgroup("auth", "authconform: judge the authentication of a web application")
    for name, metavar, text in (
        ("profile", "FILE", "profile of the target (TOML), or reference:NAME for one shipped with the project"),
        ("target", "URL", "origin of the running target; replaces target.origin, and nothing is started"),
        ("report", "DIR", "folder for run.json (default: authconform-report)"),
    ):
        group.addoption(f"--auth-{name}", metavar=metavar, default=None, help=text)
        parser.addini(f"auth_{name}", text, default="")
    for name, metavar, text in (
        ("only", "NAME", "judge only this area or requirement; may be repeated"),
        (
            "allow",
            "KIND",
            (
                "allow requirements that are aggressive (guess, flood, lock out) or slow (wait for limits to pass); "
                "may be repeated"
            ),
        ),
    ):
        group.addoption(f"--auth-{name}", metavar=metavar, action="append", default=None, help=text)
        parser.addini(f"auth_{name}", text, type="args", default=[])


def pytest_configure(config: pytest.Config) -> None:
    """Markers, so that strict runs know them."""
    for line in (
        "requirement(id, level): tests one requirement; set by harness.requirement.requirement",
        "reads: only looks",
        "writes: uses the test account",
        "aggressive: guesses, floods or locks out",
    ):
        config.addinivalue_line("markers", line)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Where a profile is named, a run of ours begins: its target starts while pytest collects."""
    config = session.config
    if (config.option.auth_profile or config.getini("auth_profile")) and not config.option.collectonly:
        from harness.conductor import Conductor  # noqa: PLC0415 - nothing of it is needed in a run that is not ours

        config.stash[CONDUCTOR] = conductor = Conductor.begin(config)
        config.pluginmanager.register(conductor, "harness.conductor")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Requirements in the order of their areas, those not asked for left out."""
    if not any(hasattr(getattr(item, "function", None), "__requirement__") for item in items):
        return
    from harness.selection import arrange  # noqa: PLC0415

    only = config.option.auth_only or config.getini("auth_only")
    allowed = config.option.auth_allow or config.getini("auth_allow")
    kept, dropped = arrange(items, only, aggressive_last="aggressive" in allowed)
    items[:] = kept
    if dropped:
        config.hook.pytest_deselected(items=dropped)
    if kept and CONDUCTOR not in config.stash and not config.option.collectonly:
        raise pytest.UsageError(_NO_TARGET)
