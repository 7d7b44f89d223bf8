"""What the commands say."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap

USAGE = 4
"""pytest's exit code for a command that cannot be carried out."""


class UsageError(Exception):
    """The command cannot be carried out as it was given; the message says what to do."""


def complain(message: str) -> int:
    """Say what is wrong on the error stream; the exit code that goes with it."""
    sys.stderr.write(f"authconform: {message}\n")
    return USAGE


def say(text: str = "") -> None:
    """A line on the output stream."""
    sys.stdout.write(f"{text}\n")


def dim(text: str) -> str:
    """`text` less bright, where the output is a terminal that shows colour."""
    return f"\x1b[2m{text}\x1b[0m" if sys.stdout.isatty() and not os.environ.get("NO_COLOR") else text


def columns() -> int | None:
    """Columns of the terminal; None where the output goes elsewhere and nothing is to be cut."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def labelled(label: str, text: str) -> None:
    """A paragraph with its label in front, wrapped under itself."""
    width = min(columns() or 100, 100)
    lead, rest = f"  {label:<8}  ", " " * 12
    lines = textwrap.wrap(
        text, width, initial_indent=lead, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )
    say("\n".join(lines))
