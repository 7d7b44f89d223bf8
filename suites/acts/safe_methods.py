"""Writes and refreshes by methods that should change nothing (RFC 9110, section 9.2.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from harness.flows import new_marker
from suites.acts.forged_session import renewed
from suites.acts.forgery import Forged, write_section

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from harness.flows import Flows
    from harness.flows.credentials import Login
    from harness.user_agent import Answer

LINK: Final = (("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document"))
"""What every browser writes when the user follows a link of another site."""


def as_get(flows: Flows, user: Login) -> Iterator[Forged]:
    """The write as a link could send it: fields in the query, by safe methods, and disguised for method overrides."""
    section = write_section(flows)
    for method, extra, headers in (
        ("GET", "", ()),
        ("HEAD", "", ()),
        ("OPTIONS", "", ()),
        ("GET", f"&_method={section.method}", ()),
        ("GET", "", (("X-HTTP-Method-Override", section.method),)),
    ):
        marker = new_marker()
        url = f"{flows.target.url(section.path)}?{urlencode(flows.write_fields(marker))}{extra}"
        cookies = flows.cookies(user.agent, url)
        answer = flows.agent("link").send(
            method, url, headers=[*user.header, *LINK, *headers], cookies=cookies or "none", store=False
        )
        how = f"{method} {section.path}?…{extra}" + "".join(f" with {name}: {value}" for name, value in headers)
        yield Forged(how, marker, answer)


def refresh_by_get(flows: Flows, user: Login, names: Collection[str]) -> Iterator[tuple[str, Answer, bool]]:
    """The refresh by safe methods: how, the answer, whether a credential was issued."""
    section = flows.target.refresh
    if section is None or section.method == "GET":
        return
    value = flows.capture(user).refresh or ""
    query = "?" + urlencode({section.field: value}) if section.carrier == "body" else ""
    headers = [("Authorization", f"Bearer {value}")] if section.carrier == "header" else []
    url = flows.target.url(section.path)
    for method in ("GET", "HEAD"):
        cookies = flows.cookies(user.agent, url) if section.carrier == "cookie" else {}
        answer = flows.agent("link").send(
            method, url + query, headers=[*headers, *LINK], cookies=cookies or "none", store=False
        )
        yield f"{method} {section.path}", answer, renewed(flows, answer, names)
