"""The report a person reads in a terminal: findings first, each with the act that shows it and how to mend it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from harness.report.words import ORDER, STYLES, WORDS, counted, printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console
    from rich.text import Text

    from harness.report.document import OutcomeName, RunDocument, VerdictJson

NARROWEST = 60


def render(document: RunDocument, *, width: int, colour: bool) -> str:
    """The report of a run, without a trace of colour where none is wanted.

    Args:
        document: the run.
        width: columns of the terminal; only commands to copy run over it, unbroken.
        colour: whether escape sequences for colour may occur.

    """
    from rich.console import Console  # noqa: PLC0415 - only whoever reads a report pays for it

    from harness.report.findings import findings  # noqa: PLC0415
    from harness.report.tables import areas, carriers  # noqa: PLC0415

    page = io.StringIO()
    console = Console(
        file=page,
        width=max(width, NARROWEST),
        force_terminal=colour,
        color_system="standard" if colour else None,
        no_color=not colour,
        markup=False,
        emoji=False,
        highlight=False,
        legacy_windows=False,
        _environ={},
    )
    _header(console, document)
    findings(console, document)
    carriers(console, document)
    _unjudged(console, document["verdicts"])
    areas(console, document)
    _meaning(console, document)
    return "\n".join(line.rstrip(" ") for line in page.getvalue().split("\n"))


def _header(console: Console, document: RunDocument) -> None:
    from rich.text import Text  # noqa: PLC0415

    from harness.report.findings import fields, hanging  # noqa: PLC0415

    tool, target = document["tool"], document["target"]
    name = f"{target['name']}  {target['origin']}" if target["name"] != target["origin"] else target["origin"]
    by = " and ".join(target["carriers"])
    declared = f"{target['architecture']}, accepted as such" if target["architecture"] else "not declared"
    facts = [("target", name)]
    if target["front_origin"] != target["origin"]:
        facts.append(("front end", target["front_origin"]))
    facts += [
        ("architecture", f"{declared}; credentials travel by {by}"),
        ("profile", target["profile"]),
        ("run", f"{_when(document)}, {document['duration_s']:.1f} s, {counted(document['requests'], 'request')}"),
    ]
    console.print()
    console.print(Text(f"authconform {printable(tool['version'])}", "bold"))
    fields(console, facts, indent=0)
    console.print()
    for word, warning in _warnings(document):
        hanging(console, Text(word, "bold red"), Text(warning))
        console.print()
    console.print(_counts(document))


def _when(document: RunDocument) -> str:
    return document["started"].replace("T", " ").replace("Z", " UTC")


def _warnings(document: RunDocument) -> Iterable[tuple[str, str]]:
    if document["doubtful"]:
        yield "DOUBTFUL", printable(document["doubtful"])
    if document["interrupted"]:
        yield "INTERRUPTED", "the run was stopped before its end; what is missing below was not judged"


def _counts(document: RunDocument) -> Text:
    from rich.text import Text  # noqa: PLC0415

    present = [(outcome, document["summary"][outcome]) for outcome in ORDER if document["summary"][outcome]]
    if not present:
        return Text("no verdict")
    parts = [Text(f"{number} {WORDS[outcome]}", STYLES[outcome]) for outcome, number in present]
    return Text(" · ").join(parts)


def _unjudged(console: Console, verdicts: list[VerdictJson]) -> None:
    from rich.text import Text  # noqa: PLC0415

    from harness.report.findings import fields, hanging, section  # noqa: PLC0415

    for outcome, title in (("not_applicable", "Not applicable"), ("not_run", "Not run")):
        reasons: dict[str, list[str]] = {}
        for verdict in verdicts:
            if verdict["outcome"] == outcome:
                reasons.setdefault(printable(verdict["reason"]) or "no reason given", []).append(verdict["id"])
        if reasons:
            section(console, title)
            for reason, ids in reasons.items():
                hanging(console, Text("-"), Text(reason))
                fields(console, [("", ", ".join(ids))], indent=2)


def _meaning(console: Console, document: RunDocument) -> None:
    from rich.text import Text  # noqa: PLC0415

    untried: tuple[OutcomeName, ...] = ("inconclusive", "not_applicable", "not_run")
    counts = [(document["summary"][outcome], outcome.replace("_", " ")) for outcome in untried]
    left = [f"{count} {word}" for count, word in counts if count]
    rest = f": {', '.join(left)}, and whatever no requirement covers" if left else " by any requirement"
    console.print()
    console.print(
        Text(
            "A pass means that this act was tried and the application withstood it; "
            f"nothing is said of what was not tried{rest}."
        )
    )
