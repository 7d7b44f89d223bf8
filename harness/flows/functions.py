"""A login function of the user's own."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import TYPE_CHECKING

from harness.profile import ProfileError

if TYPE_CHECKING:
    from pathlib import Path

    from harness.target import Account, Target
    from harness.user_agent import UserAgent

LoginFunction = Callable[["UserAgent", "Account"], "str | None"]
"""Signs an account in, in a user agent; gives the access token, or None where cookies carry it."""


def load_function(profile: Path, target: Target) -> LoginFunction | None:
    """The function that ``login.function`` names as ``file.py:name``, relative to the profile; None: it names none.

    Raises:
        ProfileError: there is no such file or function, or the file cannot be imported.

    """
    if target.login.function is None:
        return None
    file, _, name = target.login.function.partition(":")
    path = profile.parent / file
    spec = importlib.util.spec_from_file_location(f"authconform_login_{path.stem}", path)
    if not name or not path.is_file() or spec is None or spec.loader is None:
        raise ProfileError(
            f"{profile}: login.function: expected file.py:name of an existing file, relative to the profile; "
            f"got {target.login.function}"
        )
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise ProfileError(
            f"{profile}: login.function: {path} cannot be imported: {type(error).__name__}: {error}"
        ) from error
    function: LoginFunction | None = getattr(module, name, None)
    if not callable(function):
        raise ProfileError(f"{profile}: login.function: {path} has no function {name}")
    return function
