"""Tokens as 42 hands them out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mock_idp.dialects.bodies import read_any_body
from mock_idp.protocol import token
from mock_idp.protocol.client_authentication import read_form

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mock_idp.protocol.table import Step
    from mock_idp.protocol.token import TokenRequest

UNAUTHORIZED = 401
SENTENCES = {
    "invalid_grant": "The provided authorization grant is invalid, expired, revoked, does not match the redirection "
    "URI used in the authorization request, or was issued to another client.",
    "unsupported_grant_type": "The authorization grant type is not supported by the authorization server.",
    "invalid_client": "Client authentication failed due to unknown client, no client authentication included, or "
    "unsupported authentication method.",
    "invalid_scope": "The requested scope is invalid, unknown, or malformed.",
}


def default_scope(flow: TokenRequest) -> None:
    """A token without scope is ``public``."""
    flow.scope = flow.scope or ["public"]


STEPS: Mapping[Step[Any], tuple[Step[Any], ...]] = {
    read_form: (read_any_body,),
    token.redeem: (token.redeem, default_scope),
    token.issue_id_token: (),
}
