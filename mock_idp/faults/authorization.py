"""Faults of the authorization response: what the browser brings back to the relying party."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote_to_bytes, urlencode, urljoin

from mock_idp.faults.ingredients import REJECT, honest, honest_answer, seconds, stalled
from mock_idp.faults.registry import fault
from mock_idp.protocol import authorization, metadata
from mock_idp.protocol.errors import OAuthError
from mock_idp.records import Code, Grant, Pending, unguessable
from mock_idp.wire.http import Answer, redirect

if TYPE_CHECKING:
    from mock_idp.protocol.authorization import Authorization
    from mock_idp.protocol.metadata import Metadata
    from mock_idp.records import Client, Tenant

_ELEVEN_MINUTES = 660.0
_CLEAN_END = "ends without a session and with a page of its own"


# --- state ------------------------------------------------------------------------------------------------------------


@fault("authorization.state-missing", replaces=authorization.respond_state, correct=REJECT)
def state_missing(_: Authorization) -> None:
    """The response has no ``state``."""


@fault("authorization.state-empty", replaces=authorization.respond_state, correct=REJECT)
def state_empty(flow: Authorization) -> None:
    """The response has an empty ``state``."""
    flow.response.append(("state", ""))


@fault("authorization.state-random", replaces=authorization.respond_state, correct=REJECT)
def state_random(flow: Authorization) -> None:
    """The response has a ``state`` that nobody ever sent."""
    flow.response.append(("state", unguessable()))


@fault("authorization.state-truncated", replaces=authorization.respond_state, correct=REJECT)
def state_truncated(flow: Authorization) -> None:
    """``state`` lacks its last character."""
    flow.response.append(("state", quote(_state(flow)[:-1], safe="")))


@fault("authorization.state-suffixed", replaces=authorization.respond_state, correct=REJECT)
def state_suffixed(flow: Authorization) -> None:
    """``state`` has one character more at its end."""
    flow.response.append(("state", quote(_state(flow) + b"x", safe="")))


@fault("authorization.state-other-session", replaces=authorization.respond_state, correct=REJECT)
async def state_other_session(flow: Authorization) -> Answer | None:
    """``state`` is that of another browser's login, which still waits for its response."""
    state = await _waiting_state(flow)
    if state is None:
        return await _first(flow, "start a login in another browser, stay on its sign-in page, and sign in here again")
    flow.response.append(("state", state))
    return None


@fault("authorization.state-replayed", replaces=authorization.respond_state, correct=REJECT)
async def state_replayed(flow: Authorization) -> Answer | None:
    """``state`` is that of a login of this client that has been completed; the code is fresh."""
    store, tenant = flow.provider.store, flow.tenant.name
    waiting = {code.grant.id for code in (await store.records(tenant, Code)).values()}
    grants = sorted((await store.records(tenant, Grant)).values(), key=lambda grant: grant.created_at)
    states = [grant.state for grant in grants if _is_another(flow, grant) and grant.state and grant.id not in waiting]
    if not states:
        return await _first(flow, "complete a login of this client without a fault, and sign in here again")
    flow.response.append(("state", quote(states[-1], safe="")))
    return None


@fault(
    "authorization.state-duplicate",
    replaces=authorization.respond_state,
    correct="refuses the login, or uses one pair consistently",
    takes="wrong-first, where the wrong one is to come first",
)
def state_duplicate(flow: Authorization) -> None:
    """``state`` stands twice, once with a value that nobody sent."""
    pair = [("state", quote(_state(flow), safe="")), ("state", unguessable())]
    flow.response += reversed(pair) if flow.value == "wrong-first" else pair


def _state(flow: Authorization) -> bytes:
    return unquote_to_bytes((flow.state or b"").replace(b"+", b" "))


async def _waiting_state(flow: Authorization) -> str | None:
    """The encoded state of an authorization request of this client whose response is still to come."""
    store, tenant, client_id = flow.provider.store, flow.tenant.name, flow.params["client_id"]
    own = flow.state.decode("latin-1") if flow.state else None
    pending = sorted((await store.records(tenant, Pending)).items(), key=lambda item: item[1].expires_at)
    states = [
        waiting.raw_state
        for key, waiting in pending
        if key != flow.pending and waiting.client_id == client_id and waiting.raw_state not in (None, own)
    ]
    if not states:
        codes = sorted((await store.records(tenant, Code)).values(), key=lambda code: code.expires_at)
        states = [
            quote(code.grant.state, safe="") for code in codes if _is_another(flow, code.grant) and code.grant.state
        ]
    return states[-1] if states else None


def _is_another(flow: Authorization, grant: Grant) -> bool:
    """Is it a grant of the same client from another login?"""
    own = flow.grant.id if flow.grant else None
    return grant.client_id == flow.params["client_id"] and grant.id != own and grant.state != flow.params.get("state")


async def _first(flow: Authorization, sentence: str) -> Answer:
    """A page instead of a response: something has to happen first."""
    answer = await flow.provider.pages.told(flow, "This fault needs something first", f"First {sentence}.")
    answer.status = 400
    return answer


# --- code -------------------------------------------------------------------------------------------------------------


@fault("authorization.code-missing", replaces=authorization.respond_code, correct=_CLEAN_END)
def code_missing(_: Authorization) -> None:
    """The response has neither ``code`` nor ``error``."""


@fault("authorization.code-empty", replaces=authorization.respond_code, correct=_CLEAN_END)
def code_empty(flow: Authorization) -> None:
    """The response has an empty ``code``."""
    flow.response.append(("code", ""))


@fault(
    "authorization.code-duplicate",
    replaces=authorization.respond_code,
    correct="refuses the login, or uses one pair consistently",
    takes="wrong-first, where the wrong one is to come first",
)
async def code_duplicate(flow: Authorization) -> None:
    """``code`` stands twice, once with a value that was never issued."""
    await honest(flow)
    wrong = ("code", flow.dialect.code())
    flow.response.insert(0 if flow.value == "wrong-first" else len(flow.response), wrong)


@fault(
    "authorization.code-foreign",
    replaces=authorization.respond_code,
    correct="refuses the login: the verifier does not fit the code, nor the nonce the ID Token",
    takes="the account whose code it is",
)
async def code_foreign(flow: Authorization) -> None:
    """``code`` was issued to the same client in another login, of another account, with another challenge and nonce."""
    own = flow.grant
    assert own is not None  # noqa: S101 # the step before made it
    victim = await flow.provider.account(flow.tenant, flow.value or "mallory")
    code = flow.dialect.code()
    stranger = replace(
        own,
        id=unguessable(),
        account=victim.name,
        sub=flow.dialect.sub(victim),
        sid=unguessable(),
        nonce=own.nonce and unguessable(),
        state=unguessable(),
        faults=[],
    )
    await flow.provider.keep_grant(flow.tenant, stranger)
    lifetime = flow.tenant.settings.lifetimes.code
    record = Code(
        grant=stranger,
        expires_at=flow.now + lifetime,
        redirect_uri=flow.redirect_uri_sent,
        challenge=unguessable() if "code_challenge" in flow.params else None,
        challenge_method="S256",
    )
    await flow.provider.store.put(flow.tenant.name, code, record, lifetime * 10)
    flow.response.append(("code", code))


@fault(
    "authorization.code-replayed",
    replaces=authorization.deliver,
    correct="makes one token request for the code, and keeps one session at most",
)
async def code_replayed(flow: Authorization) -> Answer:
    """The same response is delivered twice: a page links it, to be followed in two tabs, in turn or at once."""
    uri = _response_uri(flow)
    return await _links(
        flow, "Follow both links, each in a tab of its own.", [("First delivery", uri), ("Second delivery", uri)]
    )


# --- errors -----------------------------------------------------------------------------------------------------------


@fault("authorization.error-access-denied", replaces=authorization.respond_code, correct=_CLEAN_END)
def access_denied(_: Authorization) -> None:
    """The response is the error ``access_denied``."""
    raise OAuthError("access_denied", "the user said no", "RFC 6749, section 4.1.2.1")


@fault("authorization.error-server-error", replaces=authorization.respond_code, correct=_CLEAN_END)
def server_error(_: Authorization) -> None:
    """The response is the error ``server_error``."""
    raise OAuthError("server_error", "something went wrong here", "RFC 6749, section 4.1.2.1")


@fault("authorization.error-temporarily-unavailable", replaces=authorization.respond_code, correct=_CLEAN_END)
def temporarily_unavailable(_: Authorization) -> None:
    """The response is the error ``temporarily_unavailable``."""
    raise OAuthError("temporarily_unavailable", "too busy, try later", "RFC 6749, section 4.1.2.1")


@fault("authorization.error-login-required", replaces=authorization.respond_code, correct=_CLEAN_END)
def login_required(_: Authorization) -> None:
    """The response is the error ``login_required``."""
    raise OAuthError("login_required", "nobody is signed in", "OpenID Connect Core 1.0, section 3.1.2.6")


@fault("authorization.error-unknown", replaces=authorization.respond_code, correct=_CLEAN_END)
def unknown_error(_: Authorization) -> None:
    """The response is an error that no specification knows."""
    raise OAuthError("error_of_tomorrow", "nobody has heard of this error yet")


@fault("authorization.error-and-code", replaces=authorization.respond_code, correct="does not authenticate")
async def error_and_code(flow: Authorization) -> None:
    """The response has a valid ``code`` and the error ``access_denied``."""
    await honest(flow)
    flow.response.append(("error", "access_denied"))


@fault(
    "authorization.error-html",
    replaces=authorization.respond_code,
    correct="escapes or drops what it shows, and links no javascript: URI",
)
async def error_html(flow: Authorization) -> Answer | None:
    """The error's ``error_description`` is HTML with a script, its ``error_uri`` a ``javascript:`` URI."""
    script = "<script>document.title='mock-idp-script-ran'</script><img src=x onerror=alert(1)>"
    flow.response = [
        ("error", "access_denied"),
        ("error_description", quote(script, safe="")),
        ("error_uri", quote("javascript:alert(document.domain)", safe="")),
    ]
    return await authorization.ERROR_RESPONSE.walk(flow)


# --- issuer -----------------------------------------------------------------------------------------------------------


@fault(
    "authorization.iss-wrong",
    replaces=authorization.respond_issuer,
    correct="refuses the login before the token request",
)
def issuer_wrong(flow: Authorization) -> None:
    """``iss`` (RFC 9207) names another issuer."""
    flow.response.append(("iss", quote("https://another-issuer.example.test", safe="")))


@fault(
    "authorization.iss-trailing-slash",
    replaces=authorization.respond_issuer,
    correct="refuses the login before the token request",
)
def issuer_trailing_slash(flow: Authorization) -> None:
    """``iss`` (RFC 9207) has a slash at its end that the issuer does not have."""
    flow.response.append(("iss", quote(flow.issuer + "/", safe="")))


@fault("authorization.iss-missing", replaces=authorization.respond_issuer, correct=REJECT)
def issuer_missing(_: Authorization) -> None:
    """``iss`` (RFC 9207) is missing, though the metadata advertises it."""


@fault(
    "authorization.iss-unadvertised",
    replaces=metadata.name_issuer_parameter,
    correct="goes on, or discards the response, without a crash",
    positive=True,
    of_tenant=True,
)
def issuer_unadvertised(flow: Metadata) -> None:
    """The metadata does not advertise ``iss`` (RFC 9207), and authorization responses have it."""
    flow.document["authorization_response_iss_parameter_supported"] = False


# --- the way back -----------------------------------------------------------------------------------------------------


@fault(
    "authorization.extra-params",
    replaces=authorization.respond_session_state,
    correct="ignores them and goes on",
    positive=True,
)
def extra_parameters(flow: Authorization) -> None:
    """The response also has ``scope``, ``authuser``, ``prompt``, ``hd``, ``session_state`` and an unknown parameter."""
    flow.response += [
        ("scope", quote(" ".join(flow.scope), safe="")),
        ("authuser", "0"),
        ("prompt", "consent"),
        ("hd", "example.test"),
        ("session_state", unguessable()),
        ("parameter_of_tomorrow", "1"),
    ]


@fault(
    "authorization.form-post",
    replaces=authorization.deliver,
    correct="goes on where it asked for form_post, else ends cleanly",
    positive=True,
)
def form_post(flow: Authorization) -> Answer:
    """The response comes as a cross-site POST."""
    return authorization.deliver_to(flow, flow.redirect_uri or "", "form_post")


@fault("authorization.fragment", replaces=authorization.deliver, correct=_CLEAN_END)
def fragment(flow: Authorization) -> Answer:
    """The response stands in the fragment, which servers never see."""
    return authorization.deliver_to(flow, flow.redirect_uri or "", "fragment")


@fault(
    "authorization.wrong-callback",
    replaces=authorization.deliver,
    correct=REJECT,
    takes="the path of the redirect URI of another provider",
)
async def wrong_callback(flow: Authorization) -> Answer:
    """The response goes to the redirect URI that the relying party has for another provider."""
    own = flow.redirect_uri or ""
    if flow.value.startswith("/") and not flow.value.startswith("//"):
        return authorization.deliver_to(flow, urljoin(own, flow.value), flow.response_mode)
    registered = [uri for uri in (flow.client.redirect_uris if flow.client else []) if uri != own]
    if not registered:
        return await _first(
            flow, "name the other redirect URI's path: authorization.wrong-callback=/callback/other, or register it"
        )
    return authorization.deliver_to(flow, registered[0], flow.response_mode)


@fault(
    "authorization.mixup-redirect",
    replaces=authorization.make_grant,
    correct="never sends the honest provider's code to this one's token endpoint (RFC 9700, section 4.4)",
    takes="the honest tenant, or CLIENT@TENANT",
)
async def mix_up(flow: Authorization) -> Answer:
    """The browser is forwarded to an honest provider with this login's ``state``, as a malicious provider would."""
    client_id, _, name = flow.value.rpartition("@")
    honest = await flow.provider.store.tenant(name) if name else None
    if honest is None or honest.name == flow.tenant.name:
        return await _first(
            flow, "name the honest provider's tenant, which must exist: authorization.mixup-redirect=TENANT"
        )
    wanted = {"client_id": client_id or _client_there(flow, honest), "redirect_uri": flow.redirect_uri or ""}
    kept = {name: value for name, value in flow.params.items() if name not in {"mock_fault", "state", "request"}}
    state = b"&state=" + flow.state if flow.state else b""
    return redirect(f"{_authorization_endpoint(flow, honest)}?{urlencode({**kept, **wanted})}{state.decode('latin-1')}")


def _client_there(flow: Authorization, honest: Tenant) -> str:
    """Which client the relying party is at the other tenant."""

    def likeness(client: Client) -> bool:
        return flow.redirect_uri in client.redirect_uris

    known = sorted(honest.clients.values(), key=likeness, reverse=True)
    return known[0].client_id if known else flow.params["client_id"]


def _authorization_endpoint(flow: Authorization, tenant: Tenant) -> str:
    from mock_idp.dialects import DIALECTS  # noqa: PLC0415 # dialects import the endpoints

    names = DIALECTS[tenant.settings.dialect].names(tenant.settings)
    path = next(path for path, name in names.items() if name == "authorization_endpoint")
    return flow.provider.addresses.endpoint(tenant, flow.request.base, "authorization_endpoint", path)


@fault("authorization.unsolicited", replaces=authorization.deliver, correct=REJECT)
async def unsolicited(flow: Authorization) -> Answer:
    """The response is not delivered: a page links it, to be followed in a browser that has started no login."""
    uri = _response_uri(flow)
    return await _links(flow, "Open this link in another browser, or in a private window.", [("The response", uri)])


@fault(
    "authorization.delayed",
    replaces=authorization.deliver,
    correct="goes on within its time limit, beyond it restarts cleanly",
    takes="seconds",
)
async def delayed(flow: Authorization) -> Answer:
    """The response comes after 11 minutes, or so many seconds; its code is good for as much longer."""
    answer = await honest_answer(flow)
    delay = seconds(flow, _ELEVEN_MINUTES)
    store, tenant, lifetime = flow.provider.store, flow.tenant.name, flow.tenant.settings.lifetimes.code
    record = await store.get(tenant, Code, flow.code) if flow.code else None
    if record is not None and flow.code:
        late = replace(record, expires_at=record.expires_at + delay)
        await store.put(tenant, flow.code, late, lifetime * 10 + delay)
    return stalled(answer, delay)


@fault("authorization.parallel", replaces=authorization.deliver, correct="each login completes or fails on its own")
async def parallel(flow: Authorization) -> Answer:
    """The response is held back: a page links it, to be followed before or after a second login in the same browser."""
    sentence = "Start a second login in another tab of this browser. Follow this link before or after it is completed."
    return await _links(flow, sentence, [("The response", _response_uri(flow))])


def _response_uri(flow: Authorization) -> str:
    """Where the response would send the browser."""
    mode = "query" if flow.response_mode == "form_post" else flow.response_mode
    answer = authorization.deliver_to(flow, flow.redirect_uri or "", mode)
    return answer.header(b"location") or ""


async def _links(flow: Authorization, sentence: str, links: list[tuple[str, str]]) -> Answer:
    """A page that hands the response to a person."""
    answer = await flow.provider.pages.held_back(flow, sentence, links)
    answer.headers += [(b"set-cookie", line.encode("latin-1")) for line in flow.cookies]
    return answer
