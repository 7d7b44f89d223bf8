"""What an error answer should not hold: the program's insides, and the secrets it was sent."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from suites.acts.disclosure import shows

if TYPE_CHECKING:
    from harness.user_agent import Answer

_INSIDES = {
    "a Python traceback": r"Traceback \(most recent call last\)|File \"[^\"]+\.py\", line \d+",
    "a JavaScript stack": r"\n\s+at .+\(?[\w/\\.:-]+:\d+:\d+\)?|node_modules[/\\]",
    "a Java stack": r"\n\s*at [\w.$]+\([\w]+\.java:\d+\)|java\.lang\.\w+(?:Exception|Error)",
    "a .NET stack": r"\n\s+at [\w.]+\(.*\) in .+:line \d+|System\.\w+Exception",
    "a PHP error": r"(?:Fatal error|Warning|Notice)\b.{1,300} on line (?:<b>)?\d+|Stack trace:\s*#0",
    "a Ruby or Go stack": r"\.rb:\d+:in [`']|goroutine \d+ \[",
    "a database's words": r"SQLSTATE\[|ORA-\d{5}|psycopg2?\.|sqlalchemy\.exc|sqlite3?\.OperationalError"
    r"|syntax error at or near|You have an error in your SQL",
}


def insides(answer: Answer) -> str | None:
    """What an answer shows of the program that made it, in words."""
    text = _readable(answer)
    return next((name for name, pattern in _INSIDES.items() if re.search(pattern, text)), None)


def echoes(answer: Answer, secret: str) -> bool:
    """Whether an answer repeats a secret that it was sent; cookies set again do not count."""
    return shows(_readable(answer), secret)


def _readable(answer: Answer) -> str:
    headers = "\n".join(f"{name}: {value}" for name, value in answer.headers if name.lower() != "set-cookie")
    return f"{headers}\n\n{answer.text}"
