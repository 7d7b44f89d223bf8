"""Puts a checkout together: where suites are asked for and no target is named, the reference app is judged."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

pytest_plugins = ["harness.plugin"]

_SUITES = Path(__file__).parent / "suites"


def pytest_configure(config: pytest.Config) -> None:
    """``pytest suites`` with no target judges the reference app in its cookie architecture."""
    asked = (Path(config.invocation_params.dir, argument.partition("::")[0]).resolve() for argument in config.args)
    named = config.option.auth_profile or config.getini("auth_profile")
    if not named and not config.option.auth_target and any(path.is_relative_to(_SUITES) for path in asked):
        config.option.auth_profile = "reference:cookie"
