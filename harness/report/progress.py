"""A line for each area while a run goes on."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.report.words import MARKS, WORDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_CODES: dict[str, str] = {
    "pass": "32",
    "fail": "1;31",
    "warn": "33",
    "info": "36",
    "accepted": "34",
    "inconclusive": "1;35",
    "not_applicable": "2",
    "not_run": "2",
}
_SILENT = {"not_applicable", "not_run"}


LEGEND = "  ".join(f"{MARKS[str(outcome)]} {word}" for outcome, word in WORDS.items())
"""What the marks mean, on one line."""


@dataclass
class _Area:
    total: int
    outcomes: list[str] = field(default_factory=list)
    seconds: float = 0.0
    closed: bool = False


class AreaProgress:
    """Shows how far a run is: marks, passed of judged, and seconds, a line an area.

    ``cookies    ✓✓✓✗·✓   4/5  2.1 s``

    Args:
        write: takes the text as it comes.
        totals: how many requirements each area has, in the order of the run.
        colour: whether marks are coloured.
        live: whether the current line may be redrawn (a terminal); else a line is written once its area is complete.
        clock: seconds, monotonic.

    Areas may interleave, as they do in a parallel run.

    """

    def __init__(
        self,
        write: Callable[[str], None],
        totals: Mapping[str, int],
        *,
        colour: bool,
        live: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._write, self._colour, self._live, self._clock = write, colour, live, clock
        self._areas = {name: _Area(total) for name, total in totals.items()}
        self._marks = max(totals.values(), default=0)
        self._name = max(map(len, totals), default=0)
        self._last = clock()
        self._drawn = 0

    def add(self, area: str, outcome: str) -> None:
        """One more verdict."""
        now = self._clock()
        state = self._areas.setdefault(area, _Area(0))
        state.outcomes.append(outcome)
        state.seconds += now - self._last
        self._last = now
        if len(state.outcomes) == state.total:
            self._finish(area, state)
        elif self._live and not state.closed:
            self._draw(self._line(area, state))

    def close(self) -> None:
        """Show what is incomplete, in the order of the run."""
        for name, state in self._areas.items():
            if state.outcomes and not state.closed:
                self._finish(name, state)
        if self._drawn:
            self._draw("")
            self._write("\r")

    def _finish(self, name: str, state: _Area) -> None:
        state.closed = True
        line = self._line(name, state)
        if self._live:
            self._draw(line)
            self._drawn = 0
            self._write("\n")
        else:
            self._write(f"{line}\n")

    def _draw(self, line: str) -> None:
        seen = self._columns(line)
        self._write(f"\r{line}{' ' * max(self._drawn - seen, 0)}")
        self._drawn = seen

    def _columns(self, line: str) -> int:
        return len(line) if not self._colour else len(_uncoloured(line))

    def _line(self, name: str, state: _Area) -> str:
        passed = state.outcomes.count("pass")
        judged = sum(outcome not in _SILENT for outcome in state.outcomes)
        marks = "".join(map(self._mark, state.outcomes)) + " " * (self._marks - len(state.outcomes))
        ratio = f"{passed}/{judged}" if judged else "-"
        return f"{name.ljust(self._name)}  {marks}  {ratio:>5}  {state.seconds:5.1f} s"

    def _mark(self, outcome: str) -> str:
        mark = MARKS[outcome]
        return f"\x1b[{_CODES[outcome]}m{mark}\x1b[0m" if self._colour else mark


def _uncoloured(line: str) -> str:
    for code in _CODES.values():
        line = line.replace(f"\x1b[{code}m", "")
    return line.replace("\x1b[0m", "")
