"""Tokens as 42 hands them out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mock_idp.dialects.bodies import read_any_body
from mock_idp.protocol import token
from mock_idp.protocol.client_authentication import read_form
from mock_idp.protocol.errors import OAuthError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mock_idp.protocol.table import Step
    from mock_idp.protocol.token import TokenRequest

UNAUTHORIZED = 401
SENTENCES = {
    "invalid_grant": "The provided authorization grant is invalid, expired, revoked, does not match the redirection URI "
    "used in the authorization request, or was issued to another client.",
    "unsupported_grant_type": "The authorization grant type is not supported by the authorization server.",
    "invalid_client": "Client authentication failed due to unknown client, no client authentication included, or "
    "unsupported authentication method.",
    "invalid_scope": "The requested scope is invalid, unknown, or malformed.",
}


def check_grant_type(flow: TokenRequest) -> None:
    """Codes, refresh tokens and client credentials; ``password`` was tried and is refused."""
    if flow.grant_type not in ("authorization_code", "refresh_token", "client_credentials"):
        raise OAuthError("unsupported_grant_type", f"grant_type {flow.grant_type[:80]!r} is none of 42's")
    token.check_grant_type(flow)


def default_scope(flow: TokenRequest) -> None:
    """A token without scope is ``public``."""
    flow.scope = flow.scope or ["public"]


STEPS: Mapping[Step[Any], tuple[Step[Any], ...]] = {
    read_form: (read_any_body,),
    token.check_grant_type: (check_grant_type,),
    token.redeem: (token.redeem, default_scope),
    token.issue_id_token: (),
}
