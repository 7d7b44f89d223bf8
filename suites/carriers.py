"""Ways in which a credential can travel, and words for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, urlsplit

from harness.credentials import Credentials
from harness.tokens.jwt import find_jwts
from harness.verdict import NotApplicable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from harness.credentials import Captured, Probe
    from harness.flows import Flows
    from harness.target import Account
    from harness.user_agent import Answer

STRAY_COOKIES: Final = ("access_token", "token", "jwt", "session")
"""Cookies in which applications that want a header look for a token all the same."""

QUERY_NAMES: Final = ("access_token", "token", "jwt", "auth")

_WORDS: Final = {
    "header": "an Authorization header",
    "cookie": "a cookie",
    "other scheme": "the token as the user name of a Basic header",
    "no scheme": "the token and no scheme in the Authorization header",
    "form": "a form field access_token",
}
_LONG: Final = 20
"""Characters from which on a parameter may be a credential; below, it is a word."""


def words(carrier: str) -> str:
    """A carrier of the matrix, in words."""
    return _WORDS[carrier]


def who(probe: Probe) -> str:
    """Who is signed in, in words that do not repeat the URL: it may hold a credential."""
    user = "nobody is signed in" if probe.anonymous else f"one is signed in as {probe.identity}"
    return f"the probe answered {probe.answer.status}: {user}"


def credential_values(held: Captured, access_cookies: frozenset[str]) -> list[str]:
    """Every value that authenticates: the token, or the value of each cookie that does.

    Raises:
        NotApplicable: there is none, as with HTTP Basic.

    """
    if (held.access.authorization or "").startswith("Bearer "):
        return [(held.access.authorization or "").removeprefix("Bearer ")]
    values = [value for name, value in held.access.cookies.items() if name in access_cookies]
    if not values:
        raise NotApplicable("the login hands out neither a token nor a cookie that authenticates")
    return values


def parameters_of(answer: Answer) -> Iterator[tuple[str, str, str]]:
    """Where, name and value of every parameter, of query and fragment, in the URL asked for and in where it leads."""
    for where, url in (("the URL", answer.url), ("the Location", answer.redirect_to or "")):
        parts = urlsplit(url)
        for name, value in [*parse_qsl(parts.query), *parse_qsl(parts.fragment)]:
            yield where, name, value


def authenticates(flows: Flows, value: str, account: Account, access_cookies: frozenset[str]) -> bool:
    """Whether a value found by the way signs the account in, in the header or in a cookie's place."""
    if len(value) < _LONG or not value.isascii() or not value.isprintable():
        return False
    carried = [Credentials.bearer(value), *(Credentials({name: value}) for name in sorted(access_cookies) if ";" not in value)]
    return any(flows.probe(credentials, label="finder of the URL").names(account) for credentials in carried)


def same_subject(value: str, credentials: Collection[str]) -> bool:
    """Whether a value holds a signed token about the user that a credential is about."""
    subjects = {jwt.subject for text in credentials for jwt in find_jwts(text)} - {None}
    return any(jwt.subject in subjects for jwt in find_jwts(value))
