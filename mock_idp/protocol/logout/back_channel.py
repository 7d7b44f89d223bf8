"""OpenID Connect Back-Channel Logout 1.0: every client of a session is told by a logout token."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from mock_idp.journal import Entry
from mock_idp.protocol.table import Flow, Table
from mock_idp.records import Grant, unguessable
from mock_idp.tokens import jws
from mock_idp.wire.http import FORM, Request

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mock_idp.keys.ring import KeyRef
    from mock_idp.provider import Provider
    from mock_idp.records import Client, Tenant

EVENT = "http://schemas.openid.net/event/backchannel-logout"
_LIFETIME = 120
"""Seconds that a logout token is good for: two minutes at most (section 2.4)."""


@dataclass(slots=True)
class Delivery(Flow):
    """A logout token on its way to one client.

    Attributes:
        uri: where it goes.
        sub, sid: whose sessions end; at least one of them.
        token: as it is sent.
        outcome: what became of it, in a few words.

    """

    uri: str = ""
    sub: str | None = None
    sid: str | None = None
    token: str = ""
    outcome: str = ""


# --- the logout token (section 2.4) -----------------------------------------------------------------------------------


@dataclass(slots=True)
class LogoutToken:
    """A logout token in the making; `compact` is the finished one."""

    flow: Delivery
    claims: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=dict)
    key: KeyRef | None = None
    compact: str = ""


def issuer(token: LogoutToken) -> None:
    """``iss``: exactly the issuer of the ID Token."""
    token.claims["iss"] = token.flow.dialect.iss(token.flow.tenant.settings, token.flow.issuer)


def subject(token: LogoutToken) -> None:
    """``sub``: whose sessions end."""
    if token.flow.sub is not None:
        token.claims["sub"] = token.flow.sub


def audience(token: LogoutToken) -> None:
    """``aud``: the client that is told."""
    token.claims["aud"] = token.flow.client.client_id if token.flow.client else ""


def issue_time(token: LogoutToken) -> None:
    """``iat``, by the tenant's clock."""
    token.claims["iat"] = int(token.flow.now)


def expiry(token: LogoutToken) -> None:
    """``exp``, soon."""
    token.claims["exp"] = int(token.flow.now) + _LIFETIME


def token_id(token: LogoutToken) -> None:
    """``jti``: so that a client can tell a repetition."""
    token.claims["jti"] = unguessable()


def event(token: LogoutToken) -> None:
    """``events``: that this is a logout."""
    token.claims["events"] = {EVENT: {}}


def session(token: LogoutToken) -> None:
    """``sid``: which session ends; without it, all of the subject's do."""
    if token.flow.sid is not None:
        token.claims["sid"] = token.flow.sid


def token_type(token: LogoutToken) -> None:
    """``typ`` is ``logout+jwt``, against mistaking it for an ID Token."""
    token.header["typ"] = "logout+jwt"


def key(token: LogoutToken) -> None:
    """The key that signs ID Tokens (section 2.6)."""
    token.key = token.flow.tenant.keys.active(token.flow.tenant.settings.signing_alg)


def sign(token: LogoutToken) -> None:
    """A compact JWS (RFC 7515)."""
    assert token.key is not None  # noqa: S101 # the step before chose it
    token.compact = jws.sign(token.claims, token.key, header=token.header)


LOGOUT_TOKEN: Table[LogoutToken] = Table(
    "logout token",
    issuer,
    subject,
    audience,
    issue_time,
    expiry,
    token_id,
    event,
    session,
    token_type,
    key,
    sign,
)


# --- its delivery (section 2.5) ---------------------------------------------------------------------------------------


async def make_token(flow: Delivery) -> None:
    """One for this client alone."""
    token = LogoutToken(flow)
    await LOGOUT_TOKEN.walk(token)
    flow.token = token.compact


async def post(flow: Delivery) -> None:
    """POST it as a form; the journal keeps question and answer."""
    from mock_idp.wire.outgoing import UnansweredError, post_form  # noqa: PLC0415 # asked for by few

    form = {"logout_token": flow.token}
    flow.entry.request_body = urlencode(form).encode()
    try:
        heard = await post_form(flow.uri, form)
    except UnansweredError as error:
        flow.outcome = str(error)
        return
    flow.entry.status, flow.entry.response_headers, flow.entry.response_body = heard.status, heard.headers, heard.body
    flow.outcome = str(heard.status)


DELIVERY: Table[Delivery] = Table("back-channel logout", make_token, post)


async def send_logout(  # noqa: PLR0913 # each narrows down who is told
    provider: Provider,
    tenant: Tenant,
    *,
    sid: str | None = None,
    sub: str | None = None,
    client: str | None = None,
    faults: Sequence[str] = (),
) -> list[str]:
    """Tell clients that a session, or all sessions of somebody, have ended. The provider's own session is left alone.

    Args:
        provider: whose tenant it is.
        tenant: whose session it is.
        sid: the session that ends; its clients are those it has grants for.
        sub: the subject whose sessions end, where no `sid` is given.
        client: tell this client only, whether it has a grant or not.
        faults: names of faults that strike here, besides those that the logins carry.

    Returns:
        a line for each client that has a ``backchannel_logout_uri``: its id, and what it answered, within 5 seconds.

    Raises:
        OAuthError: a fault is unknown, or two replace the same step.

    """
    grants = [
        grant for grant in await grants_of(provider, tenant, sid=sid, sub=sub) if client in (None, grant.client_id)
    ]
    last = {grant.client_id: grant for grant in grants}
    told = [tenant.clients[name] for name in ([client] if client else last) if name in tenant.clients]
    deliveries = [
        _delivery(provider, tenant, each, last.get(each.client_id), sid=sid, sub=sub)
        for each in told
        if each.backchannel_logout_uri
    ]
    for delivery in deliveries:
        grant = last.get(delivery.client.client_id) if delivery.client else None
        delivery.bind([*(grant.faults if grant else ()), *faults])
    await asyncio.gather(*map(_deliver, deliveries))
    return [f"{delivery.entry.client}: {delivery.outcome}" for delivery in deliveries]


async def grants_of(provider: Provider, tenant: Tenant, *, sid: str | None, sub: str | None) -> list[Grant]:
    """What was allowed in a session, or by somebody."""
    grants = (await provider.store.records(tenant.name, Grant)).values()
    if sid is not None:
        return [grant for grant in grants if grant.sid == sid]
    return [grant for grant in grants if sub is not None and grant.account is not None and grant.sub == sub]


def _delivery(  # noqa: PLR0913 # what a token says
    provider: Provider, tenant: Tenant, client: Client, grant: Grant | None, *, sid: str | None, sub: str | None
) -> Delivery:
    uri, now = client.backchannel_logout_uri or "", time.time()
    entry = Entry(
        at=now,
        method="POST",
        url=uri,
        request_headers=[(b"content-type", FORM.encode())],
        request_body=b"",
        endpoint=DELIVERY.name,
        client=client.client_id,
        account=grant.account if grant else None,
        grant=grant.id if grant else None,
        state=grant.state if grant else None,
    )
    return Delivery(
        provider=provider,
        tenant=tenant,
        dialect=provider.dialect(tenant),
        request=Request("POST", "", uri),
        entry=entry,
        now=tenant.clock.now(now),
        issuer=grant.issuer if grant else provider.addresses.issuer(tenant, provider.addresses.listening),
        client=client,
        uri=uri,
        sub=sub if sub is not None else grant.sub if grant else None,
        sid=sid,
    )


async def _deliver(delivery: Delivery) -> None:
    await DELIVERY.walk(delivery)
    delivery.entry.notes.append(f"sent by the provider: {delivery.outcome}")
    await delivery.provider.store.write(delivery.tenant.name, delivery.entry)
