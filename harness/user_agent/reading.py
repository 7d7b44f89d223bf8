"""What may be made of an answer: by the page that asked for it, and by the browser that goes on from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.user_agent import cors
from harness.user_agent.answer import Headers
from harness.user_agent.request import REDIRECTS, Pair, Request
from harness.user_agent.sites import same_origin
from harness.user_agent.urls import BadUrl, parse_url

if TYPE_CHECKING:
    from collections.abc import Sequence


def why_unreadable(request: Request, headers: Sequence[Pair]) -> str | None:
    """Why the page that caused ``request`` may not read the answer; None when it may."""
    if request.is_plain or request.initiator is None:
        return None
    if request.is_navigation:
        return None if same_origin(request.initiator, request.origin) else "it navigated to another origin"
    match request.tainting:
        case "basic":
            return None
        case "opaque":
            return "mode no-cors to another origin"
        case "cors":
            return cors.cors_check(headers, request.serialised_origin, request.credentials)


def exposed(request: Request, headers: Sequence[Pair]) -> frozenset[str] | None:
    """Lower-case names of the headers that the page may read; None: all but Set-Cookie."""
    match request.tainting:
        case "cors":
            return cors.exposed_headers(headers, request.credentials)
        case "opaque":
            return frozenset()
        case "basic":
            return None


def redirect_target(request: Request, status: int, headers: Sequence[Pair]) -> tuple[str | None, str | None]:
    """Where the answer redirects to, and a note where it says so and a browser would not go."""
    locations = Headers(headers).all("Location")
    if status not in REDIRECTS or not locations:
        return None, None
    if len(set(locations)) > 1:
        return None, "not followed: several Location headers that differ"
    try:
        return str(parse_url(locations[0], request.url)), None
    except BadUrl as error:
        return None, f"not followed: Location: {error}"
