"""The bugs that the application can be started with.

They know nothing of who looks for them: whoever tests the application says which of its tests a defect must turn red.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final

from reference_app.defects import cookies, cors, csrf, errors, login, logout, refresh, session, tokens, transport
from reference_app.defects.model import Defect
from reference_app.settings import Settings, SettingsError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["DEFECTS", "Defect", "apply"]

AREAS: Final = (login, session, cookies, refresh, logout, transport, cors, csrf, tokens, errors)
DEFECTS: Final[dict[str, Defect]] = {defect.name: defect for area in AREAS for defect in area.DEFECTS}


def apply(settings: Settings, names: Iterable[str]) -> Settings:
    """The same application with the named bugs in it.

    What a defect needs is set, unless the operator set it otherwise.

    Raises:
        SettingsError: no such defect (with the nearest one), or one that cannot exist in this deployment.
    """
    for name in names:
        if name not in DEFECTS:
            raise SettingsError(f"unknown defect {name!r}{nearest(name, list(DEFECTS))}")
        settings = _broken(settings, DEFECTS[name])
    return settings


def _broken(settings: Settings, defect: Defect) -> Settings:
    if settings.architecture not in defect.architectures:
        fitting = ", ".join(defect.architectures)
        raise SettingsError(f"defect {defect.name!r} needs --architecture {fitting}, not {settings.architecture}")
    changes = {**defect.settings, **_needed(settings, defect)}
    given = {name: getattr(settings, name) for name in settings.model_fields_set}
    for name in defect.settings.keys() & given.keys():
        raise SettingsError(f"defect {defect.name!r} chooses {name} itself: leave it out")
    rules = dataclasses.replace(settings.rules, **defect.rules)  # type: ignore[arg-type] # names checked by tests
    return Settings(**{**given, **changes, "rules": rules})


def _needed(settings: Settings, defect: Defect) -> dict[str, object]:
    """The settings to change so that the bug can be seen."""
    needs = dict(defect.needs)
    met = {"tls": settings.tls, "plain_port": settings.plain_port is not None, "domain": settings.has_domain}
    how = {"tls": "--tls", "plain_port": "--plain-port", "domain": "a --tls-name such as app.site.example"}
    for name in met.keys() & needs.keys():
        if not met[name]:
            raise SettingsError(f"defect {defect.name!r} needs {how[name]}")
        del needs[name]
    for name, value in needs.items():
        if name in settings.model_fields_set and getattr(settings, name) != value:
            raise SettingsError(f"defect {defect.name!r} needs {name}={value}, not {getattr(settings, name)}")
    return needs
