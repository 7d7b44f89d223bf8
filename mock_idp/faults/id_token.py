"""Faults of the ID Token (OpenID Connect Core 1.0, section 2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mock_idp.faults.registry import fault
from mock_idp.protocol import id_token

if TYPE_CHECKING:
    from mock_idp.protocol.id_token import IdToken


@fault("id-token.aud-wrong", replaces=id_token.audience, correct="reject")
def another_client(token: IdToken) -> None:
    """The audience names another client."""
    token.claims["aud"] = "another-client"
