"""Authorizing as GitHub has it: a callback may lie below the registered one, and what was allowed once is not asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, unquote, urlsplit

from mock_idp.dialects.approvals import approved, ask_consent_once, remember_approval
from mock_idp.protocol.authorization.person import ask_consent
from mock_idp.protocol.authorization.request import (
    check_redirect_uri,
    check_response_mode,
    check_scope,
    may_redirect,
    own_client,
    read_parameters,
)
from mock_idp.protocol.authorization.response import make_grant
from mock_idp.protocol.errors import OAuthError
from mock_idp.protocol.uris import is_uri, on_loopback

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mock_idp.protocol.authorization import Authorization
    from mock_idp.protocol.device_authorization import DeviceAuthorization
    from mock_idp.protocol.table import Step

_INCLUDED = {
    "user": ("read:user", "user:email", "user:follow"),
    "repo": ("repo:status", "repo_deployment", "public_repo", "repo:invite", "security_events"),
    "admin:repo_hook": ("write:repo_hook", "read:repo_hook"),
    "write:repo_hook": ("read:repo_hook",),
    "admin:org": ("write:org", "read:org"),
    "write:org": ("read:org",),
    "admin:public_key": ("write:public_key", "read:public_key"),
    "write:public_key": ("read:public_key",),
    "admin:gpg_key": ("write:gpg_key", "read:gpg_key"),
    "write:gpg_key": ("read:gpg_key",),
    "project": ("read:project",),
}
"""What a scope holds within it."""


def read_login(flow: Authorization) -> None:
    """``login`` suggests the account; without ``response_type`` it is the code flow."""
    flow.params.setdefault("response_type", "code")
    if "login" in flow.params:
        flow.params.setdefault("login_hint", flow.params["login"])


def check_callback(flow: Authorization) -> None:
    """The registered callback URL, or one below it; left out, it is the registered one.

    A mismatch is told to the registered callback, never to the one that was asked for.
    """
    client, asked = own_client(flow), flow.params.get("redirect_uri")
    registered = client.redirect_uris
    if not registered or "redirect_uri" in flow.params.repeated:
        check_redirect_uri(flow)
        return
    flow.redirect_uri_sent, flow.redirect_uri = asked, registered[0]
    if asked is None:
        return
    below = any(_is_below(asked, callback) for callback in registered)
    if not below and not (is_uri(asked) and may_redirect(flow, asked)):
        raise OAuthError(
            "redirect_uri_mismatch", "The redirect_uri MUST match the registered callback URL for this application."
        )
    flow.redirect_uri = asked


def _is_below(asked: str, callback: str) -> bool:
    """Host (a subdomain will do) and port of the callback, and its path or one below; on loopback any port."""
    if not is_uri(asked):
        return False
    parts, base = urlsplit(asked), urlsplit(callback)
    if parts.username is not None or parts.scheme != base.scheme or not _same_place(parts, base):
        return False
    path, root = unquote(parts.path), base.path.rstrip("/")
    steps_up = {"..", "."} & {*path.replace("\\", "/").split("/")}
    return not steps_up and (parts.path.rstrip("/") == root or parts.path.startswith(f"{root}/"))


def _same_place(parts: SplitResult, base: SplitResult) -> bool:
    host, expected = parts.hostname or "", base.hostname or ""
    try:
        same_port = parts.port == base.port
    except ValueError:
        return False
    if on_loopback(base.geturl()):
        return host == expected
    return same_port and (host == expected or host.endswith(f".{expected}"))


def normalize_scope(flow: Authorization | DeviceAuthorization) -> None:
    """Scopes may be separated by commas; those that another one includes are left out."""
    asked = list(dict.fromkeys(value for value in " ".join(flow.scope).replace(",", " ").split()))
    included = {inner for outer in asked for inner in _INCLUDED.get(outer, ())}
    flow.scope = [value for value in asked if value not in included]


async def repeat_scope(flow: Authorization) -> None:
    """Without ``scope`` it is what this person has allowed this app before."""
    if "scope" not in flow.params:
        flow.scope = await approved(flow) or []


STEPS: Mapping[Step[Any], tuple[Step[Any], ...]] = {
    read_parameters: (read_parameters, read_login),
    check_redirect_uri: (check_callback,),
    check_response_mode: (),
    check_scope: (check_scope, normalize_scope),
    ask_consent: (ask_consent_once,),
    make_grant: (repeat_scope, remember_approval, make_grant),
}
