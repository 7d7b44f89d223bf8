"""Authorization requests as JWTs: RFC 9101, and OpenID Connect Core 1.0, section 6."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mock_idp.protocol.client_keys import client_keys, verified
from mock_idp.protocol.errors import OAuthError
from mock_idp.protocol.vocabulary import ASYMMETRIC, CLIENT_ALGORITHMS, SYMMETRIC
from mock_idp.tokens.jws import TokenRefusedError, unverified_header

if TYPE_CHECKING:
    from mock_idp.protocol.table import Flow
    from mock_idp.records import Client
    from mock_idp.wire.http import Params

_TYPES = ("oauth-authz-req+jwt", "jwt", "")
_OF_THE_JWT = frozenset({"iss", "aud", "exp", "nbf", "iat", "jti"})
_LONGEST = 512
"""Characters of a ``request_uri`` (RFC 9101, section 5.2)."""


async def resolve(flow: Flow, client: Client, outer: Params) -> tuple[dict[str, str], list[str]]:
    """The parameters that a request object holds.

    Args:
        flow: the request that brought it.
        client: who has to have signed it.
        outer: the parameters that it came with.

    Returns:
        parameters as text, and resources. For plain OAuth only those in the object count (RFC 9101, section 6.3);
        an OpenID Connect request, known by ``scope`` outside, is completed by those outside (Core, section 6.1).

    Raises:
        OAuthError: it cannot be had or believed.

    """
    claims = await _read(flow, client, await _text(client, outer))
    _compare(claims, outer)
    inside = {name: _parameter(value) for name, value in claims.items() if name not in _OF_THE_JWT | {"resource"}}
    resource = claims.get("resource", [])
    resources = [_parameter(value) for value in (resource if isinstance(resource, list) else [resource])]
    if "openid" not in outer.get("scope", "").split():
        return inside, resources
    outside = {name: value for name, value in outer.items() if name not in ("request", "request_uri")}
    return {**outside, **inside}, resources or outer.every("resource")


async def _text(client: Client, outer: Params) -> str:
    by_value, by_reference = outer.get("request"), outer.get("request_uri")
    if by_value is not None and by_reference is not None:
        raise OAuthError("invalid_request", "request and request_uri exclude each other", "RFC 9101, section 5")
    return by_value if by_value is not None else await _fetch(client, by_reference or "")


async def _fetch(client: Client, uri: str) -> str:
    from mock_idp.wire.outgoing import UnansweredError, fetch  # noqa: PLC0415 # asked for by few

    if len(uri) > _LONGEST:
        raise _bad_uri(f"it has more than {_LONGEST} characters", "RFC 9101, section 5.2")
    registered = client.metadata.get("request_uris", [])
    # The fragment may be a hash of the object, so that a changed object gets another name (Core, section 6.2).
    if uri not in registered or not uri.startswith(("http://", "https://")):
        raise _bad_uri(
            "it is not registered as one of the client's request_uris", "OpenID Connect Core 1.0, section 6.2"
        )
    try:
        heard = await fetch(uri)
    except UnansweredError as error:
        raise _bad_uri(str(error), "RFC 9101, section 5.2.3") from error
    if heard.status != 200:  # noqa: PLR2004
        raise _bad_uri(f"it answers {heard.status}", "RFC 9101, section 5.2.3")
    return heard.body.decode("ascii", "replace").strip()


def _bad_uri(why: str, source: str) -> OAuthError:
    return OAuthError("invalid_request_uri", f"request_uri cannot be used: {why}", source)


async def _read(flow: Flow, client: Client, text: str) -> dict[str, Any]:
    try:
        by_secret = unverified_header(text).get("alg") in SYMMETRIC
        key = (client.secret or "") if by_secret else await client_keys(client)
        claims = verified(flow, text, key, algs=_algorithms(client), typ=_TYPES).claims
    except TokenRefusedError as error:
        raise _bad_object(str(error), "RFC 9101, section 6.2") from error
    if claims.get("iss", client.client_id) != client.client_id:
        raise _bad_object("its iss is not the client", "RFC 9101, section 4")
    audience = claims.get("aud", flow.issuer)
    if flow.issuer not in (audience if isinstance(audience, list) else [audience]):
        raise _bad_object(f"its aud is not this issuer, {flow.issuer}", "RFC 9101, section 4")
    return claims


def _algorithms(client: Client) -> list[str]:
    """The one that was registered, or those that the client has keys for."""
    registered = client.metadata.get("request_object_signing_alg")
    if registered is not None:
        return [name for name in CLIENT_ALGORITHMS if name == registered]
    return [*ASYMMETRIC, *(SYMMETRIC if client.secret else ())]


def _bad_object(why: str, source: str) -> OAuthError:
    return OAuthError("invalid_request_object", f"the request object is refused: {why}", source)


def _compare(claims: dict[str, Any], outer: Params) -> None:
    for name in ("request", "request_uri"):
        if name in claims:
            raise _bad_object(f"it holds {name}", "RFC 9101, section 4")
    if claims.get("client_id") != outer.get("client_id"):
        raise _bad_object("its client_id is not that of the request", "RFC 9101, section 5")
    if claims.get("response_type", outer.get("response_type")) != outer.get(
        "response_type", claims.get("response_type")
    ):
        raise _bad_object("its response_type is not that of the request", "OpenID Connect Core 1.0, section 6.1")


def _parameter(value: Any) -> str:
    """A claim as the parameter that it stands for: text as it is, the rest as JSON (RFC 9101, section 4)."""
    text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
    # JSON can hold lone surrogates, which no URL can.
    return text.encode("utf-8", "replace").decode()
