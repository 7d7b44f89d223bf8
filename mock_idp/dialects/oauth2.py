"""Plain OAuth 2.0 whose paths, field names and habits are settings, for providers that have no make of their own here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlencode

from mock_idp.accounts import claims_of
from mock_idp.dialects.adapted import adapted, front_channel
from mock_idp.dialects.base import Dialect
from mock_idp.dialects.bodies import read_any_body
from mock_idp.dialects.identity import login_of, names_of, number_of
from mock_idp.dialects.oidc import ROUTES as SHARED
from mock_idp.protocol import token, userinfo
from mock_idp.protocol.authorization.request import check_scope
from mock_idp.protocol.client_authentication import authenticate_client, read_form, refused
from mock_idp.protocol.table import Flow
from mock_idp.wire.http import FORM, NO_STORE, Answer, json_answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mock_idp.protocol.authorization import Authorization
    from mock_idp.protocol.client_authentication import ClientRequest
    from mock_idp.protocol.endpoint import Endpoint
    from mock_idp.protocol.errors import OAuthError
    from mock_idp.protocol.table import Step
    from mock_idp.protocol.token import TokenRequest
    from mock_idp.protocol.userinfo import UserInfo
    from mock_idp.records import Account, Grant, Settings, Tenant
