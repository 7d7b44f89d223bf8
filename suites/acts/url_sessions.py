"""Session credentials in URLs: in links that pages hold, and in requests that try them."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from suites.acts.disclosure import shows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from harness.flows import Flows
    from harness.flows.credentials import Probe
    from harness.user_agent import Answer
    from suites.acts.issued import Issued

NAMES = ("session", "sid", "jsessionid")
_TOKENS = frozenset({"access_token", "token", "jwt", "auth"})
"""Names that transport.query-token-refused tries."""
_LINKS = {"a": "href", "form": "action", "iframe": "src", "img": "src", "script": "src", "link": "href"}


def links_with(answers: Iterable[Answer], secrets: Sequence[str]) -> Iterator[tuple[Answer, str]]:
    """Pages and the kind of their links that hold one of these secrets."""
    for answer in answers:
        if "html" not in (answer.headers.get("Content-Type") or "").lower():
            continue
        page = _Links()
        page.feed(answer.text)
        yield from ((answer, kind) for kind, url in page.found if any(shows(url, secret) for secret in secrets))


def asked_by_url(flows: Flows, values: Sequence[Issued]) -> Iterator[tuple[str, Probe]]:
    """The probe's answers to the credential in the URL alone: all names at once, and one by one where that signs in."""
    parameters = dict.fromkeys(NAMES, values[0].value)
    parameters.update({one.name: one.value for one in values if one.name and one.name not in _TOKENS})
    together = flows.probe(query=urlencode(parameters))
    alone = [
        (name, flows.probe(query=urlencode({name: value})))
        for name, value in parameters.items()
        if not together.anonymous
    ]
    if any(not probe.anonymous for _, probe in alone):
        yield from ((f"parameter {name}", probe) for name, probe in alone)
    else:
        yield f"parameters {', '.join(parameters)}", together
    url = f"{flows.target.url(flows.target.probe.path)};jsessionid={values[0].value}"
    yield "path parameter ;jsessionid", flows.read_probe(flows.agent("clean client").send("GET", url, cookies="none"))


class _Links(HTMLParser):
    """Collects what a page links to."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        url = dict(attrs).get(_LINKS.get(tag, ""))
        if url:
            self.found.append((f"{tag} element", url))
