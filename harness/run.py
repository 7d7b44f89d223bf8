"""One run: its options, its target, what came of it. The plugin tells it what happens; it knows nothing of pytest."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness import profile
from harness.flows.functions import LoginFunction, load_function
from harness.launch import Launched, placeholders
from harness.report.run import assemble, ensure_writable, facts_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.report.document import Cell, Row, RunDocument
    from harness.target import Target

Json = dict[str, Any]


@dataclass(frozen=True)
class Options:
    """What the command line or the ini file asked for."""

    profile: str
    target: str | None
    report: Path
    only: tuple[str, ...]
    allow: frozenset[str]


@dataclass
class Run:
    """One run, in the process that decides (with workers: the controller).

    Attributes:
        options: what was asked for.
        path: the profile.
        target: what is under test.
        values: what the profile's placeholders stand for; None where the target was not started by us.
        salt: secret of this run's masks, shared with workers so that the same secret has the same mark.
        login_function: the user's own way to sign in, where the profile names one.
        measured: carrier matrix measured in this process and not collected yet.
        doubtful: why the run as a whole must not be trusted.

    """

    options: Options
    path: Path
    target: Target
    values: dict[str, str] | None = None
    salt: bytes = field(default_factory=lambda: secrets.token_bytes(16), repr=False)
    login_function: LoginFunction | None = None
    launched: Launched | None = None
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    verdicts: list[Json] = field(default_factory=list)
    exchanges: list[Json] = field(default_factory=list)
    matrix: list[Row] = field(default_factory=list)
    measured: list[Row] = field(default_factory=list)
    doubtful: str = ""
    _numbers: dict[tuple[str, int], int] = field(default_factory=dict)

    @classmethod
    def begin(cls, options: Options) -> Run:
        """Read the profile and, where it says how and no other target was named, start the target.

        Raises:
            ProfileError: the profile cannot be used.
            LaunchError: the target cannot be started.
            ReportError: the report could not be written at the end; better said before the run than after it.

        """
        ensure_writable(options.report)
        path = profile.locate(options.profile)
        tables = profile.read(path)
        values = placeholders() if "launch" in tables and options.target is None else None
        run = cls(options, path, profile.build(path, tables, origin=options.target, values=values), values)
        run.login_function = load_function(path, run.target)
        if values is not None:
            run.launched = Launched(run.target, path.parent, Path(values["dir"]))
        return run

    def share(self) -> Json:
        """What a worker needs to judge the same target."""
        return {"values": self.values, "salt": self.salt.hex()}

    @classmethod
    def join(cls, options: Options, shared: Json) -> Run:
        """The same run in a worker."""
        path = profile.locate(options.profile)
        target = profile.build(path, profile.read(path), origin=options.target, values=shared["values"])
        run = cls(options, path, target, shared["values"], bytes.fromhex(shared["salt"]))
        run.login_function = load_function(path, target)
        return run

    def collect(self, parcel: Json, worker: str = "") -> Json | None:
        """Take what one test (or a worker's end) brought; numbers of exchanges are made the run's own.

        Returns:
            The verdict in it, if there is one.

        """
        for exchange in parcel.get("exchanges", []):
            number = self._numbers[worker, exchange["number"]] = len(self.exchanges) + 1
            self.exchanges.append({**exchange, "number": number})
        self.doubtful = self.doubtful or parcel.get("doubtful", "")
        rows: list[Row] = parcel.get("matrix", [])
        for row in rows:
            if all(row["operation"] != known["operation"] for known in self.matrix):
                cells: list[Cell] = [
                    {**cell, "evidence": self._numbered(cell["evidence"], worker)} for cell in row["cells"]
                ]
                self.matrix.append({**row, "cells": cells})
        verdict: Json | None = parcel.get("verdict")
        if verdict is not None:
            verdict = self._renumber(verdict, worker)
            verdict["findings"] = [self._renumber(finding, worker) for finding in verdict["findings"]]
            self.verdicts.append(verdict)
        return verdict

    def _renumber(self, item: Json, worker: str) -> Json:
        return {**item, "evidence": self._numbered(item["evidence"], worker)}

    def _numbered(self, evidence: Iterable[int], worker: str) -> list[int]:
        return [self._numbers[worker, n] for n in evidence if (worker, n) in self._numbers]

    def document(self, *, interrupted: bool) -> RunDocument:
        """The run as run.json holds it."""
        return assemble(
            target=facts_of(self.target, self.path.name),
            started=self.started,
            duration_s=(datetime.now(UTC) - self.started).total_seconds(),
            interrupted=interrupted,
            doubtful=self.doubtful,
            verdicts=self.verdicts,
            matrix=self.matrix,
            exchanges=self.exchanges,
        )

    def end(self) -> None:
        """Stop what was started."""
        if self.launched is not None:
            self.launched.stop()
            self.launched = None
