"""Tokens as GitHub hands them out: as a form unless JSON is asked for, and with status 200 whatever happens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from mock_idp.accounts import claims_of
from mock_idp.dialects.bodies import read_form_or_json
from mock_idp.dialects.github.authorization import normalize_scope
from mock_idp.dialects.identity import verified
from mock_idp.dialects.redirects import check_same_redirect_uri_if_sent
from mock_idp.protocol import device_authorization, token
from mock_idp.protocol.client_authentication import authenticate_client, read_form
from mock_idp.protocol.errors import OAuthError
from mock_idp.protocol.grants import GRANTS
from mock_idp.protocol.grants.authorization_code import AUTHORIZATION_CODE, check_same_redirect_uri, take_grant
from mock_idp.wire.http import FORM, NO_STORE, Answer, json_answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mock_idp.protocol.device_authorization import DeviceAuthorization
    from mock_idp.protocol.table import Flow, Step
    from mock_idp.protocol.token import TokenRequest

_DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
_OK = 200
_SERVER_ERROR = 500
_DOCUMENTATION = "https://docs.github.com/apps/oauth-apps/maintaining-oauth-apps"
_TROUBLESHOOTING = f"{_DOCUMENTATION}/troubleshooting-oauth-app-access-token-request-errors"
_SENTENCES = {
    "incorrect_client_credentials": "The client_id and/or client_secret passed are incorrect.",
    "redirect_uri_mismatch": "The redirect_uri MUST match the registered callback URL for this application.",
    "bad_verification_code": "The code passed is incorrect or expired.",
    "unverified_user_email": "The user must have a verified primary email.",
    "bad_refresh_token": "The refresh token passed is incorrect or expired.",
    "incorrect_device_code": "The device_code provided is not valid.",
}
_SPENT = {"refresh_token": "bad_refresh_token", _DEVICE: "incorrect_device_code"}
"""What a grant that is no good is called, where it is no code."""


# --- the request ------------------------------------------------------------------------------------------------------


def assume_code(flow: TokenRequest) -> None:
    """Without ``grant_type`` it is a code; GitHub's web application flow knows nothing else."""
    flow.params.setdefault("grant_type", "authorization_code")


def authenticate_unless_device(flow: TokenRequest) -> None:
    """A device needs no secret, though the app has one."""
    if flow.grant_type != _DEVICE or flow.secret is not None:
        authenticate_client(flow)


def check_grant_type(flow: TokenRequest) -> None:
    """One that GitHub knows; devices only where the app has the device flow."""
    if flow.grant_type == _DEVICE:
        check_device_flow(flow)
    token.check_grant_type(flow)


async def check_email_verified(flow: TokenRequest) -> None:
    """No token for somebody whose primary e-mail address is not verified, where the tenant insists."""
    if not flow.dialect.options_of(flow.tenant.settings).verified_email_required:
        return
    assert flow.code is not None  # noqa: S101 # the steps before found it
    account = await flow.provider.account(flow.tenant, flow.code.grant.account or "")
    if not verified(claims_of(account)):
        raise OAuthError("unverified_user_email", f"the e-mail address of {account.name} is not verified")


_GRANTS = {
    **GRANTS,
    "authorization_code": AUTHORIZATION_CODE.adapted(
        {
            check_same_redirect_uri: (check_same_redirect_uri_if_sent,),
            take_grant: (check_email_verified, take_grant),
        }
    ),
}


async def redeem(flow: TokenRequest) -> Answer | None:
    """Codes with GitHub's checks; the rest as everywhere."""
    return await _GRANTS[flow.grant_type].walk(flow)


# --- the response -----------------------------------------------------------------------------------------------------


def token_type(flow: TokenRequest) -> None:
    """``bearer``, in lower case."""
    flow.members["token_type"] = "bearer"  # noqa: S105 # a kind of token


def expires_in(flow: TokenRequest) -> None:
    """Only of tokens that expire."""
    if flow.dialect.options_of(flow.tenant.settings).expiring_tokens:
        token.expires_in(flow)


def granted_scope(flow: TokenRequest) -> None:
    """``scope``, separated by commas."""
    flow.members["scope"] = ",".join(flow.scope)


def encode(flow: Flow, status: int, members: Mapping[str, Any]) -> Answer:
    """JSON where the ``Accept`` header names it, with whatever parameters; else a form."""
    if flow.request.accepts("application/json"):
        return json_answer(status, members)
    content_type = (b"content-type", f"{FORM}; charset=utf-8".encode())
    return Answer(status, [content_type, *NO_STORE], urlencode(members).encode())


def refusal(flow: Flow, error: OAuthError) -> tuple[int, dict[str, Any]]:
    """Status and members of a refusal, in GitHub's words."""
    grant_type = flow.params.get("grant_type", "")
    name = error.error
    if name == "invalid_client":
        name = "incorrect_client_credentials"
    elif name == "invalid_grant" or (name == "invalid_request" and "code" not in flow.params):
        name = _SPENT.get(grant_type, "bad_verification_code")
    members = {
        "error": name,
        "error_description": _SENTENCES.get(name, error.description),
        "error_uri": f"{_TROUBLESHOOTING}/#{name.replace('_', '-')}",
        **error.tell,
    }
    return error.status if error.status >= _SERVER_ERROR else _OK, members


# --- devices ----------------------------------------------------------------------------------------------------------


def check_device_flow(flow: DeviceAuthorization | TokenRequest) -> None:
    """The app has to have it switched on."""
    if not flow.dialect.options_of(flow.tenant.settings).device_flow:
        raise OAuthError("device_flow_disabled", "Device Flow must be explicitly enabled for this App")


def name_page(flow: DeviceAuthorization) -> None:
    """``verification_uri``; there is none with the code filled in."""
    device_authorization.name_page(flow)
    del flow.members["verification_uri_complete"]


def send_codes(flow: DeviceAuthorization) -> Answer:
    """A form, unless JSON is asked for."""
    return encode(flow, _OK, flow.members)


DEVICE_STEPS: Mapping[Step[Any], tuple[Step[Any], ...]] = {
    read_form: (read_form_or_json,),
    authenticate_client: (check_device_flow,),
    device_authorization.take_scope: (device_authorization.take_scope, normalize_scope),
    device_authorization.name_page: (name_page,),
    device_authorization.send: (send_codes,),
}
STEPS: Mapping[Step[Any], tuple[Step[Any], ...]] = {
    read_form: (read_form_or_json, assume_code),
    authenticate_client: (authenticate_unless_device,),
    token.check_grant_type: (check_grant_type,),
    token.redeem: (redeem,),
    token.token_type: (token_type,),
    token.expires_in: (expires_in,),
    token.granted_scope: (granted_scope,),
    token.issue_id_token: (),
}
