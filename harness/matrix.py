"""The carrier matrix: every protected operation, by every way in which a credential could travel."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlencode

from harness.flows.credentials import Credentials
from harness.report.document import CARRIERS
from harness.user_agent import Answer, Body

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.discovery import Operation
    from harness.flows import Flows
    from harness.flows.credentials import Captured
    from harness.report.document import Cell as CellJson
    from harness.report.document import Row

STRAY_COOKIES = ("access_token", "token", "jwt", "session")
"""Cookies in which applications that want a header look for a token all the same."""

Accepted = Literal["accepted", "refused", "forbidden", "unclear", "not_sent"]

_BAD = "not-a-credential"
_REFUSALS = frozenset({401, 403, 407})
_WITH_COOKIES = frozenset({"cookie", "both", "header + bad cookie", "bad header + cookie"})
_WITH_HEADER = frozenset({"header", "both", "header + bad cookie"})
_WITH_TOKEN = frozenset({"other scheme", "no scheme", "query", "form"})
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})  # RFC 6750, section 2.2: with methods whose body means something
_CHANGING = re.compile(r"[0-9a-f-]{8,}|\d+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Cell:
    """One operation by one carrier.

    Attributes:
        operation: what was called.
        carrier: how the credential travelled.
        outcome: ``accepted`` as the user; ``refused`` as anonymous; ``forbidden``: known, and not permitted;
            ``unclear``: the answer does not tell; ``not_sent``: there is no such credential.
        answer: the live answer, or None.

    """

    operation: Operation
    carrier: str
    outcome: Accepted
    answer: Answer | None

    @property
    def exchange(self) -> int:
        """The exchange that shows it (0: none was sent)."""
        return self.answer.exchange if self.answer else 0

    @property
    def recognised(self) -> bool:
        """Whether the credential told the target who was asking."""
        return self.outcome in {"accepted", "forbidden"}

    def said(self) -> str:
        """In words, for what was observed."""
        return f"{self.operation.name} answered {self.answer.status if self.answer else 'nothing'}"


@dataclass(frozen=True)
class Matrix:
    """All cells.

    Attributes:
        cells: in the order of the operations, and of `CARRIERS` within each.
        probe: path of the probe.

    """

    cells: tuple[Cell, ...]
    probe: str

    def by(self, *carriers: str) -> list[Cell]:
        """The cells of these carriers in which something was sent."""
        return [cell for cell in self.cells if cell.carrier in carriers and cell.answer is not None]

    def told(self, *carriers: str) -> list[Cell]:
        """Those of them whose answer tells what came of the credential."""
        return [cell for cell in self.by(*carriers) if cell.outcome != "unclear"]

    def anonymous(self, operation: Operation) -> Cell:
        """The same operation without a credential."""
        return self.cell(operation, "none")

    def cell(self, operation: Operation, carrier: str) -> Cell:
        """One cell."""
        return next(cell for cell in self.cells if cell.operation is operation and cell.carrier == carrier)

    def at_probe(self, carrier: str) -> Cell:
        """The probe by this carrier."""
        return next(
            c
            for c in self.cells
            if c.carrier == carrier and c.operation.method == "GET" and c.operation.path == self.probe
        )

    def as_json(self) -> list[Row]:
        """As run.json holds it: operations, each with its cells in the order of `CARRIERS`."""
        rows: dict[str, list[CellJson]] = {}
        for cell in self.cells:
            status = cell.answer.status if cell.answer else None
            evidence = [cell.exchange] if cell.answer else []
            rows.setdefault(cell.operation.name, []).append(
                {"carrier": cell.carrier, "outcome": cell.outcome, "status": status, "evidence": evidence}
            )
        return [{"operation": name, "cells": cells} for name, cells in rows.items()]


def tokens_of(held: Captured, access_cookies: frozenset[str]) -> tuple[str | None, dict[str, str]]:
    """The same credential as a header token and as cookies, however it was given."""
    authorization = held.access.authorization
    cookies = {name: held.access.cookies[name] for name in sorted(access_cookies) if name in held.access.cookies}
    if authorization and authorization.startswith("Bearer "):
        return authorization.removeprefix("Bearer "), cookies
    return (next(iter(cookies.values())) if len(cookies) == 1 and authorization is None else None), cookies


def build(flows: Flows, operations: list[Operation], held: Captured, access_cookies: frozenset[str]) -> Matrix:
    """Call every protected operation by every carrier and say what came of it."""
    cells: list[Cell] = []
    for operation in operations:
        if operation.protected is False:
            continue
        anonymous = call(flows, operation, Credentials(), held)
        if operation.protected is None and anonymous.status not in _REFUSALS:
            continue  # nobody says that it is protected, and it answers anyone
        cells += _row(flows, operation, held, access_cookies, anonymous)
    return Matrix(tuple(cells), flows.target.probe.path)


def _row(flows: Flows, operation: Operation, held: Captured, names: frozenset[str], anonymous: Answer) -> list[Cell]:
    """One operation by every carrier, the declared ones first: they show what an honest call comes to."""
    declared = [carrier for carrier in ("header", "cookie") if carrier in flows.target.session.carriers]
    made = {"none": Cell(operation, "none", _judge(flows, operation, anonymous, anonymous, None), anonymous)}
    honest: Answer | None = None
    for carrier in (*declared, *(c for c in CARRIERS if c not in declared and c != "none")):
        answer = _carried(flows, operation, carrier, held, names)
        outcome = _judge(flows, operation, answer, anonymous, None if carrier in declared else honest)
        if answer and "cookie" in carrier and _may_be_forgery_check(operation, answer, anonymous):
            outcome = "unclear"
        made[carrier] = Cell(operation, carrier, outcome, answer)
        if carrier in declared and made[carrier].recognised and honest is None:
            honest = answer
    return [made[carrier] for carrier in CARRIERS]


def _carried(  # noqa: C901 - one branch a carrier
    flows: Flows, operation: Operation, carrier: str, held: Captured, names: frozenset[str]
) -> Answer | None:
    """The answer to an operation by one carrier; None where there is nothing to send."""
    token, cookies = tokens_of(held, names)
    if token and "cookie" not in flows.target.session.carriers:
        cookies = dict.fromkeys(STRAY_COOKIES, token)
    honest = held.access.authorization or (f"Bearer {token}" if token else None)  # HTTP Basic has no token
    if (carrier in _WITH_COOKIES and not cookies) or (carrier == "form" and operation.method not in _WITH_BODY):
        return None
    if (honest is None and carrier in _WITH_HEADER) or (token is None and carrier in _WITH_TOKEN):
        return None
    match carrier:
        case "query":
            return call(flows, operation, Credentials(), held, query=urlencode({"access_token": str(token)}))
        case "form":
            return call(flows, operation, Credentials(), held, body=Body.form([("access_token", str(token))]))
        case "header":
            sent = Credentials(authorization=honest)
        case "cookie":
            sent = Credentials(cookies)
        case "both":
            sent = Credentials(cookies, honest)
        case "header + bad cookie":
            sent = Credentials(dict.fromkeys(cookies, _BAD), honest)
        case "bad header + cookie":
            sent = Credentials(cookies, f"Bearer {_BAD}")
        case _:
            sent = Credentials(authorization=f"Basic {token}" if carrier == "other scheme" else token)
    return call(flows, operation, sent, held)


def call(  # noqa: PLR0913 - what a request is made of
    flows: Flows,
    operation: Operation,
    sent: Credentials,
    held: Captured,
    *,
    query: str = "",
    body: Body | None = None,
    headers: Iterable[tuple[str, str]] = (),
) -> Answer:
    """Call an operation with a credential, and with what the front end adds to a write that cookies authenticate."""
    url = flows.target.url(operation.path)
    if query:
        url += ("&" if "?" in url else "?") + query
    lines = [*sent.headers, *headers]
    cookies = dict(sent.cookies)
    if cookies and operation.method not in {"GET", "HEAD"}:
        # Without it a refusal would speak of forgery, not of the carrier.
        origin = [] if any(name.lower() == "origin" for name, _ in lines) else [("Origin", flows.target.front_origin)]
        lines += [*origin, *held.proof.headers]
        cookies = {**held.cookies, **cookies}
    return flows.agent("matrix").send(
        operation.method, url, headers=lines, cookies=cookies or "none", body=body or operation.body
    )


def _judge(
    flows: Flows, operation: Operation, answer: Answer | None, anonymous: Answer, honest: Answer | None
) -> Accepted:
    """What came of a call, seen beside the anonymous one and, for carriers nobody declared, the honest one."""
    if answer is None:
        return "not_sent"
    if answer.status >= 500:  # noqa: PLR2004
        return "unclear"
    if operation.path == flows.target.probe.path and operation.method == "GET":
        return "refused" if flows.read_probe(answer).anonymous else "accepted"
    if answer.status in _REFUSALS:
        return _refusal(answer, anonymous, honest)
    if answer.status == anonymous.status:
        return "refused" if _leads_to_login(flows, answer) else "unclear"
    as_the_user = honest is None or answer.status == honest.status or answer.status < 300  # noqa: PLR2004
    return "accepted" if as_the_user else "refused" if answer.status >= 400 else "unclear"  # noqa: PLR2004


def _refusal(answer: Answer, anonymous: Answer, honest: Answer | None) -> Accepted:
    """401, 403 or 407; a 403 with words of its own says that the target knew who was asking (RFC 9110, 15.5.4)."""
    known = answer.status == 403 and (anonymous.status != 403 or _gist(answer) != _gist(anonymous))  # noqa: PLR2004
    if not known or (honest is not None and honest.status != answer.status):
        return "refused"
    return "forbidden"


def _may_be_forgery_check(operation: Operation, answer: Answer, anonymous: Answer) -> bool:
    """Whether a 403 may speak of forgery: where that is checked first, users and strangers are told the same."""
    return operation.method not in {"GET", "HEAD"} and answer.status == 403 == anonymous.status  # noqa: PLR2004


def _gist(answer: Answer) -> str:
    """The text of an answer without what differs from one to the next: numbers, times, request ids."""
    return _CHANGING.sub("", answer.text)


def _leads_to_login(flows: Flows, answer: Answer) -> bool:
    """Whether it is a redirect to where one signs in; any other, to a trailing slash say, tells nothing."""
    login = flows.target.login
    places = {flows.target.url(path) for path in (login.page, login.path) if path}
    return (answer.redirect_to or "").partition("?")[0] in places
