"""42 Intra (``api.intra.42.fr``).

From 42's guides (specification, getting started, web application flow: github.com/42School/api-documentation and
api.intra.42.fr/apidoc/guides), the example of ``/v2/me`` in its reference, and two reports of measurements against the
real one, of September and October 2026: ``token_type`` is ``Bearer``, refusals of the token endpoint have Doorkeeper's
sentences and status 401, ``/v2/me`` answers 404 and ``{}`` to a client's own token, the 429 is plain text, and whoever
sends no ``User-Agent`` gets 403.
Not verified, and assumed: a code's answer has a ``refresh_token`` (clients declare it; the reports did not see one);
``secret_valid_until`` is a number or null (both were seen); limits count the API and not the token endpoint; whether
``Retry-After`` comes with a 429 (clients read it, one report did not see it: an option); other members of ``/v2/me``
than the reference shows; the form of the error of an invalid access token.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from mock_idp.dialects import avatars
from mock_idp.dialects.adapted import adapted, front_channel
from mock_idp.dialects.base import Dialect
from mock_idp.dialects.identity import as_number
from mock_idp.dialects.intra42 import api, authorization, profile, token
from mock_idp.dialects.oidc import ROUTES as SHARED
from mock_idp.wire.http import NO_STORE, json_answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mock_idp.protocol.endpoint import Endpoint
    from mock_idp.protocol.errors import OAuthError
    from mock_idp.protocol.table import Flow
    from mock_idp.protocol.token import TokenRequest
    from mock_idp.records import Account, Grant, Settings, Tenant
    from mock_idp.wire.http import Answer


@dataclass(frozen=True, slots=True)
class Intra42Options:
    """What a tenant may have otherwise.

    Attributes:
        limited: requests beyond the limits are refused with 429; the headers tell the limits in any case.
        secondly_limit: requests a second and client.
        hourly_limit: requests an hour and client.
        retry_after: a 429 says how long to wait.
        silent_approval: whoever has allowed a client once is not asked again.
        secret_lifetime: seconds until the client's secret ends, told as ``secret_valid_until``; 0 tells null.

    """

    limited: bool = False
    secondly_limit: int = 2
    hourly_limit: int = 1200
    retry_after: bool = True
    silent_approval: bool = True
    secret_lifetime: int = 30 * 24 * 3600


_ROUTES: dict[str, Endpoint] = {
    **front_channel("oauth/authorize", authorization.STEPS),
    "oauth/token": adapted(SHARED["token"], token.STEPS),
    "oauth/token/info": adapted(
        SHARED["userinfo"], api.TOKEN_INFO, flow=api.ApiRequest, refuse=api.refuse, methods=("GET",)
    ),
    "v2/me": adapted(SHARED["userinfo"], api.ME, flow=api.ApiRequest, refuse=api.refuse, methods=("GET",)),
    "v2/users/": adapted(SHARED["userinfo"], api.USERS, flow=api.ApiRequest, refuse=api.refuse, methods=("GET",)),
    "avatars/": avatars.ENDPOINT,
}


class Intra42(Dialect[Intra42Options]):
    """Doorkeeper with a few members more, and one large profile."""

    name = "intra42"
    grants = ("authorization_code", "refresh_token", "client_credentials")
    token_schemes = ("bearer",)
    endpoint_names: ClassVar[Mapping[str, str]] = {
        "oauth/authorize": "authorization_endpoint",
        "oauth/token": "token_endpoint",
        "v2/me": "userinfo_endpoint",
    }

    def __init__(self) -> None:
        super().__init__(Intra42Options)

    def routes(self, settings: Settings) -> Mapping[str, Endpoint]:
        """See `Dialect`."""
        return _ROUTES

    def response_types(self, settings: Settings) -> list[str]:
        """The code flow."""
        return ["code"]

    def iss_parameter(self, settings: Settings) -> bool:
        """Not sent."""
        return False

    def access_token_lifetime(self, settings: Settings) -> int:
        """Two hours."""
        return 7200 if settings.lifetimes.access_token is None else settings.lifetimes.access_token

    def sub(self, account: Account) -> str:
        """The numeric id, as text."""
        return str(profile.id_of(account))

    def code(self) -> str:
        """64 hexadecimal digits, as all of Doorkeeper's secrets."""
        return secrets.token_hex(32)

    def access_token(self) -> str:
        """64 hexadecimal digits."""
        return secrets.token_hex(32)

    def refresh_token(self) -> str:
        """64 hexadecimal digits."""
        return secrets.token_hex(32)

    def subject(self, account: Account, grant: Grant, settings: Settings) -> dict[str, Any]:
        """A number."""
        told = as_number(grant.sub)
        return {"id": profile.id_of(account) if told is None else told}

    def profile(
        self, account: Account, scope: list[str], wanted: dict[str, Any] | None, tenant: Tenant
    ) -> dict[str, Any]:
        """Everything, whatever the scope; there is no mark of a verified address."""
        return profile.profile(account)

    def token_members(self, flow: TokenRequest) -> None:
        """``created_at`` and ``secret_valid_until``, in seconds since 1970."""
        lifetime = self.options_of(flow.tenant.settings).secret_lifetime
        flow.members["created_at"] = int(flow.now)
        flow.members["secret_valid_until"] = int(flow.now) + lifetime if lifetime else None

    def token_error(self, flow: Flow, error: OAuthError) -> Answer:
        """Doorkeeper's sentences, which do not tell reasons apart, with status 401."""
        sentence = token.SENTENCES.get(error.error, error.description)
        challenge = f'Bearer realm="42 API", error="{error.error}", error_description="{sentence}"'
        headers = [*NO_STORE, (b"www-authenticate", challenge.encode("latin-1", "replace"))]
        members = {"error": error.error, "error_description": sentence, **error.tell}
        return json_answer(max(error.status, token.UNAUTHORIZED), members, headers)


DIALECT = Intra42()
