"""Grant types, one module and one table each: the part of a token request that differs from grant to grant.

A table leaves `grant` and `scope` in the flow; the rest of the token endpoint issues what they allow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mock_idp.protocol.grants.authorization_code import AUTHORIZATION_CODE
from mock_idp.protocol.grants.client_credentials import CLIENT_CREDENTIALS
from mock_idp.protocol.grants.device_code import DEVICE_CODE
from mock_idp.protocol.grants.jwt_bearer import JWT_BEARER
from mock_idp.protocol.grants.refresh_token import REFRESH_TOKEN
from mock_idp.protocol.grants.token_exchange import TOKEN_EXCHANGE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mock_idp.protocol.table import Table
    from mock_idp.protocol.token import TokenRequest

GRANTS: Mapping[str, Table[TokenRequest]] = {
    "authorization_code": AUTHORIZATION_CODE,
    "refresh_token": REFRESH_TOKEN,
    "client_credentials": CLIENT_CREDENTIALS,
    "urn:ietf:params:oauth:grant-type:device_code": DEVICE_CODE,
    "urn:ietf:params:oauth:grant-type:token-exchange": TOKEN_EXCHANGE,
    "urn:ietf:params:oauth:grant-type:jwt-bearer": JWT_BEARER,
}

__all__ = ["GRANTS"]
