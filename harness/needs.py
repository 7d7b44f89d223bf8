"""What a target must have for a requirement to apply, and when it may run at all."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from harness.verdict import NotApplicable, NotRun

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from harness.requirement import Requirement
    from harness.target import Target

ALLOWANCES = ("aggressive", "slow")
"""What ``--auth-allow`` may name: requirements that guess, flood or lock out; those that wait for limits to pass."""


def loopback(origin: str) -> bool:
    """Whether an origin never leaves the machine (its name decides, as for a browser)."""
    host = urlsplit(origin).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


NEEDS: dict[str, tuple[Callable[[Target], bool], str]] = {
    "cookie": (
        lambda t: "cookie" in t.session.carriers,
        "the target accepts no credential in cookies (session.carriers)",
    ),
    "header": (
        lambda t: "header" in t.session.carriers,
        "the target accepts no credential in the Authorization header (session.carriers)",
    ),
    "one_carrier": (
        lambda t: len(set(t.session.carriers)) == 1,
        "the target accepts both carriers on purpose (session.carriers)",
    ),
    "login_request": (
        lambda t: t.login.encoding != "basic" and not t.login.function and not t.login.steps,
        "the login is not one request that could be varied ([login])",
    ),
    "token_body": (
        lambda t: bool(t.login.access_token),
        "tokens do not come back in the login's body (login.access_token)",
    ),
    "return_parameters": (
        lambda t: bool(t.login.return_parameters),
        "no parameter says where to go after login (login.return_parameters)",
    ),
    "second_account": (
        lambda t: t.other_user is not None,
        "the profile declares one account; a second one tells users apart",
    ),
    "spare_account": (
        lambda t: t.disposable is not None or t.signup is not None,
        "no account may be spoilt: declare one as disposable, or [signup]",
    ),
    "refresh": (lambda t: t.refresh is not None, "the profile declares no [refresh]"),
    "logout": (lambda t: t.logout is not None, "the profile declares no [logout]"),
    "password_change": (lambda t: t.password_change is not None, "the profile declares no [password_change]"),
    "write": (lambda t: t.write is not None, "the profile declares no [write]"),
    "csrf_token": (
        lambda t: t.csrf is not None and t.csrf.defence != "origin",
        "the declared defence needs no token or header ([csrf])",
    ),
    "front_origin": (lambda t: bool(t.cors.origins), "no other origin may call the API (cors.origins)"),
    "websocket": (lambda t: t.websocket is not None, "the profile declares no [websocket]"),
    "cookie_setter": (lambda t: bool(t.cookie_setters), "the profile declares no [[cookie_setters]]"),
    "timeouts": (
        lambda t: bool(t.session.idle_timeout_s or t.session.absolute_timeout_s),
        "no limit is declared (session.idle_timeout_s, session.absolute_timeout_s)",
    ),
    "https": (lambda t: t.https, "the target is not reached over https"),
    "public_name": (lambda t: not loopback(t.origin), "the target is on a loopback host"),
}
"""Need to (does the target have it, why not applicable otherwise)."""


def admit(declared: Requirement, target: Target, allowed: Collection[str]) -> None:
    """Let a requirement be judged, or say why not.

    Raises:
        NotApplicable: the target has no such thing.
        NotRun: nobody asked for it.

    """
    for need in declared.needs:
        has, reason = NEEDS[need]
        if not has(target):
            raise NotApplicable(reason)
    if declared.act == "aggressive" and "aggressive" not in allowed:
        raise NotRun(
            "aggressive (guesses, floods or locks out); allow it with --allow aggressive "
            "(in pytest: --auth-allow aggressive)"
        )
