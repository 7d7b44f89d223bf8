"""The profile's documentation, made from its models: ``python -m harness.profile.docs [--check]``.

It writes ``docs/profile.md``, ``docs/profile.schema.json`` and, beside them, ``docs/run.schema.json``.
"""

from __future__ import annotations

import json
import sys
import types
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, SecretStr
from pydantic_core import PydanticUndefined

from harness import target
from harness.profile.examples import EXAMPLES, minimal
from harness.report.run import json_schema as run_schema
from harness.report.schema import published

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pydantic.fields import FieldInfo

_DOCS = Path(__file__).parents[2] / "docs"
_INTRODUCTION = """# The profile

One TOML file tells authconform what it judges: where the application is, who may sign in, how, and which endpoint
answers as the signed-in user. `[target]`, one account and `[probe]` are required; every other section is optional,
and what is absent is *not applicable*: the report says so with its reason. An unknown key is an error that names the
nearest known one.

The smallest profile:

```toml
{minimal}```

Save it as `authconform.toml` and run `authconform run`. Passwords of accounts that matter come from the environment
(`env:NAME`) or from a file beside the profile (`file:PATH`); they never reach a report.

An editor that knows JSON Schema completes and checks keys with [`profile.schema.json`](profile.schema.json).
"""
_NAMES: dict[Any, str] = {
    target.OriginStr: "origin",
    target.Path: "path",
    target.Pointer: "JSON pointer",
    str: "text",
    SecretStr: "text",
    int: "whole number",
    float: "number",
    bool: "`true` or `false`",
}
_BAR = r"\|"  # a bar within a cell of a Markdown table
_BOUNDS = (("ge", "at least {}"), ("gt", "more than {}"), ("le", "at most {}"), ("lt", "less than {}"))


def json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a profile."""
    return published(target.Target.model_json_schema(by_alias=True), "A profile of authconform")


def markdown() -> str:
    """The profile explained: the smallest one, common shapes, then every section with its keys."""
    parts = [_INTRODUCTION.format(minimal=minimal()), "## Common shapes\n"]
    parts += [f"### {title}\n\n{text}\n\n```toml\n{example}```\n" for title, text, example in EXAMPLES]
    parts.append("## Sections\n")
    parts += [_section(table) for table in _sections()]
    return "\n".join(parts)


@dataclass(frozen=True)
class _Table:
    """One table of a profile: its header as TOML has it, what it is for, what goes in."""

    header: str
    purpose: str
    model: type[BaseModel]

    def inner(self) -> Iterator[_Table]:
        """The tables within."""
        prefix = self.header.strip("[]")
        for name, field, hint in _fields(self.model):
            model = _model_in(hint)
            if model is not None:
                path = f"{prefix}.{name}".strip(".")
                kinds = {list: f"[[{path}]]", dict: f"[{path}.NAME]"}
                purpose = f"{field.description or ''} {model.__doc__ or ''}"
                yield _Table(kinds.get(get_origin(hint), f"[{path}]"), " ".join(purpose.split()), model)


def _sections() -> Iterator[_Table]:
    """Every table, inner ones right after their outer one."""
    pending = list(_Table("", "", target.Target).inner())
    while pending:
        table = pending.pop(0)
        yield table
        pending = [*table.inner(), *pending]


def _fields(model: type[BaseModel]) -> Iterator[tuple[str, FieldInfo, Any]]:
    hints = get_type_hints(model, include_extras=True)
    for name, field in model.model_fields.items():
        yield field.alias or name, field, hints[name]


def _section(table: _Table) -> str:
    rows = ["| key | type | default | meaning |", "| --- | --- | --- | --- |"]
    for name, field, hint in _fields(table.model):
        if _model_in(hint) is None:
            cells = (f"`{name}`", _type(hint, field), _default(field), field.description or "")
            rows.append(f"| {' | '.join(cell.replace('|', _BAR) for cell in cells)} |")
    inner = ", ".join(f"`{one.header}`" for one in table.inner())
    more = f"\nFurther tables: {inner}.\n" if inner else ""
    return f"### `{table.header}`\n\n{table.purpose}\n\n" + "\n".join(rows) + f"\n{more}"


def _type(hint: Any, field: FieldInfo) -> str:
    bounds = [
        text.format(f"{getattr(item, name):g}")
        for item in field.metadata
        for name, text in _BOUNDS
        if isinstance(getattr(item, name, None), int | float)
    ]
    return ", ".join([_word(hint), *bounds])


def _word(hint: Any) -> str:
    if hint in _NAMES:
        return _NAMES[hint]
    arguments = [argument for argument in get_args(hint) if argument is not type(None)]
    match get_origin(hint):
        case typing if typing is Annotated:
            return _word(arguments[0])
        case typing if typing is Literal:
            return " or ".join(f"`{json.dumps(argument)}`" for argument in arguments if argument != "")
        case typing if typing in {Union, types.UnionType}:
            return " or ".join(_word(argument) for argument in arguments)
        case typing if typing is list:
            return f"list of {_word(arguments[0])}"
        case _:
            return f"table: name = {_word(arguments[1])}"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**required**"
    value = field.get_default(call_default_factory=True, validated_data={})
    if value in (None, "", [], {}, PydanticUndefined):
        return ""
    if isinstance(value, dict):
        return "`{ " + ", ".join(f"{key} = {json.dumps(item)}" for key, item in value.items()) + " }`"
    return f"`{json.dumps(value)}`"


def _model_in(hint: Any) -> type[BaseModel] | None:
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        return hint
    return next((found for argument in get_args(hint) if (found := _model_in(argument)) is not None), None)


def documents() -> dict[str, Callable[[], str]]:
    """File name in ``docs/`` to what makes its text."""
    return {
        "profile.md": markdown,
        "profile.schema.json": lambda: _as_text(json_schema()),
        "run.schema.json": lambda: _as_text(run_schema()),
    }


def _as_text(schema: dict[str, Any]) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def main(arguments: list[str]) -> int:
    """Write the documents, or with ``--check`` only tell which of them are out of date (exit code 1)."""
    if not _DOCS.is_dir():
        sys.stderr.write(f"{_DOCS}: no such folder; the documents are made in a checkout of the sources\n")
        return 4
    stale = [
        name
        for name, made in documents().items()
        if not (_DOCS / name).is_file() or (_DOCS / name).read_text(encoding="utf-8") != made()
    ]
    if "--check" in arguments:
        for name in stale:
            sys.stderr.write(f"docs/{name} is out of date; python -m harness.profile.docs writes it\n")
        return 1 if stale else 0
    for name in stale:
        (_DOCS / name).write_text(documents()[name](), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
