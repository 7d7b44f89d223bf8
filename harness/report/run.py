"""run.json: put together, written, read back."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import tempfile
from datetime import UTC
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, get_args

from pydantic import TypeAdapter, ValidationError

from harness.report.document import (
    SCHEMA,
    ExchangeJson,
    OutcomeName,
    Row,
    RunDocument,
    TargetFacts,
    Tool,
    VerdictJson,
)
from harness.report.schema import published
from harness.requirement import AREAS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from harness.target import Target

NAME = "run.json"
OUTCOMES: tuple[OutcomeName, ...] = get_args(OutcomeName)


class ReportError(Exception):
    """A report cannot be written or read; the message is one line."""


def assemble(  # noqa: PLR0913 - the members of a document
    *,
    target: TargetFacts,
    started: datetime,
    duration_s: float,
    verdicts: Iterable[Mapping[str, Any]],
    exchanges: Iterable[Mapping[str, Any]],
    matrix: Iterable[Mapping[str, Any]] = (),
    requests: int | None = None,
    interrupted: bool = False,
    doubtful: str = "",
) -> RunDocument:
    """The canonical document of a run.

    Args:
        target: what was judged (`facts_of`).
        started: when the run began, with a time zone.
        duration_s: how long it took, in seconds.
        verdicts: `Verdict.as_json` of each requirement; put into the order of the areas.
        exchanges: `Exchange.as_json` of each exchange; put into the order of their numbers.
        matrix: the carrier matrix, where there is one.
        requests: how many requests were sent. Default: one for each exchange.
        interrupted: whether the run was stopped before its end.
        doubtful: why the run as a whole must not be trusted.

    """
    areas = list(AREAS)
    judged = sorted(verdicts, key=lambda verdict: areas.index(verdict["area"]))
    seen = sorted(exchanges, key=lambda exchange: int(exchange["number"]))
    return {
        "schema": SCHEMA,
        "tool": _tool(),
        "target": target,
        "started": f"{started.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "duration_s": round(max(duration_s, 0.0), 3),
        "requests": len(seen) if requests is None else requests,
        "interrupted": interrupted,
        "doubtful": doubtful,
        "summary": {outcome: sum(verdict["outcome"] == outcome for verdict in judged) for outcome in OUTCOMES},
        "verdicts": [cast("VerdictJson", dict(verdict)) for verdict in judged],
        "matrix": [cast("Row", dict(row)) for row in matrix],
        "exchanges": [cast("ExchangeJson", dict(exchange)) for exchange in seen],
    }


def facts_of(target: Target, profile: str) -> TargetFacts:
    """What a document says of `target`, declared by the profile of that name."""
    return {
        "name": target.name,
        "origin": target.origin,
        "front_origin": target.front_origin,
        "architecture": target.at.architecture,
        "carriers": list(target.session.carriers),
        "profile": profile,
    }


def ensure_writable(folder: Path | str) -> None:
    """Make `folder` and see that a report can be written there, before a run takes its time.

    Raises:
        ReportError: it cannot.

    """
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ReportError(
            f"{folder}: no report can be written there: {error.strerror or error}; "
            "name another folder with --report (in pytest: --auth-report)"
        ) from error


def write(document: RunDocument, folder: Path | str) -> Path:
    """Write ``run.json`` into `folder`, which is made where it is missing. A reader sees the old file or the new one.

    Raises:
        ReportError: it cannot be written there.

    """
    folder = Path(folder)
    # A lone surrogate in evidence becomes the JSON escape that reads back as itself.
    text = json.dumps(document, ensure_ascii=False, indent=1).encode("utf-8", "backslashreplace")
    path, draft = folder / NAME, folder / f".{NAME}.{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        draft.write_bytes(text + b"\n")
        draft.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise ReportError(f"{path}: cannot be written: {error.strerror or error}") from error
    return path


def read(path: Path) -> RunDocument:
    """A document that `write` wrote.

    Args:
        path: the file, or the folder that holds ``run.json``.

    Raises:
        ReportError: there is none, or it is of another version, or not what it says.

    """
    file = path / NAME if path.is_dir() else path
    try:
        document = json.loads(file.read_bytes())
    except OSError as error:
        raise ReportError(f"{file}: cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise ReportError(f"{file}: is not JSON: {error}") from None
    version = document.get("schema") if isinstance(document, dict) else None
    if version != SCHEMA:
        told = f"its schema is {version!r}" if isinstance(version, str) else "it has no schema"
        raise ReportError(f"{file}: is no document of the schema {SCHEMA!r} ({told})")
    try:
        _adapter().validate_python(document)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ReportError(f"{file}: {where}: {first['msg'][0].lower()}{first['msg'][1:]}") from None
    return cast("RunDocument", document)


def json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of run.json, as ``docs/run.schema.json`` publishes it."""
    return published(_adapter().json_schema(), f"{SCHEMA}: a run of authconform")


@cache
def _adapter() -> TypeAdapter[RunDocument]:
    return TypeAdapter(RunDocument)


def _tool() -> Tool:
    try:
        version = metadata.version("authconform")
    except metadata.PackageNotFoundError:  # a checkout that is not installed
        version = "unknown"
    return {"name": "authconform", "version": version, "python": platform.python_version()}
