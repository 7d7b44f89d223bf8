"""OpenID Connect as its specifications have it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from mock_idp.accounts import SCOPE_CLAIMS
from mock_idp.dialects.base import Dialect, NoOptions
from mock_idp.keys.ring import ALGORITHMS
from mock_idp.protocol import (
    authorization,
    device_authorization,
    device_page,
    dpop,
    introspection,
    logout,
    metadata,
    pushed,
    registration,
    request_object,
    revocation,
    token,
    userinfo,
)
from mock_idp.protocol.authorization.request import PROMPTS, RESPONSE_MODES
from mock_idp.protocol.client_authentication import ASSERTION_ALGORITHMS, METHODS
from mock_idp.protocol.endpoint import Endpoint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mock_idp.records import Settings

CLAIMS = [
    *("iss", "sub", "aud", "exp", "iat", "auth_time", "acr", "nonce", "at_hash", "c_hash", "s_hash", "sid"),
    *dict.fromkeys(name for names in SCOPE_CLAIMS.values() for name in names),
]
"""What ID Tokens and UserInfo can say."""

_DISCOVERY = Endpoint(metadata.DISCOVERY, metadata.Metadata, metadata.refuse, ("GET",))

ROUTES: dict[str, Endpoint] = {
    ".well-known/openid-configuration": _DISCOVERY,
    ".well-known/oauth-authorization-server": _DISCOVERY,
    "jwks": Endpoint(metadata.JWKS, metadata.Metadata, metadata.refuse, ("GET",)),
    "authorize": Endpoint(authorization.AUTHORIZATION, authorization.Authorization, authorization.refuse, cors=False),
    "sign-in": Endpoint(
        authorization.SIGN_IN, authorization.Authorization, authorization.refuse, ("POST",), cors=False
    ),
    "consent": Endpoint(
        authorization.CONSENT, authorization.Authorization, authorization.refuse, ("POST",), cors=False
    ),
    "par": Endpoint(pushed.PUSHED_REQUEST, pushed.PushedRequest, pushed.refuse, ("POST",)),
    "logout": Endpoint(logout.END_SESSION, logout.EndSession, logout.refuse, cors=False),
    "sign-out": Endpoint(logout.SIGN_OUT, logout.EndSession, logout.refuse, ("POST",), cors=False),
    "device": Endpoint(device_page.DEVICE_PAGE, device_page.DevicePage, device_page.refuse, cors=False),
    "token": Endpoint(token.TOKEN, token.TokenRequest, token.refuse, ("POST",)),
    "userinfo": Endpoint(userinfo.USERINFO, userinfo.UserInfo, userinfo.refuse),
    "introspect": Endpoint(introspection.INTROSPECTION, introspection.Introspection, introspection.refuse, ("POST",)),
    "revoke": Endpoint(revocation.REVOCATION, revocation.Revocation, revocation.refuse, ("POST",)),
    "register": Endpoint(registration.REGISTRATION, registration.Registration, registration.refuse, ("POST",)),
    "register/": Endpoint(
        registration.MANAGEMENT, registration.Registration, registration.refuse, ("GET", "PUT", "DELETE")
    ),
    "device_authorization": Endpoint(
        device_authorization.DEVICE_AUTHORIZATION,
        device_authorization.DeviceAuthorization,
        device_authorization.refuse,
        ("POST",),
    ),
}
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
        if device_authorization.GRANT_TYPE not in settings.grant_types:
            off += OF_DEVICES
        return {path: endpoint for path, endpoint in ROUTES.items() if path not in off} if off else ROUTES

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
            "request_object_signing_alg_values_supported": [*request_object.ALGORITHMS],
            "require_pushed_authorization_requests": settings.require_pushed_requests,
            "backchannel_logout_supported": True,
            "backchannel_logout_session_supported": True,
            "frontchannel_logout_supported": True,
            "frontchannel_logout_session_supported": True,
            "scopes_supported": settings.scopes,
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [settings.signing_alg],
            "userinfo_signing_alg_values_supported": [*ALGORITHMS],
            "dpop_signing_alg_values_supported": [*dpop.ALGORITHMS],
            "token_endpoint_auth_methods_supported": [*METHODS],
            "token_endpoint_auth_signing_alg_values_supported": [*ASSERTION_ALGORITHMS],
            "introspection_endpoint_auth_methods_supported": [method for method in METHODS if method != "none"],
            "introspection_endpoint_auth_signing_alg_values_supported": [*ASSERTION_ALGORITHMS],
            "revocation_endpoint_auth_methods_supported": [*METHODS],
            "revocation_endpoint_auth_signing_alg_values_supported": [*ASSERTION_ALGORITHMS],
        }
