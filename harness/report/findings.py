"""The findings of a run, worst first, each with its proof.

rich is imported here, and this only by whoever renders.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from harness.evidence.exchange import Exchange
from harness.report.words import ORDER, STYLES, WORDS, one_line, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import Console

    from harness.report.document import ExchangeJson, FindingJson, RunDocument, VerdictJson

SHOWN = 3
"""Findings of one requirement that are shown in full."""

_MASKED = "Secrets are masked; equal tags (#a1b2c3) stand for equal secrets, $NAMES in commands for values to fill in."
_LABEL = 12  # columns of a label: "architecture"
_REPORTED = ("fail", "inconclusive", "warn", "accepted", "info")

Exchanges = dict[int, "ExchangeJson"]


def section(console: Console, title: str) -> None:
    """A heading across the page."""
    console.print()
    console.rule(Text(title, "bold"), align="left", characters="─", style="dim")


def fields(console: Console, pairs: Iterable[tuple[str, str]], *, indent: int) -> None:
    """Labels and texts in two columns, the texts wrapped under themselves."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    labelled = [(label, printable(text)) for label, text in pairs]
    if any(label for label, _ in labelled):
        grid.add_column(width=_LABEL, no_wrap=True, style="dim")
    grid.add_column(overflow="fold")
    for label, text in labelled:
        grid.add_row(*((Text(label), Text(text)) if len(grid.columns) > 1 else (Text(text),)))
    console.print(Padding(grid, (0, 0, 0, indent)))


def hanging(console: Console, lead: Text, text: Text) -> None:
    """`text` behind `lead`, wrapped under itself: nothing it says can begin a line as only we do."""
    grid = Table.grid(padding=(0, 2 if len(lead) > 1 else 1, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row(lead, text)
    console.print(grid)


def findings(console: Console, document: RunDocument) -> None:
    """Every verdict that asks for a reader, grouped by what caused it."""
    exchanges = {exchange["number"]: exchange for exchange in document["exchanges"]}
    groups = _groups(document["verdicts"])
    if not groups:
        return
    section(console, "Findings")
    console.print(Text(_MASKED, "dim"))
    for group in groups:
        console.print()
        if group[0]["outcome"] == "inconclusive":
            _kept_from(console, group, exchanges)
        else:
            _verdict(console, group[0], exchanges)


def _groups(verdicts: Iterable[VerdictJson]) -> list[list[VerdictJson]]:
    """Verdicts with a finding, worst first: inconclusive ones together by their cause, the others each alone."""
    groups: dict[tuple[str, str], list[VerdictJson]] = {}
    for verdict in verdicts:
        if verdict["outcome"] in _REPORTED:
            alone = verdict["outcome"] != "inconclusive"
            groups.setdefault((verdict["outcome"], verdict["id"] if alone else verdict["cause"]), []).append(verdict)
    return sorted(groups.values(), key=lambda group: ORDER.index(group[0]["outcome"]))


def _kept_from(console: Console, group: Sequence[VerdictJson], exchanges: Exchanges) -> None:
    first = group[0]
    cause = printable(first["cause"] or first["reason"])
    # A requirement that is a cause has a verdict of its own; this block is about what it kept from being judged.
    _title(console, first, f"because of {cause}" if "." in cause.split(" ", 1)[0] else cause)
    if first["reason"] and first["reason"] != first["cause"]:
        fields(console, [("reason", first["reason"])], indent=2)
    _proof(console, next((v["evidence"] for v in group if v["evidence"]), []), exchanges)
    fields(console, [("not judged", f"{', '.join(v['id'] for v in group)} ({len(group)})")], indent=2)


def _verdict(console: Console, verdict: VerdictJson, exchanges: Exchanges) -> None:
    _title(console, verdict, verdict["id"], verdict["level"])
    console.print(Padding(Text(printable(verdict["title"])), (0, 0, 0, 2)))
    found = sorted(verdict["findings"], key=lambda finding: ORDER.index(finding["outcome"]))
    if not found:
        fields(console, [("observed", verdict["reason"])], indent=2)
        _proof(console, verdict["evidence"], exchanges)
    told: set[int] = set()
    for finding in found[:SHOWN]:
        console.print()
        _finding(console, verdict, finding, exchanges, told)
    if len(found) > SHOWN:
        console.print()
        console.print(Padding(Text(f"and {len(found) - SHOWN} more (see run.json)"), (0, 0, 0, 2)))
    console.print()
    sources = [*verdict["sources"]]
    if sources:
        texts = ", ".join(source["text"] for source in sources)
        fields(console, [("source", texts), ("", sources[0]["url"])], indent=2)
    fields(console, [("remedy", verdict["remedy"])], indent=2)


def _title(console: Console, verdict: VerdictJson, name: str, level: str = "") -> None:
    outcome = verdict["outcome"]
    title = Text(name, "bold")
    if level:
        title.append(f"  {level}", "not bold dim")
    hanging(console, Text(WORDS[outcome].upper(), STYLES[outcome]), title)


def _finding(
    console: Console, verdict: VerdictJson, finding: FindingJson, exchanges: Exchanges, told: set[int]
) -> None:
    other = "" if finding["outcome"] == verdict["outcome"] else f" ({WORDS[finding['outcome']]})"
    if finding["scope"] or other:
        console.print(Padding(Text(f"{printable(finding['scope'])}{other}".strip(), "bold"), (0, 0, 0, 2)))
    fields(console, [("expected", finding["expected"]), ("observed", finding["observed"])], indent=2)
    _proof(console, finding["evidence"], exchanges, told)


def _proof(console: Console, evidence: Sequence[int], exchanges: Exchanges, told: set[int] | None = None) -> None:
    """The last exchange named shows it; a write before it is the act that it shows. Each command is given once."""
    named = [exchange for number in evidence if (exchange := exchanges.get(number))]
    acts = [exchange for exchange in named[:-1] if exchange["method"] not in {"GET", "HEAD", "OPTIONS"}]
    for shown in [*acts[-1:], *named[-1:]]:
        fields(console, [("exchange", _line(shown))], indent=2)
        if told is not None:
            if shown["number"] in told:
                continue
            told.add(shown["number"])
        command = Text("  ")
        command.append("repeat".ljust(_LABEL + 2), "dim")
        command.append(one_line(Exchange.from_json(shown).curl()))
        # Unbroken, so that it can be copied: a line break inside a quoted argument would change it.
        console.print(command, soft_wrap=True)


def _line(exchange: ExchangeJson) -> str:
    answer = exchange["status"] if exchange["status"] is not None else f"no answer: {exchange['error'] or 'unknown'}"
    page = f", page of {exchange['initiator']}" if exchange["initiator"] else ""
    return f"{exchange['method']} {exchange['url']} -> {answer}  (#{exchange['number']}, {exchange['agent']}{page})"
