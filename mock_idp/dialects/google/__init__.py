"""Google, for people who sign in.

From Google's documentation (OpenID Connect; its reference, which says that ``accounts.google.com`` is still the issuer
of some ID Tokens; OAuth 2.0 for web servers and for devices), its discovery document, and callbacks, token responses
and answers of ``tokeninfo`` as clients' tests and reports show them.
Not verified, and assumed: a refresh token comes with the first authorization that asks for ``access_type=offline``, and
with ``prompt=consent``; a filter by ``hd`` shapes the list of accounts and nothing else; sentences of errors; statuses
of what a device is told.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from mock_idp.accounts import released
from mock_idp.dialects import avatars
from mock_idp.dialects.adapted import adapted, front_channel
from mock_idp.dialects.base import Dialect
from mock_idp.dialects.google import authorization, token, tokens
from mock_idp.dialects.identity import names_of, number_of
from mock_idp.dialects.oidc import ROUTES as SHARED
from mock_idp.protocol import userinfo

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mock_idp.protocol.endpoint import Endpoint
    from mock_idp.protocol.errors import OAuthError
    from mock_idp.protocol.table import Flow
    from mock_idp.protocol.token import TokenRequest
    from mock_idp.records import Account, Grant, Settings, Tenant
    from mock_idp.wire.http import Answer


@dataclass(frozen=True, slots=True)
class GoogleOptions:
    """What a tenant may have otherwise.

    Attributes:
        bare_issuer: ID Tokens name the issuer without its scheme, as those of old Google clients do. Which issuer that
            is, the setting ``issuer`` says: the tenant's own address, or ``https://accounts.google.com``.
        callback_extras: the authorization response also has ``scope``, ``authuser``, ``prompt`` and ``hd``.

    """

    bare_issuer: bool = False
    callback_extras: bool = True


_AUTHORIZE = front_channel("o/oauth2/v2/auth", authorization.STEPS)
_TOKEN = adapted(SHARED["token"], token.STEPS)
_USERINFO = adapted(SHARED["userinfo"], {userinfo.claims: (userinfo.claims, tokens.add_picture)})
_ROUTES: dict[str, Endpoint] = {
    ".well-known/openid-configuration": SHARED[".well-known/openid-configuration"],
    ".well-known/oauth-authorization-server": SHARED[".well-known/oauth-authorization-server"],
    **_AUTHORIZE,
    "o/oauth2/auth": _AUTHORIZE["o/oauth2/v2/auth"],
    "token": _TOKEN,
    "oauth2/v4/token": _TOKEN,
    "v1/userinfo": _USERINFO,
    "userinfo": _USERINFO,
    "oauth2/v3/userinfo": _USERINFO,
    "oauth2/v3/certs": SHARED["jwks"],
    "revoke": tokens.REVOCATION,
    "tokeninfo": tokens.TOKEN_INFO,
    "oauth2/v3/tokeninfo": tokens.TOKEN_INFO,
    "device/code": adapted(SHARED["device_authorization"], token.DEVICE_STEPS),
    "device": SHARED["device"],
    "avatars/": avatars.ENDPOINT,
}


class Google(Dialect[GoogleOptions]):
    """OpenID Connect with habits."""

    name = "google"
    openid = True
    grants = (
        "authorization_code",
        "refresh_token",
        "urn:ietf:params:oauth:grant-type:device_code",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
    )
    endpoint_names: ClassVar[Mapping[str, str]] = {
        "o/oauth2/v2/auth": "authorization_endpoint",
        "token": "token_endpoint",
        "v1/userinfo": "userinfo_endpoint",
        "revoke": "revocation_endpoint",
        "device/code": "device_authorization_endpoint",
        "oauth2/v3/certs": "jwks_uri",
    }

    def __init__(self) -> None:
        super().__init__(GoogleOptions)

    def routes(self, settings: Settings) -> Mapping[str, Endpoint]:
        """See `Dialect`."""
        return _ROUTES

    def access_token_lifetime(self, settings: Settings) -> int:
        """A second less than an hour."""
        return 3599 if settings.lifetimes.access_token is None else settings.lifetimes.access_token

    def refresh(self, settings: Settings) -> Literal["rotate", "fixed", "omit"]:
        """Refresh tokens stay as they are, and are not sent again."""
        return settings.refresh or "fixed"

    def scopes(self, settings: Settings) -> list[str] | None:
        """There are hundreds."""
        return None

    def sub(self, account: Account) -> str:
        """21 digits, unless a subject is configured."""
        if account.sub != account.name:
            return account.sub
        return str(number_of(account, 10**20, 12 * 10**19))

    def iss(self, settings: Settings, issuer: str) -> str:
        """The issuer, or what of it follows the scheme."""
        return issuer.partition("://")[2] if self.options_of(settings).bare_issuer else issuer

    def code(self) -> str:
        """``4/`` and 71 characters."""
        return f"4/0A{secrets.token_urlsafe(51)}"

    def access_token(self) -> str:
        """``ya29.`` and a long text."""
        return f"ya29.mock-{secrets.token_urlsafe(90)}"

    def refresh_token(self) -> str:
        """``1//`` and 100 characters."""
        return f"1//mock-{secrets.token_urlsafe(72)}"

    def refreshes(self, flow: TokenRequest) -> bool:
        """Only for access that is offline, and was not so before (see `authorization.settle_scope`)."""
        return authorization.OFFLINE in flow.scope

    def profile(
        self, account: Account, scope: list[str], wanted: dict[str, Any] | None, tenant: Tenant
    ) -> dict[str, Any]:
        """The claims of the scopes, with names apart; ``hd`` where the account has one."""
        return _claims(account, scope if tenant.settings.userinfo_profile else [], wanted)

    def id_token_claims(self, account: Account, scope: list[str], wanted: dict[str, Any] | None) -> dict[str, Any]:
        """As UserInfo."""
        return _claims(account, scope, wanted)

    def id_token_members(self, grant: Grant) -> dict[str, Any]:
        """``azp``, always."""
        return {"azp": grant.client_id}

    def token_error(self, flow: Flow, error: OAuthError) -> Answer:
        """A device that waits or hurries has a status of its own."""
        error.status = token.STATUS.get(error.error, error.status)
        return super().token_error(flow, error)

    def capabilities(self, settings: Settings) -> dict[str, Any]:
        """What of Google's discovery document is true here."""
        return {
            **super().capabilities(settings),
            "response_modes_supported": ["query", "fragment", "form_post"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [settings.signing_alg],
            "scopes_supported": ["openid", "email", "profile"],
            "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
            "claims_supported": [
                *("aud", "email", "email_verified", "exp", "family_name", "given_name", "hd", "iat", "iss", "name"),
                *("picture", "sub"),
            ],
        }


def _claims(account: Account, scope: list[str], wanted: dict[str, Any] | None) -> dict[str, Any]:
    found = released(account, scope, wanted)
    found.pop("preferred_username", None)
    if "profile" in scope:
        first, last = names_of(account)
        found["given_name"] = first
        if last:
            found["family_name"] = last
    return found


DIALECT = Google()
