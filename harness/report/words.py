"""How outcomes look, and text made safe to print."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.report.document import OutcomeName

ORDER: tuple[OutcomeName, ...] = (
    "fail",
    "inconclusive",
    "warn",
    "accepted",
    "info",
    "pass",
    "not_applicable",
    "not_run",
)
"""Outcomes, worst first."""

WORDS: Mapping[OutcomeName, str] = {
    **{outcome: outcome.replace("_", " ") for outcome in ORDER},
    "not_applicable": "n/a",
}

MARKS: Mapping[str, str] = {
    "pass": "✓",
    "fail": "✗",
    "warn": "!",
    "info": "i",
    "accepted": "~",
    "inconclusive": "?",
    "not_applicable": "·",
    "not_run": "-",
}

STYLES: Mapping[OutcomeName, str] = {
    "pass": "green",
    "fail": "bold red",
    "warn": "yellow",
    "info": "cyan",
    "accepted": "blue",
    "inconclusive": "bold magenta",
    "not_applicable": "dim",
    "not_run": "dim",
}

_LONGEST = 1200
_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


def printable(text: str, longest: int = _LONGEST) -> str:
    """`text` on one line, with nothing in it that a terminal would act on or hide.

    What a target answers may hold escape sequences, line breaks and marks that reverse the direction of writing; they
    are shown as Python would write them.
    """
    shown = "".join(_escaped(char) if _hidden(char) else char for char in text[: longest + 1])
    return shown if len(text) <= longest else f"{shown[:longest]}… (whole in run.json)"


def one_line(command: str) -> str:
    r"""A shell command with single-quoted arguments on one line, and still the same command.

    What a terminal would act on is written as the shell's own escape, between the quotes: ``'a'$'\n''b'``.
    """
    return "".join(f"'$'{_shell_escaped(char)}''" if _hidden(char) else char for char in command)


def _shell_escaped(char: str) -> str:
    # In a shell "\\x9b" is an octet, and no character of UTF-8.
    return _escaped(char) if char.isascii() else f"\\U{ord(char):08x}"


def _hidden(char: str) -> bool:
    return unicodedata.category(char) in _HIDDEN


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")


def counted(number: int, noun: str) -> str:
    """``1 request``, ``2 requests``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
