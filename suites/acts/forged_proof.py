"""Writes whose anti-forgery proof is not the one of their session."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.flows import body_of, new_marker
from suites.acts.forgery import Forged, write_section

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.flows import Flows
    from harness.flows.credentials import Login, Proof


@dataclass(frozen=True, slots=True)
class Variant(Forged):
    """One write with a wrong proof.

    Attributes:
        pair: cookie and header match, and an attacker chose both.

    """

    pair: bool = False


def variants(flows: Flows, victim: Login, other: Login | None) -> Iterator[Variant]:
    """The write from the front end's own origin with every kind of wrong proof; none where none is needed.

    Args:
        flows: of the run.
        victim: whose session it is.
        other: another user, whose proof an attacker could have; None where there is none.

    """
    writer, csrf = _Writer(flows, victim, flows.proof(victim)), flows.target.csrf
    if csrf is None or not (writer.proof.headers or writer.proof.fields):
        return
    yield writer.write("no token or header at all", None)
    if csrf.defence != "token":
        return  # what a custom header says does not matter
    stranger = secrets.token_urlsafe(32)
    yield writer.write("an empty token", "")
    yield writer.write("a token made up", stranger)
    foreign = _value(flows.proof(other)) if other else None
    if foreign:
        yield writer.write("another user's token", foreign)
    name = csrf.token.cookie if csrf.token else None
    for what, value in (("made up", stranger), ("of another user", foreign)):
        if name and value:
            how = f"a token {what}, planted in the cookie {name} too"
            yield writer.write(how, value, planted=name)


def _value(proof: Proof) -> str | None:
    return next((value for _, value in (*proof.headers, *proof.fields)), None)


@dataclass(frozen=True, slots=True)
class _Writer:
    flows: Flows
    victim: Login
    proof: Proof

    def write(self, how: str, value: str | None, planted: str | None = None) -> Variant:
        """The write with ``value`` in the proof's place (None leaves it out), and perhaps in a cookie."""
        section, marker = write_section(self.flows), new_marker()
        url = self.flows.target.url(section.path)
        values = [] if value is None else [value]
        headers = [(name, v) for name, _ in self.proof.headers for v in values]
        fields = self.flows.write_fields(marker) | {name: v for name, _ in self.proof.fields for v in values}
        answer = self.flows.agent("forger").send(
            section.method,
            url,
            headers=[("Origin", self.flows.target.front_origin), *headers],
            body=body_of(section.encoding, fields),
            cookies=self.flows.cookies(self.victim.agent, url) | ({planted: value} if planted and value else {}),
            store=False,
        )
        return Variant(how, marker, answer, pair=planted is not None)
