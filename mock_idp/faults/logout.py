"""Faults of logout: tokens of Back-Channel Logout 1.0 (section 2.4), and the way back of RP-Initiated Logout 1.0."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mock_idp.faults.ingredients import honest, missing
from mock_idp.faults.registry import fault
from mock_idp.keys.rotation import signing_key
from mock_idp.protocol.logout import back_channel, end_session
from mock_idp.records import unguessable
from mock_idp.tokens import forge, jws

if TYPE_CHECKING:
    from mock_idp.protocol.logout.back_channel import Delivery, LogoutToken
    from mock_idp.protocol.logout.end_session import EndSession

_REFUSE = "answers 400 and leaves the session alone (section 2.6)"
_END = "ends the sessions that match and answers 200"
_EITHER = "either: reported only"
_BACK = "shows a page; no crash and no open redirect"
_HOUR = 3600


# --- good ones --------------------------------------------------------------------------------------------------------


@fault("logout-token.valid-sub", replaces=back_channel.session, correct=_END, positive=True)
def subject_only(token: LogoutToken) -> None:
    """The logout token names the person and no session: all sessions of that person end."""
    if "sub" not in token.claims:
        raise missing("for this fault the logout has to be that of somebody who signed in to this client")


@fault("logout-token.valid-sid", replaces=back_channel.subject, correct=_END, positive=True)
def session_only(token: LogoutToken) -> None:
    """The logout token names the session and not the person."""
    if token.flow.sid is None:
        raise missing("for this fault the logout has to be that of a session, not of a person")


# --- signature --------------------------------------------------------------------------------------------------------


@fault("logout-token.alg-none", replaces=back_channel.sign, correct=_REFUSE)
def unsigned(token: LogoutToken) -> None:
    """The logout token is not signed."""
    token.compact = forge.alg_none(_draft(token))


@fault("logout-token.wrong-alg", replaces=back_channel.sign, correct=_REFUSE)
async def other_algorithm(token: LogoutToken) -> None:
    """The logout token is rightly signed with an algorithm that the client is not registered for."""
    flow = token.flow
    other = await signing_key(
        flow.provider.store, flow.tenant, "RS256" if _draft(token).ref.alg == "ES256" else "ES256"
    )
    token.compact = jws.sign(token.claims, other, header=token.header)


@fault("logout-token.wrong-sig", replaces=back_channel.sign, correct=_REFUSE)
def wrong_signature(token: LogoutToken) -> None:
    """The logout token's signature is wrong."""
    token.compact = forge.sig_corrupt(_draft(token))


def _draft(token: LogoutToken) -> forge.Draft:
    assert token.key is not None  # noqa: S101 # the step before chose it
    return forge.Draft(token.claims, token.key, token.header)


# --- claims -----------------------------------------------------------------------------------------------------------


@fault("logout-token.wrong-iss", replaces=back_channel.issuer, correct=_REFUSE)
def wrong_issuer(token: LogoutToken) -> None:
    """``iss`` names another issuer."""
    token.claims["iss"] = "https://another-issuer.example.test"


@fault("logout-token.wrong-aud", replaces=back_channel.audience, correct=_REFUSE)
def wrong_audience(token: LogoutToken) -> None:
    """``aud`` names another client."""
    token.claims["aud"] = "another-client"


@fault("logout-token.expired", replaces=back_channel.expiry, correct=_REFUSE)
def expired(token: LogoutToken) -> None:
    """``exp`` is an hour ago."""
    token.claims["exp"] = int(token.flow.now) - _HOUR


@fault("logout-token.no-iat", replaces=back_channel.issue_time, correct=_REFUSE)
def issue_time_missing(_: LogoutToken) -> None:
    """``iat`` is missing."""


@fault("logout-token.no-sub-no-sid", replaces=back_channel.sign, correct=_REFUSE)
async def nobody(token: LogoutToken) -> None:
    """Neither ``sub`` nor ``sid`` says whose session ends."""
    token.claims.pop("sub", None)
    token.claims.pop("sid", None)
    await honest(token)


@fault("logout-token.no-events", replaces=back_channel.event, correct=_REFUSE)
def events_missing(_: LogoutToken) -> None:
    """``events`` is missing."""


@fault("logout-token.wrong-event", replaces=back_channel.event, correct=_REFUSE)
def wrong_event(token: LogoutToken) -> None:
    """``events`` names something else than a logout."""
    token.claims["events"] = {"https://schemas.openid.net/secevent/risc/event-type/account-disabled": {}}


@fault("logout-token.with-nonce", replaces=back_channel.token_id, correct=_REFUSE)
async def with_nonce(token: LogoutToken) -> None:
    """There is a ``nonce``, which a logout token must not have."""
    await honest(token)
    token.claims["nonce"] = unguessable()


@fault("logout-token.id-token-as-logout", replaces=back_channel.sign, correct=_REFUSE)
async def id_token(token: LogoutToken) -> None:
    """It is an ID Token: ``typ`` ``JWT``, with ``auth_time`` and ``nonce``, without ``events``."""
    token.claims.pop("events", None)
    token.claims |= {"nonce": unguessable(), "auth_time": int(token.flow.now)}
    token.header["typ"] = "JWT"
    await honest(token)


@fault("logout-token.jti-replay", replaces=back_channel.post, correct=_EITHER)
async def twice(flow: Delivery) -> None:
    """The same logout token, with the same ``jti``, is sent twice."""
    await honest(flow)
    first = flow.outcome
    await back_channel.post(flow)
    flow.outcome = f"{first}, and again {flow.outcome}"


@fault("logout-token.typ-wrong", replaces=back_channel.token_type, correct=_EITHER)
def wrong_type(token: LogoutToken) -> None:
    """``typ`` of the header is ``JWT``."""
    token.header["typ"] = "JWT"


# --- the way back -----------------------------------------------------------------------------------------------------


@fault("logout-token.post-logout-state-missing", replaces=end_session.respond_state, correct=_BACK)
def state_missing(_: EndSession) -> None:
    """The browser comes back from a logout without the ``state`` that was sent."""


@fault("logout-token.post-logout-state-wrong", replaces=end_session.respond_state, correct=_BACK)
def state_wrong(flow: EndSession) -> None:
    """The browser comes back from a logout with a ``state`` that nobody sent."""
    _append(flow, f"state={unguessable()}")


@fault("logout-token.post-logout-state-extra", replaces=end_session.respond_state, correct=_BACK)
async def state_and_more(flow: EndSession) -> None:
    """The browser comes back from a logout with ``state`` and parameters that tempt to redirect further."""
    await honest(flow)
    _append(flow, "next=https%3A%2F%2Fattacker.example.test%2F&error=none")


def _append(flow: EndSession, pairs: str) -> None:
    if flow.onward is not None:
        flow.onward += ("&" if "?" in flow.onward else "?") + pairs
