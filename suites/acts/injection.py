"""Values that would extend a Set-Cookie line, were they copied into it."""

from __future__ import annotations

import random
import string
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from harness.user_agent.set_cookie import parse_set_cookie

if TYPE_CHECKING:
    from harness.flows import Flows
    from harness.flows.credentials import Credentials
    from harness.target import CookieSetter
    from harness.user_agent import Answer

INJECTED: Final = "authconform-injected"

PAYLOADS: Final = {
    "an attribute after a semicolon": "{word}%3B%20Domain=evil.example%3B%20SameSite=None%3B%20Authconform=1",
    "a line break": "{word}%0D%0ASet-Cookie:%20" + INJECTED + "=1%0D%0A" + INJECTED + ":%201",
    "a bare line feed": "{word}%0ASet-Cookie:%20" + INJECTED + "=1",
    "a line break encoded twice": "{word}%250D%250ASet-Cookie:%20" + INJECTED + "=1",
    "a comma and another cookie": "{word},%20" + INJECTED + "=1",
    "a quote and an attribute": "{word}%22%3B%20Authconform=1",
}
"""What it is to how it is written in a query, percent-encoded."""


def new_word() -> str:
    """A value that any setter should take: a few letters, not seen before."""
    return "".join(random.choices(string.ascii_lowercase, k=12))  # noqa: S311 - not a secret


def ask(flows: Flows, setter: CookieSetter, access: Credentials, written: str) -> Answer:
    """Send a value, written as the query has it, to where it reaches a cookie."""
    url = f"{flows.target.url(setter.path)}?{quote(setter.parameter)}={written}"
    cookies = dict(access.cookies)
    return flows.agent("cookie setter").send("GET", url, headers=access.headers, cookies=cookies or "none", store=False)


def lines_with(answer: Answer, word: str) -> list[str]:
    """The Set-Cookie lines that hold a word."""
    return [line for line in answer.headers.all("Set-Cookie") if word in line]


def attributes(line: str) -> frozenset[str]:
    """A line's attributes in lower case, without the values of times."""
    written = ((name.lower(), value.lower()) for name, value in parse_set_cookie(line).attributes)
    return frozenset(name if name in {"expires", "max-age"} else f"{name}={value}" for name, value in written)


def extended(answer: Answer, honest: Answer, word: str) -> list[str]:
    """What an answer has beyond the honest one with the same word in it: attributes, cookies, headers."""
    usual = {name for line in lines_with(honest, word) for name in attributes(line)}
    lines = lines_with(answer, word)
    added = [f"the attribute {name.rstrip('=')}" for line in lines for name in sorted(attributes(line) - usual)]
    if any(parse_set_cookie(line).name == INJECTED for line in answer.headers.all("Set-Cookie")):
        added.append("a cookie of its own")
    if INJECTED in answer.headers:
        added.append("a header of its own")
    return added
