"""Credentials that no sound application takes, and how the probe refuses them."""

from __future__ import annotations

import base64
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.tokens import forge, tamper_opaque
from harness.tokens.jwt import encode
from harness.user_agent import Unreachable
from suites.acts.issued import issued

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.flows import Flows
    from harness.flows.credentials import Captured
    from harness.user_agent import Answer
    from suites.acts.issued import Issued

MEGABYTE = 1_000_000
DAY_S = 86_400
OVERSIZED = "a megabyte"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A bad credential and what came back.

    Attributes:
        name: what was bad about it.
        sent: the credential's value.
        carrier: ``cookie``, ``header`` (Bearer) or ``basic``.
        answer: the live answer; None where the connection was closed instead.
        exchange: the exchange that shows it.

    """

    name: str
    sent: str = field(repr=False)
    carrier: str
    answer: Answer | None
    exchange: int


def refusals(flows: Flows, held: Captured, access_cookies: frozenset[str]) -> list[Refusal]:
    """Send every bad credential to the probe, in each declared carrier."""
    if flows.target.login.encoding == "basic":
        return [_ask(flows, name, value, ("Authorization", f"Basic {value}".strip())) for name, value in _not_basic()]
    one = issued(held, access_cookies)[0]
    carriers = set(flows.target.session.carriers) - (set() if access_cookies else {"cookie"})
    return [found for carrier in sorted(carriers) for found in _refused(flows, one, carrier, access_cookies)]


def _refused(flows: Flows, one: Issued, carrier: str, access_cookies: frozenset[str]) -> Iterator[Refusal]:
    names = sorted(access_cookies)
    for name, value in [*_MALFORMED, *_like(one)]:
        cookies = "; ".join(f"{cookie}={value}" for cookie in names)
        line = ("Cookie", cookies) if carrier == "cookie" else ("Authorization", f"Bearer {value}".strip())
        yield _ask(flows, name, value, line)
    if carrier == "cookie":
        value = '{"user":"nobody","admin":true}'
        yield _ask(flows, "JSON in a cookie", value, ("Cookie", "; ".join(f"{cookie}={value}" for cookie in names)))
        yield _ask(flows, "a cookie without =", "", ("Cookie", "; ".join(names)))
    expires = one.jwt.expires_at if one.jwt else None
    if flows.later(0) and (one.name != "") == (carrier == "cookie"):
        late = flows.later((max(0.0, expires - time.time()) if expires else 0.0) + DAY_S)
        cookies = "; ".join(f"{cookie}={value}" for cookie, value in one.held.cookies.items())
        line = ("Cookie", cookies) if carrier == "cookie" else one.held.headers[0]
        yield _ask(flows, "an expired credential", one.value, line, *late)


def _ask(flows: Flows, name: str, sent: str, *headers: tuple[str, str]) -> Refusal:
    carrier = "cookie" if headers[0][0] == "Cookie" else "basic" if flows.target.login.encoding == "basic" else "header"
    try:
        url = flows.target.url(flows.target.probe.path)
        answer = flows.agent("malformed").send("GET", url, headers=headers, cookies="none")
    except Unreachable as error:
        if name != OVERSIZED:
            raise
        return Refusal(name, sent, carrier, None, error.exchange or 0)  # hanging up on a megabyte is a refusal
    return Refusal(name, sent, carrier, answer, answer.exchange)


_MALFORMED = (
    ("an empty credential", ""),
    ("a dot", "."),
    ("three words", "xx.yy.zz"),
    (OVERSIZED, "a" * MEGABYTE),
    ("letters beyond ASCII", "gültig-日本"),
)


def _like(one: Issued) -> Iterator[tuple[str, str]]:
    header = encode(b'{"alg":"HS256","typ":"JWT"}')
    yield "a JWT whose payload is a list", f"{header}.{encode(b'[1,2,3]')}.{encode(bytes(32))}"
    if one.jwt is not None:
        yield "a token with a wrong signature", forge.flip_signature(one.jwt.raw)
    else:
        yield "a credential with one character changed", tamper_opaque(one.value)


def _not_basic() -> Iterator[tuple[str, str]]:
    yield from _MALFORMED
    for name, text in (
        ("a name without a password", b"nobody"),
        ("a name that nobody has", b"nobody:wrong"),
        ("bytes", b"\xff:\xfe"),
    ):
        yield name, base64.b64encode(text).decode()
