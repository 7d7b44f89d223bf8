"""Client metadata (RFC 7591, section 2): what a client may say of itself, checked member by member."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, get_args
from urllib.parse import urlsplit

from mock_idp.keys.ring import ALGORITHMS
from mock_idp.protocol.errors import OAuthError
from mock_idp.protocol.uris import is_uri, runs_script
from mock_idp.protocol.vocabulary import AUTH_METHODS, CLIENT_ALGORITHMS, in_order
from mock_idp.records import Client, GrantType, unguessable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mock_idp.records import AuthMethod, Settings

    Check = Callable[[str, Any], None]

_SOURCE = "RFC 7591, section 2"
_LOGOUT = "OpenID Connect RP-Initiated, Back-Channel and Front-Channel Logout 1.0"
_MOST_TEXT = 2000
_MOST_ENTRIES = 100
_BY_SECRET = ("client_secret_basic", "client_secret_post", "client_secret_jwt")
_NEEDED_GRANT = {"code": "authorization_code", "token": "implicit", "id_token": "implicit"}
"""Which grant type a word of a response type belongs to (RFC 7591, section 2.1)."""


def refusal(sentence: str, error: str = "invalid_client_metadata", source: str = _SOURCE) -> OAuthError:
    """The metadata cannot be used (RFC 7591, section 3.2.2)."""
    return OAuthError(error, sentence, source)


# --- kinds of values --------------------------------------------------------------------------------------------------


def _text(name: str, value: Any) -> None:
    if not isinstance(value, str) or not value or len(value) > _MOST_TEXT:
        raise refusal(f"{name} is not a text of 1 to {_MOST_TEXT} characters")


def _texts(name: str, value: Any) -> None:
    if not isinstance(value, list) or len(value) > _MOST_ENTRIES:
        raise refusal(f"{name} is not a list of at most {_MOST_ENTRIES} texts")
    for entry in value:
        _text(f"an entry of {name}", entry)


def _flag(name: str, value: Any) -> None:
    if not isinstance(value, bool):
        raise refusal(f"{name} is neither true nor false")


def _seconds(name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise refusal(f"{name} is not a whole number of seconds")


def _url(name: str, value: Any) -> None:
    _text(name, value)
    if not is_uri(value) or urlsplit(value).scheme not in ("http", "https") or not urlsplit(value).hostname:
        raise refusal(f"{name} is not an absolute http or https URL")


def _urls(name: str, value: Any) -> None:
    _texts(name, value)
    for entry in value:
        # The fragment of a request_uri may be a hash of the object (OpenID Connect Core 1.0, section 6.2).
        _url(f"an entry of {name}", entry.partition("#")[0])


def _redirect_uris(name: str, value: Any) -> None:
    error = "invalid_redirect_uri"
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value) or len(value) > _MOST_ENTRIES:
        raise refusal(f"{name} is not a list of at most {_MOST_ENTRIES} URIs", error)
    for entry in value:
        if len(entry) > _MOST_TEXT or not is_uri(entry):
            raise refusal(f"{entry[:200]!r} of {name} is not an absolute URI without a fragment", error)
        if runs_script(entry):
            raise refusal(f"{entry[:200]!r} of {name} would run as script", error)


def _keys(name: str, value: Any) -> None:
    keys = value.get("keys") if isinstance(value, dict) else None
    if not isinstance(keys, list) or not all(isinstance(key, dict) and isinstance(key.get("kty"), str) for key in keys):
        raise refusal(f"{name} is not a JWK Set")
    if any("d" in key or key["kty"] == "oct" for key in keys):
        raise refusal(f"{name} holds a private or a symmetric key; only public ones are registered")


def _one_of(*values: str) -> Check:
    def check(name: str, value: Any) -> None:
        if not isinstance(value, str) or value not in values:
            raise refusal(f"{name} is {str(value)[:80]!r}; here it may be {', '.join(values)}")

    return check


def _only(*values: str) -> Check:
    def check(name: str, value: Any) -> None:
        _texts(name, value)
        for entry in value:
            if entry not in values:
                raise refusal(f"{name} holds {entry[:80]!r}; here it may hold {', '.join(values)}")

    return check


def _unavailable(name: str, _: Any) -> None:
    raise refusal(f"{name}: nothing is encrypted here")


KNOWN: Mapping[str, Check] = {
    "redirect_uris": _redirect_uris,
    "token_endpoint_auth_method": _one_of(*AUTH_METHODS),
    "token_endpoint_auth_signing_alg": _one_of(*CLIENT_ALGORITHMS),
    "grant_types": _only(*get_args(GrantType)),
    "response_types": _texts,
    "client_name": _text,
    "client_uri": _url,
    "logo_uri": _url,
    "scope": _text,
    "contacts": _texts,
    "tos_uri": _url,
    "policy_uri": _url,
    "jwks_uri": _url,
    "jwks": _keys,
    "software_id": _text,
    "software_version": _text,
    "application_type": _one_of("web", "native"),
    "sector_identifier_uri": _url,
    "subject_type": _one_of("public"),
    "id_token_signed_response_alg": _one_of(*ALGORITHMS),
    "userinfo_signed_response_alg": _one_of(*ALGORITHMS),
    "request_object_signing_alg": _one_of(*CLIENT_ALGORITHMS),
    "default_max_age": _seconds,
    "require_auth_time": _flag,
    "default_acr_values": _texts,
    "initiate_login_uri": _url,
    "request_uris": _urls,
    "post_logout_redirect_uris": _redirect_uris,
    "backchannel_logout_uri": _url,
    "backchannel_logout_session_required": _flag,
    "frontchannel_logout_uri": _url,
    "frontchannel_logout_session_required": _flag,
    "require_pushed_authorization_requests": _flag,
    "dpop_bound_access_tokens": _flag,
    "id_token_encrypted_response_alg": _unavailable,
    "userinfo_encrypted_response_alg": _unavailable,
    "request_object_encryption_alg": _unavailable,
}
"""What is understood. Anything else is ignored (section 2)."""
TRANSLATED = ("client_name", "client_uri", "logo_uri", "tos_uri", "policy_uri")
"""Members that may stand in several languages, as ``client_name#fr`` (section 2.2)."""
_KEPT_AS_FIELDS = frozenset(
    {
        "redirect_uris",
        "token_endpoint_auth_method",
        "grant_types",
        "response_types",
        "client_name",
        "jwks_uri",
        "jwks",
        "userinfo_signed_response_alg",
        "post_logout_redirect_uris",
        "backchannel_logout_uri",
        "frontchannel_logout_uri",
        "require_pushed_authorization_requests",
        "dpop_bound_access_tokens",
    }
)


# --- from metadata to client and back ---------------------------------------------------------------------------------


def understood(document: Mapping[str, Any]) -> dict[str, Any]:
    """The members that are understood, each checked by itself; null and what is not understood count as absent.

    Raises:
        OAuthError: one cannot be used.

    """
    found = {}
    for name, value in document.items():
        bare, _, language = name.partition("#")
        check = KNOWN.get(bare) if not language or bare in TRANSLATED else None
        if check is not None and value is not None:
            check(name[:80], value)
            found[name] = value
    return found


def completed(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """What was not said is as RFC 7591, section 2, has it."""
    defaults = {
        "token_endpoint_auth_method": "client_secret_basic",
        "grant_types": ["authorization_code"],
        "response_types": ["code"]
        if "authorization_code" in metadata.get("grant_types", ["authorization_code"])
        else [],
    }
    return {**defaults, **metadata}


def check_grant_types(metadata: Mapping[str, Any], settings: Settings) -> None:
    """The tenant has them switched on.

    Raises:
        OAuthError: it has not.

    """
    for grant in metadata["grant_types"]:
        if grant not in settings.grant_types:
            raise refusal(f"grant_types holds {grant}, which is switched off here")


def check_response_types(metadata: Mapping[str, Any], offered: list[str]) -> None:
    """The tenant gives them, and each word of them goes with one of the grant types (section 2.1).

    Raises:
        OAuthError: it does not.

    """
    allowed = {in_order(value) for value in offered}
    for response_type in metadata["response_types"]:
        if in_order(response_type) not in allowed:
            raise refusal(f"response_types holds {response_type[:80]!r}, which is switched off here")
        for word in response_type.split():
            if _NEEDED_GRANT.get(word) not in metadata["grant_types"]:
                raise refusal(
                    f"response_types holds {response_type!r}, which needs the grant type {_NEEDED_GRANT.get(word)}",
                    source="RFC 7591, section 2.1",
                )


def check_redirects(metadata: Mapping[str, Any]) -> None:
    """Who redirects says where to.

    Raises:
        OAuthError: it does not.

    """
    if {"authorization_code", "implicit"} & {*metadata["grant_types"]} and not metadata.get("redirect_uris"):
        raise refusal("redirect_uris is missing; the grant types redirect", "invalid_redirect_uri")


def check_authentication(metadata: Mapping[str, Any]) -> None:
    """How the client authenticates goes with its keys and grant types.

    Raises:
        OAuthError: it does not.

    """
    method, algorithm = metadata["token_endpoint_auth_method"], metadata.get("token_endpoint_auth_signing_alg")
    if "jwks" in metadata and "jwks_uri" in metadata:
        raise refusal("jwks and jwks_uri exclude each other")
    if method == "private_key_jwt" and not ("jwks" in metadata or "jwks_uri" in metadata):
        raise refusal("token_endpoint_auth_method private_key_jwt needs jwks or jwks_uri")
    if method == "none" and "client_credentials" in metadata["grant_types"]:
        raise refusal(
            "the grant type client_credentials needs a client that authenticates", source="RFC 6749, section 4.4"
        )
    if algorithm is not None and method != ("client_secret_jwt" if algorithm.startswith("HS") else "private_key_jwt"):
        raise refusal(
            f"token_endpoint_auth_signing_alg {algorithm} does not go with token_endpoint_auth_method {method}"
        )


def check_id_token_algorithm(metadata: Mapping[str, Any], settings: Settings) -> None:
    """ID Tokens are signed by one algorithm in all of a tenant.

    Raises:
        OAuthError: another one is asked for.

    """
    asked = metadata.get("id_token_signed_response_alg", settings.signing_alg)
    if asked != settings.signing_alg:
        raise refusal(f"id_token_signed_response_alg is {asked}; this tenant signs with {settings.signing_alg}")


def new_client(metadata: Mapping[str, Any], client: Client) -> Client:
    """The client as its metadata describe it; a secret is made where it needs one and has none.

    Args:
        metadata: complete and checked.
        client: gives what is not metadata: id, registration token, secret, leniencies.

    """
    method: AuthMethod = metadata["token_endpoint_auth_method"]
    secret = client.secret or unguessable() if method in _BY_SECRET else None
    return replace(
        client,
        secret=secret,
        name=metadata.get("client_name", ""),
        redirect_uris=metadata.get("redirect_uris", []),
        post_logout_redirect_uris=metadata.get("post_logout_redirect_uris", []),
        auth_methods=_methods(method),
        grant_types=metadata["grant_types"],
        response_types=metadata["response_types"],
        jwks=metadata.get("jwks"),
        jwks_uri=metadata.get("jwks_uri"),
        backchannel_logout_uri=metadata.get("backchannel_logout_uri"),
        frontchannel_logout_uri=metadata.get("frontchannel_logout_uri"),
        userinfo_signed_alg=metadata.get("userinfo_signed_response_alg"),
        require_pushed_requests=metadata.get("require_pushed_authorization_requests", False),
        dpop_bound=metadata.get("dpop_bound_access_tokens", False),
        metadata={
            **{name: value for name, value in metadata.items() if name not in _KEPT_AS_FIELDS},
            "token_endpoint_auth_method": method,
        },
    )


def _methods(method: AuthMethod) -> list[AuthMethod]:
    """Secrets may come by Basic or in the body, whichever of the two was registered: client libraries mix them up."""
    return ["client_secret_basic", "client_secret_post"] if method in _BY_SECRET[:2] else [method]


def described(client: Client, settings: Settings) -> dict[str, Any]:
    """The client's metadata as they are kept (RFC 7591, section 3.2.1)."""
    optional = {
        "client_name": client.name or None,
        "redirect_uris": client.redirect_uris or None,
        "post_logout_redirect_uris": client.post_logout_redirect_uris or None,
        "jwks": client.jwks,
        "jwks_uri": client.jwks_uri,
        "backchannel_logout_uri": client.backchannel_logout_uri,
        "frontchannel_logout_uri": client.frontchannel_logout_uri,
        "userinfo_signed_response_alg": client.userinfo_signed_alg,
    }
    return {
        "grant_types": client.grant_types,
        "response_types": client.response_types,
        "id_token_signed_response_alg": settings.signing_alg,
        "require_pushed_authorization_requests": client.require_pushed_requests,
        "dpop_bound_access_tokens": client.dpop_bound,
        **client.metadata,
        **{name: value for name, value in optional.items() if value is not None},
    }
