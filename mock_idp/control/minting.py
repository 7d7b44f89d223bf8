"""Tokens without a flow, honest or forged."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from mock_idp.configuration.reading import DocumentError
from mock_idp.dialects import DIALECTS
from mock_idp.journal import Entry
from mock_idp.protocol import access_token, id_token
from mock_idp.protocol.access_token import ACCESS_TOKEN, JwtAccessToken
from mock_idp.protocol.errors import OAuthError
from mock_idp.protocol.id_token import ID_TOKEN, IdToken
from mock_idp.protocol.table import Flow
from mock_idp.records import AccessToken, Account, Grant, unguessable
from mock_idp.wire.http import Request

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mock_idp.provider import Provider
    from mock_idp.records import Tenant

SIGNING = (id_token.key, id_token.sign, access_token.key, access_token.sign)
CONTROL_CLIENT = "control"
"""The client of tokens for which none was named."""


@dataclass(slots=True)
class Mint:
    """A token to make.

    Attributes:
        kind: what it is.
        format: of an access token; ID Tokens are always JWTs.
        sub: its subject; an account of that name or subject where there is one.
        client: who it is issued to.
        aud: audience or audiences; an ID Token's is its client, an access token's what the tenant says.
        scope: what it is for, words with spaces between them.
        claims: put in place of the usual ones; null leaves a claim out.
        header: members of the JOSE header, put in place of the usual ones.
        lifetime: seconds, by the tenant's clock; negative for one that has expired.
        nonce: of an ID Token.
        faults: names of ID Token faults: what is wrong with it.

    """

    kind: Literal["access_token", "id_token"] = "access_token"
    format: Literal["jwt", "opaque"] = "jwt"
    sub: str = "alice"
    client: str = CONTROL_CLIENT
    aud: Any = None
    scope: str = "openid profile email"
    claims: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=dict)
    lifetime: int | None = None
    nonce: str | None = None
    faults: list[str] = field(default_factory=list)


async def mint(provider: Provider, tenant: Tenant, asked: Mint, base: str) -> dict[str, Any]:
    """Make a token.

    Args:
        provider: whose.
        tenant: in which.
        asked: what kind of token.
        base: the base under which the provider is known to those that will read the token.

    Returns:
        the token, its claims where it is a JWT, and when it expires.

    Raises:
        DocumentError: a fault is unknown or does not concern a token, or an ID Token is for nobody.

    """
    flow = _flow(provider, tenant, base)
    account = await _account(provider, tenant, asked.sub)
    grant = _grant(flow, asked, account)
    lies = _bound(flow, asked.faults)
    lifetime = _lifetime(flow, asked)
    if asked.kind == "id_token":
        if account is None:
            raise DocumentError("sub", "there is no such account, and the tenant is strict")
        token = await _honest_id_token(flow, grant, account)
    else:
        token = await _honest_access_token(flow, grant, account or Account(asked.sub), lifetime)
    token.claims["exp"] = int(flow.now) + lifetime
    if asked.aud is not None:
        token.claims["aud"] = asked.aud
    token.claims = {k: v for k, v in {**token.claims, **asked.claims}.items() if v is not None}
    token.header.update(asked.header)
    if asked.kind == "access_token" and asked.format == "opaque":
        token.compact = flow.dialect.access_token()
    else:
        await _sign(token, lies)
    if asked.kind == "access_token" and not lies and lifetime > 0:
        await _keep(flow, grant, token.compact, lifetime)
    return {"token": token.compact, "claims": token.claims, "expires_at": int(flow.now) + lifetime}


def _flow(provider: Provider, tenant: Tenant, base: str) -> Flow:
    now = time.time()
    return Flow(
        provider=provider,
        tenant=replace(tenant, armed=[]),  # armed faults wait for requests of relying parties
        dialect=DIALECTS[tenant.settings.dialect],
        request=Request("POST", base, f"/{tenant.name}/"),
        entry=Entry(now, "POST", base, [], b""),
        now=tenant.clock.now(now),
        issuer=provider.addresses.issuer(tenant, base),
    )


async def _account(provider: Provider, tenant: Tenant, sub: str) -> Account | None:
    dialect = DIALECTS[tenant.settings.dialect]
    for account in tenant.accounts.values():
        if sub in {account.name, dialect.sub(account)}:
            return account
    try:
        return await provider.account(tenant, sub)
    except OAuthError:
        return None


def _grant(flow: Flow, asked: Mint, account: Account | None) -> Grant:
    audience = [asked.aud] if isinstance(asked.aud, str) else asked.aud
    if audience is not None and not (isinstance(audience, list) and all(isinstance(one, str) for one in audience)):
        raise DocumentError("aud", "expected text, or a list of texts; claims take what is neither")
    try:
        flow.use_client(flow.provider.client(flow.tenant, asked.client))
    except OAuthError as error:
        raise DocumentError("client", error.description) from None
    return Grant(
        id=unguessable(),
        client_id=asked.client,
        account=account.name if account else None,
        sub=flow.dialect.sub(account) if account else asked.sub,
        scope=asked.scope.split(),
        created_at=flow.now,
        issuer=flow.issuer,
        auth_time=int(flow.now),
        nonce=asked.nonce,
        audience=audience or [],
    )


def _bound(flow: Flow, names: Iterable[str]) -> dict[Any, Any]:
    bound: dict[Any, Any]
    try:
        bound = flow.provider.faults.bind(names)
    except OAuthError as error:
        raise DocumentError("faults", error.description) from None
    for one in bound.values():
        if one.fault.replaces not in ID_TOKEN.steps:
            raise DocumentError("faults", f"{one.fault.name} is no fault of a token; arm it, or sign in with it")
    return bound


def _lifetime(flow: Flow, asked: Mint) -> int:
    if asked.lifetime is not None:
        return asked.lifetime
    settings = flow.tenant.settings
    return settings.lifetimes.id_token if asked.kind == "id_token" else flow.dialect.access_token_lifetime(settings)


async def _honest_id_token(flow: Flow, grant: Grant, account: Account) -> IdToken:
    token = IdToken(flow, grant, account)
    await type(ID_TOKEN)(ID_TOKEN.name, *(step for step in ID_TOKEN.steps if step not in SIGNING)).walk(token)
    return token


async def _honest_access_token(flow: Flow, grant: Grant, account: Account, lifetime: int) -> IdToken:
    """The claims of an access token, in the shape that ID Token faults work on."""
    settings = flow.tenant.settings
    audience = grant.audience or settings.audience or [grant.issuer]
    made = JwtAccessToken(flow, grant, AccessToken(grant.id, flow.now + lifetime, grant.scope, audience, flow.now))
    await type(ACCESS_TOKEN)(ACCESS_TOKEN.name, *(s for s in ACCESS_TOKEN.steps if s not in SIGNING)).walk(made)
    return IdToken(flow, grant, account, claims=made.claims, header={**made.header, "typ": made.typ})


async def _sign(token: IdToken, lies: dict[Any, Any]) -> None:
    """Only faults and the signature: all other claims are there."""
    token.flow.bound = lies
    steps = (step for step in ID_TOKEN.steps if step in lies or step in SIGNING)
    await type(ID_TOKEN)(ID_TOKEN.name, *steps).walk(token)


async def _keep(flow: Flow, grant: Grant, text: str, lifetime: int) -> None:
    """Let UserInfo and introspection know the token."""
    record = AccessToken(
        grant_id=grant.id,
        expires_at=flow.now + lifetime,
        scope=grant.scope,
        audience=grant.audience or flow.tenant.settings.audience or [grant.issuer],
        issued_at=flow.now,
    )
    await flow.provider.keep_grant(flow.tenant, grant)
    await flow.provider.store.put(flow.tenant.name, text, record, lifetime)
