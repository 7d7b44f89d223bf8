"""The authorization code grant (RFC 6749, section 4.1.3) with PKCE (RFC 7636)."""

from __future__ import annotations

import hmac
import re
from typing import TYPE_CHECKING

from mock_idp.protocol.errors import OAuthError
from mock_idp.protocol.table import Table
from mock_idp.records import Code, Grant
from mock_idp.tokens.pkce import challenge_of

if TYPE_CHECKING:
    from mock_idp.protocol.token import TokenRequest

_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


async def check_code_stands(flow: TokenRequest) -> None:
    """What was allowed may have been taken back since, as by signing out."""
    if flow.code is None:
        return
    if await flow.provider.store.get(flow.tenant.name, Grant, flow.code.grant.id) is None:
        raise OAuthError("invalid_grant", "what this code stands for is revoked", "RFC 6749, section 5.2")


async def spend_code(flow: TokenRequest) -> None:
    """A code is good once (RFC 6749, section 4.1.2). A second use revokes what the first one gave."""
    if "code" not in flow.params:
        raise OAuthError("invalid_request", "code is missing", "RFC 6749, section 4.1.3")
    record, first = await flow.provider.store.spend(flow.tenant.name, Code, flow.params["code"])
    if record is None:
        raise OAuthError("invalid_grant", "this code was never issued, or long ago", "RFC 6749, section 5.2")
    if not first and not flow.tolerates("code-reuse"):
        await flow.provider.store.delete(flow.tenant.name, Grant, record.grant.id)
        raise OAuthError(
            "invalid_grant", "this code was used before; what it gave is revoked", "RFC 6749, section 4.1.2"
        )
    flow.code = record


def check_code_fresh(flow: TokenRequest) -> None:
    """By the tenant's clock; ten minutes at most (RFC 6749, section 4.1.2)."""
    assert flow.code is not None  # noqa: S101 # the step before spent it
    if flow.code.expires_at <= flow.now:
        raise OAuthError("invalid_grant", "this code has expired", "RFC 6749, section 4.1.2")


def check_code_client(flow: TokenRequest) -> None:
    """Only the client that it was issued to (RFC 6749, section 4.1.3)."""
    assert flow.code is not None and flow.client is not None  # noqa: S101, PT018
    if flow.code.grant.client_id != flow.client.client_id:
        raise OAuthError("invalid_grant", "this code was issued to another client", "RFC 6749, section 4.1.3")


def check_same_redirect_uri(flow: TokenRequest) -> None:
    """Identical to that of the authorization request, where one was sent there (RFC 6749, section 4.1.3)."""
    assert flow.code is not None  # noqa: S101
    expected, sent = flow.code.redirect_uri, flow.params.get("redirect_uri")
    if expected is not None and sent != expected and not flow.tolerates("redirect-uri-not-compared"):
        raise OAuthError(
            "invalid_grant",
            "redirect_uri is missing here" if sent is None else "redirect_uri differs from the authorization request's",
            "RFC 6749, section 4.1.3",
        )


def check_verifier(flow: TokenRequest) -> None:
    """A challenge makes the verifier compulsory (RFC 7636, section 4.6).

    None is taken without a challenge (RFC 9700, section 4.8.2).
    """
    assert flow.code is not None  # noqa: S101
    challenge, verifier = flow.code.challenge, flow.params.get("code_verifier")
    if challenge is None:
        if verifier is not None and not flow.tolerates("verifier-unasked"):
            raise OAuthError(
                "invalid_grant", "code_verifier without a code_challenge at the start", "RFC 9700, section 4.8.2"
            )
        return
    if verifier is None:
        if flow.tolerates("verifier-missing"):
            return
        raise OAuthError("invalid_grant", "code_verifier is missing", "RFC 7636, section 4.6")
    if not _VERIFIER.fullmatch(verifier) and not flow.tolerates("verifier-wrong"):
        raise OAuthError(
            "invalid_grant", "code_verifier is not 43 to 128 letters, digits, - . _ or ~", "RFC 7636, section 4.1"
        )
    derived = challenge_of(verifier) if flow.code.challenge_method == "S256" else verifier
    right = hmac.compare_digest(derived.encode("utf-8", "replace"), challenge.encode("utf-8", "replace"))
    if not right and not flow.tolerates("verifier-wrong"):
        raise OAuthError("invalid_grant", "code_verifier does not match the code_challenge", "RFC 7636, section 4.6")


def check_code_key(flow: TokenRequest) -> None:
    """``dpop_jkt`` at the start binds the code to a key (RFC 9449, section 10)."""
    assert flow.code is not None  # noqa: S101
    bound = flow.code.dpop_jkt
    if bound is not None and flow.key_thumbprint != bound:
        raise OAuthError(
            "invalid_grant",
            "the code is bound to a key (dpop_jkt), and the request brings no proof of it"
            if flow.key_thumbprint is None
            else "the DPoP proof is by another key than dpop_jkt names",
            "RFC 9449, section 10",
        )


def take_grant(flow: TokenRequest) -> None:
    """All that was granted at the authorization endpoint."""
    assert flow.code is not None  # noqa: S101
    flow.scope = flow.code.grant.scope
    flow.signed_in = True


AUTHORIZATION_CODE: Table[TokenRequest] = Table(
    "authorization code grant",
    check_code_stands,
    spend_code,
    check_code_fresh,
    check_code_client,
    check_same_redirect_uri,
    check_verifier,
    check_code_key,
    take_grant,
)
