"""Plain OAuth 2.0 whose paths, field names and habits are settings: for providers that have no make of their own."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any, ClassVar, Literal
from urllib.parse import urlencode

from mock_idp.accounts import claims_of
from mock_idp.dialects.adapted import adapted, front_channel
from mock_idp.dialects.base import Dialect
from mock_idp.dialects.bodies import read_form_or_json
from mock_idp.dialects.identity import as_number, login_of
from mock_idp.dialects.oidc import OF_DEVICES
from mock_idp.dialects.oidc import ROUTES as SHARED
from mock_idp.protocol import token, userinfo
from mock_idp.protocol.authorization.request import check_scope
from mock_idp.protocol.client_authentication import authenticate_client, read_form, refused
from mock_idp.protocol.device_authorization import take_scope
from mock_idp.protocol.vocabulary import DEVICE_CODE
from mock_idp.wire.http import FORM, NO_STORE, Answer, json_answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mock_idp.protocol.authorization import Authorization
    from mock_idp.protocol.client_authentication import ClientRequest
    from mock_idp.protocol.device_authorization import DeviceAuthorization
    from mock_idp.protocol.endpoint import Endpoint
    from mock_idp.protocol.errors import OAuthError
    from mock_idp.protocol.table import Flow, Step
    from mock_idp.protocol.token import TokenRequest
    from mock_idp.protocol.userinfo import UserInfo
    from mock_idp.records import Account, Grant, Settings, Tenant

_BEYOND = ("par", "introspect", "revoke")
"""Endpoints that are as everywhere."""
_METADATA = ".well-known/oauth-authorization-server"
_PATH = re.compile(r"[A-Za-z0-9._~-]+(?:/[A-Za-z0-9._~-]+)*")
_PATHS = ("authorize_path", "token_path", "profile_path")
_NAMES = ("id_field", "login_field", "name_field", "email_field", "verified_field")


@dataclass(frozen=True, slots=True)
class OAuth2Options:
    """What a tenant has in its own way.

    Attributes:
        authorize_path: of the authorization endpoint, below the tenant.
        token_path: of the token endpoint.
        profile_path: of the endpoint that says whose token it is.
        metadata: RFC 8414 metadata are published.
        scope_separator: between scopes, in requests and answers.
        default_scope: what is granted where none is asked for.
        client_auth: how clients may authenticate.
        json_requests: the token endpoint reads JSON bodies besides forms.
        token_encoding: of token responses: ``json``, ``form``, or by what ``Accept`` names, else a form.
        token_type: as token responses spell it.
        success_status: of token responses.
        error_status: of their refusals; 0 is as RFC 6749 has it.
        expires_in: token responses tell how long the token lives.
        scope_in_response: token responses tell what was granted.
        wrap: names under which the profile lies, joined by dots; "" is bare.
        id_field: name of the identifier, which is never reassigned.
        id_type: of its value.
        login_field: name of the renamable user name; "" leaves it out, here and below.
        name_field: name of the person's name.
        email_field: name of the e-mail address.
        verified_field: name of the mark of a verified address.

    """

    authorize_path: str = "authorize"
    token_path: str = "token"  # noqa: S105 # a path
    profile_path: str = "userinfo"
    metadata: bool = True
    scope_separator: str = " "
    default_scope: list[str] = field(default_factory=list)
    client_auth: list[Literal["client_secret_basic", "client_secret_post", "none"]] = field(
        default_factory=lambda: ["client_secret_basic", "client_secret_post", "none"]
    )
    json_requests: bool = False
    token_encoding: Literal["json", "form", "accept"] = "json"  # noqa: S105 # a kind of encoding
    token_type: str = "Bearer"  # noqa: S105 # a kind of token
    success_status: int = 200
    error_status: int = 0
    expires_in: bool = True
    scope_in_response: bool = True
    wrap: str = ""
    id_field: str = "id"
    id_type: Literal["text", "number"] = "text"
    login_field: str = "login"
    name_field: str = "name"
    email_field: str = "email"
    verified_field: str = ""

    def __post_init__(self) -> None:
        """Refuse what could not be served."""
        for key in _PATHS:
            _check(
                bool(_PATH.fullmatch(getattr(self, key))),
                key,
                "expected a path such as oauth/token, without slashes at its ends",
            )
        paths = [self.authorize_path, self.token_path, self.profile_path]
        taken = {"sign-in", "consent", _METADATA, *_BEYOND, *OF_DEVICES}
        for number, key in enumerate(_PATHS):
            _check(paths[number] not in {*paths[:number], *taken}, key, "this path leads to another endpoint already")
        _check(self.scope_separator in {" ", ",", "+", "|", ";"}, "scope_separator", "expected one of space , + | ;")
        _check(
            bool(self.client_auth),
            "client_auth",
            "expected at least one of client_secret_basic, client_secret_post, none",
        )
        _check(bool(self.token_type), "token_type", "expected a type such as Bearer")
        _check(self.success_status in range(200, 300), "success_status", "expected a status from 200 to 299")
        _check(self.error_status in {0, *range(200, 500)}, "error_status", "expected a status from 200 to 499, or 0")
        _check(not self.wrap or all(self.wrap.split(".")), "wrap", "expected names joined by dots, such as data.user")
        _check(bool(self.id_field), "id_field", "a profile without an identifier names nobody")
        named = [getattr(self, key) for key in _NAMES if getattr(self, key)]
        _check(len(named) == len({*named}), "id_field", f"two of {', '.join(_NAMES)} are the same")


def _check(sound: bool, key: str, sentence: str) -> None:  # noqa: FBT001 # reads as a sentence where it is called
    if not sound:
        raise ValueError(f"{key}: {sentence}")


# --- scopes -----------------------------------------------------------------------------------------------------------


def separate_scope(flow: Authorization | DeviceAuthorization | TokenRequest) -> None:
    """Scopes by the tenant's separator; its default ones where none is asked for."""
    options = DIALECT.options_of(flow.tenant.settings)
    separated = [part for value in flow.scope for part in value.split(options.scope_separator) if part]
    flow.scope = list(dict.fromkeys(separated)) or [*options.default_scope]


# --- tokens -----------------------------------------------------------------------------------------------------------


def read_body(flow: ClientRequest) -> None:
    """A form, and JSON where the tenant takes it."""
    (read_form_or_json if DIALECT.options_of(flow.tenant.settings).json_requests else read_form)(flow)


def authenticate(flow: ClientRequest) -> None:
    """By one of the ways that the tenant has switched on."""
    allowed = DIALECT.options_of(flow.tenant.settings).client_auth
    if flow.method not in allowed:
        raise refused(f"the client authenticates by {flow.method}; here it may use {', '.join(allowed)}")
    authenticate_client(flow)


def token_type(flow: TokenRequest) -> None:
    """``token_type``, as the tenant spells it."""
    flow.members["token_type"] = DIALECT.options_of(flow.tenant.settings).token_type


def expires_in(flow: TokenRequest) -> None:
    """``expires_in``, where the tenant tells it."""
    if DIALECT.options_of(flow.tenant.settings).expires_in:
        token.expires_in(flow)


def granted_scope(flow: TokenRequest) -> None:
    """``scope``, by the tenant's separator."""
    options = DIALECT.options_of(flow.tenant.settings)
    if options.scope_in_response:
        flow.members["scope"] = options.scope_separator.join(flow.scope)


# --- the profile ------------------------------------------------------------------------------------------------------


def send_profile(flow: UserInfo) -> Answer:
    """The profile by the tenant's names, wrapped as it wraps it."""
    options = DIALECT.options_of(flow.tenant.settings)
    names = {
        "login": options.login_field,
        "name": options.name_field,
        "email": options.email_field,
        "email_verified": options.verified_field,
    }
    document: dict[str, Any] = {}
    for key, value in flow.profile.items():
        if key != options.id_field and key in names:
            key = names[key]  # noqa: PLW2901 # the same member by another name
        if key:
            document[key] = value
    for name in reversed(options.wrap.split(".") if options.wrap else []):
        document = {name: document}
    return json_answer(200, document)


# --- the make ---------------------------------------------------------------------------------------------------------

_FRONT: Mapping[Step[Any], tuple[Step[Any], ...]] = {check_scope: (check_scope, separate_scope)}
_TOKEN: Mapping[Step[Any], tuple[Step[Any], ...]] = {
    read_form: (read_body,),
    authenticate_client: (authenticate,),
    token.redeem: (token.redeem, separate_scope),
    token.token_type: (token_type,),
    token.expires_in: (expires_in,),
    token.granted_scope: (granted_scope,),
    token.issue_id_token: (),
}
_DEVICE: Mapping[Step[Any], tuple[Step[Any], ...]] = {take_scope: (take_scope, separate_scope)}
_PROFILE: Mapping[Step[Any], tuple[Step[Any], ...]] = {userinfo.send: (send_profile,)}


@lru_cache(maxsize=100)
def _routes(
    authorize_path: str,
    token_path: str,
    profile_path: str,
    metadata: bool,  # noqa: FBT001 # a cache takes what it remembers by position
    devices: bool,  # noqa: FBT001 # as above
) -> dict[str, Endpoint]:
    routes = {
        **front_channel(authorize_path, _FRONT),
        token_path: adapted(SHARED["token"], _TOKEN),
        profile_path: adapted(SHARED["userinfo"], _PROFILE),
        **{path: SHARED[path] for path in _BEYOND},
    }
    if devices:
        routes["device_authorization"] = adapted(SHARED["device_authorization"], _DEVICE)
        routes["device"] = SHARED["device"]
    return {_METADATA: SHARED[_METADATA], **routes} if metadata else routes


class OAuth2(Dialect[OAuth2Options]):
    """As its options say."""

    name = "oauth2"
    token_schemes: ClassVar[tuple[str, ...]] = ("bearer",)

    def __init__(self) -> None:
        super().__init__(OAuth2Options)

    def routes(self, settings: Settings) -> Mapping[str, Endpoint]:
        """See `Dialect`."""
        options = self.options_of(settings)
        devices = DEVICE_CODE in settings.grant_types
        return _routes(options.authorize_path, options.token_path, options.profile_path, options.metadata, devices)

    def names(self, settings: Settings) -> Mapping[str, str]:
        """By the tenant's paths."""
        options = self.options_of(settings)
        return {
            options.authorize_path: "authorization_endpoint",
            options.token_path: "token_endpoint",
            options.profile_path: "userinfo_endpoint",
            "par": "pushed_authorization_request_endpoint",
            "device_authorization": "device_authorization_endpoint",
            "introspect": "introspection_endpoint",
            "revoke": "revocation_endpoint",
        }

    def subject(self, account: Account, grant: Grant, settings: Settings) -> dict[str, Any]:
        """The subject under the tenant's name for it; as a number it follows from the text where that is none."""
        options = self.options_of(settings)
        if options.id_type == "text":
            return {options.id_field: grant.sub}
        told = as_number(grant.sub)
        derived = int.from_bytes(sha256(grant.sub.encode("utf-8", "replace")).digest()[:6], "big")
        return {options.id_field: derived if told is None else told}

    def profile(
        self, account: Account, scope: list[str], wanted: dict[str, Any] | None, tenant: Tenant
    ) -> dict[str, Any]:
        """Everything that is known, whatever the scope."""
        known = claims_of(account)
        known.pop("preferred_username", None)
        known.pop(self.options_of(tenant.settings).id_field, None)
        return {"login": login_of(account), **known}

    def token_answer(self, flow: TokenRequest, status: int, members: dict[str, Any]) -> Answer:
        """In the tenant's encoding, with its status."""
        options = self.options_of(flow.tenant.settings)
        if _as_json(flow, options):
            return json_answer(options.success_status, members)
        return Answer(
            options.success_status, [(b"content-type", FORM.encode()), *NO_STORE], urlencode(members).encode()
        )

    def token_error(self, flow: Flow, error: OAuthError) -> Answer:
        """As everywhere, in the tenant's encoding and with its status."""
        options = self.options_of(flow.tenant.settings)
        answer = super().token_error(flow, error)
        if options.error_status and answer.status < 500:  # noqa: PLR2004 # faults of the provider stay as they are
            answer.status = options.error_status
        if not _as_json(flow, options):
            answer.headers = [(b"content-type", FORM.encode()), *answer.headers[1:]]
            answer.body = urlencode(json.loads(answer.body)).encode()
        return answer

    def capabilities(self, settings: Settings) -> dict[str, Any]:
        """RFC 8414, section 2."""
        return {
            **super().capabilities(settings),
            "response_modes_supported": ["query", "fragment", "form_post"],
            "token_endpoint_auth_methods_supported": self.options_of(settings).client_auth,
        }


def _as_json(flow: Flow, options: OAuth2Options) -> bool:
    encoding = options.token_encoding
    return flow.request.accepts("application/json") if encoding == "accept" else encoding == "json"


DIALECT = OAuth2()
