"""A browser without a window: cookies, SameSite, CORS, redirects, Origin, Referer, Sec-Fetch-*; on plain sockets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.user_agent.agent import TooManyRedirects, UserAgent
from harness.user_agent.answer import Answer, Headers
from harness.user_agent.bodies import Body, Form
from harness.user_agent.cookies import Cookie, CookieStore, SetCookie
from harness.user_agent.limits import WireLimits
from harness.user_agent.unreachable import (
    BrokenAnswer,
    ConnectionRefused,
    NameNotResolved,
    TimedOut,
    TlsNotTrusted,
    TooLarge,
    Unreachable,
)
from harness.user_agent.urls import BadUrl

if TYPE_CHECKING:
    from harness.user_agent.wire import Wire

__all__ = [
    "Answer",
    "BadUrl",
    "Body",
    "BrokenAnswer",
    "ConnectionRefused",
    "Cookie",
    "CookieStore",
    "Form",
    "Headers",
    "NameNotResolved",
    "SetCookie",
    "TimedOut",
    "TlsNotTrusted",
    "TooLarge",
    "TooManyRedirects",
    "Unreachable",
    "UserAgent",
    "Wire",
    "WireLimits",
]


def __getattr__(name: str) -> Any:
    """Load `Wire`, and with it httpcore, only when somebody asks: most of what imports this package sends nothing."""
    if name == "Wire":
        from harness.user_agent.wire import Wire  # noqa: PLC0415

        return Wire
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
