"""Tokens as Google hands them out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mock_idp.dialects.google.authorization import long_names, short_names
from mock_idp.dialects.redirects import name_redirect_uri_mismatch
from mock_idp.protocol import device_authorization, token
from mock_idp.protocol.grants import GRANTS
from mock_idp.protocol.grants.authorization_code import AUTHORIZATION_CODE, check_same_redirect_uri

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mock_idp.protocol.device_authorization import DeviceAuthorization
    from mock_idp.protocol.table import Step
    from mock_idp.protocol.token import TokenRequest
    from mock_idp.wire.http import Answer

STATUS = {"authorization_pending": 428, "slow_down": 403, "access_denied": 403}
"""Of what a device is told."""
_GRANTS = {
    **GRANTS,
    "authorization_code": AUTHORIZATION_CODE.adapted({check_same_redirect_uri: (name_redirect_uri_mismatch,)}),
}


async def redeem(flow: TokenRequest) -> Answer | None:
    """Another redirect URI than at the start is ``redirect_uri_mismatch``; the rest as everywhere."""
    return await _GRANTS[flow.grant_type].walk(flow)


def granted_scope(flow: TokenRequest) -> None:
    """``scope``: by long names, also where short ones were asked for."""
    flow.members["scope"] = " ".join(long_names(flow.scope))


def name_page(flow: DeviceAuthorization) -> None:
    """``verification_url``, as it was called before RFC 8628; there is none with the code filled in."""
    device_authorization.name_page(flow)
    del flow.members["verification_uri_complete"]
    flow.members["verification_url"] = flow.members.pop("verification_uri")


DEVICE_STEPS: Mapping[Step[Any], tuple[Step[Any], ...]] = {
    device_authorization.take_scope: (device_authorization.take_scope, short_names),
    device_authorization.name_page: (name_page,),
}
STEPS: Mapping[Step[Any], tuple[Step[Any], ...]] = {
    token.redeem: (redeem,),
    token.granted_scope: (granted_scope,),
}
