"""Who signs in, and what that person allows."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from mock_idp.accounts import claims_of, parse_account
from mock_idp.protocol.authorization.request import PUSHED, own_client
from mock_idp.protocol.errors import OAuthError
from mock_idp.records import Pending, Session, unguessable
from mock_idp.tokens.jws import base64url
from mock_idp.wire.http import Params, quoted

if TYPE_CHECKING:
    from mock_idp.protocol.authorization.flow import Authorization
    from mock_idp.protocol.table import Flow
    from mock_idp.records import Account
    from mock_idp.wire.http import Answer

SESSION_COOKIE = "mock_idp_session"
_CORE = "OpenID Connect Core 1.0, section"
_PENDING_S = 600
"""Seconds that a page may be looked at before its form is sent."""


# --- the browser's session --------------------------------------------------------------------------------------------


async def find_session(flow: Authorization) -> None:
    """A browser that signed in before is known by its cookie."""
    flow.session = await session_of(flow)


async def session_of(flow: Flow) -> Session | None:
    """The sign-in session of the browser that asks, where it still lasts."""
    cookie = flow.request.cookie(SESSION_COOKIE)
    session = await flow.provider.store.get(flow.tenant.name, Session, sid_of(cookie)) if cookie else None
    return session if session is not None and session.expires_at > flow.now else None


def sid_of(cookie: str) -> str:
    """``sid`` of the session that a cookie stands for: clients learn the one, and cannot work out the other."""
    return base64url(sha256(cookie.encode("utf-8", "replace")).digest()).decode()


def check_authentication_age(flow: Authorization) -> None:
    """``prompt=login`` and ``max_age`` ask for a fresh sign-in (OpenID Connect Core 1.0, section 3.1.2.1)."""
    session = flow.session
    if session is None:
        return
    too_old = flow.max_age is not None and (flow.max_age == 0 or flow.now - session.auth_time > flow.max_age)
    if too_old or "login" in flow.prompt:
        flow.session = None


def check_authentication_class(flow: Authorization) -> None:
    """A session that reached less than what ``acr_values`` asks for, and could be reached, is not enough (RFC 9470)."""
    reachable = flow.tenant.settings.acr_values
    asked = [reachable.index(value) for value in flow.acr_values if value in reachable]
    if flow.session is None or not asked:
        return
    acr = flow.session.acr
    if (reachable.index(acr) if acr in reachable else 0) < min(asked):
        flow.session = None


def check_session_subject(flow: Authorization) -> None:
    """The one who is signed in has to be the one asked for (OpenID Connect Core 1.0, section 3.1.2.2)."""
    session = flow.session
    if session is not None and flow.subject is not None:
        account = flow.tenant.accounts.get(session.account)
        if account is None or flow.dialect.sub(account) != flow.subject:
            flow.session = None


async def approve_at_once(flow: Authorization) -> None:
    """In a tenant that shows no pages: the account that a hint names, or the tenant's own."""
    usual = flow.tenant.settings.auto_approve
    if usual is None:
        return
    name = hinted_account(flow) or usual
    session = flow.session
    if session is not None and session.account == name and not session.faults:
        await continue_session(flow, session)
    else:
        await sign_in(flow, name)


def hinted_account(flow: Authorization) -> str | None:
    """The account that ``id_token_hint``, ``claims`` or ``login_hint`` mean; a hint that fits nobody is a new name."""
    if flow.subject is not None:
        return next((a.name for a in flow.tenant.accounts.values() if flow.dialect.sub(a) == flow.subject), None)
    hint = flow.params.get("login_hint")
    if hint is None or hint in flow.tenant.accounts:
        return hint
    return next((a.name for a in flow.tenant.accounts.values() if claims_of(a).get("email") == hint), hint)


async def use_session(flow: Authorization) -> None:
    """Whoever is signed in already is not asked again, but for ``prompt=select_account``."""
    if flow.account is None and flow.session is not None and "select_account" not in flow.prompt:
        await continue_session(flow, flow.session)


async def continue_session(flow: Authorization, session: Session) -> None:
    """Act as the one who is signed in, with the faults that this sign-in carries."""
    flow.session = session
    flow.account = await flow.provider.account(flow.tenant, session.account)
    flow.fault_names += session.faults
    flow.bind(session.faults)


async def ask_who(flow: Authorization) -> Answer | None:
    """The sign-in page, unless the client wants none (OpenID Connect Core 1.0, section 3.1.2.6)."""
    if flow.account is not None:
        return None
    if "none" in flow.prompt:
        raise OAuthError(
            "login_required", "nobody who fits the request is signed in, and prompt is none", f"{_CORE} 3.1.2.6"
        )
    return await flow.provider.pages.sign_in(flow, await wait_for_person(flow))


def check_subject(flow: Authorization) -> None:
    """Nobody else than the one asked for (OpenID Connect Core 1.0, section 3.1.2.2)."""
    account = flow.account
    if flow.subject is not None and (account is None or flow.dialect.sub(account) != flow.subject):
        raise OAuthError(
            "login_required", "somebody else signed in than id_token_hint or claims asked for", f"{_CORE} 3.1.2.2"
        )


async def ask_consent(flow: Authorization) -> Answer | None:
    """The consent page, where tenant, client or ``prompt`` want it (OpenID Connect Core 1.0, section 3.1.2.4)."""
    wanted = flow.tenant.settings.consent or own_client(flow).consent or "consent" in flow.prompt
    if not wanted or flow.tenant.settings.auto_approve is not None:
        return None
    if "none" in flow.prompt:
        raise OAuthError("consent_required", "consent is asked for here, and prompt is none", f"{_CORE} 3.1.2.6")
    page = await flow.provider.pages.consent(flow, await wait_for_person(flow))
    page.headers += [(b"set-cookie", line.encode("latin-1")) for line in flow.cookies]
    return page


async def wait_for_person(flow: Authorization) -> str:
    """Keep the request while a page is shown; the id goes into the page's form."""
    pending = Pending(
        client_id=flow.params["client_id"],
        parameters=dict(flow.params),
        resources=flow.resources,
        raw_state=flow.state.decode("latin-1") if flow.state else None,
        expires_at=flow.now + _PENDING_S,
        issuer=flow.issuer,
        sid=flow.session.sid if flow.session else None,
    )
    flow.pending = unguessable()
    await flow.provider.store.put(flow.tenant.name, flow.pending, pending, _PENDING_S)
    return flow.pending


async def sign_in(flow: Authorization, name: str) -> None:
    """Begin a session as the account of that name, with the faults it carries."""
    chosen, faults = parse_account(name)
    flow.fault_names += faults
    flow.bind(faults)
    account = await flow.provider.account(flow.tenant, chosen or next(iter(flow.tenant.accounts), "alice"))
    lifetime = flow.tenant.settings.lifetimes.session
    cookie = unguessable()
    reachable = flow.tenant.settings.acr_values
    flow.account = account
    flow.session = Session(
        sid=sid_of(cookie),
        account=account.name,
        auth_time=flow.now,
        expires_at=flow.now + lifetime,
        faults=faults,
        acr=next((value for value in flow.acr_values if value in reachable), None),
    )
    await flow.provider.store.put(flow.tenant.name, flow.session.sid, flow.session, lifetime)
    flow.cookies.append(session_cookie(flow, cookie))


def session_cookie(flow: Flow, value: str, *, gone: bool = False) -> str:
    """The provider's own session cookie; over TLS it may travel in frames of other sites, for prompt=none."""
    site = "SameSite=None; Secure" if flow.request.base.startswith("https:") else "SameSite=Lax"
    end = "; Max-Age=0" if gone else ""
    path = quoted(f"{flow.request.prefix}/{flow.tenant.name}", "/")
    return f"{SESSION_COOKIE}={value}; Path={path}; HttpOnly; {site}{end}"


PERSON = (
    find_session,
    check_authentication_age,
    check_authentication_class,
    check_session_subject,
    approve_at_once,
    use_session,
    ask_who,
    check_subject,
    ask_consent,
)
"""Who it is, asked only where that is not known."""


# --- the pages' forms -------------------------------------------------------------------------------------------------


async def read_pending(flow: Authorization) -> None:
    """Take up the request that waited while the page was shown."""
    key = flow.request.form().get("pending", "")
    # A pushed request waits under its request_uri, which is good for the authorization endpoint alone.
    pending = None if key.startswith(PUSHED) else await flow.provider.store.get(flow.tenant.name, Pending, key)
    if pending is None or pending.expires_at < flow.now:
        raise OAuthError("invalid_request", "this page has waited too long; start again at the application", "")
    flow.waiting, flow.pending = pending, key
    flow.params = Params([*pending.parameters.items()])
    flow.resources = pending.resources
    flow.state = pending.raw_state.encode("latin-1") if pending.raw_state else None
    flow.issuer = pending.issuer


def read_denial(flow: Authorization) -> None:
    """The person may say no (RFC 6749, section 4.1.2.1)."""
    if flow.request.form().get("action") == "deny":
        raise OAuthError("access_denied", "the user said no", "RFC 6749, section 4.1.2.1")


async def read_sign_in(flow: Authorization) -> Answer | None:
    """Who signs in, and with which faults; asked again where that cannot be, or the password is wrong."""
    form = flow.request.form()
    name, pages, pending = typed_account(form), flow.provider.pages, flow.pending or ""
    if name is None:
        return await pages.sign_in(flow, pending, problem="Choose an account, or type a name.")
    try:
        account = await known_account(flow, name)
    except OAuthError as error:
        return await pages.sign_in(flow, pending, problem=error.description)
    if account.password is not None and form.get("password") != account.password:
        wrong = "That password is wrong." if "password" in form else ""
        return await pages.password(flow, "sign-in", [("pending", pending)], name, problem=wrong)
    await sign_in(flow, name)
    return None


def typed_account(form: Params) -> str | None:
    """Who a sign-in form names: by a button or by typing, with the faults that are ticked; None where nobody.

    Faults alone are enough: then anybody signs in.
    """
    name = form.get("account") or form.get("name", "").strip()
    ticked = [f"{fault}={value}" if (value := form.get(f"value:{fault}")) else fault for fault in form.every("fault")]
    if not ticked:
        return name or None
    chosen, typed = parse_account(name)
    return f"fault:{'+'.join([*typed, *ticked])}:{chosen or ''}"


async def known_account(flow: Flow, name: str) -> Account:
    """The account that signs in as `name`; its faults are looked at, and not bound yet.

    Raises:
        OAuthError: there is no such account, or no such fault.

    """
    chosen, faults = parse_account(name)
    if faults:
        flow.provider.faults.bind(faults)
    return await flow.provider.account(flow.tenant, chosen or next(iter(flow.tenant.accounts), "alice"))


async def resume_sign_in(flow: Authorization) -> None:
    """Who signed in before the consent page was shown."""
    waiting = flow.waiting
    session = await flow.provider.store.get(flow.tenant.name, Session, waiting.sid) if waiting and waiting.sid else None
    if session is None:
        raise OAuthError("login_required", "the session has ended meanwhile; start again", f"{_CORE} 3.1.2.6")
    await continue_session(flow, session)


def read_consent(flow: Authorization) -> None:
    """What is allowed: the scopes that are still ticked (RFC 6749, section 3.3)."""
    form = flow.request.form()
    ticked = form.every("scope")
    flow.scope = [value for value in flow.scope if value == "openid" or value in ticked]
