"""The authorization endpoint (RFC 6749, section 3.1; OpenID Connect Core 1.0, section 3)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from mock_idp.accounts import parse_account
from mock_idp.protocol.errors import OAuthError
from mock_idp.protocol.table import Flow, Table
from mock_idp.records import Code, Grant, Pending, Session, unguessable
from mock_idp.wire.http import FORM, Answer, Params, raw_value, redirect

if TYPE_CHECKING:
    from mock_idp.records import Account

LOOPBACK = ("127.0.0.1", "localhost", "::1")
SESSION_COOKIE = "mock_idp_session"


@dataclass(slots=True)
class Authorization(Flow):
    """An authorization request on its way to its response.

    Attributes:
        redirect_uri: set once it is trusted; until then refusals are shown, not redirected.
        state: as it was sent, still encoded.
        pending: the id under which the request waits for a person.
        response: parameters of the authorization response, encoded values.
        cookies: ``Set-Cookie`` lines.

    """

    redirect_uri: str | None = None
    redirect_uri_sent: str | None = None
    state: bytes | None = None
    response_type: str = "code"
    response_mode: str = "query"
    scope: list[str] = field(default_factory=list)
    resources: list[str] = field(default_factory=list)
    claims: dict[str, Any] = field(default_factory=dict)
    prompt: list[str] = field(default_factory=list)
    fault_names: list[str] = field(default_factory=list)
    account: Account | None = None
    session: Session | None = None
    code: str | None = None
    access_token: str | None = None
    pending: str | None = None
    response: list[tuple[str, str]] = field(default_factory=list)
    cookies: list[str] = field(default_factory=list)


# --- the request ------------------------------------------------------------------------------------------------------


def read_parameters(flow: Authorization) -> None:
    """By GET in the query, by POST in a form (OpenID Connect Core 1.0, section 3.1.2.1)."""
    raw = flow.request.query
    if flow.request.method == "POST":
        if flow.request.media_type != FORM:
            raise OAuthError("invalid_request", f"the body is not {FORM}", "RFC 6749, section 3.1")
        raw = flow.request.body
    flow.params = Params.parse(raw)
    flow.state = raw_value(raw, b"state") or None
    flow.resources = flow.params.every("resource")


def find_client(flow: Authorization) -> None:
    """Who asks. Unknown clients are welcome where the tenant is not strict."""
    client_id = flow.params.get("client_id")
    if client_id is None:
        raise OAuthError("invalid_request", "client_id is missing", "RFC 6749, section 4.1.1")
    flow.use_client(flow.provider.client(flow.tenant, client_id))


def check_redirect_uri(flow: Authorization) -> None:
    """Byte for byte one of those registered (RFC 9700, section 2.1); before that nothing is ever sent there."""
    client, asked = flow.client, flow.params.get("redirect_uri")
    assert client is not None  # noqa: S101 # the step before found it
    flow.redirect_uri_sent = asked
    if "redirect_uri" in flow.params.repeated:
        raise OAuthError("invalid_request", "redirect_uri was sent more than once", "RFC 6749, section 3.1")
    if asked is None:
        if len(client.redirect_uris) == 1 and "openid" not in flow.params.get("scope", "").split():
            asked = client.redirect_uris[0]
        else:
            raise OAuthError("invalid_request", "redirect_uri is missing", "OpenID Connect Core 1.0, section 3.1.2.1")
    parts = _split(asked)
    if parts is None or not parts[0] or "#" in asked:
        raise OAuthError(
            "invalid_request",
            "redirect_uri is not an absolute URI without a fragment",
            "RFC 6749, section 3.1.2",
        )
    if not _may_redirect(flow, asked, *parts):
        raise OAuthError(
            "invalid_request",
            f"redirect_uri {asked!r} is not registered for client {client.client_id!r}"
            if client.registered
            else f"redirect_uri {asked!r} is not on loopback, and client {client.client_id!r} is not registered",
            "RFC 9700, section 2.1",
        )
    flow.redirect_uri = asked


def _split(uri: str) -> tuple[str, str | None] | None:
    try:
        parts = urlsplit(uri)
        return parts.scheme.lower(), parts.hostname
    except ValueError:
        return None


def _may_redirect(flow: Authorization, asked: str, scheme: str, host: str | None) -> bool:
    client = flow.client
    assert client is not None  # noqa: S101
    if asked in client.redirect_uris:
        return True
    on_loopback = scheme in ("http", "https") and host is not None and (host in LOOPBACK or host.endswith(".localhost"))
    if not client.registered:
        return on_loopback
    if client.secret is None and on_loopback and any(_but_for_port(asked) == _but_for_port(u) for u in client.redirect_uris):
        return True  # RFC 8252, section 7.3: a native client's port is its own affair
    return scheme not in ("javascript", "data", "vbscript") and flow.tolerates("any-redirect-uri")


def _but_for_port(uri: str) -> tuple[str, str | None, str, str]:
    parts = urlsplit(uri)
    return parts.scheme, parts.hostname, parts.path, parts.query


def refuse_repeated(flow: Authorization) -> None:
    """Parameters stand once (RFC 6749, section 3.1); ``resource`` may stand several times (RFC 8707)."""
    for name in flow.params.repeated:
        if name not in ("resource", "audience"):
            raise OAuthError("invalid_request", f"{name[:60]} was sent more than once", "RFC 6749, section 3.1")


def check_response_type(flow: Authorization) -> None:
    """One that this tenant and client take."""
    asked = flow.params.get("response_type")
    if asked is None:
        raise OAuthError("invalid_request", "response_type is missing", "RFC 6749, section 3.1.1")
    flow.response_type = " ".join(sorted(asked.split()))
    assert flow.client is not None  # noqa: S101
    allowed = flow.client.response_types or flow.tenant.settings.response_types
    if flow.response_type not in [" ".join(sorted(one.split())) for one in allowed]:
        raise OAuthError(
            "unsupported_response_type", f"response_type {asked[:60]!r} is switched off here", "RFC 6749, section 4.1.2.1"
        )
    flow.response_mode = "query" if flow.response_type == "code" else "fragment"


def check_pkce(flow: Authorization) -> None:
    """A challenge is S256 (RFC 7636, section 4.2); ``plain`` only where it is switched on."""
    challenge, method = flow.params.get("code_challenge"), flow.params.get("code_challenge_method", "plain")
    settings, client = flow.tenant.settings, flow.client
    assert client is not None  # noqa: S101
    if challenge is None:
        if settings.require_pkce or client.require_pkce:
            raise OAuthError("invalid_request", "code_challenge is required here", "RFC 7636, section 4.4.1")
        return
    if method not in ("S256", "plain"):
        raise OAuthError("invalid_request", "code_challenge_method is not S256", "RFC 7636, section 4.4.1")
    if method == "plain" and not settings.plain_pkce and not flow.tolerates("plain-pkce"):
        raise OAuthError(
            "invalid_request",
            "code_challenge_method plain (the default where none is sent) is switched off; use S256",
            "RFC 9700, section 2.1.1",
        )
    if not 43 <= len(challenge) <= 128:  # noqa: PLR2004
        raise OAuthError("invalid_request", "code_challenge is not 43 to 128 characters long", "RFC 7636, section 4.2")


def check_scope(flow: Authorization) -> None:
    """What is asked for; without ``openid`` it is plain OAuth 2.0."""
    flow.scope = flow.params.get("scope", "").split()


def bind_faults(flow: Authorization) -> None:
    """Faults named by the request itself strike from here on."""
    flow.fault_names = flow.params.get("mock_fault", "").split()
    flow.bind(flow.fault_names)


# --- who it is --------------------------------------------------------------------------------------------------------


async def find_session(flow: Authorization) -> None:
    """A browser that signed in before is known by its cookie."""
    sid = flow.request.cookie(SESSION_COOKIE)
    session = await flow.provider.store.get(flow.tenant.name, Session, sid) if sid else None
    if session is not None and session.expires_at > flow.now:
        flow.session = session


async def choose_account(flow: Authorization) -> Answer | None:
    """The one that is approved at once, the one that is signed in, or whoever signs in on the page."""
    settings = flow.tenant.settings
    if settings.auto_approve is not None:
        await sign_in(flow, flow.params.get("login_hint") or settings.auto_approve)
        return None
    if flow.session is not None and "login" not in flow.prompt and "select_account" not in flow.prompt:
        flow.account = await flow.provider.account(flow.tenant, flow.session.account)
        flow.fault_names += flow.session.faults
        flow.bind(flow.session.faults)
        return None
    if "none" in flow.prompt:
        raise OAuthError("login_required", "nobody is signed in, and prompt is none", "OpenID Connect Core 1.0, section 3.1.2.6")
    return await flow.provider.pages.sign_in(flow, await wait_for_person(flow))


async def wait_for_person(flow: Authorization) -> str:
    """Keep the request while a page is shown; the id goes into the page's form."""
    lifetime = flow.tenant.settings.lifetimes.code * 10
    pending = Pending(
        client_id=flow.params["client_id"],
        parameters=dict(flow.params),
        resources=flow.resources,
        raw_state=flow.state.decode("latin-1") if flow.state else None,
        expires_at=flow.now + lifetime,
        issuer=flow.issuer,
        account=flow.account.name if flow.account else None,
        sid=flow.session.sid if flow.session else None,
    )
    flow.pending = unguessable()
    await flow.provider.store.put(flow.tenant.name, flow.pending, pending, lifetime)
    return flow.pending


async def sign_in(flow: Authorization, name: str) -> None:
    """Begin a session as the account of that name, with the faults it carries."""
    chosen, faults = parse_account(name)
    flow.fault_names += faults
    flow.bind(faults)
    account = await flow.provider.account(flow.tenant, chosen or next(iter(flow.tenant.accounts), "alice"))
    lifetime = flow.tenant.settings.lifetimes.session
    flow.account = account
    flow.session = Session(
        sid=unguessable(),
        account=account.name,
        auth_time=flow.now,
        expires_at=flow.now + lifetime,
        faults=faults,
        issuer=flow.issuer,
    )
    await flow.provider.store.put(flow.tenant.name, flow.session.sid, flow.session, lifetime)
    flow.cookies.append(session_cookie(flow, flow.session.sid))


def session_cookie(flow: Flow, value: str, *, gone: bool = False) -> str:
    """The provider's own session cookie; over TLS it may travel in frames of other sites, for prompt=none."""
    site = "SameSite=None; Secure" if flow.request.base.startswith("https:") else "SameSite=Lax"
    end = "; Max-Age=0" if gone else ""
    path = quote(f"{flow.provider.prefix}/{flow.tenant.name}", safe="/")
    return f"{SESSION_COOKIE}={value}; Path={path}; HttpOnly; {site}{end}"


async def make_grant(flow: Authorization) -> None:
    """From here on somebody has allowed something."""
    account, session = flow.account, flow.session
    assert account is not None  # noqa: S101 # somebody was chosen
    flow.use_grant(
        Grant(
            id=unguessable(),
            client_id=flow.params["client_id"],
            account=account.name,
            sub=account.sub,
            scope=flow.scope,
            created_at=flow.now,
            issuer=flow.issuer,
            auth_time=int(session.auth_time) if session else int(flow.now),
            acr=session.acr if session else None,
            sid=session.sid if session else None,
            nonce=flow.params.get("nonce"),
            claims=flow.claims,
            faults=flow.fault_names,
            audience=flow.resources,
            state=flow.params.get("state"),
        )
    )


# --- the response -----------------------------------------------------------------------------------------------------


async def respond_code(flow: Authorization) -> None:
    """``code``: short-lived, for one use, bound to client, redirect URI and challenge."""
    if "code" not in flow.response_type.split():
        return
    assert flow.grant is not None  # noqa: S101
    flow.code = flow.dialect.code()
    await keep_code(flow, flow.code, flow.grant)
    flow.response.append(("code", flow.code))


async def keep_code(flow: Authorization, code: str, grant: Grant) -> None:
    """Let the token endpoint know a code; whoever used one is remembered for ten times its life, to notice replay."""
    lifetime = flow.tenant.settings.lifetimes.code
    await flow.provider.store.put(
        flow.tenant.name,
        code,
        Code(
            grant=grant,
            expires_at=flow.now + lifetime,
            redirect_uri=flow.redirect_uri_sent,
            challenge=flow.params.get("code_challenge"),
            challenge_method=flow.params.get("code_challenge_method", "plain"),
        ),
        lifetime * 10,
    )


def respond_state(flow: Authorization) -> None:
    """``state``: byte for byte what was sent (RFC 6749, section 4.1.2)."""
    if flow.state is not None:
        flow.response.append(("state", flow.state.decode("latin-1")))


def respond_issuer(flow: Authorization) -> None:
    """``iss``: who answers (RFC 9207), against mix-up."""
    if flow.dialect.iss_parameter(flow.tenant.settings):
        flow.response.append(("iss", quote(flow.issuer, safe="")))


def respond_session_state(_: Authorization) -> None:
    """Nothing more; here faults add what clients have to ignore."""


def deliver(flow: Authorization) -> Answer:
    """Send the browser back with the response, in the response mode asked for."""
    return deliver_to(flow, flow.redirect_uri or "", flow.response_mode)


def deliver_to(flow: Authorization, uri: str, mode: str) -> Answer:
    """The authorization response in one of the modes of OAuth 2.0 Multiple Response Types and Form Post."""
    cookies = [(b"set-cookie", line.encode("latin-1")) for line in flow.cookies]
    if mode == "form_post":
        answer = flow.provider.pages.form_post(flow, uri)
        answer.headers.extend(cookies)
        return answer
    encoded = "&".join(f"{name}={value}" for name, value in flow.response)
    separator = "#" if mode == "fragment" else "&" if "?" in uri else "?"
    return redirect(f"{uri}{separator}{encoded}", cookies)


REQUEST = (
    read_parameters,
    find_client,
    check_redirect_uri,
    refuse_repeated,
    check_response_type,
    check_pkce,
    check_scope,
    bind_faults,
)
"""What the relying party sent; runs again when a person comes back from a page."""

RESPONSE = (make_grant, respond_code, respond_state, respond_issuer, respond_session_state, deliver)

AUTHORIZATION: Table[Authorization] = Table("authorization", *REQUEST, find_session, choose_account, *RESPONSE)


# --- the page's form --------------------------------------------------------------------------------------------------


async def read_pending(flow: Authorization) -> None:
    """Take up the request that waited while the page was shown."""
    form = flow.request.form()
    pending = await flow.provider.store.get(flow.tenant.name, Pending, form.get("pending", ""))
    if pending is None or pending.expires_at < flow.now:
        raise OAuthError("invalid_request", "this page has waited too long; start again at the application", "")
    flow.pending = form["pending"]
    flow.params = Params([*pending.parameters.items()])
    flow.resources = pending.resources
    flow.state = pending.raw_state.encode("latin-1") if pending.raw_state else None
    flow.issuer = pending.issuer


async def read_sign_in(flow: Authorization) -> Answer | None:
    """Who signs in; asked again where the password is wrong."""
    form = flow.request.form()
    if form.get("action") == "deny":
        raise OAuthError("access_denied", "the user said no", "RFC 6749, section 4.1.2.1")
    name = form.get("account", "")
    if form.get("fault"):
        name = f"fault:{form['fault']}:{name}"
    chosen, _ = parse_account(name)
    account = await flow.provider.account(flow.tenant, chosen or "alice")
    if account.password is not None and form.get("password") != account.password:
        return await flow.provider.pages.sign_in(flow, flow.pending or "", wrong_password=True)
    await sign_in(flow, name)
    return None


SIGN_IN: Table[Authorization] = Table("sign-in", read_pending, *REQUEST[1:], read_sign_in, *RESPONSE)


async def refuse(flow: Authorization, error: OAuthError) -> Answer:
    """Redirect the error to the client where its redirect URI is trusted (RFC 6749, section 4.1.2.1), else show it."""
    if flow.redirect_uri is None or error.error == "invalid_redirect_uri":
        return await flow.provider.pages.error(flow, error)
    return await send_error(flow, error)


async def send_error(flow: Authorization, error: OAuthError) -> Answer:
    """The error response."""
    flow.response = [
        ("error", quote(error.error, safe="")),
        ("error_description", quote(f"{error.description} ({error.source})" if error.source else error.description, safe="")),
    ]
    outcome = await ERROR_RESPONSE.walk(flow)
    assert outcome is not None  # noqa: S101 # its last step delivers
    return outcome


ERROR_RESPONSE: Table[Authorization] = Table(
    "authorization error response", respond_state, respond_issuer, respond_session_state, deliver
)


def parse_claims(text: str) -> dict[str, Any]:
    """The ``claims`` parameter (OpenID Connect Core 1.0, section 5.5).

    Raises:
        OAuthError: it is no JSON object of objects.

    """
    try:
        claims = json.loads(text)
    except (ValueError, RecursionError):
        claims = None
    if not isinstance(claims, dict) or not all(isinstance(claims.get(k, {}), dict) for k in ("id_token", "userinfo")):
        raise OAuthError("invalid_request", "claims is not a JSON object of objects", "OpenID Connect Core 1.0, section 5.5")
    return claims
