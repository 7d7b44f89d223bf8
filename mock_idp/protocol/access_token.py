"""Access tokens: opaque, or JWTs (RFC 9068) made claim by claim. Either way the provider keeps what they stand for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mock_idp.protocol.table import Table
from mock_idp.records import AccessToken, Grant
from mock_idp.tokens import jws

if TYPE_CHECKING:
    from mock_idp.keys.ring import KeyRef
    from mock_idp.protocol.table import Flow


@dataclass(slots=True)
class JwtAccessToken:
    """A JWT access token in the making.

    Attributes:
        record: what it stands for.
        compact: the finished token.

    """

    flow: Flow
    grant: Grant
    record: AccessToken
    claims: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=dict)
    typ: str = "at+jwt"
    key: KeyRef | None = None
    compact: str = ""


def media_type(token: JwtAccessToken) -> None:
    """``typ`` is ``at+jwt``, so that no ID Token passes for an access token (section 2.1)."""
    token.typ = token.grant.typ or "at+jwt"


def issuer(token: JwtAccessToken) -> None:
    """``iss``: exactly the issuer of the metadata (section 2.2)."""
    token.claims["iss"] = token.grant.issuer


def expiry(token: JwtAccessToken) -> None:
    """``exp``, by the tenant's clock (section 2.2)."""
    token.claims["exp"] = int(token.record.expires_at)


def audience(token: JwtAccessToken) -> None:
    """``aud``: the resources asked for, or else the tenant's usual one (section 3)."""
    named = token.record.audience
    token.claims["aud"] = named[0] if len(named) == 1 else named


def subject(token: JwtAccessToken) -> None:
    """``sub``: the person, or the client where it acts for itself (section 2.2)."""
    token.claims["sub"] = token.grant.sub


def client(token: JwtAccessToken) -> None:
    """``client_id``: who may use it (section 2.2; RFC 8693, section 4.3)."""
    token.claims["client_id"] = token.grant.client_id


def issue_time(token: JwtAccessToken) -> None:
    """``iat``, by the tenant's clock (section 2.2)."""
    token.claims["iat"] = int(token.record.issued_at)


def identifier(token: JwtAccessToken) -> None:
    """``jti``: no two tokens are the same (section 2.2)."""
    token.claims["jti"] = token.flow.dialect.access_token()


def authentication(token: JwtAccessToken) -> None:
    """``auth_time`` and ``acr``, where a person signed in (section 2.2.1)."""
    if token.grant.auth_time:
        token.claims["auth_time"] = token.grant.auth_time
    if token.grant.acr is not None:
        token.claims["acr"] = token.grant.acr


def scope(token: JwtAccessToken) -> None:
    """``scope``: what was granted (section 2.2.3)."""
    if token.record.scope:
        token.claims["scope"] = " ".join(token.record.scope)


def actor(token: JwtAccessToken) -> None:
    """``act``: who acts for the subject (RFC 8693, section 4.1)."""
    if token.grant.actor is not None:
        token.claims["act"] = token.grant.actor


def confirmation(token: JwtAccessToken) -> None:
    """``cnf``: the key that has to be proved with each use (RFC 9449, section 6.1)."""
    if token.record.key_thumbprint is not None:
        token.claims["cnf"] = {"jkt": token.record.key_thumbprint}


def mapped(token: JwtAccessToken) -> None:
    """Further claims that the tenant's settings give to tokens of such a request."""
    token.claims.update(token.grant.mapped)


def key(token: JwtAccessToken) -> None:
    """The tenant's active key, as for ID Tokens (section 2.1: never ``none``)."""
    token.key = token.flow.tenant.keys.active(token.flow.tenant.settings.signing_alg)


def sign(token: JwtAccessToken) -> None:
    """A compact JWS (RFC 7515)."""
    assert token.key is not None  # noqa: S101 # the step before chose it
    token.compact = jws.sign(token.claims, token.key, typ=token.typ, header=token.header)


ACCESS_TOKEN: Table[JwtAccessToken] = Table(
    "access token",
    media_type,
    issuer,
    expiry,
    audience,
    subject,
    client,
    issue_time,
    identifier,
    authentication,
    scope,
    actor,
    confirmation,
    mapped,
    key,
    sign,
)


async def new_access_token(  # noqa: PLR0913 # each is a different property of the token
    flow: Flow,
    grant: Grant,
    scope: list[str],
    *,
    audience: list[str] | None = None,
    key_thumbprint: str | None = None,
    as_jwt: bool = False,
) -> str:
    """Make and keep an access token.

    Args:
        flow: of the request that it is made for.
        grant: what it is based on; it has been kept.
        scope: of this token.
        audience: resources it is for; None: those of the grant.
        key_thumbprint: the DPoP key it is bound to.
        as_jwt: a JWT, whatever the tenant usually gives.

    Returns:
        the token.

    """
    settings = flow.tenant.settings
    lifetime = flow.dialect.access_token_lifetime(settings)
    record = AccessToken(
        grant_id=grant.id,
        expires_at=flow.now + lifetime,
        scope=scope,
        audience=audience or grant.audience or settings.audience or [grant.issuer],
        issued_at=flow.now,
        key_thumbprint=key_thumbprint,
    )
    if as_jwt or settings.access_token == "jwt":  # noqa: S105 # a kind of token
        token = JwtAccessToken(flow, grant, record)
        await ACCESS_TOKEN.walk(token)
        text = token.compact
    else:
        text = flow.dialect.access_token()
    await flow.provider.store.put(flow.tenant.name, text, record, lifetime)
    return text


async def live_token(flow: Flow, text: str) -> tuple[AccessToken | None, Grant | None]:
    """What stands behind an access token, where it still stands: known, not expired, and its grant not revoked."""
    store, name = flow.provider.store, flow.tenant.name
    token = await store.get(name, AccessToken, text)
    if token is None or token.expires_at <= flow.now:
        return None, None
    grant = await store.get(name, Grant, token.grant_id)
    return (token, grant) if grant is not None else (None, None)
