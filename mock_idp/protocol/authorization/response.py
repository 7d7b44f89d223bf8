"""The authorization response, and the error response."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, unquote_plus

from mock_idp.protocol.access_token import new_access_token
from mock_idp.protocol.errors import sayable
from mock_idp.protocol.id_token import ID_TOKEN, IdToken
from mock_idp.protocol.table import Table
from mock_idp.records import Code, Grant, unguessable
from mock_idp.wire.http import Answer, quoted, redirect

if TYPE_CHECKING:
    from mock_idp.protocol.authorization.flow import Authorization
    from mock_idp.protocol.errors import OAuthError


async def make_grant(flow: Authorization) -> None:
    """From here on something is allowed. Kept once, here: whoever revokes it deletes it, nobody puts it back."""
    account, session = flow.account, flow.session
    assert account is not None  # noqa: S101 # somebody was chosen
    grant = Grant(
        id=unguessable(),
        client_id=flow.params["client_id"],
        account=account.name,
        sub=flow.dialect.sub(account),
        scope=flow.scope,
        created_at=flow.now,
        issuer=flow.issuer,
        auth_time=int(session.auth_time) if session else int(flow.now),
        acr=_reached(flow),
        sid=session.sid if session else None,
        nonce=flow.params.get("nonce"),
        claims=flow.claims,
        faults=flow.fault_names,
        audience=flow.resources,
        state=flow.params.get("state"),
    )
    flow.use_grant(grant)
    await flow.provider.keep_grant(flow.tenant, grant)


def _reached(flow: Authorization) -> str | None:
    """``acr`` of the session; the lowest there is where a client asks and nothing higher was reached."""
    if flow.session is not None and flow.session.acr is not None:
        return flow.session.acr
    asked = flow.acr_values or "acr" in flow.claims.get("id_token", {})
    return next(iter(flow.tenant.settings.acr_values), None) if asked else None


# --- the response -----------------------------------------------------------------------------------------------------


async def respond_code(flow: Authorization) -> None:
    """``code``: short-lived, for one use, bound to client, redirect URI and challenge."""
    if "code" not in flow.response_type:
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
            dpop_jkt=flow.params.get("dpop_jkt"),
        ),
        lifetime * 10,
    )


async def respond_access_token(flow: Authorization) -> None:
    """``access_token`` and what belongs to it, where it comes through the browser (RFC 6749, section 4.2.2)."""
    if "token" not in flow.response_type.split():
        return
    assert flow.grant is not None  # noqa: S101
    flow.access_token = await new_access_token(flow, flow.grant, flow.scope)
    flow.response += [
        ("access_token", flow.access_token),
        ("token_type", "Bearer"),
        ("expires_in", str(flow.dialect.access_token_lifetime(flow.tenant.settings))),
        ("scope", quote(" ".join(flow.scope), safe="")),
    ]


async def respond_id_token(flow: Authorization) -> None:
    """``id_token`` in the response itself, bound to what comes with it (OpenID Connect Core 1.0, section 3.3.2.11)."""
    if "id_token" not in flow.response_type:
        return
    assert flow.grant is not None and flow.account is not None  # noqa: S101, PT018
    token = IdToken(
        flow,
        flow.grant,
        flow.account,
        access_token=flow.access_token,
        code=flow.code,
        state=unquote_plus(flow.state.decode("latin-1")) if flow.state else None,
        front_channel=True,
    )
    await ID_TOKEN.walk(token)
    flow.response.append(("id_token", token.compact))


def respond_state(flow: Authorization) -> None:
    """``state``: byte for byte what was sent (RFC 6749, section 4.1.2)."""
    if flow.state is not None:
        flow.response.append(("state", flow.state.decode("latin-1")))


def respond_issuer(flow: Authorization) -> None:
    """``iss``: who answers (RFC 9207), against mix-up."""
    if flow.dialect.iss_parameter(flow.tenant.settings):
        flow.response.append(("iss", quoted(flow.issuer)))


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


RESPONSE = (
    make_grant,
    respond_code,
    respond_access_token,
    respond_id_token,
    respond_state,
    respond_issuer,
    respond_session_state,
    deliver,
)


# --- the error response -----------------------------------------------------------------------------------------------

ERROR_RESPONSE: Table[Authorization] = Table(
    "authorization error response", respond_state, respond_issuer, respond_session_state, deliver
)


async def refuse(flow: Authorization, error: OAuthError) -> Answer:
    """Redirect the error to the client where its redirect URI is trusted (RFC 6749, section 4.1.2.1), else show it."""
    if flow.redirect_uri is None or error.error == "invalid_redirect_uri":
        return await flow.provider.pages.error(flow, error)
    return await send_error(flow, error)


async def send_error(flow: Authorization, error: OAuthError) -> Answer:
    """The error response."""
    description = f"{error.description} ({error.source})" if error.source else error.description
    flow.response = [
        ("error", quote(error.error, safe="")),
        ("error_description", quote(sayable(description), safe="")),
    ]
    outcome = await ERROR_RESPONSE.walk(flow)
    assert outcome is not None  # noqa: S101 # its last step delivers
    return outcome
