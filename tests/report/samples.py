"""Verdicts, exchanges and matrix rows with something of everything, made as a run makes them."""

from __future__ import annotations

from typing import Any

from harness.report.document import CARRIERS
from harness.requirement import INFO, MUST, SHOULD, Level, Requirement
from harness.sources import ASVS, RFC10017
from harness.verdict import Finding, Outcome, Verdict

Json = dict[str, Any]


def requirement(name: str, level: Level = MUST) -> Requirement:
    sources = (RFC10017("6.1.3.2"), ASVS("3.3.4"))
    sentence, remedy = f"The sentence of {name} holds.", f"The remedy of {name}."
    return Requirement(name, level, sentence, "because", "by looking", sources, (), "reads", remedy, ())


def finding(scope: str = "cookie 'sid'", outcome: Outcome = Outcome.FAIL, **changes: Any) -> Finding:
    values = {"expected": "HttpOnly is there", "observed": "HttpOnly is missing", "evidence": (1, 2), **changes}
    return Finding(scope, outcome=outcome, **values)


def verdict(name: str, outcome: Outcome, *findings: Finding, level: Level = MUST, **more: Any) -> Json:
    reason = more.pop("reason", findings[0].observed if findings else "")
    return Verdict(requirement(name, level), outcome, reason, findings, judged=len(findings), **more).as_json()


def exchange(number: int, **changes: Any) -> Json:
    return {
        "number": number,
        "agent": "alice",
        "initiator": None,
        "purpose": "send",
        "method": "POST",
        "url": "http://127.0.0.1:8000/auth/login",
        "request_headers": [["content-type", "application/json"]],
        "request_body": '{"username": "alice"}',
        "status": 200,
        "reason": "OK",
        "response_headers": [["content-type", "text/html"]],
        "response_body": "<p>welcome</p>",
        "error": None,
        "started_ms": 1.5,
        "elapsed_ms": 2.5,
        "notes": ["cookie 'sid' stored"],
        **changes,
    }


def row(operation: str) -> Json:
    outcomes = ["refused", "accepted", "accepted", "accepted", "forbidden", "unclear", *["refused"] * 3, "not_sent"]
    statuses = {"refused": 401, "accepted": 200, "forbidden": 403, "unclear": 500}
    cells = zip(CARRIERS, outcomes, strict=True)
    return {
        "operation": operation,
        "cells": [
            {"carrier": carrier, "outcome": outcome, "status": statuses.get(outcome), "evidence": [1]}
            for carrier, outcome in cells
        ],
    }


def verdicts() -> list[Json]:
    write, aggressive = "the profile declares no [write]", "aggressive; allow it"
    broken: Json = {"reason": "the login answered 502", "cause": "login is broken", "evidence": (4,)}
    return [
        verdict("errors.plain", Outcome.PASS),
        verdict("csrf.one", Outcome.NOT_APPLICABLE, reason=write),
        verdict("csrf.two", Outcome.NOT_APPLICABLE, reason=write),
        verdict("tokens.key", Outcome.NOT_RUN, reason=aggressive),
        verdict("session.one", Outcome.INCONCLUSIVE, **broken),
        verdict("session.two", Outcome.INCONCLUSIVE, **broken),
        verdict("refresh.rotation", Outcome.WARN, finding(outcome=Outcome.WARN), level=SHOULD),
        verdict(
            "logout.access", Outcome.ACCEPTED, finding(outcome=Outcome.ACCEPTED, observed="lived on. Accepted: yes")
        ),
        verdict("cookies.scope", Outcome.INFO, finding(outcome=Outcome.INFO), level=INFO),
        verdict("cookies.http-only", Outcome.FAIL, finding(), finding("cookie 'rt'", evidence=(3,))),
    ]
