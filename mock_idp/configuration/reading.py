"""Records from what people write: configuration files and control requests.

Read by the records' own type hints, and not by pydantic, whose import would more than double the time that a
configured provider takes to start. Values are never shown in an error: they may be secrets.
"""

from __future__ import annotations

import dataclasses
import difflib
import math
import types
import typing
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, TypeVar

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

R = TypeVar("R")

LARGEST = 2**53 - 1
"""The greatest whole number that all readers of JSON agree on (RFC 8259, section 6)."""

NAMES = {str: "text", int: "a whole number", float: "a number", bool: "true or false", dict: "a table", list: "a list"}
"""What the types are called in errors."""


class DocumentError(ValueError):
    """A document cannot be used.

    Args:
        where: path of the key, its parts joined by dots; "" is the document itself.
        sentence: what was expected there, or how to mend it.

    """

    def __init__(self, where: str, sentence: str) -> None:
        super().__init__(f"{where}: {sentence}" if where else sentence)
        self.where = where
        self.sentence = sentence


def read(kind: type[R], data: Any, where: str = "", *, given: Mapping[str, Any] | None = None) -> R:
    """A record from a table.

    Args:
        kind: a dataclass of JSON types and further dataclasses.
        data: the table; unknown keys are refused.
        where: its path, for errors.
        given: members that the table may not hold because they are known.

    Raises:
        DocumentError: a key is unknown or missing, or its value is of another type.

    """
    given = given or {}
    hints = {name: hint for name, hint in hints_of(kind).items() if name not in given}
    table = _table(data, where)
    refuse_unknown(table, hints, where)
    members = {name: _value(hints[name], value, join(where, name)) for name, value in table.items()}
    for field in dataclasses.fields(kind):  # type: ignore[arg-type] # callers give dataclasses
        bare = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if bare and field.name not in {*members, *given}:
            raise DocumentError(join(where, field.name), "missing")
    return kind(**members, **given)


def patched(record: R, data: Any, where: str = "", *, fixed: Collection[str] = ()) -> R:
    """A record with the members that a table names replaced; tables of settings within are patched in turn.

    Args:
        record: stays as it is.
        data: the table.
        where: its path, for errors.
        fixed: members that the table may not hold.

    Raises:
        DocumentError: see `read`.

    """
    hints = {name: hint for name, hint in hints_of(type(record)).items() if name not in fixed}
    table = _table(data, where)
    refuse_unknown(table, hints, where)
    members = {}
    for name, value in table.items():
        current, path = getattr(record, name), join(where, name)
        inner = dataclasses.is_dataclass(current) and isinstance(value, dict)
        members[name] = patched(current, value, path) if inner else _value(hints[name], value, path)
    return dataclasses.replace(record, **members)  # type: ignore[type-var] # callers give dataclasses


def hints_of(kind: Any) -> dict[str, Any]:
    """Type hints of a dataclass' members."""
    return _hints(kind)


@cache
def _hints(kind: Any) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind)}


def join(where: str, part: str) -> str:
    """The path of a key within a table; parts that hold dots are quoted as TOML does."""
    part = f'"{part}"' if "." in part else part
    return f"{where}.{part}" if where else part


def refuse_unknown(table: Mapping[str, Any], known: Iterable[str], where: str) -> None:
    """Refuse the first key that is not known.

    Raises:
        DocumentError: it names the nearest one.

    """
    known = list(known)
    for name in table:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean {join(where, near[0])}?" if near else f"known here: {', '.join(sorted(known))}"
            raise DocumentError(join(where, name[:80]), f"unknown key; {hint}")


def _table(data: Any, where: str) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise DocumentError(where, "expected a table" if where else "expected a table of keys and values")
    return data


def _value(hint: Any, value: Any, where: str) -> Any:  # noqa: PLR0911 # one line a kind of hint
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return _json(value, where)
    if origin in {typing.Union, types.UnionType}:
        rest = [argument for argument in arguments if argument is not types.NoneType]
        return None if value is None else _value(rest[0], value, where)
    if origin is Literal:
        return _choice(arguments, value, where)
    if origin is list:
        return [_value(arguments[0], item, f"{where}[{n}]") for n, item in enumerate(_plain(list, value, where))]
    if origin is dict:
        return {key: _value(arguments[1], item, join(where, key)) for key, item in _plain(dict, value, where).items()}
    if dataclasses.is_dataclass(hint):
        return read(typing.cast("type[Any]", hint), value, where)
    return _plain(hint, value, where)


def _plain(kind: Any, value: Any, where: str) -> Any:
    if type(value) is int and abs(value) > LARGEST:
        raise DocumentError(where, f"expected a number between -{LARGEST} and {LARGEST}")
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind or (kind is float and not math.isfinite(value)):
        raise DocumentError(where, f"expected {NAMES[kind]}, not {NAMES.get(type(value), 'that')}")
    return value


def _choice(choices: tuple[Any, ...], value: Any, where: str) -> Any:
    if value in choices:
        return value
    near = difflib.get_close_matches(value, choices, 1) if isinstance(value, str) else []
    hint = f"did you mean {near[0]!r}?" if near else f"expected one of {', '.join(map(str, choices))}"
    raise DocumentError(where, hint)


def _json(value: Any, where: str) -> Any:
    """TOML has dates, which JSON has not: they become text."""
    if isinstance(value, dict):
        return {key: _json(item, join(where, key)) for key, item in value.items()}
    if isinstance(value, list):
        return [_json(item, where) for item in value]
    if value is None or isinstance(value, str | int | bool) or (isinstance(value, float) and math.isfinite(value)):
        return value
    if hasattr(value, "isoformat"):
        return value.isoformat()
    raise DocumentError(where, "expected a value that JSON has")
