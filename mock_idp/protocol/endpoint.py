"""How a path is served."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mock_idp.protocol.errors import OAuthError
    from mock_idp.protocol.table import Flow, Table
    from mock_idp.wire.http import Answer


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A table, the flow that walks it, and how its refusals look.

    Attributes:
        refuse: turns a refusal into an answer.
        methods: that it takes; others get 405.
        cors: may pages of other origins read its answers? Never where a browser itself is sent
            (RFC 9700, section 2.6).

    """

    table: Table[Any]
    flow: type[Flow]
    refuse: Callable[[Any, OAuthError], Answer | Awaitable[Answer]]
    methods: tuple[str, ...] = ("GET", "POST")
    cors: bool = True
