"""A login function of the user's own."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from harness.profile import ProfileError

if TYPE_CHECKING:
    from pathlib import Path


def load_function(base: Path, reference: str) -> Callable[..., Any]:
    """The function that ``file.py:name`` means, relative to the profile's folder.

    Raises:
        ProfileError: there is no such file or function, or the file cannot be imported.

    """
    file, _, name = reference.partition(":")
    path = base / file
    spec = importlib.util.spec_from_file_location(f"authconform_login_{path.stem}", path)
    if not name or not path.is_file() or spec is None or spec.loader is None:
        raise ProfileError(f"login.function: expected file.py:name of an existing file, relative to the profile; got {reference}")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise ProfileError(f"login.function: {path} cannot be imported: {type(error).__name__}: {error}") from error
    function = getattr(module, name, None)
    if not callable(function):
        raise ProfileError(f"login.function: {path} has no function {name}")
    return function  # type: ignore[no-any-return]
