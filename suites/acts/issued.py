"""The values that a login issued to authenticate with, and how another value is presented in the place of one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote

from harness.flows.credentials import Credentials
from harness.tokens import Jwt, find_jwts
from harness.tokens.jwt import json_segment
from harness.verdict import NotApplicable

if TYPE_CHECKING:
    from collections.abc import Collection

    from harness.flows import Flows
    from harness.flows.credentials import Captured, Login

_JWE_SEGMENTS = 5


@dataclass(frozen=True, slots=True)
class Issued:
    """One value that authenticates.

    Attributes:
        name: the cookie's name; empty for the Authorization header.
        value: the value.
        held: the whole credential that it is part of.

    """

    name: str
    value: str = field(repr=False)
    held: Credentials = field(repr=False)

    @property
    def where(self) -> str:
        """Where it travels, in words."""
        return f"cookie {self.name}" if self.name else "Authorization header"

    @property
    def jwt(self) -> Jwt | None:
        """The signed token that it is or holds, if it does."""
        return next(iter(find_jwts(self.value)), None)

    @property
    def self_contained(self) -> bool:
        """Whether it holds what it stands for: a token, signed or encrypted, or a session in a signed cookie."""
        parts = unquote(self.value).strip(".").replace(":", ".").split(".")
        return (
            self.jwt is not None or len(parts) == _JWE_SEGMENTS or any(json_segment(part) is not None for part in parts)
        )

    def with_value(self, value: str) -> Credentials:
        """The credential with another value in the place of this one."""
        return self.held.with_cookie(self.name, value) if self.name else Credentials.bearer(value)

    def with_token(self, token: str) -> Credentials:
        """The credential with another token in the place of the one that the value is or holds."""
        jwt = self.jwt
        return self.with_value(self.value.replace(jwt.raw, token) if jwt else token)


def issued(held: Captured, access_cookies: Collection[str]) -> list[Issued]:
    """The values that authenticate.

    Raises:
        NotApplicable: the password itself does (HTTP Basic).

    """
    scheme, _, token = (held.access.authorization or "").partition(" ")
    if scheme == "Bearer":
        return [Issued("", token, held.access)]
    bare = held.access.only(*access_cookies)
    if not bare.cookies:
        raise NotApplicable("no credential is issued: the password itself travels with every request (HTTP Basic)")
    return [Issued(name, value, bare) for name, value in sorted(bare.cookies.items())]


def value_of(flows: Flows, login: Login, name: str) -> str | None:
    """The value of that name in another login."""
    return flows.cookies(login.agent).get(name) if name else login.access_token
