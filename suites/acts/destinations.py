"""Where an answer sends the browser: by Location, by Refresh, by a meta element or by a script."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from harness.user_agent import BadUrl
from harness.user_agent.urls import parse_url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.user_agent import Answer

FOREIGN_HOST = "attacker.example"

_REFRESH = re.compile(r"\s*\d+(?:\.\d*)?\s*[;,]\s*(?:url\s*=\s*)?['\"]?([^'\"]+)", re.IGNORECASE)
_SCRIPT = re.compile(
    r"""\blocation(?:\.href)?\s*=\s*(["'`])(?P<set>.+?)\1|\blocation\.(?:replace|assign)\(\s*(["'`])(?P<called>.+?)\3"""
)


def payloads(origin: str) -> tuple[str, ...]:
    """Return addresses that lead away from `origin` in a browser, in spellings that checks are known to miss."""
    host = urlsplit(origin).netloc
    return (
        f"https://{FOREIGN_HOST}/",
        f"//{FOREIGN_HOST}/",
        f"/\\{FOREIGN_HOST}/",
        f"https:{FOREIGN_HOST}/",
        f"https://{host}@{FOREIGN_HOST}/",
        f"%2F%2F{FOREIGN_HOST}/",
        "javascript:alert(1)//",
    )


def with_query(url: str, name: str, value: str) -> str:
    """`url` with one more query parameter."""
    return f"{url}{'&' if '?' in url else '?'}{urlencode({name: value})}"


def leads_away(answer: Answer) -> str | None:
    """How an answer sends the browser to the attacker, resolved as browsers do; None when it does not."""
    for how, text in _destinations(answer):
        try:
            url = parse_url(text, parse_url(answer.url))
        except BadUrl:
            continue
        if url.scheme == "javascript" or url.host == FOREIGN_HOST:
            return f"{how} leads to {url}"
    return None


def same_but_for_slash(answer: Answer) -> bool:
    """Whether a redirect only corrects the closing slash of the URL, as frameworks do before anything is handled."""
    here, there = urlsplit(answer.url), urlsplit(answer.redirect_to or "")
    return here.netloc == there.netloc and here.path.rstrip("/") == there.path.rstrip("/") and here.path != there.path


def origin_of(answer: Answer) -> str:
    """The origin that a redirect leads to."""
    there = urlsplit(answer.redirect_to or "")
    return f"{there.scheme}://{there.netloc}"


def sends_on(answer: Answer) -> bool:
    """Whether an answer sends the browser anywhere at all."""
    return any(True for _ in _destinations(answer))


def _destinations(answer: Answer) -> Iterator[tuple[str, str]]:
    if 300 <= answer.status < 400:
        yield from (("Location", value) for value in answer.headers.all("Location"))
    yield from (("Refresh", found) for value in answer.headers.all("Refresh") for found in _REFRESH.findall(value))
    if "html" in (answer.headers.get("Content-Type") or "").lower():
        page = _Page()
        page.feed(answer.text)
        yield from page.found


class _Page(HTMLParser):
    """Collects what makes a page go elsewhere by itself."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, str]] = []
        self._script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self._script = tag == "script"
        if tag == "meta" and values.get("http-equiv", "").lower() == "refresh":
            self.found += [("a meta refresh", found) for found in _REFRESH.findall(values.get("content", ""))]

    def handle_endtag(self, tag: str) -> None:
        self._script = self._script and tag != "script"

    def handle_data(self, data: str) -> None:
        if self._script:
            for match in _SCRIPT.finditer(data):
                text = match["set"] or match["called"]
                self.found.append(("a script", text.replace("\\/", "/").replace("\\\\", "\\")))
