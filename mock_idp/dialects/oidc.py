"""OpenID Connect as its specifications have it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from mock_idp.dialects.base import Dialect
from mock_idp.protocol import authorization, metadata, token, userinfo
from mock_idp.protocol.endpoint import Endpoint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mock_idp.records import Settings

_DISCOVERY = Endpoint(metadata.DISCOVERY, metadata.Metadata, metadata.refuse, ("GET",))

ROUTES: dict[str, Endpoint] = {
    ".well-known/openid-configuration": _DISCOVERY,
    ".well-known/oauth-authorization-server": _DISCOVERY,
    "jwks": Endpoint(metadata.JWKS, metadata.Metadata, metadata.refuse, ("GET",)),
    "authorize": Endpoint(authorization.AUTHORIZATION, authorization.Authorization, authorization.refuse, cors=False),
    "sign-in": Endpoint(authorization.SIGN_IN, authorization.Authorization, authorization.refuse, ("POST",), cors=False),
    "token": Endpoint(token.TOKEN, token.TokenRequest, token.refuse, ("POST",)),
    "userinfo": Endpoint(userinfo.USERINFO, userinfo.UserInfo, userinfo.refuse),
}


class OpenIdConnect(Dialect):
    """The default."""

    name = "oidc"
    openid = True
    endpoint_names: ClassVar[Mapping[str, str]] = {
        "authorize": "authorization_endpoint",
        "token": "token_endpoint",
        "userinfo": "userinfo_endpoint",
        "jwks": "jwks_uri",
    }

    def routes(self, settings: Settings) -> Mapping[str, Endpoint]:
        """See `Dialect`."""
        return ROUTES

    def capabilities(self, settings: Settings) -> dict[str, Any]:
        """OpenID Connect Discovery 1.0, section 3."""
        return {
            **super().capabilities(settings),
            "response_modes_supported": ["query", "fragment", "form_post"],
            "scopes_supported": settings.scopes,
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [settings.signing_alg],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        }
