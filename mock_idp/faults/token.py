"""Faults of the token endpoint (RFC 6749, section 5)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from mock_idp.faults.ingredients import (
    REJECT,
    UNTIL_GIVEN_UP,
    foreign,
    honest,
    honest_answer,
    html,
    missing,
    seconds,
    stalled,
)
from mock_idp.faults.registry import fault
from mock_idp.protocol import token
from mock_idp.protocol.client_authentication import authenticate_client
from mock_idp.protocol.errors import OAuthError
from mock_idp.protocol.grants import authorization_code, refresh_token
from mock_idp.records import RefreshToken
from mock_idp.wire.http import FORM, NO_STORE, Answer, json_answer, json_bytes, type_json

if TYPE_CHECKING:
    from mock_idp.protocol.token import TokenRequest
    from mock_idp.records import AuthMethod

_WITHIN_LIMITS = "refuses the login, within limits of size and time"
_SANE = "goes on, with a lifetime of its own choice"
_HUGE = 16 * 1024 * 1024
_SLOW = 30.0
_HOUR = 3600


# --- statuses ---------------------------------------------------------------------------------------------------------


@fault("token.http-400-invalid-grant", replaces=token.send, correct=REJECT)
def invalid_grant(_: TokenRequest) -> Answer:
    """The token endpoint answers 400 and ``invalid_grant``."""
    return json_answer(400, {"error": "invalid_grant", "error_description": "the code is not valid"})


@fault("token.http-401-invalid-client", replaces=token.send, correct=REJECT)
def invalid_client(_: TokenRequest) -> Answer:
    """The token endpoint answers 401 and ``invalid_client``."""
    challenge = (b"www-authenticate", b'Basic realm="mock provider"')
    return json_answer(
        401, {"error": "invalid_client", "error_description": "the client is not known"}, [*NO_STORE, challenge]
    )


@fault("token.http-500", replaces=token.send, correct="refuses the login, after a bounded number of attempts")
def internal_error(_: TokenRequest) -> Answer:
    """The token endpoint answers 500 with an HTML page."""
    return html(500)


@fault("token.http-429", replaces=token.send, correct="refuses the login, after a bounded number of attempts")
def too_many_requests(_: TokenRequest) -> Answer:
    """The token endpoint answers 429 with ``Retry-After``."""
    return json_answer(429, {"error": "temporarily_unavailable"}, [*NO_STORE, (b"retry-after", b"1")])


@fault("token.http-200-error", replaces=token.send, correct=REJECT)
def error_with_success_status(_: TokenRequest) -> Answer:
    """The token endpoint answers 200 with an error, as GitHub does."""
    return json_answer(
        200, {"error": "bad_verification_code", "error_description": "The code is incorrect or expired."}
    )


# --- bodies -----------------------------------------------------------------------------------------------------------


@fault("token.form-encoded", replaces=token.send, correct="parses it, or asks for JSON", positive=True)
async def form_encoded(flow: TokenRequest) -> Answer:
    """The response is form-encoded where ``Accept`` does not ask for JSON, as GitHub's is."""
    answer = await honest_answer(flow)
    if not flow.request.accepts("application/json"):
        answer = _as(answer, FORM, urlencode(flow.members).encode())
    return answer


@fault("token.empty-body", replaces=token.send, correct=_WITHIN_LIMITS)
async def empty_body(flow: TokenRequest) -> Answer:
    """The response is empty."""
    answer = await honest_answer(flow)
    answer.body = b""
    return answer


@fault("token.html-body", replaces=token.send, correct=_WITHIN_LIMITS)
def html_body(_: TokenRequest) -> Answer:
    """The response is an HTML page, with status 200."""
    return html()


@fault("token.truncated-json", replaces=token.send, correct=_WITHIN_LIMITS)
async def truncated(flow: TokenRequest) -> Answer:
    """The response ends in the middle, and its length says that it is all."""
    answer = await honest_answer(flow)
    answer.body = answer.body[: len(answer.body) // 2]
    return answer


@fault("token.invalid-json", replaces=token.send, correct=_WITHIN_LIMITS)
def invalid_json(flow: TokenRequest) -> Answer:
    """The response is nearly JSON: names in single quotes and a comma too many."""
    members = ",".join(f"'{name}':{json_bytes(value).decode()}" for name, value in flow.members.items())
    return Answer(200, [type_json, *NO_STORE], f"{{{members},}}".encode())


@fault("token.not-an-object", replaces=token.send, correct=_WITHIN_LIMITS)
def not_an_object(flow: TokenRequest) -> Answer:
    """The response is a JSON array that holds what it should be."""
    return Answer(200, [type_json, *NO_STORE], json_bytes([flow.members]))


@fault("token.wrong-content-type", replaces=token.send, correct="refuses the login, or reads it all the same; no crash")
async def wrong_content_type(flow: TokenRequest) -> Answer:
    """The response is as always, and ``Content-Type`` says ``text/html``."""
    answer = await honest_answer(flow)
    return _as(answer, "text/html", answer.body)


@fault("token.huge-body", replaces=token.send, correct=_WITHIN_LIMITS)
def huge_body(flow: TokenRequest) -> Answer:
    """The response is JSON with 16 MB of an unknown member before the others."""
    body = b'{"padding":"' + b"x" * _HUGE + b'",' + json_bytes(flow.members)[1:]
    return Answer(200, [type_json, *NO_STORE], body)


@fault("token.duplicate-members", replaces=token.send, correct="refuses the login, or takes the last one consistently")
async def duplicate_members(flow: TokenRequest) -> Answer:
    """``access_token`` stands twice in the response, first with a value that was never issued."""
    answer = await honest_answer(flow)
    if answer.body.startswith(b"{"):
        answer.body = b'{"access_token":"never-issued",' + answer.body[1:]
    else:
        answer.body = b"access_token=never-issued&" + answer.body
    return answer


def _as(answer: Answer, media_type: str, body: bytes) -> Answer:
    """The answer with another type and body."""
    kept = [(name, value) for name, value in answer.headers if name != b"content-type"]
    return Answer(answer.status, [(b"content-type", media_type.encode()), *kept], body)


@fault("token.extra-members", replaces=token.dialect_members, correct="ignores them", positive=True)
async def extra_members(flow: TokenRequest) -> None:
    """The response has ``created_at``, ``secret_valid_until`` and an unknown member besides."""
    await honest(flow)
    flow.members |= {
        "created_at": int(flow.now),
        "secret_valid_until": int(flow.now) + 86400,
        "of_tomorrow": {"a": [1]},
    }


# --- members ----------------------------------------------------------------------------------------------------------


@fault("token.missing-access-token", replaces=token.issue_access_token, correct=REJECT)
async def access_token_missing(flow: TokenRequest) -> None:
    """``access_token`` is missing."""
    await honest(flow)
    del flow.members["access_token"]


@fault("token.null-access-token", replaces=token.issue_access_token, correct=REJECT)
async def access_token_null(flow: TokenRequest) -> None:
    """``access_token`` is null."""
    await honest(flow)
    flow.members["access_token"] = None


@fault("token.missing-id-token", replaces=token.issue_id_token, correct="refuses the login where it asked for openid")
def id_token_missing(_: TokenRequest) -> None:
    """``id_token`` is missing."""


@fault("token.null-id-token", replaces=token.issue_id_token, correct="refuses the login where it asked for openid")
def id_token_null(flow: TokenRequest) -> None:
    """``id_token`` is null."""
    flow.members["id_token"] = None


@fault("token.token-type-unknown", replaces=token.token_type, correct="does not use the token (RFC 6749, section 7.1)")
def token_type_unknown(flow: TokenRequest) -> None:
    """``token_type`` is ``mac_x``, which nobody knows."""
    flow.members["token_type"] = "mac_x"  # noqa: S105 # the name of a scheme


@fault("token.token-type-missing", replaces=token.token_type, correct="refuses the login, or takes it for Bearer")
def token_type_missing(_: TokenRequest) -> None:
    """``token_type`` is missing."""


@fault(
    "token.token-type-case",
    replaces=token.token_type,
    correct="accepts it: token_type is not case-sensitive",
    positive=True,
    takes="the spelling",
)
def token_type_case(flow: TokenRequest) -> None:
    """``token_type`` is ``BEARER``, or Bearer in another spelling."""
    flow.members["token_type"] = flow.value or "BEARER"


@fault("token.expires-in-missing", replaces=token.expires_in, correct=_SANE, positive=True)
def expires_in_missing(_: TokenRequest) -> None:
    """``expires_in`` is missing."""


@fault("token.expires-in-string", replaces=token.expires_in, correct=_SANE)
async def expires_in_text(flow: TokenRequest) -> None:
    """``expires_in`` is text that says how long."""
    await honest(flow)
    flow.members["expires_in"] = str(flow.members.get("expires_in", _HOUR))


@fault("token.expires-in-negative", replaces=token.expires_in, correct=_SANE)
def expires_in_negative(flow: TokenRequest) -> None:
    """``expires_in`` is -1."""
    flow.members["expires_in"] = -1


@fault("token.expires-in-fraction", replaces=token.expires_in, correct=_SANE)
async def expires_in_fraction(flow: TokenRequest) -> None:
    """``expires_in`` is no whole number."""
    await honest(flow)
    flow.members["expires_in"] = flow.members.get("expires_in", _HOUR) - 0.5


@fault("token.expires-in-null", replaces=token.expires_in, correct=_SANE)
def expires_in_null(flow: TokenRequest) -> None:
    """``expires_in`` is null."""
    flow.members["expires_in"] = None


@fault("token.expires-in-huge", replaces=token.expires_in, correct=_SANE)
def expires_in_huge(flow: TokenRequest) -> None:
    """``expires_in`` is 10 to the power of 30, past every calendar."""
    flow.members["expires_in"] = 10**30


@fault(
    "token.scope-reduced",
    replaces=authorization_code.take_grant,
    correct="notices, and assumes no right that was not granted",
)
async def scope_reduced(flow: TokenRequest) -> None:
    """The last scope asked for, but for ``openid``, is not granted."""
    await honest(flow)
    droppable = [name for name in flow.scope if name != "openid"]
    if not droppable:
        raise missing("for this fault the client has to ask for a scope besides openid")
    flow.scope = [name for name in flow.scope if name != droppable[-1]]


# --- what it checks ---------------------------------------------------------------------------------------------------


@fault(
    "token.redirect-307",
    replaces=token.send,
    correct="does not send code and secret to another host",
    takes="the URL",
)
def redirected(flow: TokenRequest) -> Answer:
    """The token endpoint answers 307 to another host."""
    return Answer(307, [(b"location", (flow.value or foreign(flow, "token")).encode("latin-1", "replace")), *NO_STORE])


@fault(
    "token.pkce-enforced",
    replaces=authorization_code.check_verifier,
    correct="sends a challenge and its verifier",
    positive=True,
)
async def pkce_enforced(flow: TokenRequest) -> None:
    """A code without a challenge is refused, and the verifier is checked."""
    assert flow.code is not None  # noqa: S101 # the step before spent it
    if flow.code.challenge is None:
        raise OAuthError("invalid_grant", "PKCE is required here", "RFC 7636, section 4.4.1")
    await honest(flow)


@fault(
    "token.pkce-ignored", replaces=authorization_code.check_verifier, correct="sends the right verifier all the same"
)
def pkce_ignored(_: TokenRequest) -> None:
    """The verifier is not looked at."""


@fault(
    "token.redirect-uri-strict",
    replaces=authorization_code.check_same_redirect_uri,
    correct="sends the same value",
    positive=True,
)
def redirect_uri_strict(flow: TokenRequest) -> None:
    """``redirect_uri`` is compared byte for byte, whatever the client's leniencies say."""
    assert flow.code is not None  # noqa: S101 # the step before spent it
    if flow.code.redirect_uri != flow.params.get("redirect_uri"):
        raise OAuthError(
            "invalid_grant", "redirect_uri differs from the authorization request's", "RFC 6749, section 4.1.3"
        )


@fault("token.client-auth-basic-only", replaces=authenticate_client, correct="uses the method that is configured")
async def basic_only(flow: TokenRequest) -> None:
    """Clients may authenticate by HTTP Basic only."""
    await _only(flow, "client_secret_basic")


@fault("token.client-auth-post-only", replaces=authenticate_client, correct="uses the method that is configured")
async def post_only(flow: TokenRequest) -> None:
    """Clients may authenticate by ``client_secret`` in the body only."""
    await _only(flow, "client_secret_post")


async def _only(flow: TokenRequest, method: AuthMethod) -> None:
    if flow.method != method:
        raise OAuthError(
            "invalid_client",
            f"the client authenticates by {flow.method}; here it may by {method} only",
            "RFC 6749, section 5.2",
            status=401,
            challenge='Basic realm="mock provider"',
        )
    await honest(flow)


# --- time -------------------------------------------------------------------------------------------------------------


@fault("token.hang", replaces=token.send, correct="gives up in time and ends cleanly")
async def hang(flow: TokenRequest) -> Answer:
    """The token endpoint does not answer."""
    return stalled(await honest_answer(flow), UNTIL_GIVEN_UP)


@fault("token.slow", replaces=token.send, correct="waits, or gives up in time and ends cleanly", takes="seconds")
async def slow(flow: TokenRequest) -> Answer:
    """The token endpoint answers after 30 seconds, or as many as are named."""
    answer = await honest_answer(flow)
    return stalled(answer, seconds(flow, _SLOW))


# --- refresh ----------------------------------------------------------------------------------------------------------


def _refreshes(flow: TokenRequest) -> bool:
    return flow.refreshed is not None


@fault(
    "token.refresh-invalid-grant",
    replaces=refresh_token.find_refresh_token,
    correct="ends the session or asks for a new login; no loop",
)
def refresh_refused(_: TokenRequest) -> None:
    """A refresh is refused with ``invalid_grant``."""
    raise OAuthError("invalid_grant", "the refresh token is not valid", "RFC 6749, section 5.2")


@fault(
    "token.refresh-same",
    replaces=token.issue_refresh_token,
    correct="goes on with the token that it has",
    positive=True,
    when=_refreshes,
)
async def refresh_token_kept(flow: TokenRequest) -> None:
    """The answer to a refresh has the same refresh token, which is good for another time."""
    await _revive(flow)
    flow.members["refresh_token"] = flow.params["refresh_token"]


@fault(
    "token.refresh-omitted",
    replaces=token.issue_refresh_token,
    correct="keeps the token that it has (RFC 6749, section 6)",
    positive=True,
    when=_refreshes,
)
async def refresh_token_omitted(flow: TokenRequest) -> None:
    """The answer to a refresh has no refresh token; the old one is good for another time."""
    await _revive(flow)


@fault(
    "token.refresh-new",
    replaces=token.issue_refresh_token,
    correct="keeps the new token and forgets the old one",
    positive=True,
    when=_refreshes,
)
async def refresh_token_replaced(flow: TokenRequest) -> None:
    """The answer to a refresh has a new refresh token, and the old one is good no more, also where it is fixed."""
    flow.members["refresh_token"] = await refresh_token.new_refresh_token(flow)
    await flow.provider.store.spend(flow.tenant.name, RefreshToken, flow.params["refresh_token"])


async def _revive(flow: TokenRequest) -> None:
    """Let the refresh token that was just presented be one that has not been used."""
    text, used = flow.params["refresh_token"], flow.refreshed
    assert used is not None  # noqa: S101 # these faults strike at refresh only
    store, tenant = flow.provider.store, flow.tenant.name
    await store.delete(tenant, RefreshToken, text)
    await store.put(tenant, text, replace(used, used_at=0.0), used.expires_at - flow.now)
