"""Forged requests: what a page of another site makes the browser of a signed-in user send."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from harness.flows import body_of, new_marker
from harness.user_agent import Body, Form
from harness.verdict import NotApplicable
from suites.acts.cross_origin import ATTACKER

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.flows import Flows
    from harness.flows.credentials import Login
    from harness.target import Write
    from harness.user_agent import Answer, UserAgent

Pairs = tuple[tuple[str, str], ...]

CROSS_SITE: Final = (
    ("Origin", ATTACKER),
    ("Referer", f"{ATTACKER}/"),
    ("Sec-Fetch-Site", "cross-site"),
    ("Sec-Fetch-Mode", "no-cors"),
    ("Sec-Fetch-Dest", "empty"),
)
"""What every browser writes on a request that a page of another site causes."""


@dataclass(frozen=True, slots=True)
class Forged:
    """One forged write, and the marker by which its effect would be seen."""

    how: str
    marker: str
    answer: Answer

    def outcome(self, view: Answer) -> str:
        """What came of it, in words."""
        return f"answered {self.answer.status}, {'took' if self.marker in view.text else 'without'} effect"


@dataclass(frozen=True, slots=True)
class Bare:
    """The write as declared, from another site, cookies attached whatever SameSite says, without any proof.

    Attributes:
        victim: whose cookies they are; the user's own write works.
        forged: the write.
        view: what the user saw afterwards.

    """

    victim: Login
    forged: Forged
    view: Answer

    @property
    def effective(self) -> bool:
        """Whether it took effect."""
        return self.forged.marker in self.view.text


def write_section(flows: Flows) -> Write:
    """The declared write."""
    if flows.target.write is None:
        raise NotApplicable("the profile declares no [write]")
    return flows.target.write


def json_in_form(fields: Mapping[str, Any]) -> Pairs:
    """The one form field whose text/plain encoding, ``name=value``, is a JSON document."""
    return ((json.dumps({**fields, "authconform": ""})[:-2], '"}'),)


def sent_by_browser(flows: Flows, agent: UserAgent) -> Iterator[Forged]:
    """The declared write as another site's page can send it from this user agent, SameSite and all applied."""
    url = flows.target.url(write_section(flows).path)
    for enctype in ("urlencoded", "multipart", "text/plain"):
        marker = new_marker()
        fields = flows.write_fields(marker)
        pairs = json_in_form(fields) if enctype == "text/plain" else tuple(fields.items())
        answer = agent.submit(Form(url, "POST", pairs, enctype), initiator=ATTACKER)
        yield Forged(f"a form ({enctype})", marker, answer)
    marker = new_marker()
    body = Body.text(json.dumps(flows.write_fields(marker)), "text/plain")
    answer = agent.fetch(url, initiator=ATTACKER, method="POST", body=body, mode="no-cors", credentials="include")
    yield Forged("a script (text/plain)", marker, answer)


def sent_with_cookies(flows: Flows, victim: Login) -> Forged:
    """The declared write, as declared, with the victim's cookies attached whatever SameSite says."""
    marker = new_marker()
    return attached(flows, victim, marker, body_of(write_section(flows).encoding, flows.write_fields(marker)))


def attached(flows: Flows, victim: Login, marker: str, body: Body) -> Forged:
    """The write with this body from another site, the victim's cookies attached whatever SameSite says."""
    section = write_section(flows)
    url = flows.target.url(section.path)
    cookies = flows.cookies(victim.agent, url)
    answer = flows.agent("forger").send(
        section.method, url, headers=CROSS_SITE, body=body, cookies=cookies, store=False
    )
    media_type = (body.content_type or "no content type").partition("; boundary")[0]
    return Forged(f"{section.method} {section.path} as {media_type}", marker, answer)
