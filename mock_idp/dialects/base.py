"""What a make of provider may do in its own way."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, TypeVar

from mock_idp.accounts import released
from mock_idp.wire.http import NO_STORE, json_answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mock_idp.protocol.endpoint import Endpoint
    from mock_idp.protocol.errors import OAuthError
    from mock_idp.protocol.table import Flow
    from mock_idp.protocol.token import TokenRequest
    from mock_idp.records import Account, DialectName, Grant, GrantType, Settings, Tenant
    from mock_idp.wire.http import Answer


O_co = TypeVar("O_co", covariant=True)


@dataclass(frozen=True, slots=True)
class NoOptions:
    """A make without options of its own."""


_MOST_OPTIONS = 1000
"""Different options that are remembered as read."""


class Dialect(Generic[O_co]):
    """Plain OAuth 2.0 with JSON answers; makes override what they do otherwise.

    Attributes:
        options: what ``dialect_options`` may hold: a dataclass whose members all have defaults.
        openid: it issues ID Tokens.
        grants: grant types that it knows; None: all of them.
        token_schemes: of the Authorization header at resources, in lower case.
        endpoint_names: see `names`, which is this unless paths are settings.
        device_page: path of the page where user codes are typed (RFC 8628).

    """

    name: ClassVar[DialectName]
    openid: ClassVar[bool] = False
    grants: ClassVar[tuple[GrantType, ...] | None] = None
    token_schemes: ClassVar[tuple[str, ...]] = ("bearer", "dpop")
    endpoint_names: ClassVar[Mapping[str, str]] = {}
    device_page: ClassVar[str] = "device"

    def __init__(self, options: type[O_co]) -> None:
        self.options = options
        self._usual = options()
        self._read: dict[str, O_co] = {}

    def options_of(self, settings: Settings) -> O_co:
        """The tenant's ``dialect_options``.

        Raises:
            ValueError: a key is unknown or its value of another type; the sentence names it.

        """
        given = settings.dialect_options
        if not given:
            return self._usual
        spelled = repr(given)
        found = self._read.get(spelled)
        if found is None:
            from mock_idp.configuration.reading import read  # noqa: PLC0415 # most tenants have no options

            if len(self._read) >= _MOST_OPTIONS:
                self._read.clear()
            found = self._read[spelled] = read(self.options, given)
        return found

    def routes(self, settings: Settings) -> Mapping[str, Endpoint]:
        """Endpoints by their path below the tenant. A path that ends in ``/`` takes whatever follows it."""
        raise NotImplementedError

    def names(self, settings: Settings) -> Mapping[str, str]:
        """Metadata names (RFC 8414) of endpoints by their path, for those that discovery may list."""
        return self.endpoint_names

    def access_token_lifetime(self, settings: Settings) -> int:
        """Seconds that an access token lives."""
        return 3600 if settings.lifetimes.access_token is None else settings.lifetimes.access_token

    def refresh(self, settings: Settings) -> Literal["rotate", "fixed", "omit"]:
        """What becomes of a refresh token that is used."""
        return settings.refresh or "rotate"

    def scopes(self, settings: Settings) -> list[str] | None:
        """All that a strict tenant knows; None where that is not limited."""
        return settings.scopes if self.openid else None

    def sub(self, account: Account) -> str:
        """The subject identifier of an account, never reassigned."""
        return account.sub

    def iss(self, settings: Settings, issuer: str) -> str:
        """How ID Tokens spell the issuer."""
        return issuer

    def response_types(self, settings: Settings) -> list[str]:
        """What the authorization endpoint gives; ID Tokens only where there are any."""
        return [value for value in settings.response_types if self.openid or "id_token" not in value]

    def grant_types(self, settings: Settings) -> list[GrantType]:
        """What the token endpoint takes; refresh tokens only where they are given."""
        off = () if self.refresh(settings) != "omit" else ("refresh_token",)
        return [v for v in settings.grant_types if v not in off and (self.grants is None or v in self.grants)]

    def iss_parameter(self, settings: Settings) -> bool:
        """Does the authorization response name the issuer (RFC 9207)?"""
        return settings.iss_parameter

    def code(self) -> str:
        """A new authorization code."""
        return secrets.token_urlsafe(32)

    def access_token(self) -> str:
        """A new opaque access token."""
        return f"mock_at_{secrets.token_urlsafe(32)}"

    def refresh_token(self) -> str:
        """A new refresh token."""
        return f"mock_rt_{secrets.token_urlsafe(32)}"

    def refreshes(self, flow: TokenRequest) -> bool:
        """Does this token response hold a refresh token?"""
        scope = flow.refreshed.scope if flow.refreshed else flow.scope  # what is asked for now may be less
        return "offline_access" in scope if flow.tenant.settings.refresh_scope else True

    def subject(self, account: Account, grant: Grant, settings: Settings) -> dict[str, Any]:
        """How a profile names the person, beyond doubt."""
        return {"sub": grant.sub}

    def profile(
        self, account: Account, scope: list[str], wanted: dict[str, Any] | None, tenant: Tenant
    ) -> dict[str, Any]:
        """The rest of a profile."""
        return released(account, scope if tenant.settings.userinfo_profile else [], wanted)

    def id_token_claims(self, account: Account, scope: list[str], wanted: dict[str, Any] | None) -> dict[str, Any]:
        """What an ID Token says of the person."""
        return released(account, scope, wanted)

    def id_token_members(self, grant: Grant) -> dict[str, Any]:
        """Claims of ID Tokens that only this make adds, whoever it is."""
        return {}

    def token_members(self, flow: TokenRequest) -> None:
        """Change the token response."""

    def token_answer(self, flow: TokenRequest, status: int, members: dict[str, Any]) -> Answer:
        """Encode a token response."""
        return json_answer(status, members)

    def token_error(self, flow: Flow, error: OAuthError) -> Answer:
        """Encode a refusal of the token endpoint (RFC 6749, section 5.2)."""
        description = f"{error.description} ({error.source})" if error.source else error.description
        headers = [*NO_STORE, *error.headers]
        if error.challenge and error.status == 401:  # noqa: PLR2004
            headers.append((b"www-authenticate", error.challenge.encode("latin-1", "replace")))
        return json_answer(
            error.status, {"error": error.error, "error_description": description, **error.tell}, headers
        )

    def capabilities(self, settings: Settings) -> dict[str, Any]:
        """What discovery says is switched on."""
        return {
            "response_types_supported": self.response_types(settings),
            "grant_types_supported": self.grant_types(settings),
        }
