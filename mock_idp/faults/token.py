"""Faults of the token endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mock_idp.faults.registry import fault
from mock_idp.protocol import token
from mock_idp.wire.http import Answer

if TYPE_CHECKING:
    from mock_idp.protocol.token import TokenRequest


@fault("token.http-500", replaces=token.send, correct="reject, with a bounded number of retries")
def internal_error(_: TokenRequest) -> Answer:
    """The token endpoint answers 500."""
    return Answer(500, [(b"content-type", b"text/html")], b"<h1>Internal Server Error</h1>")
