"""The JWT bearer grant (RFC 7523, section 2.1): somebody we trust vouches for a person, or a client for itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mock_idp.protocol.access_token import live_token
from mock_idp.protocol.client_authentication import own_names
from mock_idp.protocol.client_keys import client_keys, fetched_keys, first_use, verified
from mock_idp.protocol.errors import OAuthError
from mock_idp.protocol.grants.subjects import account_of, own_keys
from mock_idp.protocol.table import Table
from mock_idp.protocol.targets import read_scope
from mock_idp.protocol.vocabulary import ASYMMETRIC
from mock_idp.records import Grant, unguessable
from mock_idp.tokens.jws import TokenRefusedError, unverified_claims, unverified_header

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mock_idp.protocol.token import TokenRequest

_SOURCE = "RFC 7523, section 3.1"


def implied_client(flow: TokenRequest) -> str | None:
    """Who asks where no ``client_id`` is sent: the issuer of the assertion (RFC 7521, section 4.1)."""
    try:
        issuer = unverified_claims(flow.params.get("assertion", "")).get("iss")
    except TokenRefusedError:
        return None
    return issuer if isinstance(issuer, str) and issuer != flow.issuer else None


async def check_assertion(flow: TokenRequest) -> None:
    """Signed by an issuer that is trusted here, for us, and not expired (RFC 7523, section 3)."""
    assertion = flow.params.get("assertion")
    if assertion is None:
        raise OAuthError("invalid_request", "assertion is missing", "RFC 7523, section 2.1")
    try:
        issuer = unverified_claims(assertion).get("iss")
        flow.asserted = verified(
            flow,
            assertion,
            await _keys_of(flow, issuer),
            algs=ASYMMETRIC,
            aud=own_names(flow) | _names_among_us(flow, issuer),
            require=("iss", "sub", "aud", "exp"),
        ).claims
        if issuer == flow.issuer:
            await _check_not_revoked(flow, assertion)
    except TokenRefusedError as error:
        raise OAuthError("invalid_grant", f"the assertion is refused: {error}", _SOURCE) from error


async def _check_not_revoked(flow: TokenRequest, token: str) -> None:
    """An access token of ours is worth no more here than at a resource."""
    if unverified_header(token).get("typ") == "at+jwt" and await live_token(flow, token) == (None, None):
        raise TokenRefusedError("it is an access token that is revoked")


async def _keys_of(flow: TokenRequest, issuer: Any) -> Mapping[str, Any]:
    """Keys of the tenant itself, of an issuer that its settings trust, or of a client."""
    settings, clients = flow.tenant.settings, flow.tenant.clients
    if not isinstance(issuer, str):
        raise TokenRefusedError("the claim 'iss' is missing")
    if issuer == flow.issuer:
        return own_keys(flow)
    trusted = settings.trusted_issuers.get(issuer)
    if trusted is not None:
        return await fetched_keys(str(trusted["jwks_uri"])) if "jwks_uri" in trusted else trusted
    if issuer not in clients:
        raise TokenRefusedError(
            f"its issuer {issuer[:200]!r} is neither a client nor one of the tenant's trusted_issuers"
        )
    return await client_keys(clients[issuer])


def _names_among_us(flow: TokenRequest, issuer: Any) -> set[str]:
    """A token of ours that a client was sent may be exchanged by that client, its audience ("on behalf of")."""
    return {flow.client.client_id} if flow.client is not None and issuer == flow.issuer else set()


async def count_assertion(flow: TokenRequest) -> None:
    """With a ``jti`` it is good once (RFC 7523, section 3)."""
    jti = flow.asserted.get("jti")
    if jti is None or flow.asserted["iss"] == flow.issuer:
        return
    identifier = f"{flow.asserted['iss']} {jti}"
    if not await first_use(flow, "grant", identifier, flow.asserted["exp"] - flow.now):
        raise OAuthError("invalid_grant", "the assertion was used before (its jti is known)", _SOURCE)


def take_scope(flow: TokenRequest) -> None:
    """What is asked for (RFC 7521, section 4.1)."""
    flow.scope = read_scope(flow)


async def grant_to_subject(flow: TokenRequest) -> None:
    """``sub`` is a person, or the client itself (RFC 7523, section 3)."""
    subject, client = flow.asserted["sub"], flow.client
    assert client is not None  # noqa: S101
    if not isinstance(subject, str) or not subject:
        raise OAuthError("invalid_grant", "the assertion is refused: its sub is no text", _SOURCE)
    account = None
    if subject != client.client_id:
        try:
            account = await account_of(flow, subject)
        except OAuthError as error:
            raise OAuthError("invalid_grant", error.description, _SOURCE) from error
    grant = Grant(
        id=unguessable(),
        client_id=client.client_id,
        account=account.name if account else None,
        sub=flow.dialect.sub(account) if account else subject,
        scope=flow.scope,
        created_at=flow.now,
        issuer=flow.issuer,
        audience=flow.resources,
    )
    flow.use_grant(grant)
    await flow.provider.keep_grant(flow.tenant, grant)


JWT_BEARER: Table[TokenRequest] = Table(
    "JWT bearer grant", check_assertion, count_assertion, take_scope, grant_to_subject
)
