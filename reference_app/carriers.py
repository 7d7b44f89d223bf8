"""Where a credential is read from: the declared carrier, and no other."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from reference_app.errors import Refusal, Unauthenticated

if TYPE_CHECKING:
    from fastapi import Request

    from reference_app.cookies import Cookies
    from reference_app.settings import Settings

BEARER: Final = re.compile(r"bearer +([A-Za-z0-9\-._~+/]+=*)", re.IGNORECASE)  # RFC 6750, 2.1; scheme: RFC 9110, 11.1
BASIC: Final = re.compile(r"basic +([A-Za-z0-9+/]+=*)", re.IGNORECASE)


class Carrier(StrEnum):
    """What brought a credential. Browsers add cookies and Basic by themselves: those need a defence against forgery."""

    HEADER = "header"
    COOKIE = "cookie"
    BASIC = "basic"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Presented:
    """A credential as received, not yet judged. For Basic: `username:password`."""

    carrier: Carrier
    value: str


class Carriers:
    """Finds the credential in a request."""

    def __init__(self, settings: Settings, cookies: Cookies) -> None:
        self._settings = settings
        self._rules = settings.rules
        self._cookies = cookies

    def find(self, request: Request) -> Presented | None:
        """The credential that decides who is asking; None when there is none.

        A header that is there decides alone: one that is not good never falls back to a cookie.

        Raises:
            Unauthenticated: the header is there and is not a credential.
            Refusal: two Authorization headers (400, RFC 6750, 3.1).
        """
        takes_header, takes_cookie = self._declared(request)
        if takes_header and "authorization" in request.headers:
            return self._from_header(request)
        value = self._cookies.access.read(request) if takes_cookie else None
        if value is not None:
            return Presented(Carrier.COOKIE, value)
        return self._from_elsewhere(request)

    def _declared(self, request: Request) -> tuple[bool, bool]:
        """Whether the header, and whether the cookie, is read on this route."""
        architecture = self._settings.architecture
        if not self._rules.one_carrier_everywhere and request.method == "GET" and request.url.path.endswith("/notes"):
            return architecture.takes_cookie, not architecture.takes_cookie
        return architecture.takes_header, architecture.takes_cookie

    def _from_header(self, request: Request) -> Presented:
        sent = request.headers.getlist("authorization")
        if len(sent) > 1:
            challenge = 'Bearer error="invalid_request"'
            raise Refusal(400, "More than one Authorization header", {"WWW-Authenticate": challenge})
        if found := BEARER.fullmatch(sent[0]):
            return Presented(Carrier.HEADER, found[1])
        if not self._rules.scheme_checked and sent[0].strip():
            return Presented(Carrier.HEADER, sent[0].split()[-1])
        if self._settings.basic and (found := BASIC.fullmatch(sent[0])):
            return Presented(Carrier.BASIC, _decoded(found[1]))
        is_bearer = sent[0].lower().startswith("bearer")
        raise Unauthenticated(sent[0] if is_bearer else None)

    def _from_elsewhere(self, request: Request) -> Presented | None:
        """What a sound application does not look at."""
        header = "" if self._rules.header_only_when_declared else request.headers.get("authorization", "")
        if found := BEARER.fullmatch(header):
            return Presented(Carrier.HEADER, found[1])
        stray = [request.cookies[name] for name in self._rules.stray_cookies if name in request.cookies]
        query = [request.query_params[name] for name in self._rules.query_parameters if name in request.query_params]
        return next((Presented(Carrier.OTHER, value) for value in stray + query), None)


def _decoded(encoded: str) -> str:
    try:
        return base64.b64decode(encoded, validate=True).decode()
    except ValueError:
        raise Unauthenticated(encoded) from None
