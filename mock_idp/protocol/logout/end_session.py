"""OpenID Connect RP-Initiated Logout 1.0, and what has to follow: clients are told, tokens die."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

from mock_idp.protocol.authorization import session_cookie, session_of
from mock_idp.protocol.authorization.request import read_hint, read_state
from mock_idp.protocol.errors import OAuthError
from mock_idp.protocol.logout.back_channel import grants_of, send_logout
from mock_idp.protocol.table import Flow, Table
from mock_idp.protocol.uris import is_uri, on_loopback, runs_script
from mock_idp.records import Grant, Pending, Session, unguessable
from mock_idp.wire.http import FORM, Answer, Params, redirect

if TYPE_CHECKING:
    from mock_idp.records import Client

_SPEC = "OpenID Connect RP-Initiated Logout 1.0, section"
_PENDING_S = 600
"""Seconds that the question may be looked at before it is answered."""


class Frame(NamedTuple):
    """A hidden frame in which a client ends its own session (OpenID Connect Front-Channel Logout 1.0)."""

    client: str
    uri: str


@dataclass(slots=True)
class EndSession(Flow):
    """A request to end a session.

    Attributes:
        hint: the claims of ``id_token_hint``.
        onward: ``post_logout_redirect_uri``, once it is trusted.
        state: as it was sent, still encoded.
        session: the one that ends.
        sure: nobody has to be asked.
        asked_sid: the session that the person was asked about.
        told: what became of each client told behind the browser's back.
        frames: clients that the browser has to tell.

    """

    hint: dict[str, Any] = field(default_factory=dict)
    onward: str | None = None
    state: bytes | None = None
    session: Session | None = None
    sure: bool = False
    asked_sid: str | None = None
    told: list[str] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)


# --- the request ------------------------------------------------------------------------------------------------------


def read_parameters(flow: EndSession) -> None:
    """By GET in the query, by POST in a form (section 2)."""
    raw = flow.request.query
    if flow.request.method == "POST":
        if flow.request.body and flow.request.media_type != FORM:
            raise OAuthError("invalid_request", f"the body is not {FORM}", f"{_SPEC} 2")
        raw = flow.request.body
    flow.params = Params.parse(raw)
    flow.state = read_state(raw)
    for name in flow.params.repeated:
        raise OAuthError("invalid_request", f"{name[:60]} was sent more than once", f"{_SPEC} 2")


def read_logout_hint(flow: EndSession) -> None:
    """``id_token_hint``: an ID Token of ours, expired or not (section 2)."""
    hint = flow.params.get("id_token_hint")
    if hint is not None:
        flow.hint = read_hint(flow, hint, f"{_SPEC} 2")


def find_client(flow: EndSession) -> None:
    """By ``client_id``, or the audience of the hint; where there are both they have to agree (section 2)."""
    audience = flow.hint.get("aud", [])
    audience = audience if isinstance(audience, list) else [audience]
    client_id = flow.params.get("client_id", next(iter(audience), None))
    if client_id is None:
        return
    if audience and client_id not in audience:
        raise OAuthError("invalid_request", "client_id is not in the audience of id_token_hint", f"{_SPEC} 2")
    try:
        flow.use_client(flow.provider.client(flow.tenant, str(client_id)))
    except OAuthError as error:
        raise OAuthError("invalid_client", error.description, error.source) from error


def check_post_logout_redirect_uri(flow: EndSession) -> None:
    """Byte for byte one of those registered; else nobody is sent anywhere (section 3)."""
    asked, client = flow.params.get("post_logout_redirect_uri"), flow.client
    if asked is None:
        return
    if client is None:
        raise OAuthError(
            "invalid_request",
            "post_logout_redirect_uri needs id_token_hint or client_id to say whose it is",
            f"{_SPEC} 3",
        )
    if not is_uri(asked) or not _may_return(flow, client, asked):
        raise OAuthError(
            "invalid_request",
            f"post_logout_redirect_uri {asked[:200]!r} is not registered for client {client.client_id!r}",
            f"{_SPEC} 3",
        )
    flow.onward = asked


def _may_return(flow: EndSession, client: Client, uri: str) -> bool:
    if uri in client.post_logout_redirect_uris:
        return True
    if not client.registered:
        return on_loopback(uri)
    return not runs_script(uri) and flow.tolerates("post-logout-uri-unregistered")


# --- the session ------------------------------------------------------------------------------------------------------


async def find_session(flow: EndSession) -> None:
    """The browser's; where its cookie does not come, the one that the hint names by ``sid``."""
    flow.session = await session_of(flow)
    sid = flow.hint.get("sid")
    if flow.session is None and isinstance(sid, str):
        flow.session = await flow.provider.store.get(flow.tenant.name, Session, sid)


async def bind_faults(flow: EndSession) -> None:
    """Faults named by the request, by the sign-in, or by the last login of this client in the session, strike."""
    names = flow.params.get("mock_fault", "").split()
    if flow.session is not None:
        grants = await grants_of(flow.provider, flow.tenant, sid=flow.session.sid, sub=None)
        client_id = flow.client.client_id if flow.client is not None else None
        logins = [grant.faults for grant in grants if grant.client_id == client_id]
        names += [*flow.session.faults, *(logins[-1] if logins else ())]
    flow.bind(names)


def trust_hint(flow: EndSession) -> None:
    """A hint that fits the session says that signing out is meant (section 2)."""
    session, hint = flow.session, flow.hint
    if session is None:
        flow.sure = True
    elif "sid" in hint:
        flow.sure = hint["sid"] == session.sid
    elif "sub" in hint:
        account = flow.tenant.accounts.get(session.account)
        flow.sure = account is not None and flow.dialect.sub(account) == hint["sub"]


async def ask_whether(flow: EndSession) -> Answer | None:
    """Without such a hint anybody could have made the link, so the person is asked (section 2)."""
    session = flow.session
    if flow.sure or session is None or flow.tenant.settings.auto_approve is not None:
        return None
    pending = Pending(
        client_id=flow.client.client_id if flow.client else "",
        parameters=dict(flow.params),
        resources=[],
        raw_state=flow.state.decode("latin-1") if flow.state else None,
        expires_at=flow.now + _PENDING_S,
        issuer=flow.issuer,
        sid=session.sid,
    )
    key = unguessable()
    await flow.provider.store.put(flow.tenant.name, key, pending, _PENDING_S)
    why = (
        "The application says that somebody else is signed in."
        if flow.hint
        else "The application did not say who is signed in (id_token_hint), so you are asked."
    )
    return await flow.provider.pages.sign_out(flow, key, session.account, why)


# --- the end ----------------------------------------------------------------------------------------------------------


async def tell_clients(flow: EndSession) -> None:
    """Back-channel: every client of the session that wants to know (OpenID Connect Back-Channel Logout 1.0)."""
    if flow.session is None:
        return
    flow.told = await send_logout(
        flow.provider, flow.tenant, sid=flow.session.sid, faults=flow.params.get("mock_fault", "").split()
    )
    flow.entry.notes += [f"back-channel logout of {line}" for line in flow.told]


async def collect_frames(flow: EndSession) -> None:
    """Front-channel: the browser loads a page of each client that wants it, with ``iss`` and ``sid``.

    OpenID Connect Front-Channel Logout 1.0, section 2.
    """
    if flow.session is None:
        return
    sid = flow.session.sid
    issuers = {g.client_id: g.issuer for g in await grants_of(flow.provider, flow.tenant, sid=sid, sub=None)}
    for client_id, issuer in issuers.items():
        client = flow.tenant.clients.get(client_id)
        if client is not None and client.frontchannel_logout_uri:
            uri = client.frontchannel_logout_uri
            query = urlencode({"iss": flow.dialect.iss(flow.tenant.settings, issuer), "sid": sid})
            flow.frames.append(Frame(client.name or client_id, f"{uri}{'&' if '?' in uri else '?'}{query}"))


async def revoke_tokens(flow: EndSession) -> None:
    """What was given for the session dies with it, unless ``offline_access`` was granted.

    OpenID Connect Back-Channel Logout 1.0, section 2.7.
    """
    if flow.session is None:
        return
    for grant in await grants_of(flow.provider, flow.tenant, sid=flow.session.sid, sub=None):
        if "offline_access" not in grant.scope:
            await flow.provider.store.delete(flow.tenant.name, Grant, grant.id)


async def end_session(flow: EndSession) -> None:
    """From here on the browser has to sign in again."""
    if flow.session is not None:
        await flow.provider.store.delete(flow.tenant.name, Session, flow.session.sid)


def respond_state(flow: EndSession) -> None:
    """``state``: byte for byte what was sent (section 3)."""
    if flow.onward is not None and flow.state is not None:
        flow.onward += f"{'&' if '?' in flow.onward else '?'}state={flow.state.decode('latin-1')}"


async def finish(flow: EndSession) -> Answer:
    """Back to the client where it gave an address; else, or where the browser has to tell others, a page."""
    cookie = (b"set-cookie", session_cookie(flow, "", gone=True).encode("latin-1"))
    if flow.onward is not None and not flow.frames:
        return redirect(flow.onward, [cookie])
    answer = await flow.provider.pages.signed_out(flow, told=flow.told, frames=flow.frames, onward=flow.onward)
    answer.headers.append(cookie)
    return answer


REQUEST = (read_logout_hint, find_client, check_post_logout_redirect_uri, find_session, bind_faults)
ENDING = (tell_clients, collect_frames, revoke_tokens, end_session, respond_state, finish)

END_SESSION: Table[EndSession] = Table("logout", read_parameters, *REQUEST, trust_hint, ask_whether, *ENDING)


# --- the page's form --------------------------------------------------------------------------------------------------


async def read_pending(flow: EndSession) -> None:
    """Take up the request that waited while the person was asked."""
    key = flow.request.form().get("pending", "")
    pending = await flow.provider.store.get(flow.tenant.name, Pending, key)
    if pending is None or pending.expires_at < flow.now:
        raise OAuthError("invalid_request", "this page has waited too long; start again at the application", "")
    flow.asked_sid = pending.sid
    flow.params = Params([*pending.parameters.items()])
    flow.state = pending.raw_state.encode("latin-1") if pending.raw_state else None
    flow.issuer = pending.issuer


def check_same_session(flow: EndSession) -> None:
    """The answer counts for the session asked about: nobody signs out another browser with a form of his own."""
    if flow.session is not None and flow.session.sid != flow.asked_sid:
        raise OAuthError("invalid_request", "somebody else is signed in now; start again at the application", "")


async def read_answer(flow: EndSession) -> Answer | None:
    """Whoever does not want to sign out stays signed in."""
    if flow.request.form().get("action") == "sign-out":
        return None
    return await flow.provider.pages.signed_out(flow, told=[], frames=[], onward=None, stayed=True)


SIGN_OUT: Table[EndSession] = Table("sign-out", read_pending, *REQUEST, check_same_session, read_answer, *ENDING)


async def refuse(flow: EndSession, error: OAuthError) -> Answer:
    """Always shown: nobody is redirected with an error (section 3)."""
    return await flow.provider.pages.error(flow, error)
