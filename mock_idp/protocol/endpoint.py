"""How a path is served."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mock_idp.protocol.errors import OAuthError
    from mock_idp.protocol.table import Flow, Table
    from mock_idp.wire.http import Answer


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A table, the flow that walks it, and how its refusals look.

    Attributes:
        refuse: turns a refusal into an answer.
        methods: that it takes; others get 405.
        cors: may pages of other origins read its answers? Never where a browser itself is sent
            (RFC 9700, section 2.6).

    """

    table: Table[Any]
    flow: type[Flow]
    refuse: Callable[[Any, OAuthError], Answer | Awaitable[Answer]]
    methods: tuple[str, ...] = ("GET", "POST")
    cors: bool = True


@dataclass(frozen=True, slots=True)
class Place:
    """Where an endpoint is defined, for one that is loaded when it is first asked for.

    Attributes:
        module: below `mock_idp.protocol`; its ``refuse`` is the endpoint's.
        table: name of the endpoint's table there.
        flow: name of the flow that walks it.
        methods, cors: see `Endpoint`.

    """

    module: str
    table: str
    flow: str
    methods: tuple[str, ...] = ("GET", "POST")
    cors: bool = True

    def load(self) -> Endpoint:
        """The endpoint itself."""
        module = import_module(f"mock_idp.protocol.{self.module}")
        return Endpoint(getattr(module, self.table), getattr(module, self.flow), module.refuse, self.methods, self.cors)


class Routes(Mapping[str, Endpoint]):
    """Endpoints by their path. Each is loaded when it is first asked for: a client begins with one of many."""

    def __init__(self, places: Mapping[str, Place]) -> None:
        self._places = places
        self._loaded: dict[Place, Endpoint] = {}

    def __getitem__(self, path: str) -> Endpoint:
        place = self._places[path]
        found = self._loaded.get(place)
        if found is None:
            found = self._loaded[place] = place.load()
        return found

    def __contains__(self, path: object) -> bool:
        return path in self._places

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def without(self, paths: tuple[str, ...]) -> Routes:
        """The same but for some paths."""
        return Routes({path: place for path, place in self._places.items() if path not in paths}) if paths else self
