"""Token exchange (RFC 8693): a token of this tenant for another one, for somebody else to use elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mock_idp.protocol.access_token import live_token
from mock_idp.protocol.errors import OAuthError
from mock_idp.protocol.grants.subjects import account_of, own_keys
from mock_idp.protocol.table import Table
from mock_idp.protocol.targets import read_scope
from mock_idp.records import Grant, unguessable
from mock_idp.tokens.jws import TokenRefusedError, verify

if TYPE_CHECKING:
    from mock_idp.protocol.token import TokenRequest

TYPE = "urn:ietf:params:oauth:token-type:"
ACCESS_TOKEN, ID_TOKEN, JWT = f"{TYPE}access_token", f"{TYPE}id_token", f"{TYPE}jwt"
_SOURCE = "RFC 8693, section 2.1"
_MOST_ACTORS = 20
"""How long a chain of delegation may get."""


@dataclass(slots=True)
class Party:
    """Whom a presented token speaks of.

    Attributes:
        account: name; None where it is a client.
        scope: None where the token has none.
        actor: who acts for it already.

    """

    sub: str
    account: str | None
    scope: list[str] | None = None
    actor: dict[str, Any] | None = None
    auth_time: int = 0
    acr: str | None = None


def check_requested_type(flow: TokenRequest) -> None:
    """``requested_token_type``: an access token, or expressly one that is a JWT (section 2.1)."""
    asked = flow.params.get("requested_token_type", ACCESS_TOKEN)
    if asked not in (ACCESS_TOKEN, JWT):
        raise OAuthError("invalid_request", f"requested_token_type {asked[:80]!r} is not given out here", _SOURCE)
    flow.issued_type = asked


async def find_subject(flow: TokenRequest) -> None:
    """``subject_token``: for whom the new token is (section 2.1)."""
    if "subject_token" not in flow.params:
        raise OAuthError("invalid_request", "subject_token is missing", _SOURCE)
    flow.subject = await _party(flow, "subject_token")


async def find_actor(flow: TokenRequest) -> None:
    """``actor_token``: who is going to act for the subject (section 2.1)."""
    if "actor_token" in flow.params:
        flow.actor = await _party(flow, "actor_token")
    elif "actor_token_type" in flow.params:
        raise OAuthError("invalid_request", "actor_token_type without actor_token", _SOURCE)


async def _party(flow: TokenRequest, name: str) -> Party:
    text, kind = flow.params[name], flow.params.get(f"{name}_type")
    if kind is None:
        raise OAuthError("invalid_request", f"{name}_type is missing", _SOURCE)
    if kind not in (ACCESS_TOKEN, ID_TOKEN, JWT):
        raise OAuthError("invalid_request", f"{name}_type {kind[:80]!r} is not taken here", _SOURCE)
    found = await _access_token(flow, text) if kind in (ACCESS_TOKEN, JWT) else None
    if found is None and kind in (ID_TOKEN, JWT):
        found = await _id_token(flow, text)
    if found is None:
        # Section 2.2.2 has invalid_request for this, where other grants have invalid_grant.
        raise OAuthError(
            "invalid_request", f"{name} is unknown, expired or revoked, or of another type", "RFC 8693, section 2.2.2"
        )
    return found


async def _access_token(flow: TokenRequest, text: str) -> Party | None:
    token, grant = await live_token(flow, text)
    if token is None or grant is None:
        return None
    return Party(grant.sub, grant.account, token.scope, grant.actor, grant.auth_time, grant.acr)


async def _id_token(flow: TokenRequest, text: str) -> Party | None:
    issuer = flow.dialect.iss(flow.tenant.settings, flow.issuer)
    try:
        claims = verify(
            text,
            own_keys(flow),
            algs=flow.tenant.keys.algorithms(),
            now=flow.now,
            iss=issuer,
            typ=("jwt",),
            require=("sub", "aud", "exp"),
        ).claims
    except TokenRefusedError:
        return None
    # An ID Token that was minted or forged here is signed as well as any, and may say anything.
    subject, signed_in, acr, actor = (claims.get(name) for name in ("sub", "auth_time", "acr", "act"))
    if not isinstance(subject, str) or not subject:
        return None
    try:
        account = await account_of(flow, subject)
    except OAuthError:  # somebody whom a strict tenant no longer knows
        return None
    return Party(
        flow.dialect.sub(account),
        account.name,
        actor=actor if isinstance(actor, dict) else None,
        auth_time=signed_in if isinstance(signed_in, int) else 0,
        acr=acr if isinstance(acr, str) else None,
    )


def take_audience(flow: TokenRequest) -> None:
    """``audience`` and ``resource``: where the new token is to be used (section 2.1); together they are its ``aud``."""
    named, known = flow.params.every("audience"), flow.tenant.settings.resources
    for one in named:
        if known and one not in known:
            raise OAuthError("invalid_target", f"there is no audience {one[:200]!r} here", "RFC 8693, section 2.2.2")
    flow.audience = list(dict.fromkeys((*named, *flow.resources)))


def take_scope(flow: TokenRequest) -> None:
    """What is asked for, or else that of the subject token.

    Without a new audience the new token is for the same place, and there it gives no more rights than the old one. With
    one the scopes are those of that place, which the old token knows nothing of.
    """
    assert flow.subject is not None  # noqa: S101 # the step before found it
    held = flow.subject.scope
    if "scope" not in flow.params:
        flow.scope = held or []
        return
    flow.scope = read_scope(flow)
    beyond = [value for value in flow.scope if held is not None and value not in held]
    if beyond and not flow.audience:
        raise OAuthError("invalid_scope", f"scope {beyond[0][:80]!r} was not granted to the subject_token", _SOURCE)


async def grant_exchange(flow: TokenRequest) -> None:
    """The subject's, and ``act`` names who acts for it, the latest outside (section 4.1)."""
    subject, client = flow.subject, flow.client
    assert subject is not None and client is not None  # noqa: S101, PT018
    grant = Grant(
        id=unguessable(),
        client_id=client.client_id,
        account=subject.account,
        sub=subject.sub,
        scope=flow.scope,
        created_at=flow.now,
        issuer=flow.issuer,
        auth_time=subject.auth_time,
        acr=subject.acr,
        audience=flow.audience or [],
        actor=_delegation(subject, flow.actor),
    )
    flow.use_grant(grant)
    await flow.provider.keep_grant(flow.tenant, grant)


def _delegation(subject: Party, actor: Party | None) -> dict[str, Any] | None:
    if actor is None:
        return subject.actor
    chain: dict[str, Any] = {"sub": actor.sub} if subject.actor is None else {"sub": actor.sub, "act": subject.actor}
    if _length(chain) > _MOST_ACTORS:
        raise OAuthError("invalid_request", f"more than {_MOST_ACTORS} act for each other", "RFC 8693, section 4.1")
    return chain


def _length(chain: Any) -> int:
    return 1 + _length(chain.get("act")) if isinstance(chain, dict) else 0


TOKEN_EXCHANGE: Table[TokenRequest] = Table(
    "token exchange grant",
    check_requested_type,
    find_subject,
    find_actor,
    take_audience,
    take_scope,
    grant_exchange,
)
