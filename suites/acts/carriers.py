"""Ways in which a credential can travel, and words for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, urlsplit

from harness.flows.credentials import Credentials
from harness.matrix import STRAY_COOKIES
from harness.tokens import find_jwts
from harness.verdict import NotApplicable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.flows import Flows
    from harness.flows.credentials import Captured, Login, Probe
    from harness.user_agent import Answer

QUERY_NAMES: Final = ("access_token", "token", "jwt", "auth")
"""Parameters likewise; those that mean a session are tried by session.not-in-url."""

_WORDS: Final = {
    "header": "the Authorization header",
    "cookie": "a cookie",
    "other scheme": "the Authorization header under the scheme Basic",
    "no scheme": "the Authorization header without a scheme",
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


def parameters_of(answer: Answer) -> Iterator[tuple[str, str, str]]:
    """Where, name and value of every parameter, of query and fragment, in the URL asked for and in where it leads."""
    for where, url in (("the URL", answer.url), ("the Location", answer.redirect_to or "")):
        parts = urlsplit(url)
        for name, value in [*parse_qsl(parts.query), *parse_qsl(parts.fragment)]:
            yield where, name, value


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The user of the shared login, with all that authenticates.

    Attributes:
        flows: of the run.
        login: the shared login.
        held: what was taken from it.
        cookies: names of the cookies that authenticate.

    """

    flows: Flows
    login: Login
    held: Captured
    cookies: frozenset[str]

    @property
    def values(self) -> list[str]:
        """Every value that authenticates: the token, or the value of each cookie that does.

        Raises:
            NotApplicable: there is none, as with HTTP Basic.

        """
        access = self.held.access
        if access.authorization is not None and access.authorization.startswith("Bearer "):
            return [access.authorization.removeprefix("Bearer ")]
        found = [value for name, value in access.cookies.items() if name in self.cookies]
        if not found:
            raise NotApplicable("the login hands out neither a token nor a cookie that authenticates")
        return found

    def elsewhere(self, value: str, carrier: str) -> Credentials:
        """The credential in another carrier; of cookies, in all that an application may look at."""
        if carrier == "header":
            return Credentials.bearer(value)
        return Credentials(dict.fromkeys([*STRAY_COOKIES, *self.flows.cookies(self.login.agent)], value))

    def is_known_by(self, credentials: Credentials, *, label: str = "clean client") -> bool:
        """Whether the probe answers these credentials as this user."""
        return self.flows.probe(credentials, label=label).names(self.login.account)

    def gives_away(self, value: str) -> bool:
        """Whether a value found by the way is a credential of this user, or a signed token about the user."""
        known = [*self.values, *([self.held.refresh] if self.held.refresh else [])]
        subjects = {jwt.subject for text in known for jwt in find_jwts(text)} - {None}
        if value in known or any(jwt.subject in subjects for jwt in find_jwts(value)):
            return True
        if len(value) < _LONG or not value.isascii() or not value.isprintable() or ";" in value:
            return False
        carried = [Credentials.bearer(value), *(Credentials({name: value}) for name in sorted(self.cookies))]
        return any(self.is_known_by(credentials, label="finder of the URL") for credentials in carried)
