"""The parts of one running application, put together."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reference_app.accounts import Accounts
from reference_app.carriers import Carriers
from reference_app.clock import Clock
from reference_app.cookies import Cookies
from reference_app.csrf import Csrf
from reference_app.errors import Errors
from reference_app.limits import Throttle
from reference_app.passwords import Passwords
from reference_app.sessions import Sessions
from reference_app.store import Store
from reference_app.tokens import CountedTokens, JwtTokens, OpaqueTokens

if TYPE_CHECKING:
    from reference_app.rules import Rules
    from reference_app.settings import Settings
    from reference_app.tokens import Tokens


@dataclass(frozen=True, slots=True)
class Services:
    """Everything a route may need."""

    settings: Settings
    store: Store
    accounts: Accounts
    sessions: Sessions
    cookies: Cookies
    carriers: Carriers
    csrf: Csrf
    errors: Errors

    @property
    def rules(self) -> Rules:
        """The promises this application keeps."""
        return self.settings.rules


def build(settings: Settings) -> Services:
    """Put an application together.

    Raises:
        SettingsError: the database cannot be opened.
    """
    key = settings.secret.get_secret_value().encode() if settings.secret else secrets.token_bytes(32)
    clock = Clock()
    store = Store(settings.database)
    cookies = Cookies(settings, clock)
    return Services(
        settings=settings,
        store=store,
        accounts=Accounts(settings, store, Passwords(settings), Throttle(clock)),
        sessions=Sessions(settings, store, _tokens(settings, key, clock), clock),
        cookies=cookies,
        carriers=Carriers(settings, cookies),
        csrf=Csrf(settings, cookies, hmac.digest(key, b"csrf", hashlib.sha256)),
        errors=Errors(settings),
    )


def _tokens(settings: Settings, key: bytes, clock: Clock) -> Tokens:
    if settings.tokens == "jwt":
        return JwtTokens(key, clock, settings.rules)
    opaque = OpaqueTokens if settings.rules.access_value_random else CountedTokens
    return opaque(hmac.digest(key, b"opaque", hashlib.sha256))
