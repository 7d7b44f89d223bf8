"""A line an area while a run goes on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness.report.progress import AreaProgress

if TYPE_CHECKING:
    from collections.abc import Mapping


class Watched:
    """A progress with its output and a clock of its own, one second on with every verdict."""

    def __init__(self, totals: Mapping[str, int], *, colour: bool = False, live: bool = False) -> None:
        self.written: list[str] = []
        self._now = 0.0
        self._progress = AreaProgress(self.written.append, totals, colour=colour, live=live, clock=lambda: self._now)

    def add(self, area: str, *outcomes: str) -> None:
        for outcome in outcomes:
            self._now += 1
            self._progress.add(area, outcome)

    def close(self) -> None:
        self._progress.close()

    @property
    def text(self) -> str:
        return "".join(self.written)

    @property
    def screen(self) -> list[str]:
        """What a terminal shows of it."""
        lines = []
        for line in re.sub(r"\x1b\[[0-9;]*m", "", self.text).split("\n"):
            shown = ""
            for part in line.split("\r"):
                shown = part + shown[len(part) :]
            lines.append(shown.rstrip())
        return lines


def test_an_area_is_written_when_it_is_complete() -> None:
    watched = Watched({"login": 1, "cookies": 6})
    watched.add("cookies", "pass", "pass", "pass", "fail", "not_applicable")
    assert watched.text == ""
    watched.add("cookies", "pass")
    assert watched.text == "cookies  ✓✓✓✗·✓    4/5    6.0 s\n"
    watched.close()
    assert watched.text.count("\n") == 1


def test_areas_may_interleave() -> None:
    watched = Watched({"login": 2, "cors": 2})
    watched.add("login", "pass")
    watched.add("cors", "warn")
    watched.add("login", "inconclusive")
    watched.add("cors", "not_run")
    watched.close()
    assert watched.text.splitlines() == ["login  ✓?    1/2    2.0 s", "cors   !-    0/1    2.0 s"]


def test_every_outcome_has_a_mark_of_its_own() -> None:
    outcomes = ("pass", "fail", "warn", "info", "accepted", "inconclusive", "not_applicable", "not_run")
    watched = Watched({"login": len(outcomes)})
    watched.add("login", *outcomes)
    marks = watched.text.split()[1]
    assert len(set(marks)) == len(outcomes)
    assert "1/6" in watched.text


def test_what_is_incomplete_is_shown_at_the_end_in_the_order_of_the_run() -> None:
    watched = Watched({"login": 3, "session": 4, "cors": 2})
    watched.add("cors", "pass")
    watched.add("login", "not_applicable")
    watched.close()
    assert [line.split()[0] for line in watched.text.splitlines()] == ["login", "cors"]
    assert "   -  " in watched.text.splitlines()[0]


def test_an_area_nobody_announced() -> None:
    watched = Watched({})
    watched.add("login", "pass")
    watched.close()
    assert watched.text.split() == ["login", "✓", "1/1", "1.0", "s"]


def test_a_terminal_sees_the_line_grow() -> None:
    watched = Watched({"login": 2, "session": 1}, live=True)
    watched.add("login", "pass")
    assert watched.screen == ["login    ✓     1/1    1.0 s"]
    watched.add("session", "fail")
    watched.add("login", "pass")
    watched.close()
    assert watched.screen == ["session  ✗     0/1    1.0 s", "login    ✓✓    2/2    2.0 s", ""]


def test_nothing_of_a_line_under_way_is_left_behind() -> None:
    watched = Watched({"login": 3, "cors": 1}, live=True, colour=True)
    watched.add("login", "pass", "fail")
    watched.close()
    assert watched.screen == ["login  ✓✗     1/2    2.0 s", ""]


def test_colour_only_where_wanted() -> None:
    coloured, plain = Watched({"login": 1}, colour=True), Watched({"login": 1}, live=True)
    for watched in (coloured, plain):
        watched.add("login", "fail")
        watched.close()
    assert "\x1b[1;31m✗\x1b[0m" in coloured.text
    assert "\x1b" not in plain.text
    assert coloured.screen == plain.screen
