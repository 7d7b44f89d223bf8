"""Makes of provider: each a value with its own paths, names and quirks, over the same tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from mock_idp.dialects.base import Dialect
from mock_idp.dialects.oidc import OpenIdConnect

if TYPE_CHECKING:
    from mock_idp.records import DialectName

_NAMES: tuple[DialectName, ...] = ("oidc", "oauth2", "github", "google", "intra42")
"""Each is the name of its module, too."""


class _Dialects(Mapping["DialectName", Dialect[Any]]):
    """Every make by its name; loaded when the first tenant of it is asked for, since most providers serve one make."""

    def __init__(self) -> None:
        self._loaded: dict[DialectName, Dialect[Any]] = {"oidc": OpenIdConnect()}

    def __getitem__(self, name: DialectName) -> Dialect[Any]:
        found = self._loaded.get(name)
        if found is None:
            if name not in _NAMES:
                raise KeyError(name)
            found = self._loaded[name] = import_module(f"{__name__}.{name}").DIALECT
        return found

    def __contains__(self, name: object) -> bool:
        return name in _NAMES

    def __iter__(self) -> Iterator[DialectName]:
        return iter(_NAMES)

    def __len__(self) -> int:
        return len(_NAMES)


DIALECTS: Mapping[DialectName, Dialect[Any]] = _Dialects()

__all__ = ["DIALECTS", "Dialect"]
