"""Reading a profile: TOML in, a `Target` out, or one line that says what is wrong, where, and how to mend it."""

from __future__ import annotations

import difflib
import importlib.util
import os
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel, ValidationError

from harness.target import Target

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pydantic_core import ErrorDetails

SHIPPED = "reference:"


class ProfileError(Exception):
    """The profile cannot be used; the message is one line for the person who wrote it."""


def locate(name: str) -> Path:
    """The file that ``name`` means: a path, or ``reference:NAME`` for a profile shipped with the reference app.

    Raises:
        ProfileError: there is no such file.

    """
    if not name.startswith(SHIPPED):
        path = Path(name)
        if path.is_file():
            return path
        near = difflib.get_close_matches(path.name, [p.name for p in path.parent.glob("*.toml")], n=1)
        hint = f"; did you mean {path.parent / near[0]}?" if near else f"; shipped ones are named {SHIPPED}NAME"
        raise ProfileError(f"{name}: no such profile{hint}")
    spec = importlib.util.find_spec("reference_app")
    if spec is None or not spec.submodule_search_locations:
        raise ProfileError(f"{name}: the reference app is not installed")
    folder = Path(spec.submodule_search_locations[0]) / "profiles"
    path = folder / f"{name.removeprefix(SHIPPED)}.toml"
    if not path.is_file():
        raise ProfileError(
            f"{name}: no such shipped profile; "
            f"there are {', '.join(sorted(SHIPPED + p.stem for p in folder.glob('*.toml')))}"
        )
    return path


def read(path: Path) -> dict[str, Any]:
    """The profile's tables as they stand.

    Raises:
        ProfileError: the file cannot be read or is not TOML.

    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ProfileError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ProfileError(f"{path}: is not UTF-8 text (byte {error.start})") from error
    except tomllib.TOMLDecodeError as error:
        raise ProfileError(f"{path}: is not TOML: {error}") from error


def build(
    path: Path, tables: Mapping[str, Any], *, origin: str | None = None, values: Mapping[str, str] | None = None
) -> Target:
    """The target that a profile's tables declare.

    Args:
        path: the profile, for error messages and as the base of relative paths.
        tables: what `read` gave.
        origin: replaces ``target.origin`` (a command line's ``--auth-target``).
        values: what ``{port}`` and the like stand for in ``[target]`` and ``[launch]``.

    Raises:
        ProfileError: a key is unknown or missing, a value is not what was expected, a secret is not there.

    """
    data = {key: dict(value) if isinstance(value, dict) else value for key, value in tables.items()}
    if origin is not None:
        if not isinstance(data.get("target", {}), dict):
            raise ProfileError(f"{path}: target: expected a table, [target]")
        data["target"] = {**data.get("target", {}), "origin": origin}
    for section in ("target", "launch"):
        if section in data and values is not None:
            data[section] = _fill(data[section], values)
    if origin is not None and values is None and isinstance(data.get("target"), dict):
        # A target that runs already was not started with our placeholders: what they would point at is not there.
        data["target"] = {k: v for k, v in data["target"].items() if not (isinstance(v, str) and "{" in v)}
    _secrets(path, data)
    try:
        return Target.model_validate(data)
    except ValidationError as error:
        # A misspelt key is told first: what it leaves missing follows from it.
        first = min(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
        raise ProfileError(f"{path}: {_line(first)}") from None


def load(name: str, *, origin: str | None = None, values: Mapping[str, str] | None = None) -> Target:
    """`locate`, `read` and `build` in one."""
    path = locate(name)
    return build(path, read(path), origin=origin, values=values)


def _fill(value: Any, values: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        for name, text in values.items():
            value = value.replace(f"{{{name}}}", text)
        return value
    if isinstance(value, list):
        return [_fill(item, values) for item in value]
    if isinstance(value, dict):
        return {key: _fill(item, values) for key, item in value.items()}
    return value


def _secrets(path: Path, data: dict[str, Any]) -> None:
    """Replace ``env:`` and ``file:`` passwords by what they name."""
    accounts = data.get("accounts")
    if not isinstance(accounts, dict):
        return
    resolved: dict[str, Any] = {}
    for name, account in accounts.items():
        resolved[name] = account
        if isinstance(account, dict) and isinstance(account.get("password"), str):
            resolved[name] = {**account, "password": _secret(path, f"accounts.{name}.password", account["password"])}
    data["accounts"] = resolved


def _secret(path: Path, key: str, value: str) -> str:
    if value.startswith("env:"):
        name = value.removeprefix("env:")
        if not os.environ.get(name):
            raise ProfileError(f"{path}: {key}: the environment variable {name} is not set; export it before the run")
        return os.environ[name]
    if value.startswith("file:"):
        file = path.parent / value.removeprefix("file:")
        try:
            text = file.read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise ProfileError(f"{path}: {key}: the file {file} cannot be read ({type(error).__name__})") from None
        if not text:
            raise ProfileError(f"{path}: {key}: the file {file} is empty")
        return text
    return value


def _line(error: ErrorDetails) -> str:  # noqa: PLR0911 - one sentence a kind of error
    """One validation error as one sentence. The input itself is never shown: it may be a secret."""
    # Names of pydantic's own, such as those of a union's members, are no keys of the profile.
    where = ".".join(str(part) for part in error["loc"] if not re.search(r"[\[(-]", str(part))) or "the profile"
    kind = error["type"]
    if kind == "extra_forbidden":
        known = _known_keys(error["loc"][:-1])
        near = difflib.get_close_matches(str(error["loc"][-1]), known, n=1)
        prefix = ".".join(str(part) for part in error["loc"][:-1])
        hint = (
            f"did you mean {prefix + '.' if prefix else ''}{near[0]}?"
            if near
            else f"known here: {', '.join(sorted(known))}"
        )
        return f"{where}: unknown key; {hint}"
    if kind == "missing":
        section = where.split(".", 1)[0]
        return f"{where}: missing; add it{'' if '.' in where else f' as [{section}]'} ({_describe(error['loc'])})"
    if kind == "value_error":
        return f"{where}: {error['msg'].removeprefix('Value error, ')}"
    if kind == "too_short" and error["loc"] == ("accounts",):
        return "accounts: no account declared; add [accounts.NAME] with username and password"
    if kind == "model_type":
        return f"{where}: expected a table, [{where}]"
    if kind == "too_short":
        return f"{where}: expected at least one entry"
    expected = error["msg"][0].lower() + error["msg"][1:]
    return (
        f"{where}: {expected}"
        if "input should be" not in expected
        else f"{where}: expected {expected.split('input should be ', 1)[1]}"
    )


def _model_at(loc: Iterable[int | str]) -> type[BaseModel] | None:
    model: type[BaseModel] | None = Target
    for part in loc:
        if model is None:
            return None
        if isinstance(part, int):
            continue
        fields = {field.alias or name: field for name, field in model.model_fields.items()}
        field = fields.get(part)
        if field is None:  # a key of the user's own choice, such as an account's name
            continue
        model = next(_models_in(field.annotation), None)
    return model


def _models_in(annotation: Any) -> Iterator[Any]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models_in(inner)


def _known_keys(loc: Iterable[int | str]) -> list[str]:
    model = _model_at(loc)
    return [field.alias or name for name, field in model.model_fields.items()] if model else []


def _describe(loc: tuple[int | str, ...]) -> str:
    model = _model_at(loc[:-1])
    fields = model.model_fields if model else {}
    field = next((f for n, f in fields.items() if (f.alias or n) == loc[-1]), None)
    if field is None:
        return "required"
    doc = next((m.__doc__ or "" for m in _models_in(field.annotation)), "")
    return (field.description or doc.strip().split("\n", 1)[0] or "required").rstrip(".")
