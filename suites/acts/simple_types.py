"""Bodies that a form, or a script without a preflight, can send (Fetch, "CORS-safelisted request-header")."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from harness.flows import new_marker
from harness.user_agent import Body
from suites.acts.forgery import attached

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.flows import Flows
    from harness.flows.credentials import Login
    from suites.acts.forgery import Forged

SIMPLE_TYPES: Final = (
    "text/plain",
    "Text/Plain",
    "text/plain; application/json",
    "application/x-www-form-urlencoded",
    None,
)
"""Content types that need no preflight, in spellings that careless comparisons miss; None: none is sent."""


def in_simple_types(flows: Flows, victim: Login) -> Iterator[Forged]:
    """The write's JSON under every content type that needs no preflight, and its fields as forms send them."""
    for content_type in SIMPLE_TYPES:
        marker = new_marker()
        yield attached(flows, victim, marker, Body.text(json.dumps(flows.write_fields(marker)), content_type))
    for make in (Body.form, Body.multipart):
        marker = new_marker()
        yield attached(flows, victim, marker, make(flows.write_fields(marker).items()))
