"""Redirect URIs at the token endpoint, as some makes compare them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mock_idp.protocol.errors import OAuthError
from mock_idp.protocol.grants.authorization_code import check_same_redirect_uri

if TYPE_CHECKING:
    from mock_idp.protocol.token import TokenRequest


def name_redirect_uri_mismatch(flow: TokenRequest) -> None:
    """Another redirect URI than at the start has an error of its own."""
    try:
        check_same_redirect_uri(flow)
    except OAuthError as error:
        raise OAuthError("redirect_uri_mismatch", error.description, error.source) from error


def check_same_redirect_uri_if_sent(flow: TokenRequest) -> None:
    """Compared where it is sent; it may be left out."""
    if "redirect_uri" in flow.params:
        name_redirect_uri_mismatch(flow)
