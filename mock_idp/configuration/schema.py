"""JSON Schema of records, with the words of their docstrings: for the configuration's reference and the control API."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
import textwrap
import types
import typing
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from mock_idp.configuration.reading import hints_of

if TYPE_CHECKING:
    from collections.abc import Collection

_PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean"}


def schema_of(kind: Any, *, without: Collection[str] = (), partial: bool = False) -> dict[str, Any]:
    """The schema of a record as a table.

    Args:
        kind: a dataclass.
        without: members that the table does not hold.
        partial: none is required, as in a patch.

    """
    said = descriptions(kind)
    properties: dict[str, Any] = {}
    required = []
    for field in dataclasses.fields(kind):
        if field.name in without:
            continue
        entry = _hinted(hints_of(kind)[field.name])
        if field.name in said:
            entry["description"] = said[field.name]
        usual = default_of(field)
        if usual is dataclasses.MISSING:
            required.append(field.name)
        elif not partial and not dataclasses.is_dataclass(usual):
            entry["default"] = usual
        properties[field.name] = entry
    found = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**found, "required": required} if required and not partial else found


def default_of(field: dataclasses.Field[Any]) -> Any:
    """What a member is where nothing is said; `dataclasses.MISSING` where it has to be."""
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


def _hinted(hint: Any) -> dict[str, Any]:  # noqa: PLR0911 # one line a kind of hint
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint in _PLAIN:
        return {"type": _PLAIN[hint]}
    if origin in {typing.Union, types.UnionType}:
        rest = [_hinted(argument) for argument in arguments if argument is not types.NoneType]
        return {"anyOf": [*rest, {"type": "null"}]}
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin is list:
        return {"type": "array", "items": _hinted(arguments[0])}
    if origin is dict:
        return {"type": "object", "additionalProperties": _hinted(arguments[1])}
    if dataclasses.is_dataclass(hint):
        return schema_of(hint)
    return {}


@cache
def descriptions(kind: Any) -> dict[str, str]:
    """What the docstring of a dataclass, or the text below a member, says of each member."""
    body = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0]
    assert isinstance(body, ast.ClassDef)  # noqa: S101 # dataclasses are classes
    found = _attributes(ast.get_docstring(body) or "")
    for member, text in zip(body.body, body.body[1:], strict=False):
        if isinstance(member, ast.AnnAssign) and isinstance(member.target, ast.Name) and isinstance(text, ast.Expr):
            found[member.target.id] = _one_line(str(getattr(text.value, "value", "")))
    return found


def _attributes(docstring: str) -> dict[str, str]:
    _, _, section = docstring.partition("Attributes:\n")
    found: dict[str, str] = {}
    for names, text in re.findall(r"^    ([a-z_, ]+): (.*(?:\n {8}.*)*)", section, re.MULTILINE):
        found.update(dict.fromkeys(names.split(", "), _one_line(text)))
    return found


def _one_line(text: str) -> str:
    return re.sub(r"``([^`]*)``", r"`\1`", " ".join(text.split()))
