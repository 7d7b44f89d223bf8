"""Cookies that an attacker put into the victim's browser before the login (session fixation)."""

from __future__ import annotations

import secrets
import string
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.flows import Flows
    from harness.flows.credentials import Login
    from harness.user_agent import Cookie, UserAgent


def plant(flows: Flows, login: Login, names: Iterable[str], victim: UserAgent) -> dict[str, str]:
    """Put values of the attacker's choosing under the names of cookies that authenticate.

    Each looks like the genuine value: as long, the same kinds of characters.

    Returns:
        Name to value of those that the browser took.

    """
    planted = {}
    for name in names:
        genuine = login.agent.cookies.get(name)
        if genuine is None:
            continue
        value = "".join(
            secrets.choice(string.ascii_lowercase + string.digits) if c.isalnum() else c for c in genuine.value
        )
        if victim.cookies.receive(flows.target.url(flows.target.login.path), _line(genuine, value)).accepted:
            planted[name] = value
    return planted


def _line(genuine: Cookie, value: str) -> str:
    domain = "" if genuine.host_only else f"; Domain={genuine.domain}"
    return f"{genuine.name}={value}; Path={genuine.path}{domain}{'; Secure' if genuine.secure else ''}"
