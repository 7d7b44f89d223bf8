"""Draws docs/run.svg, the README's picture, from a run.json: ``python docs/picture.py authconform-report/run.json``."""

from __future__ import annotations

import sys
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.text import Text

from harness.report.run import read
from harness.report.terminal import render

WIDTH = 104


def main(source: str) -> None:
    """Render the run as a terminal shows it, as one SVG."""
    console = Console(record=True, width=WIDTH, file=StringIO(), force_terminal=True)
    console.print(Text.from_ansi(render(read(Path(source)), width=WIDTH, colour=True)), soft_wrap=False)
    target = Path(__file__).with_name("run.svg")
    console.save_svg(str(target), title="authconform run http://127.0.0.1:8000")


if __name__ == "__main__":
    main(sys.argv[1])
