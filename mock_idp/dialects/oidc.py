"""OpenID Connect as its specifications have it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from mock_idp.accounts import SCOPE_CLAIMS
from mock_idp.dialects.base import Dialect, NoOptions
from mock_idp.keys.ring import ALGORITHMS
from mock_idp.protocol.endpoint import Place, Routes
from mock_idp.protocol.vocabulary import (
    ASYMMETRIC,
    AUTH_METHODS,
    CLIENT_ALGORITHMS,
    DEVICE_CODE,
    PROMPTS,
    RESPONSE_MODES,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mock_idp.protocol.endpoint import Endpoint
    from mock_idp.records import Settings

CLAIMS = [
    *("iss", "sub", "aud", "exp", "iat", "auth_time", "acr", "nonce", "at_hash", "c_hash", "s_hash", "sid"),
    *dict.fromkeys(name for names in SCOPE_CLAIMS.values() for name in names),
]
"""What ID Tokens and UserInfo can say."""

_GET, _POST = ("GET",), ("POST",)
_DISCOVERY = Place("metadata", "DISCOVERY", "Metadata", _GET)

ROUTES = Routes(
    {
        ".well-known/openid-configuration": _DISCOVERY,
        ".well-known/oauth-authorization-server": _DISCOVERY,
        "jwks": Place("metadata", "JWKS", "Metadata", _GET),
        "authorize": Place("authorization", "AUTHORIZATION", "Authorization", cors=False),
        "sign-in": Place("authorization", "SIGN_IN", "Authorization", _POST, cors=False),
        "consent": Place("authorization", "CONSENT", "Authorization", _POST, cors=False),
        "par": Place("pushed", "PUSHED_REQUEST", "PushedRequest", _POST),
        "logout": Place("logout", "END_SESSION", "EndSession", cors=False),
        "sign-out": Place("logout", "SIGN_OUT", "EndSession", _POST, cors=False),
        "device": Place("device_page", "DEVICE_PAGE", "DevicePage", cors=False),
        "token": Place("token", "TOKEN", "TokenRequest", _POST),
        "userinfo": Place("userinfo", "USERINFO", "UserInfo"),
        "introspect": Place("introspection", "INTROSPECTION", "Introspection", _POST),
        "revoke": Place("revocation", "REVOCATION", "Revocation", _POST),
        "register": Place("registration", "REGISTRATION", "Registration", _POST),
        "register/": Place("registration", "MANAGEMENT", "Registration", ("GET", "PUT", "DELETE")),
        "device_authorization": Place("device_authorization", "DEVICE_AUTHORIZATION", "DeviceAuthorization", _POST),
    }
)
OF_REGISTRATION = ("register", "register/")
OF_DEVICES = ("device_authorization", "device")
"""Paths that are there only where what they are for is switched on."""


class OpenIdConnect(Dialect[NoOptions]):
    """The default."""

    name = "oidc"
    openid = True
    endpoint_names: ClassVar[Mapping[str, str]] = {
        "authorize": "authorization_endpoint",
        "token": "token_endpoint",
        "userinfo": "userinfo_endpoint",
        "jwks": "jwks_uri",
        "par": "pushed_authorization_request_endpoint",
        "logout": "end_session_endpoint",
        "introspect": "introspection_endpoint",
        "revoke": "revocation_endpoint",
        "register": "registration_endpoint",
        "device_authorization": "device_authorization_endpoint",
    }

    def __init__(self) -> None:
        super().__init__(NoOptions)

    def routes(self, settings: Settings) -> Mapping[str, Endpoint]:
        """See `Dialect`."""
        off: tuple[str, ...] = () if settings.registration else OF_REGISTRATION
        if DEVICE_CODE not in settings.grant_types:
            off += OF_DEVICES
        return ROUTES.without(off)

    def capabilities(self, settings: Settings) -> dict[str, Any]:
        """OpenID Connect Discovery 1.0, section 3."""
        return {
            **super().capabilities(settings),
            "response_modes_supported": [*RESPONSE_MODES],
            "prompt_values_supported": [*PROMPTS],
            "claims_parameter_supported": True,
            "claims_supported": CLAIMS,
            "acr_values_supported": settings.acr_values,
            "ui_locales_supported": ["en"],
            "request_parameter_supported": True,
            "request_uri_parameter_supported": True,
            "require_request_uri_registration": True,
            "request_object_signing_alg_values_supported": [*CLIENT_ALGORITHMS],
            "require_pushed_authorization_requests": settings.require_pushed_requests,
            "backchannel_logout_supported": True,
            "backchannel_logout_session_supported": True,
            "frontchannel_logout_supported": True,
            "frontchannel_logout_session_supported": True,
            "scopes_supported": settings.scopes,
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [settings.signing_alg],
            "userinfo_signing_alg_values_supported": [*ALGORITHMS],
            "dpop_signing_alg_values_supported": [*ASYMMETRIC],
            "token_endpoint_auth_methods_supported": [*AUTH_METHODS],
            "token_endpoint_auth_signing_alg_values_supported": [*CLIENT_ALGORITHMS],
            "introspection_endpoint_auth_methods_supported": [method for method in AUTH_METHODS if method != "none"],
            "introspection_endpoint_auth_signing_alg_values_supported": [*CLIENT_ALGORITHMS],
            "revocation_endpoint_auth_methods_supported": [*AUTH_METHODS],
            "revocation_endpoint_auth_signing_alg_values_supported": [*CLIENT_ALGORITHMS],
        }
