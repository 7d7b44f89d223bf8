"""The shape of run.json, the one document from which every report is made.

The types are its specification: `harness.report.run.json_schema` derives the published JSON Schema from them.
Members may be added within a version; one that is taken away or changes its meaning makes a new version.
"""

from __future__ import annotations

import sys
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, with_config

if sys.version_info >= (3, 12):
    from typing import TypedDict
else:
    from typing_extensions import TypedDict

SCHEMA: Literal["authconform/run/1"] = "authconform/run/1"

OutcomeName = Literal["pass", "fail", "warn", "info", "accepted", "not_applicable", "not_run", "inconclusive"]
CellOutcome = Literal["accepted", "refused", "forbidden", "unclear", "not_sent"]
Count = Annotated[int, Field(ge=0)]
Seconds = Annotated[float, Field(ge=0)]

CARRIERS = (
    "none",
    "header",
    "cookie",
    "both",
    "header + bad cookie",
    "bad header + cookie",
    "other scheme",
    "no scheme",
    "query",
    "form",
)
"""The carriers of the matrix, in order: ways in which a credential may reach an operation."""

_documented = with_config(ConfigDict(use_attribute_docstrings=True))


@_documented
class Tool(TypedDict):
    """What made the document."""

    name: str
    version: str
    python: str


@_documented
class TargetFacts(TypedDict):
    """What was judged."""

    name: str
    origin: str
    """Origin of the application (of its API, where the two differ)."""
    front_origin: str
    """Origin of the pages that call it."""
    architecture: str
    """How the target declares itself put together; empty: not declared."""
    carriers: list[str]
    """Carriers of credentials that the target means to accept: `cookie`, `header`."""
    profile: str
    """The profile, as it was named."""


@_documented
class SourceJson(TypedDict):
    """One place in one document on which a requirement rests."""

    document: str
    section: str
    url: str
    text: str


@_documented
class FindingJson(TypedDict):
    """One thing that is not as it should be."""

    scope: str
    """Which cookie, operation or variant, where there are several."""
    expected: str
    observed: str
    evidence: list[int]
    """Numbers of the exchanges that show it; the last one shows the observation itself."""
    outcome: OutcomeName


@_documented
class VerdictJson(TypedDict):
    """The outcome of one requirement."""

    id: str
    area: str
    level: Literal["MUST", "SHOULD", "INFO"]
    title: str
    """What holds in a sound application."""
    why: str
    remedy: str
    sources: list[SourceJson]
    outcome: OutcomeName
    reason: str
    cause: str
    """For `inconclusive`: what broke, the same for all that broke with it."""
    judged: Count
    """How many items were judged."""
    findings: list[FindingJson]
    evidence: list[int]


@_documented
class Cell(TypedDict):
    """What one operation did with a credential in one carrier."""

    carrier: str
    outcome: CellOutcome
    status: int | None
    evidence: list[int]


@_documented
class Row(TypedDict):
    """One operation of the carrier matrix."""

    operation: str
    """Method and path, such as `GET /users/me`."""
    cells: list[Cell]


@_documented
class ExchangeJson(TypedDict):
    """One request and its response as seen on the wire, secrets masked."""

    number: int
    agent: str
    """Label of the user agent, such as `alice` or `attacker`."""
    initiator: str | None
    """Origin of the page that caused the request; null: typed by the user, or a plain client."""
    purpose: str
    """`navigate`, `submit`, `fetch`, `preflight` or `send`."""
    method: str
    url: str
    request_headers: list[tuple[str, str]]
    request_body: str | None
    status: int | None
    reason: str
    response_headers: list[tuple[str, str]]
    response_body: str | None
    """An excerpt."""
    error: str | None
    """Why there was no answer, in one line."""
    started_ms: float
    """Milliseconds since the run began."""
    elapsed_ms: float
    notes: list[str]
    """What the user agent did and why."""


@_documented
class RunDocument(TypedDict):
    """One run of authconform against one target."""

    schema: Literal["authconform/run/1"]
    tool: Tool
    target: TargetFacts
    started: str
    """ISO 8601, UTC."""
    duration_s: Seconds
    requests: Count
    """Requests sent."""
    interrupted: bool
    """Whether the run was stopped before its end."""
    doubtful: str
    """Why the run as a whole must not be trusted; empty: it may be."""
    summary: dict[OutcomeName, Count]
    """How many verdicts have each outcome; every outcome is there."""
    verdicts: list[VerdictJson]
    matrix: list[Row]
    """Which operation accepts a credential in which carrier."""
    exchanges: list[ExchangeJson]
