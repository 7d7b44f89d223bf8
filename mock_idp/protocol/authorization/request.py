"""What the relying party sent: read, and checked parameter by parameter."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from mock_idp.protocol import targets
from mock_idp.protocol.errors import OAuthError
from mock_idp.protocol.grants.subjects import own_keys
from mock_idp.protocol.request_object import resolve
from mock_idp.protocol.targets import read_scope
from mock_idp.protocol.uris import is_uri, on_loopback, runs_script
from mock_idp.protocol.vocabulary import PROMPTS, REPEATABLE, RESPONSE_MODES, in_order
from mock_idp.records import Pending
from mock_idp.tokens.jws import TokenRefusedError, verify
from mock_idp.wire.http import FORM, Params, raw_value

if TYPE_CHECKING:
    from mock_idp.protocol.authorization.flow import Authorization
    from mock_idp.protocol.table import Flow
    from mock_idp.records import Client

PUSHED = "urn:ietf:params:oauth:request_uri:"
"""How the ``request_uri`` of a pushed request begins (RFC 9126, section 2.2)."""

_CORE = "OpenID Connect Core 1.0, section"
_URL_SAFE = "-._~:/?[]@!$'()*+,;=%&"
_MOST_MAX_AGE = 10**10


# --- where the parameters are -----------------------------------------------------------------------------------------


def read_parameters(flow: Authorization) -> None:
    """By GET in the query, by POST in a form (OpenID Connect Core 1.0, section 3.1.2.1)."""
    raw = flow.request.query
    if flow.request.method == "POST":
        if flow.request.media_type != FORM:
            raise OAuthError("invalid_request", f"the body is not {FORM}", "RFC 6749, section 3.1")
        raw = flow.request.body
    flow.params = Params.parse(raw)
    flow.state = read_state(raw)
    flow.resources = flow.params.every("resource")


def read_state(raw: bytes) -> bytes | None:
    """``state`` as it was sent, still encoded; only what no URL may hold is encoded anew, lest it break a header."""
    state = raw_value(raw, b"state")
    return quote(state, safe=_URL_SAFE).encode() if state else None


def find_client(flow: Authorization) -> None:
    """Who asks. Unknown clients are welcome where the tenant is not strict."""
    client_id = flow.params.get("client_id")
    if client_id is None:
        raise OAuthError("invalid_request", "client_id is missing", "RFC 6749, section 4.1.1")
    if "client_id" in flow.params.repeated:
        raise OAuthError("invalid_request", "client_id was sent more than once", "RFC 6749, section 3.1")
    try:
        flow.use_client(flow.provider.client(flow.tenant, client_id))
    except OAuthError as error:
        # A browser is asking: 401 and its challenge are for clients that authenticate.
        raise OAuthError("invalid_client", error.description, error.source) from error


async def take_pushed_request(flow: Authorization) -> None:
    """What was pushed before, once (RFC 9126, section 4). Everything else in the URL is ignored."""
    uri = flow.params.get("request_uri", "")
    if not uri.startswith(PUSHED):
        return
    store, client = flow.provider.store, own_client(flow)
    pending, first = await store.spend(flow.tenant.name, Pending, uri)
    source = "RFC 9126, section 4"
    if pending is None or pending.expires_at <= flow.now:
        raise OAuthError("invalid_request_uri", "this request_uri was never given out, or has expired", source)
    if pending.client_id != client.client_id:
        raise OAuthError("invalid_request_uri", "this request_uri was given to another client", source)
    if not first and not flow.tolerates("pushed-request-reuse"):
        raise OAuthError("invalid_request_uri", "this request_uri was used before; push a new request", source)
    use_parameters(flow, pending.parameters, pending.resources, (pending.raw_state or "").encode("latin-1") or None)
    flow.pushed = True


def require_pushed(flow: Authorization) -> None:
    """Tenants and clients may insist on pushed requests (RFC 9126, sections 5 and 6)."""
    if (flow.tenant.settings.require_pushed_requests or own_client(flow).require_pushed_requests) and not flow.pushed:
        raise OAuthError(
            "invalid_request", "requests have to be pushed here; only their request_uri is taken", "RFC 9126, section 5"
        )


async def read_request_object(flow: Authorization) -> None:
    """``request`` or ``request_uri``: the parameters as a JWT signed by the client (RFC 9101)."""
    if "request" not in flow.params and "request_uri" not in flow.params:
        return
    outer = flow.params
    try:
        parameters, resources = await resolve(flow, own_client(flow), outer)
    except OAuthError:
        # Nothing in the object can be believed, but where to send the refusal is sometimes known without it.
        asked = outer.get("redirect_uri")
        flow.redirect_uri = asked if asked and is_uri(asked) and may_redirect(flow, asked) else None
        raise
    state = parameters.get("state")
    as_sent = state is not None and state == outer.get("state")
    use_parameters(flow, parameters, resources, flow.state if as_sent else quote(state or "", safe="").encode() or None)


def use_parameters(flow: Authorization, parameters: dict[str, str], resources: list[str], state: bytes | None) -> None:
    """Go on with other parameters than those of the URL; a fault that was named there still strikes."""
    fault = flow.params.get("mock_fault")
    flow.params = Params([*parameters.items()])
    if fault is not None:
        flow.params.setdefault("mock_fault", fault)
    flow.resources = resources
    flow.state = state


def bind_faults(flow: Authorization) -> None:
    """Faults named by the request itself strike from here on."""
    flow.fault_names = flow.params.get("mock_fault", "").split()
    flow.bind(flow.fault_names)


# --- where the response goes ------------------------------------------------------------------------------------------


def check_redirect_uri(flow: Authorization) -> None:
    """Byte for byte one of those registered (RFC 9700, section 2.1); before that nothing is ever sent there."""
    client, asked = own_client(flow), flow.params.get("redirect_uri")
    flow.redirect_uri_sent = asked
    if "redirect_uri" in flow.params.repeated:
        raise OAuthError("invalid_request", "redirect_uri was sent more than once", "RFC 6749, section 3.1")
    if asked is None:
        flow.redirect_uri = _only_redirect_uri(flow)
        return
    if not is_uri(asked):
        raise OAuthError(
            "invalid_request",
            "redirect_uri is not an absolute URI without a fragment",
            "RFC 6749, section 3.1.2",
        )
    if not may_redirect(flow, asked):
        raise OAuthError(
            "invalid_request",
            f"redirect_uri {asked!r} is not registered for client {client.client_id!r}"
            if client.registered
            else f"redirect_uri {asked!r} is not on loopback, and client {client.client_id!r} is not registered",
            "RFC 9700, section 2.1",
        )
    flow.redirect_uri = asked


def _only_redirect_uri(flow: Authorization) -> str:
    """Where none was sent: the one that is registered, in plain OAuth (RFC 6749, section 3.1.2.3)."""
    registered = own_client(flow).redirect_uris
    if len(registered) != 1 or "openid" in flow.params.get("scope", "").split():
        raise OAuthError("invalid_request", "redirect_uri is missing", f"{_CORE} 3.1.2.1")
    return registered[0]


def may_redirect(flow: Flow, uri: str) -> bool:
    """May the response go there? `uri` is one (`is_uri`)."""
    client = own_client(flow)
    if uri in client.redirect_uris:
        return True
    if not client.registered:
        return on_loopback(uri)
    if client.secret is None and on_loopback(uri):
        # RFC 8252, section 7.3: a native client's port is its own affair.
        registered = [_but_for_port(one) for one in client.redirect_uris if is_uri(one)]
        if _but_for_port(uri) in registered:
            return True
    return not runs_script(uri) and flow.tolerates("any-redirect-uri")


def _but_for_port(uri: str) -> tuple[str, str | None, str, str]:
    parts = urlsplit(uri)
    return parts.scheme, parts.hostname, parts.path, parts.query


def check_response_type(flow: Authorization) -> None:
    """One that this tenant and client take (OAuth 2.0 Multiple Response Types, section 3: order does not matter)."""
    asked = flow.params.get("response_type")
    if asked is None:
        raise OAuthError("invalid_request", "response_type is missing", "RFC 6749, section 3.1.1")
    flow.response_type = in_order(asked)
    flow.response_mode = "query" if flow.response_type == "code" else "fragment"
    client, settings = own_client(flow), flow.tenant.settings
    offered = flow.dialect.response_types(settings)
    if flow.response_type not in offered and flow.response_type not in map(in_order, offered):
        flow.response_mode = "fragment" if {"token", "id_token"} & {*asked.split()} else "query"
        raise OAuthError(
            "unsupported_response_type",
            f"response_type {asked[:60]!r} is switched off here",
            "RFC 6749, section 4.1.2.1",
        )
    if client.response_types and flow.response_type not in map(in_order, client.response_types):
        raise OAuthError(
            "unauthorized_client", f"this client may not use response_type {asked!r}", "RFC 6749, section 4.1.2.1"
        )


def check_response_mode(flow: Authorization) -> None:
    """Query, fragment or form; tokens never in the query (OAuth 2.0 Multiple Response Types, section 5)."""
    asked = flow.params.get("response_mode")
    if asked is None:
        return
    source = "OAuth 2.0 Multiple Response Type Encoding Practices, section"
    if asked not in RESPONSE_MODES:
        raise OAuthError("invalid_request", f"response_mode {asked[:40]!r} is not known here", f"{source} 2.1")
    if asked == "query" and flow.response_type != "code":
        raise OAuthError("invalid_request", "tokens are not sent in the query", f"{source} 5")
    flow.response_mode = asked


# --- what is asked for ------------------------------------------------------------------------------------------------


def refuse_repeated(flow: Authorization) -> None:
    """Parameters stand once (RFC 6749, section 3.1); ``resource`` may stand several times (RFC 8707)."""
    for name in flow.params.repeated:
        if name not in REPEATABLE:
            raise OAuthError("invalid_request", f"{name[:60]} was sent more than once", "RFC 6749, section 3.1")


def check_scope(flow: Authorization) -> None:
    """What is asked for; without ``openid`` it is plain OAuth 2.0, and nobody gets an ID Token."""
    flow.scope = read_scope(flow)
    if "id_token" in flow.response_type and "openid" not in flow.scope:
        raise OAuthError("invalid_request", "response_type id_token needs the scope openid", f"{_CORE} 3.2.2.1")


def check_nonce(flow: Authorization) -> None:
    """An ID Token that comes through the browser needs one (OpenID Connect Core 1.0, sections 3.2.2.1, 3.3.2.11)."""
    if "id_token" in flow.response_type and "nonce" not in flow.params:
        raise OAuthError("invalid_request", "nonce is missing, and response_type holds id_token", f"{_CORE} 3.2.2.1")


def check_pkce(flow: Authorization) -> None:
    """A challenge is S256 (RFC 7636, section 4.2); ``plain`` only where it is switched on."""
    challenge, method = flow.params.get("code_challenge"), flow.params.get("code_challenge_method", "plain")
    settings = flow.tenant.settings
    if challenge is None:
        if "code_challenge_method" in flow.params:
            raise OAuthError("invalid_request", "code_challenge_method without code_challenge", "RFC 7636, section 4.3")
        if "code" in flow.response_type and (settings.require_pkce or own_client(flow).require_pkce):
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


def check_resources(flow: Authorization) -> None:
    """Where the access token is to be used (RFC 8707, section 2)."""
    targets.check_resources(flow, flow.resources)


def read_prompt(flow: Authorization) -> None:
    """``prompt``: what the person is to be asked (OpenID Connect Core 1.0, section 3.1.2.1)."""
    asked = flow.params.get("prompt")
    if asked is None:
        return
    flow.prompt = asked.split()
    for word in flow.prompt:
        if word not in PROMPTS:
            raise OAuthError("invalid_request", f"prompt {word[:40]!r} is not known here", f"{_CORE} 3.1.2.1")
    if "none" in flow.prompt and len(flow.prompt) > 1:
        raise OAuthError("invalid_request", "prompt none goes with no other value", f"{_CORE} 3.1.2.1")


def read_max_age(flow: Authorization) -> None:
    """``max_age``: whole seconds (OpenID Connect Core 1.0, section 3.1.2.1)."""
    asked = flow.params.get("max_age")
    if asked is None:
        return
    if not (asked.isascii() and asked.isdigit() and len(asked) <= len(str(_MOST_MAX_AGE))):
        raise OAuthError("invalid_request", "max_age is not a whole number of seconds", f"{_CORE} 3.1.2.1")
    flow.max_age = int(asked)


def read_claims(flow: Authorization) -> None:
    """``claims``: single claims, and where they go (OpenID Connect Core 1.0, section 5.5)."""
    asked = flow.params.get("claims")
    if asked is None:
        return
    flow.claims = parse_claims(asked)
    subject = flow.claims.get("id_token", {}).get("sub") or {}
    value = subject.get("value")
    if isinstance(value, str):
        flow.subject = value


def parse_claims(text: str) -> dict[str, Any]:
    """The ``claims`` parameter (OpenID Connect Core 1.0, section 5.5).

    Raises:
        OAuthError: it is no JSON object of objects, or what it says of a claim is neither null nor an object.

    """
    try:
        claims = json.loads(text)
    except (ValueError, RecursionError):
        claims = None
    places = [claims.get(name, {}) for name in ("id_token", "userinfo")] if isinstance(claims, dict) else [None]
    if not all(_is_claims_of_place(place) for place in places):
        raise OAuthError("invalid_request", "claims is not a JSON object of objects", f"{_CORE} 5.5")
    return {str(name): value for name, value in claims.items()}


def _is_claims_of_place(place: Any) -> bool:
    return isinstance(place, dict) and all(value is None or isinstance(value, dict) for value in place.values())


def read_acr(flow: Authorization) -> None:
    """How well the person has to authenticate: by ``acr_values``, or as a claim, which may be essential.

    OpenID Connect Core 1.0, sections 3.1.2.1 and 5.5.1.1.
    """
    flow.acr_values = flow.params.get("acr_values", "").split()
    wanted = flow.claims.get("id_token", {}).get("acr") or {}
    if wanted:
        values = wanted.get("values", [wanted["value"]] if "value" in wanted else [])
        flow.acr_values = [value for value in values if isinstance(value, str)] if isinstance(values, list) else []
    reachable = set(flow.acr_values) & set(flow.tenant.settings.acr_values)
    if wanted.get("essential") is True and flow.acr_values and not reachable:
        raise OAuthError(
            "unmet_authentication_requirements",
            f"none of the essential acr values {', '.join(flow.acr_values)[:80]} can be reached here",
            f"{_CORE} 5.5.1.1",
        )


def read_id_token_hint(flow: Authorization) -> None:
    """``id_token_hint``: an ID Token of ours says who it has to be (OpenID Connect Core 1.0, section 3.1.2.1)."""
    hint = flow.params.get("id_token_hint")
    if hint is not None:
        flow.subject = read_hint(flow, hint, f"{_CORE} 3.1.2.1")["sub"]


def read_hint(flow: Flow, hint: str, source: str) -> dict[str, Any]:
    """The claims of an ID Token that this tenant issued, whether it has expired or not.

    Raises:
        OAuthError: it is none.

    """
    algs = flow.tenant.keys.algorithms()
    issuer = flow.dialect.iss(flow.tenant.settings, flow.issuer)
    try:
        found = verify(
            hint,
            own_keys(flow),
            algs=algs,
            now=flow.now,
            iss=issuer,
            require=("sub", "aud"),
            typ=("JWT",),
            check_times=False,
        ).claims
    except TokenRefusedError as error:
        raise OAuthError("invalid_request", f"id_token_hint is no ID Token of this issuer: {error}", source) from error
    if not isinstance(found["sub"], str):
        raise OAuthError("invalid_request", "id_token_hint has a sub that is no text", source)
    return found


def own_client(flow: Flow) -> Client:
    """The client that `find_client` found."""
    assert flow.client is not None  # noqa: S101 # the table has that step before all that ask
    return flow.client


CHECKS = (
    bind_faults,
    check_redirect_uri,
    check_response_type,
    check_response_mode,
    refuse_repeated,
    check_scope,
    check_nonce,
    check_pkce,
    check_resources,
    read_prompt,
    read_max_age,
    read_claims,
    read_acr,
    read_id_token_hint,
)
"""What is asked for; runs again when a person comes back from a page."""

REQUEST = (read_parameters, find_client, take_pushed_request, require_pushed, read_request_object, *CHECKS)
"""What the relying party sent."""
