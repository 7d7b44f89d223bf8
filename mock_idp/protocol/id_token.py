"""The ID Token (OpenID Connect Core 1.0, section 2), claim by claim."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mock_idp.accounts import released
from mock_idp.protocol.table import Table
from mock_idp.tokens import jws

if TYPE_CHECKING:
    from mock_idp.keys.ring import KeyRef
    from mock_idp.protocol.table import Flow
    from mock_idp.records import Account, Grant


@dataclass(slots=True)
class IdToken:
    """An ID Token in the making.

    Attributes:
        access_token, code, state: what it is issued together with, for the hash claims.
        front_channel: it travels in the authorization response, where the hashes are compulsory.
        refreshed: it answers a refresh token.
        compact: the finished token.

    """

    flow: Flow
    grant: Grant
    account: Account
    access_token: str | None = None
    code: str | None = None
    state: str | None = None
    front_channel: bool = False
    refreshed: bool = False
    claims: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=dict)
    key: KeyRef | None = None
    compact: str = ""


def issuer(token: IdToken) -> None:
    """``iss``: exactly the issuer of the metadata."""
    token.claims["iss"] = token.flow.dialect.iss(token.flow.tenant.settings, token.grant.issuer)


def subject(token: IdToken) -> None:
    """``sub``: never reassigned within the issuer."""
    token.claims["sub"] = token.grant.sub


def audience(token: IdToken) -> None:
    """``aud``: the client."""
    token.claims["aud"] = token.grant.client_id


def expiry(token: IdToken) -> None:
    """``exp``, by the tenant's clock."""
    token.claims["exp"] = int(token.flow.now) + token.flow.tenant.settings.lifetimes.id_token


def issue_time(token: IdToken) -> None:
    """``iat``, by the tenant's clock."""
    token.claims["iat"] = int(token.flow.now)


def authentication(token: IdToken) -> None:
    """``auth_time`` always, ``acr`` where one was reached."""
    if token.grant.auth_time:
        token.claims["auth_time"] = token.grant.auth_time
    if token.grant.acr is not None:
        token.claims["acr"] = token.grant.acr


def nonce(token: IdToken) -> None:
    """``nonce``: that of the authorization request, unchanged; none at a refresh (section 12.2)."""
    if token.grant.nonce is not None and not token.refreshed:
        token.claims["nonce"] = token.grant.nonce


def hashes(token: IdToken) -> None:
    """``at_hash``, ``c_hash`` and ``s_hash`` bind the token to what it travels with.

    OpenID Connect Core 1.0, sections 3.1.3.6 and 3.3.2.11; ``s_hash``: FAPI 1.0 Advanced, section 5.1.1.
    """
    alg = token.flow.tenant.settings.signing_alg
    if token.access_token:
        token.claims["at_hash"] = jws.half_hash(token.access_token, alg)
    if token.code:
        token.claims["c_hash"] = jws.half_hash(token.code, alg)
    if token.state:
        token.claims["s_hash"] = jws.half_hash(token.state, alg)


def session(token: IdToken) -> None:
    """``sid``: the sign-in session, for logout."""
    if token.grant.sid:
        token.claims["sid"] = token.grant.sid


def profile(token: IdToken) -> None:
    """Claims of the person.

    Where the tenant puts them here, the client asked for them here (section 5.5), or there is no access token that
    could fetch them (section 5.4).
    """
    wanted = token.grant.claims.get("id_token")
    alone = token.front_channel and token.access_token is None and token.code is None
    here = token.flow.tenant.settings.id_token_profile or alone
    if here or wanted:
        token.claims.update(
            token.flow.dialect.id_token_claims(token.account, token.grant.scope if here else [], wanted)
        )


def dialect_members(token: IdToken) -> None:
    """What only this make of provider adds."""
    token.claims.update(token.flow.dialect.id_token_members(token.grant))


def mapped(token: IdToken) -> None:
    """Further claims that the tenant's settings give to tokens of such a request."""
    token.claims.update(token.grant.mapped)
    if token.grant.typ is not None:
        token.header["typ"] = token.grant.typ


def key(token: IdToken) -> None:
    """The tenant's active key; ``alg`` and ``kid`` say which."""
    token.key = token.flow.tenant.keys.active(token.flow.tenant.settings.signing_alg)


def sign(token: IdToken) -> None:
    """A compact JWS (RFC 7515)."""
    assert token.key is not None  # noqa: S101 # the step before chose it
    token.compact = jws.sign(token.claims, token.key, header=token.header)


ID_TOKEN: Table[IdToken] = Table(
    "ID Token",
    issuer,
    subject,
    audience,
    expiry,
    issue_time,
    authentication,
    nonce,
    hashes,
    session,
    profile,
    dialect_members,
    mapped,
    key,
    sign,
)

__all__ = ["ID_TOKEN", "IdToken", "released"]
