"""What a login leaves in hand: credentials that can be replayed, and the probe that tells whether they work."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.target import Account
    from harness.user_agent import Answer, UserAgent


@dataclass(frozen=True, slots=True)
class Credentials:
    """Everything that can authenticate one request, taken out of the user agent that held it.

    Attributes:
        cookies: name to value.
        authorization: the whole Authorization header, or None.

    """

    cookies: Mapping[str, str] = field(default_factory=dict, repr=False)
    authorization: str | None = field(default=None, repr=False)

    @classmethod
    def bearer(cls, token: str) -> Credentials:
        """A token in the Authorization header (RFC 6750 section 2.1), nothing else."""
        return cls(authorization=f"Bearer {token}")

    @property
    def headers(self) -> list[tuple[str, str]]:
        """The Authorization header, if there is one."""
        return [("Authorization", self.authorization)] if self.authorization else []

    def only(self, *names: str) -> Credentials:
        """The same, with these cookies alone."""
        return replace(self, cookies={n: v for n, v in self.cookies.items() if n in names})

    def without(self, *names: str) -> Credentials:
        """The same, without these cookies."""
        return replace(self, cookies={n: v for n, v in self.cookies.items() if n not in names})

    def with_cookie(self, name: str, value: str) -> Credentials:
        """The same, with one cookie set."""
        return replace(self, cookies={**self.cookies, name: value})


@dataclass(frozen=True, slots=True)
class Probe:
    """What the probe said.

    Attributes:
        answer: the live answer.
        identity: how it named the user; None: nobody is signed in.

    """

    answer: Answer
    identity: str | None

    @property
    def exchange(self) -> int:
        """The exchange that shows it."""
        return self.answer.exchange

    @property
    def anonymous(self) -> bool:
        """Nobody is signed in."""
        return self.identity is None

    def names(self, account: Account) -> bool:
        """It answered as this user."""
        return self.identity == account.known_as

    def said(self) -> str:
        """In words, for what was observed."""
        who = "nobody is signed in" if self.anonymous else f"signed in as {self.identity}"
        return f"{self.answer.method} {self.answer.url} answered {self.answer.status}: {who}"


@dataclass(slots=True)
class Login:
    """One login, as it happened in one user agent.

    Attributes:
        account: who signed in.
        agent: the user agent, with the cookies it kept.
        answers: the answer to the credentials first, then every redirect hop.
        access_token: from the body, where tokens come back there.
        refresh_token: likewise.
        authorization: the Authorization header of every request, where the login is HTTP Basic.

    """

    account: Account
    agent: UserAgent
    answers: list[Answer]
    access_token: str | None = field(default=None, repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    authorization: str | None = field(default=None, repr=False)

    @property
    def header(self) -> list[tuple[str, str]]:
        """The Authorization header that the front end would send, if it sends one."""
        value = self.authorization or (f"Bearer {self.access_token}" if self.access_token else None)
        return [("Authorization", value)] if value else []


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What asking for a fresh access credential gave.

    Attributes:
        answer: the live answer.
        access: the new access credential alone, or None where nothing was issued.
        refresh: the refresh credential to use next (the old one where it was not replaced).
        rotated: whether a new refresh credential was issued.

    """

    answer: Answer
    access: Credentials | None
    refresh: str | None = field(repr=False)
    rotated: bool

    @property
    def exchange(self) -> int:
        """The exchange that shows it."""
        return self.answer.exchange


@dataclass(frozen=True, slots=True)
class Proof:
    """What a front end adds to a request so that it is not taken for a forgery."""

    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    fields: tuple[tuple[str, str], ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Captured:
    """Everything a thief could have taken from a user agent at one moment.

    Attributes:
        access: what the probe needs.
        refresh: the refresh credential's value, or None.
        cookies: every cookie in the store, name to value, whatever its path.
        proof: the anti-forgery proof that belongs to this login.

    """

    access: Credentials
    refresh: str | None = field(repr=False)
    cookies: Mapping[str, str] = field(repr=False)
    proof: Proof = field(repr=False)
