"""Dataclasses as JSON and back, for stores that keep text.

Not pydantic: its import costs a fifth of a second, it refuses the lone surrogates that some clients send, and it turns
NaN into null. What was put in comes out again.
"""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from functools import cache, partial
from typing import Any, TypeVar

T = TypeVar("T")
Decoder = typing.Callable[[Any], Any]


def dump(value: Any) -> bytes:
    """A dataclass of JSON types, bytes, tuples and further dataclasses as compact ASCII JSON."""
    return _ENCODER.encode(value).encode("ascii")


def load(kind: type[T], raw: bytes) -> T:
    """What `dump` made of a `kind`.

    Members that `kind` does not know are dropped, and those it has gained since take their defaults, so that a newer
    release can read what an older one left behind.

    Raises:
        ValueError: it is no JSON, or a member without a default is missing.

    """
    decode = _decoder(typing.cast("Any", kind)) or _same
    try:
        loaded: T = decode(json.loads(raw))
    except (TypeError, AttributeError) as error:
        raise ValueError(f"this is no {kind.__name__}: {error}") from error
    return loaded


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("latin-1")
    kind: Any = type(value)
    return {name: getattr(value, name) for name in _names(kind)}


_ENCODER = json.JSONEncoder(separators=(",", ":"), default=_plain)


@cache
def _names(kind: Any) -> tuple[str, ...]:
    return tuple(entry.name for entry in dataclasses.fields(kind))


@cache
def _decoder(kind: Any) -> Decoder | None:
    """How to read one type; None where JSON already gives the right value."""
    if kind is bytes:
        return _octets
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        special = {name: reader for name in _names(kind) if (reader := _decoder(hints[name]))}
        return partial(_build, kind, frozenset(_names(kind)), special)
    inner = [_decoder(argument) for argument in typing.get_args(kind)]
    readers = [reader for reader in inner if reader]
    how = _CONTAINERS.get(typing.get_origin(kind))
    if how is None or not readers:
        return None
    return partial(_tuple, inner) if how is _tuple else partial(how, readers[0])


def _same(value: Any) -> Any:
    return value


def _octets(text: str) -> bytes:
    return text.encode("latin-1")


def _build(kind: type, names: frozenset[str], special: dict[str, Decoder], members: dict[str, Any]) -> object:
    for name, reader in special.items():
        if name in members:
            members[name] = reader(members[name])
    if not members.keys() <= names:
        members = {name: value for name, value in members.items() if name in names}
    return kind(**members)


def _optional(reader: Decoder, value: Any) -> Any:
    return None if value is None else reader(value)


def _list(reader: Decoder, values: list[Any]) -> list[Any]:
    return [reader(value) for value in values]


def _dict(reader: Decoder, values: dict[str, Any]) -> dict[str, Any]:
    return {name: reader(value) for name, value in values.items()}


def _tuple(readers: list[Decoder | None], values: list[Any]) -> tuple[Any, ...]:
    return tuple(reader(value) if reader else value for reader, value in zip(readers, values, strict=True))


_CONTAINERS: dict[Any, typing.Callable[..., Any]] = {
    typing.Union: _optional,
    types.UnionType: _optional,
    list: _list,
    dict: _dict,
    tuple: _tuple,
}
