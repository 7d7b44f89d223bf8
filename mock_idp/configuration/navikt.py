"""The JSON configuration of navikt's mock-oauth2-server, read as it is, so that its users can move.

Its keys are those of that project's `OAuth2Config` and README (section "Token Customization via JSON_CONFIG").
"""

from __future__ import annotations

from typing import Any, get_args

from mock_idp.accounts import usual_accounts
from mock_idp.configuration.config import Config
from mock_idp.configuration.reading import DocumentError, join, read
from mock_idp.configuration.tenants import check_name, check_settings, read_clock
from mock_idp.records import Algorithm, ClaimMapping, Clock, Lifetimes, Settings, Tenant

KEYS = frozenset(
    {
        "interactiveLogin",
        "loginPagePath",
        "staticAssetsPath",
        "rotateRefreshToken",
        "tokenProvider",
        "tokenCallbacks",
        "httpServer",
    }
)
SERVERS = ("NettyWrapper", "MockWebServerWrapper")


def recognises(document: Any) -> bool:
    """Is this navikt's configuration?"""
    return isinstance(document, dict) and bool(KEYS & document.keys())


def config(document: dict[str, Any]) -> Config:
    """The same behaviour in our words, and a note for each part that has none.

    Raises:
        DocumentError: a value is not what that project takes.

    """
    found = Config()
    found.notes += [f"{key} is not known here" for key in document if key not in KEYS]
    found.notes += [
        f"{key} is not carried over: the pages are the provider's own"
        for key in ("loginPagePath", "staticAssetsPath")
        if document.get(key)
    ]
    settings = Settings(
        access_token="jwt",  # noqa: S106 # a format
        refresh="rotate" if _is(bool, document, "rotateRefreshToken", default=False) else "fixed",
        auto_approve=None if _is(bool, document, "interactiveLogin", default=False) else "alice",
    )
    _http_server(document, found.notes)
    clock = _token_provider(_is(dict, document, "tokenProvider", default={}), settings, found.notes)
    found.defaults = Tenant("defaults", settings, accounts=usual_accounts(), clock=clock)
    for number, callback in enumerate(_is(list, document, "tokenCallbacks", default=[])):
        found.tenants.append(_tenant(callback, settings, clock, f"tokenCallbacks[{number}]"))
    return found


def _is(kind: type, table: dict[str, Any], key: str, *, default: Any, where: str = "") -> Any:
    """The value of a key; absent and null count the same."""
    value = table.get(key)
    if value is None:
        return default
    if type(value) is not kind:
        names = {bool: "true or false", dict: "an object", list: "an array", str: "text", int: "a whole number"}
        raise DocumentError(join(where, key), f"expected {names[kind]}")
    return value


def _http_server(document: dict[str, Any], notes: list[str]) -> None:
    server = document.get("httpServer")
    name = server.get("type") if isinstance(server, dict) else server
    if name is not None and name not in SERVERS:
        raise DocumentError("httpServer", f"expected one of {', '.join(SERVERS)}")
    if isinstance(server, dict) and server.get("ssl") is not None:
        notes.append("httpServer.ssl is not carried over: start with --tls, or with --tls-cert and --tls-key")


def _token_provider(table: dict[str, Any], settings: Settings, notes: list[str]) -> Clock:
    keys = _is(dict, table, "keyProvider", default={}, where="tokenProvider")
    algorithm = _is(str, keys, "algorithm", default="RS256", where="tokenProvider.keyProvider")
    if algorithm in get_args(Algorithm):
        settings.signing_alg = algorithm
    else:
        notes.append(
            f"tokenProvider.keyProvider.algorithm {algorithm[:20]} is not carried over: tokens are signed RS256"
        )
    if keys.get("initialKeys") is not None:
        notes.append(
            "tokenProvider.keyProvider.initialKeys is not carried over: each tenant has keys of its own, see its JWKS"
        )
    time = table.get("systemTime")
    return read_clock({"at": time, "frozen": True}, Clock(), "tokenProvider.systemTime") if time else Clock()


def _tenant(callback: Any, settings: Settings, clock: Clock, where: str) -> Tenant:
    if not isinstance(callback, dict):
        raise DocumentError(where, "expected an object")
    name = _is(str, callback, "issuerId", default="", where=where)
    check_name(name, join(where, "issuerId"))
    expiry = _is(int, callback, "tokenExpiry", default=3600, where=where)
    mappings = [
        _mapping(one, f"{where}.requestMappings[{number}]")
        for number, one in enumerate(_is(list, callback, "requestMappings", default=[], where=where))
    ]
    own = Settings(
        access_token=settings.access_token,
        refresh=settings.refresh,
        auto_approve=settings.auto_approve,
        signing_alg=settings.signing_alg,
        claim_mappings=mappings,
        lifetimes=Lifetimes(access_token=expiry, id_token=expiry),
    )
    return Tenant(name, check_settings(own, where), accounts=usual_accounts(), clock=clock)


def _mapping(table: Any, where: str) -> ClaimMapping:
    if not isinstance(table, dict):
        raise DocumentError(where, "expected an object")
    if _is(str, table, "requestParam", default=None, where=where) is None:
        raise DocumentError(join(where, "requestParam"), "missing")
    ours = {"requestParam": "parameter", "typeHeader": "typ"}
    return read(ClaimMapping, {ours.get(key, key): value for key, value in table.items()}, where)
