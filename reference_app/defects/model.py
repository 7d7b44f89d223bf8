"""What a defect is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reference_app.settings import Architecture

if TYPE_CHECKING:
    from collections.abc import Mapping

ALL = tuple(Architecture)
HEADERS = (Architecture.BEARER, Architecture.BOTH)
COOKIES = (Architecture.COOKIE, Architecture.BOTH)


@dataclass(frozen=True, slots=True)
class Defect:
    """A named bug: one promise broken, everything else as it was.

    Attributes:
        name: what it is asked for by.
        sentence: what is wrong, as somebody would report it.
        architectures: those in which the bug can exist.
        rules: the fields of `Rules` that it changes.
        settings: the fields of `Settings` that it changes.
        needs: settings without which it cannot be seen; `domain` stands for a TLS name below a registrable domain.
    """

    name: str
    sentence: str
    architectures: tuple[Architecture, ...]
    rules: Mapping[str, object] = field(default_factory=dict)
    settings: Mapping[str, object] = field(default_factory=dict)
    needs: Mapping[str, object] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        """What somebody who starts the application from outside must know."""
        return {
            "name": self.name,
            "architectures": [architecture.value for architecture in self.architectures],
            "sentence": self.sentence,
            "needs": dict(self.needs),
        }
