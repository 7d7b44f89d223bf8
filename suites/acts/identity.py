"""Headers by which proxies tell applications who the user is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.flows import Flows
    from harness.flows.credentials import Credentials, Probe
    from harness.target import Account

IDENTITY_HEADERS: Final = (
    "X-User-Id",
    "X-User",
    "X-Username",
    "X-User-Email",
    "X-Forwarded-User",
    "X-Forwarded-Email",
    "X-Forwarded-Preferred-Username",
    "X-Remote-User",
    "Remote-User",
    "X-Authenticated-User",
    "X-Auth-Request-User",
    "X-Auth-Request-Email",
    "X-WebAuth-User",
    "X-Goog-Authenticated-User-Email",
    "Cf-Access-Authenticated-User-Email",
    "X-Ms-Client-Principal-Name",
    "X-Amzn-Oidc-Identity",
)
"""Of oauth2-proxy, Authelia, nginx, Grafana, Google IAP, Cloudflare, Azure and AWS, and home-made ones."""

PATH_HEADERS: Final = ("X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Uri")

_NAMING: Final = frozenset({"id", "user_id", "uid", "uuid", "sub", "email", "username", "login"})
_ENOUGH: Final = 4


def names_of(account: Account, probe: Probe) -> dict[str, str]:
    """Ways to name a user, kind to value: what the profile says, and what the probe told about the user."""
    found = {"name": account.username}
    if probe.names(account):
        for kind, value in _scalars(probe.answer.json()):
            if kind in _NAMING and value not in found.values() and len(found) < _ENOUGH:
                found.setdefault(kind, value)
    return found


def claims(account: Account, probe: Probe, held: Credentials | None) -> Iterator[tuple[str, Credentials | None, str]]:
    """What to claim to be this user by: in words, beside which credentials, and the value."""
    for kind, value in names_of(account, probe).items():
        yield f"a user's {kind} and no credential", None, value
        if held is not None:
            yield f"another user's {kind}", held, value


def claim(flows: Flows, credentials: Credentials | None, headers: Iterable[str], value: str) -> Probe:
    """Ask the probe with ``value`` in each of these headers."""
    return flows.probe(credentials, headers=[(name, value) for name in headers], label="claimant")


def convincing(flows: Flows, credentials: Credentials | None, value: str, account: Account) -> list[str]:
    """Which of the headers make the probe answer as ``account`` on their own."""
    return [name for name in IDENTITY_HEADERS if claim(flows, credentials, [name], value).names(account)]


def _scalars(document: Any) -> Iterator[tuple[str, str]]:
    """Names and values of an object and of the objects right in it."""
    members = list(document.items()) if isinstance(document, dict) else []
    members += [pair for _, value in members if isinstance(value, dict) for pair in value.items()]
    for name, value in members:
        if (
            isinstance(value, str | int)
            and not isinstance(value, bool)
            and str(value).isascii()
            and str(value).isprintable()
        ):
            yield str(name).lower(), str(value)
