"""What was measured, as tables for the terminal and for a Markdown page."""

from __future__ import annotations

import os
import platform
import statistics
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from benchmarks.idp_peers.contenders import Contender

NOISE = 0.15
"""Share of the machine that others took, from which on a figure is marked."""


Figures = dict[str, float]
"""What one visit to one contender gave, by name."""


@dataclass(slots=True)
class Outcome:
    """All that a run of the benchmark found."""

    contenders: list[Contender]
    cores: str
    seconds: float
    rounds: int
    flows: int
    missing: dict[str, str] = field(default_factory=dict)
    found: dict[str, dict[int, Figures]] = field(default_factory=dict)
    fixture: list[float] = field(default_factory=list)
    """Milliseconds from entering our fixture in a warm process to its first answer."""

    def add(self, number: int, name: str, figures: Figures) -> None:
        """What one round gave for one contender."""
        self.found.setdefault(name, {})[number] = figures

    def values(self, name: str, figure: str) -> list[float]:
        """A figure in every round that has it."""
        return [figures[figure] for figures in self.found.get(name, {}).values() if figure in figures]

    def ratios(self, name: str, to: str, figure: str) -> list[float]:
        """One contender's figure divided by another's of the same round."""
        others = self.found.get(to, {})
        return [
            figures[figure] / others[number][figure]
            for number, figures in self.found.get(name, {}).items()
            if others.get(number, {}).get(figure) and figure in figures
        ]


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table: a title, the heads of its columns, rows of text."""

    title: str
    heads: list[str]
    rows: list[list[str]]


def plain(value: float) -> str:
    """A number with as many digits as mean something."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def spread(values: list[float], show: Callable[[float], str] = plain, *, noisy: bool = False) -> str:
    """Median (lowest-highest); one value alone stands alone, none is a dash."""
    if not values:
        return "-"
    middle = f"{'~' if noisy else ''}{show(statistics.median(values))}"
    return middle if len(values) == 1 else f"{middle} ({show(min(values))}-{show(max(values))})"


def _rate(outcome: Outcome, name: str, figure: str) -> str:
    errors = sum(outcome.values(name, f"{figure} errors"))
    noisy = max(outcome.values(name, f"{figure} others"), default=0) > NOISE
    text = spread(outcome.values(name, figure), noisy=noisy)
    signed = outcome.values(name, f"{figure.rpartition(' ')[0]} signed")
    if signed:
        text += " signed" if signed[0] else " opaque"
    return f"{text}, {errors:.0f} errors" if errors else text


def _median(outcome: Outcome, name: str, figure: str) -> str:
    values = outcome.values(name, figure)
    return plain(statistics.median(values)) if values else "-"


def _measured(outcome: Outcome) -> list[str]:
    return [one.name for one in outcome.contenders if one.name in outcome.found]


def _speeds(outcome: Outcome) -> Sheet:
    heads = ["contender", "flows/s c1", "flows/s c8", "flows/s c32", "client credentials/s", "discovery/s"]
    heads += ["requests, signatures per flow"]
    figures = ["flows c1", "flows c8", "flows c32", "client credentials c8", "discovery c8"]
    rows = []
    for name in _measured(outcome):
        work = ", ".join(f"{outcome.values(name, f'{what} per flow')[0]:.0f}" for what in ("requests", "signatures"))
        rows.append([name, *(_rate(outcome, name, figure) for figure in figures), work])
    return Sheet("Visits a second", heads, rows)


def _weights(outcome: Outcome) -> Sheet:
    heads = ["contender", "version", "cold start, s", "memory idle, MB"]
    heads += [f"after {outcome.flows // 10:,} flows", f"after {outcome.flows:,} flows"]
    rows = []
    for one in outcome.contenders:
        if one.name in outcome.found:
            cells = [spread(outcome.values(one.name, "cold start"))]
            cells += [_median(outcome, one.name, f"memory {when}") for when in ("idle", "tenth", "all")]
            rows.append([one.name, one.version, *cells])
        else:
            rows.append(
                [one.name, one.version, f"missing: {outcome.missing.get(one.name, 'not measured')}", "", "", ""]
            )
    return Sheet("Start and memory", heads, rows)


def _latencies(outcome: Outcome) -> Sheet:
    levels = ("c1", "c8", "c32")
    heads = ["contender", *(f"{level} p50 / p99, ms" for level in levels)]
    heads += ["server's processor time per flow c32, µs", "server core used c32", "load core used c32"]
    rows = []
    for name in _measured(outcome):
        cells = [
            f"{_median(outcome, name, f'flows {level} p50')} / {_median(outcome, name, f'flows {level} p99')}"
            for level in levels
        ]
        cells += [_median(outcome, name, f"flows c32 {what}") for what in ("server us", "server core", "load core")]
        rows.append([name, *cells])
    return Sheet("Latency of a flow, and who was busy", heads, rows)


def _ratios(outcome: Outcome) -> Sheet:
    figures = ["flows c1", "flows c8", "flows c32", "client credentials c8", "discovery c8"]
    figures += ["flows c32 server us", "cold start"]
    rows = []
    for one in outcome.contenders:
        ours = f"ours-{one.alg.lower()}"
        if one.name == ours or one.name not in outcome.found:
            continue
        shares = [outcome.ratios(ours, one.name, figure) for figure in figures]
        if any(shares):
            rows.append([f"{ours} / {one.name}", *(spread(share) for share in shares)])
    heads = ["", *figures[:-2], "server's time per flow (less is better)", "cold start (less is better)"]
    return Sheet("Ours against each, same round", heads, rows)


def sheets(outcome: Outcome) -> list[Sheet]:
    """All tables; those without rows are left out."""
    found = [_speeds(outcome), _ratios(outcome), _weights(outcome), _latencies(outcome)]
    return [sheet for sheet in found if sheet.rows]


def circumstances(outcome: Outcome) -> list[str]:
    """Lines that say how it was measured."""
    disturbed = [
        value
        for rounds in outcome.found.values()
        for figures in rounds.values()
        for figure, value in figures.items()
        if figure.endswith(" others")
    ]
    machine = f"{platform.system()} {platform.release()}, {processor()}, {os.cpu_count()} cores"
    lines = [
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {machine}, Python {platform.python_version()}; {outcome.cores}.",
        f"{outcome.rounds} rounds in alternating order. Each phase: {outcome.seconds:g} s after a warm-up of a third.",
        "Median (lowest-highest) of the rounds; cold start: of the median of five starts in each round.",
        "A flow: authorization request with S256 PKCE, state and nonce, the login, token request, UserInfo.",
    ]
    if disturbed:
        lines.append(
            f"Others on this machine took {statistics.median(disturbed):.0%} of it during a phase (median), "
            f"{max(disturbed):.0%} at most; ~ marks figures with more than {NOISE:.0%}."
        )
    if outcome.fixture:
        lines.append(
            f"Start of our fixture in a warm process, to its first answer: {spread(outcome.fixture)} ms, "
            f"{len(outcome.fixture)} starts."
        )
    return lines


def processor() -> str:
    """The processor's name."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def wide_console() -> Console:
    """The terminal; where there is none, wide enough for the tables."""
    console = Console()
    return console if console.is_terminal else Console(width=170)


def show(outcome: Outcome, console: Console) -> None:
    """Print everything."""
    for sheet in sheets(outcome):
        table = Table(*sheet.heads, title=sheet.title)
        for row in sheet.rows:
            table.add_row(*row)
        console.print(table)
    for line in circumstances(outcome):
        console.print(line, highlight=False)


def markdown(outcome: Outcome) -> str:
    """The same as a page."""
    parts = ["# The mock provider's speed, beside its peers", "", f"`{command(outcome)}`", ""]
    for line in circumstances(outcome):
        parts += [line, ""]
    for sheet in sheets(outcome):
        parts += [f"## {sheet.title}", "", *_lines(sheet), ""]
    return "\n".join(parts).rstrip() + "\n"


def command(outcome: Outcome) -> str:
    """How to measure this again."""
    return f"python benchmarks/idp.py --rounds {outcome.rounds} --seconds {outcome.seconds:g} --flows {outcome.flows}"


def _lines(sheet: Sheet) -> Iterable[str]:
    yield "| " + " | ".join(sheet.heads) + " |"
    yield "|" + " --- |" * len(sheet.heads)
    for row in sheet.rows:
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"
