"""One refresh and what came of it: whether anything was issued, and whom that signs in."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.flows.credentials import Credentials

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.flows import Flows
    from harness.flows.credentials import Captured, Probe, Refreshed

Outcome = tuple["Refreshed", "Probe | None"]
"""What a refresh gave, and who its access credential makes one; None: nobody."""


def refresh_as(flows: Flows, held: Captured, headers: Iterable[tuple[str, str]] = ()) -> Outcome:
    """Refresh from a clean client with what was captured, and see whom that signs in."""
    sent = list(headers)
    got = flows.refresh_with(held, headers=sent)
    return got, user_of(flows, got, sent)


def user_of(flows: Flows, got: Refreshed, headers: Iterable[tuple[str, str]] = ()) -> Probe | None:
    """Who the fresh access credential makes one; None where none was issued, or it makes one nobody."""
    if got.access is None or got.answer.status >= 500:
        return None
    probe = flows.probe(got.access, headers=headers)
    return None if probe.anonymous else probe


def said(outcome: Outcome) -> str:
    """A refresh and what came of it, in words."""
    got, probe = outcome
    asked = f"{got.answer.method} {got.answer.url} answered {got.answer.status}"
    return (
        f"{asked}; what it issued signs nobody in"
        if probe is None
        else f"{asked}, and with what it issued {probe.said()}"
    )


def shown(*outcomes: Outcome) -> list[Refreshed | Probe]:
    """The evidence of refreshes, each with its probe."""
    return [item for outcome in outcomes for item in outcome if item is not None]


def access_values(held: Captured, access_cookies: frozenset[str]) -> list[str]:
    """The values of the access credential: one, or several where it is spread over cookies."""
    if held.access.authorization:
        return [held.access.authorization.partition(" ")[2]]
    return [held.access.cookies[name] for name in sorted(access_cookies) if name in held.access.cookies]


def same_access(held: Captured, got: Refreshed) -> bool:
    """Whether a refresh gave the access credential that was there before."""
    return got.access == Credentials(held.access.cookies, held.access.authorization)


def present(held: Captured, value: str | None) -> Captured:
    """The same, with another refresh credential; None: with none."""
    return replace(held, refresh=value)
