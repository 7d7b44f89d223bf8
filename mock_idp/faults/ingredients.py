"""What several faults are made of."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit, urlunsplit

from mock_idp.protocol.errors import OAuthError
from mock_idp.wire.http import Answer, Transport

if TYPE_CHECKING:
    from mock_idp.protocol.table import Flow, InFlow

REJECT = "refuses the login"
HTML_PAGE = b"<!doctype html><title>Sorry</title><h1>Something went wrong</h1><p>Please try again later.</p>"
UNTIL_GIVEN_UP = 3600.0
"""Seconds of a stall that no client sits out."""


async def honest(context: InFlow) -> Any:
    """Run the step that the fault replaces, as the tenant's make of provider has it. To be called first."""
    step = context.flow.honest
    assert step is not None  # noqa: S101 # a fault runs in the place of a step
    outcome = step(context)
    return await outcome if inspect.isawaitable(outcome) else outcome


async def honest_answer(context: InFlow) -> Answer:
    """The same, where the step is one that answers."""
    answer = await honest(context)
    assert isinstance(answer, Answer)  # noqa: S101 # see above
    return answer


def seconds(flow: Flow, default: float) -> float:
    """The value of the fault that is striking; `find` has checked that it is a number."""
    return float(flow.value) if flow.value else default


def stalled(answer: Answer, delay: float) -> Answer:
    """The answer, so many seconds late."""
    answer.transport = Transport(delay=delay)
    return answer


def html(status: int = 200) -> Answer:
    """A page of some proxy where JSON is expected."""
    return Answer(status, [(b"content-type", b"text/html; charset=utf-8")], HTML_PAGE)


def missing(sentence: str) -> OAuthError:
    """What has to happen before this fault can strike."""
    return OAuthError("mock_fault_needs_more", sentence)


def foreign(flow: Flow, path: str) -> str:
    """A URL of this provider under its other loopback name: another host to a client, and the journal shows who came.

    Args:
        flow: gives tenant and port.
        path: below the tenant's ``canary/``.

    """
    parts = urlsplit(flow.request.base)
    host = "localhost" if parts.hostname != "localhost" else "127.0.0.1"
    netloc = f"{host}:{parts.port}" if parts.port else host
    below = f"{parts.path}/{quote(flow.tenant.name, safe='/')}/canary/{path}"
    return urlunsplit((parts.scheme, netloc, below, "", ""))
