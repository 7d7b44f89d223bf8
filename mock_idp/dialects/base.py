"""What a make of provider may do in its own way."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, ClassVar

from mock_idp.accounts import released
from mock_idp.wire.http import NO_STORE, json_answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mock_idp.protocol.endpoint import Endpoint
    from mock_idp.protocol.errors import OAuthError
    from mock_idp.protocol.table import Flow
    from mock_idp.protocol.token import TokenRequest
    from mock_idp.records import Account, DialectName, Grant, Settings, Tenant
    from mock_idp.wire.http import Answer


class Dialect:
    """Plain OAuth 2.0 with JSON answers; makes override what they do otherwise.

    Attributes:
        openid: it issues ID Tokens.
        token_schemes: of the Authorization header at resources, in lower case.
        endpoint_names: metadata names (RFC 8414) by path, for those that discovery lists.

    """

    name: ClassVar[DialectName]
    openid: ClassVar[bool] = False
    token_schemes: ClassVar[tuple[str, ...]] = ("bearer", "dpop")
    endpoint_names: ClassVar[Mapping[str, str]] = {}

    def routes(self, settings: Settings) -> Mapping[str, Endpoint]:
        """Endpoints by their path below the tenant. A path that ends in ``/`` takes whatever follows it."""
        raise NotImplementedError

    def iss_parameter(self, settings: Settings) -> bool:
        """Does the authorization response name the issuer (RFC 9207)?"""
        return settings.iss_parameter

    def code(self) -> str:
        """A new authorization code."""
        return secrets.token_urlsafe(32)

    def access_token(self) -> str:
        """A new opaque access token."""
        return secrets.token_urlsafe(32)

    def refresh_token(self) -> str:
        """A new refresh token."""
        return secrets.token_urlsafe(32)

    def refreshes(self, flow: TokenRequest) -> bool:
        """Does this token response hold a refresh token?"""
        return "offline_access" in flow.scope if flow.tenant.settings.refresh_scope else True

    def subject(self, account: Account, grant: Grant) -> dict[str, Any]:
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

    def token_members(self, flow: TokenRequest) -> None:
        """Change the token response."""

    def token_answer(self, flow: TokenRequest, status: int, members: dict[str, Any]) -> Answer:
        """Encode a token response."""
        return json_answer(status, members)

    def token_error(self, flow: Flow, error: OAuthError) -> Answer:
        """Encode a refusal of the token endpoint (RFC 6749, section 5.2)."""
        description = f"{error.description} ({error.source})" if error.source else error.description
        headers = [*NO_STORE]
        if error.challenge and error.status == 401:  # noqa: PLR2004
            headers.append((b"www-authenticate", error.challenge.encode("latin-1", "replace")))
        return json_answer(
            error.status, {"error": error.error, "error_description": description, **error.tell}, headers
        )

    def capabilities(self, settings: Settings) -> dict[str, Any]:
        """What discovery says is switched on."""
        return {"response_types_supported": settings.response_types, "grant_types_supported": settings.grant_types}
