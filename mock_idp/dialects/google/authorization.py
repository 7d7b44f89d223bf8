"""Authorizing as Google has it: long names of scopes, consent for good, and a response full of extras."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from mock_idp.dialects.approvals import approved, ask_consent_once, remember
from mock_idp.protocol.authorization.person import ask_consent, ask_who
from mock_idp.protocol.authorization.request import check_scope
from mock_idp.protocol.authorization.response import make_grant, respond_session_state
from mock_idp.protocol.errors import OAuthError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mock_idp.protocol.authorization import Authorization
    from mock_idp.protocol.device_authorization import DeviceAuthorization
    from mock_idp.protocol.table import Step

OFFLINE = "offline_access"
"""How it is kept that a refresh token is due; Google itself knows no such scope."""
_LONG = {
    "email": "https://www.googleapis.com/auth/userinfo.email",
    "profile": "https://www.googleapis.com/auth/userinfo.profile",
}
_SHORT = {long: short for short, long in _LONG.items()}
_SOURCE = "Google, OAuth 2.0 for web server applications"


def long_names(scope: Iterable[str]) -> list[str]:
    """Scopes as Google says them: ``email`` and ``profile`` by their URLs."""
    return [_LONG.get(value, value) for value in scope if value != OFFLINE]


def short_names(flow: Authorization | DeviceAuthorization) -> None:
    """``scope`` is compulsory; short and long names are the same."""
    asked = [_SHORT.get(value, value) for value in flow.scope if value != OFFLINE]
    if not asked:
        raise OAuthError("invalid_request", "scope is missing", _SOURCE)
    flow.scope = list(dict.fromkeys(asked))


def offer_domain(flow: Authorization) -> None:
    """``hd`` shapes the list of accounts to choose from. It is no check: who types another name comes through."""
    domain = flow.params.get("hd")
    if domain is None or flow.account is not None:
        return
    of_domain = {
        name: account
        for name, account in flow.tenant.accounts.items()
        if account.claims.get("hd") == domain or (domain == "*" and "hd" in account.claims)
    }
    if of_domain:
        flow.tenant = replace(flow.tenant, accounts=of_domain)


async def settle_scope(flow: Authorization) -> None:
    """What is granted in the end, and whether a refresh token comes with it.

    One comes with the first authorization that asks for ``access_type=offline``, and again where consent was asked for
    anew. ``include_granted_scopes`` adds what was allowed before.
    """
    before = await approved(flow) or []
    offline = flow.params.get("access_type") == "offline"
    due = offline and (OFFLINE not in before or "consent" in flow.prompt)
    if flow.params.get("include_granted_scopes") == "true":
        flow.scope = list(dict.fromkeys([*flow.scope, *(value for value in before if value != OFFLINE)]))
    if due:
        flow.scope = [*flow.scope, OFFLINE]
    await remember(flow, flow.scope)


def respond_extras(flow: Authorization) -> None:
    """``scope``, ``authuser``, ``hd`` and ``prompt``, which clients ignore (RFC 6749, section 4.1.2)."""
    if not flow.dialect.options_of(flow.tenant.settings).callback_extras:
        return
    short = [value for value in flow.scope if value in _LONG]
    flow.response.append(("scope", quote(" ".join([*short, *long_names(flow.scope)]), safe="")))
    flow.response.append(("authuser", "0"))
    domain = flow.account.claims.get("hd") if flow.account else None
    if isinstance(domain, str):
        flow.response.append(("hd", quote(domain, safe="")))
    flow.response.append(("prompt", "consent" if "consent" in flow.prompt else "none"))


STEPS: Mapping[Step[Any], tuple[Step[Any], ...]] = {
    check_scope: (check_scope, short_names),
    ask_who: (offer_domain, ask_who),
    ask_consent: (ask_consent_once,),
    make_grant: (settle_scope, make_grant),
    respond_session_state: (respond_extras, respond_session_state),
}
