"""GitHub, for OAuth apps.

From GitHub's documentation (authorizing OAuth apps, without CORS; scopes; troubleshooting token requests; the REST API
for users, e-mail addresses and OAuth authorizations, with a compulsory ``User-Agent``), its changelog of 14 July 2025
(PKCE is optional, S256 only), and clients' reports (errors come with status 200: octokit/auth-oauth-app.js, issue 13;
404 without a scope for e-mail addresses: octokit/core.js, issue 338).
``iss`` in the authorization response (RFC 9207) is recent: seen in April 2026, taken back, and there again in August
(langfuse/langfuse, issue 13091; openiddict/openiddict-core, pull request 2529). The real one says
``https://github.com/login/oauth``, which the setting ``issuer`` can say here; ``iss_parameter = false`` is as it was.
Not documented, and assumed: JSON bodies are read at the token endpoint; a spent refresh token is ``bad_refresh_token``.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from mock_idp.dialects import avatars
from mock_idp.dialects.adapted import adapted, front_channel
from mock_idp.dialects.base import Dialect
from mock_idp.dialects.github import application, authorization, token, user
from mock_idp.dialects.identity import as_number
from mock_idp.dialects.oidc import ROUTES as SHARED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mock_idp.protocol.endpoint import Endpoint
    from mock_idp.protocol.errors import OAuthError
    from mock_idp.protocol.table import Flow
    from mock_idp.protocol.token import TokenRequest
    from mock_idp.records import Account, Grant, Settings, Tenant
    from mock_idp.wire.http import Answer

_NEVER = 10 * 366 * 24 * 3600
"""Seconds that stand for: does not expire."""


@dataclass(frozen=True, slots=True)
class GitHubOptions:
    """What a tenant may have otherwise.

    Attributes:
        expiring_tokens: access tokens live eight hours and come with a refresh token, as those of GitHub Apps.
        verified_email_required: no token for a person whose primary e-mail address is not verified.
        device_flow: the app has it switched on.
        rate_limit: requests an hour and person; what is more is refused.

    """

    expiring_tokens: bool = False
    verified_email_required: bool = False
    device_flow: bool = True
    rate_limit: int = 5000


_USER = adapted(SHARED["userinfo"], user.USER, flow=user.UserRequest, refuse=user.refuse)
_EMAILS = adapted(SHARED["userinfo"], user.EMAILS, flow=user.UserRequest, refuse=user.refuse)
_ROUTES: dict[str, Endpoint] = {
    **front_channel("login/oauth/authorize", authorization.STEPS),
    "login/device/code": adapted(SHARED["device_authorization"], token.DEVICE_STEPS, cors=False),
    "login/device": SHARED["device"],
    "login/oauth/access_token": adapted(SHARED["token"], token.STEPS, cors=False),
    "user": _USER,
    "api/v3/user": _USER,
    "user/emails": _EMAILS,
    "api/v3/user/emails": _EMAILS,
    "avatars/": avatars.ENDPOINT,
    "applications/": application.ENDPOINT,
    "api/v3/applications/": application.ENDPOINT,
}


class GitHub(Dialect[GitHubOptions]):
    """Plain OAuth 2.0 from before it was finished."""

    name = "github"
    grants = ("authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code")
    token_schemes = ("bearer", "token")
    device_page = "login/device"
    endpoint_names: ClassVar[Mapping[str, str]] = {
        "login/oauth/authorize": "authorization_endpoint",
        "login/oauth/access_token": "token_endpoint",
        "login/device/code": "device_authorization_endpoint",
        "user": "userinfo_endpoint",
    }

    def __init__(self) -> None:
        super().__init__(GitHubOptions)

    def routes(self, settings: Settings) -> Mapping[str, Endpoint]:
        """See `Dialect`."""
        return _ROUTES

    def response_types(self, settings: Settings) -> list[str]:
        """The code flow only; the implicit grant is not supported."""
        return ["code"]

    def access_token_lifetime(self, settings: Settings) -> int:
        """For ever, or eight hours."""
        usual = 8 * 3600 if self.options_of(settings).expiring_tokens else _NEVER
        return usual if settings.lifetimes.access_token is None else settings.lifetimes.access_token

    def sub(self, account: Account) -> str:
        """The numeric id, as text."""
        return str(user.id_of(account))

    def code(self) -> str:
        """Twenty hexadecimal digits."""
        return secrets.token_hex(10)

    def access_token(self) -> str:
        """``gho_`` and 36 characters. They hold no checksum, so that no scanner takes them for leaked."""
        return f"gho_mock{secrets.token_hex(16)}"

    def refresh_token(self) -> str:
        """``ghr_`` and 76 characters."""
        return f"ghr_mock{secrets.token_hex(36)}"

    def refreshes(self, flow: TokenRequest) -> bool:
        """Only where access tokens expire."""
        return self.options_of(flow.tenant.settings).expiring_tokens

    def subject(self, account: Account, grant: Grant, settings: Settings) -> dict[str, Any]:
        """A number."""
        told = as_number(grant.sub)
        return {"id": user.id_of(account) if told is None else told}

    def profile(
        self, account: Account, scope: list[str], wanted: dict[str, Any] | None, tenant: Tenant
    ) -> dict[str, Any]:
        """What is public, and with ``user`` or ``read:user`` what is private."""
        return user.profile(account, scope)

    def token_members(self, flow: TokenRequest) -> None:
        """``refresh_token_expires_in``, where there is one."""
        if "refresh_token" in flow.members:
            flow.members["refresh_token_expires_in"] = flow.tenant.settings.lifetimes.refresh_token

    def token_answer(self, flow: TokenRequest, status: int, members: dict[str, Any]) -> Answer:
        """A form, unless JSON is asked for."""
        return token.encode(flow, status, members)

    def token_error(self, flow: Flow, error: OAuthError) -> Answer:
        """Status 200, with GitHub's own words."""
        return token.encode(flow, *token.refusal(flow, error))


DIALECT = GitHub()
