"""The tables of the terminal report.

rich is imported here, and this only by whoever renders.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from harness.report.document import CARRIERS
from harness.report.findings import section
from harness.report.words import STYLES, WORDS, printable

if TYPE_CHECKING:
    from rich.console import Console

    from harness.report.document import Cell, OutcomeName, RunDocument

ROWS = 60
"""Operations that the carrier matrix shows."""

_HEADING = 6  # columns of a heading: all ten fit into a narrow terminal
_LEGEND = " ✓ accepted  ✗ refused  403 forbidden  ? unclear, with its status  · not sent"
_COLUMNS: tuple[OutcomeName, ...] = (
    "pass",
    "fail",
    "inconclusive",
    "warn",
    "accepted",
    "info",
    "not_applicable",
    "not_run",
)


def carriers(console: Console, document: RunDocument) -> None:
    """Which operation accepts a credential in which carrier."""
    rows = document["matrix"]
    if not rows:
        return
    section(console, "Carriers")
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="bold", pad_edge=False)
    table.add_column("operation", overflow="fold", vertical="bottom")
    for carrier in CARRIERS:
        words = textwrap.wrap(carrier, width=_HEADING)
        table.add_column("\n".join(words), justify="center", min_width=max(map(len, words)), vertical="bottom")
    for row in rows[:ROWS]:
        cells = {cell["carrier"]: cell for cell in row["cells"]}
        table.add_row(Text(printable(row["operation"])), *(_cell(cells.get(carrier)) for carrier in CARRIERS))
    console.print(Padding(table, (0, 0, 0, 1)))
    if len(rows) > ROWS:
        console.print(Text(f" and {len(rows) - ROWS} more (see run.json)"))
    console.print(Text(_LEGEND, "dim"))


def _cell(cell: Cell | None) -> Text:
    if cell is None or cell["outcome"] == "not_sent":
        return Text("·", "dim")
    status = "" if cell["status"] is None else str(cell["status"])
    match cell["outcome"]:
        case "accepted":
            return Text("✓", "bold")
        case "refused":
            return Text("✗")
        case "forbidden":
            return Text(status or "403")
        case _:
            return Text(f"?{status}", "yellow")


def areas(console: Console, document: RunDocument) -> None:
    """One row an area, one column an outcome."""
    names = list(dict.fromkeys(verdict["area"] for verdict in document["verdicts"]))
    if not names:
        return
    section(console, "By area")
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", show_footer=True, footer_style="bold")
    table.add_column("area", "total")
    for outcome in _COLUMNS:
        table.add_column(WORDS[outcome], _number(document["summary"][outcome]), justify="right")
    table.add_column("total", _number(len(document["verdicts"])), justify="right")
    for name in names:
        outcomes = [verdict["outcome"] for verdict in document["verdicts"] if verdict["area"] == name]
        counts = (_number(outcomes.count(outcome), STYLES[outcome]) for outcome in _COLUMNS)
        table.add_row(Text(name), *counts, _number(len(outcomes)))
    console.print(table)


def _number(number: int, style: str = "") -> Text:
    return Text(str(number), style) if number else Text("·", "dim")
