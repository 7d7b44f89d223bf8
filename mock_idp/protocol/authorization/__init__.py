"""The authorization endpoint (RFC 6749, section 3.1; OpenID Connect Core 1.0, section 3), and its pages' forms."""

from mock_idp.protocol.authorization.flow import Authorization
from mock_idp.protocol.authorization.person import (
    PERSON,
    ask_consent,
    check_subject,
    read_consent,
    read_denial,
    read_pending,
    read_sign_in,
    resume_sign_in,
    session_cookie,
    session_of,
    sign_in,
)
from mock_idp.protocol.authorization.request import CHECKS, REQUEST, find_client
from mock_idp.protocol.authorization.response import (
    ERROR_RESPONSE,
    RESPONSE,
    deliver,
    deliver_to,
    make_grant,
    refuse,
    respond_access_token,
    respond_code,
    respond_id_token,
    respond_issuer,
    respond_session_state,
    respond_state,
    send_error,
)
from mock_idp.protocol.table import Table

AUTHORIZATION: Table[Authorization] = Table("authorization", *REQUEST, *PERSON, *RESPONSE)

SIGN_IN: Table[Authorization] = Table(
    "sign-in", read_pending, find_client, *CHECKS, read_denial, read_sign_in, check_subject, ask_consent, *RESPONSE
)
"""The form of the sign-in page."""

CONSENT: Table[Authorization] = Table(
    "consent", read_pending, find_client, *CHECKS, resume_sign_in, read_denial, read_consent, *RESPONSE
)
"""The form of the consent page."""

__all__ = [
    "AUTHORIZATION",
    "CHECKS",
    "CONSENT",
    "ERROR_RESPONSE",
    "SIGN_IN",
    "Authorization",
    "deliver",
    "deliver_to",
    "find_client",
    "make_grant",
    "refuse",
    "respond_access_token",
    "respond_code",
    "respond_id_token",
    "respond_issuer",
    "respond_session_state",
    "respond_state",
    "send_error",
    "session_cookie",
    "session_of",
    "sign_in",
]
