"""Who the client is, and proof of it (RFC 6749, section 2.3; RFC 7523; OpenID Connect Core 1.0, section 9)."""

from __future__ import annotations

import base64
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from mock_idp.protocol.client_keys import client_keys, first_use, verified
from mock_idp.protocol.errors import OAuthError
from mock_idp.protocol.table import Flow
from mock_idp.protocol.vocabulary import CLIENT_ALGORITHMS, REPEATABLE, SYMMETRIC
from mock_idp.tokens.jws import TokenRefusedError, unverified_claims, unverified_header

if TYPE_CHECKING:
    from mock_idp.records import AuthMethod, Client

JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_NOT_ENCODED = "not form-encoded before it was put into the Basic credentials"


@dataclass(slots=True)
class ClientRequest(Flow):
    """A request of a client at a back-channel endpoint.

    Attributes:
        method: how it authenticates.
        client_id: who it says it is.
        implied_client_id: who it is where it does not say so and the grant tells (RFC 7521, section 4.1).
        secret: what it presented.
        raw_secret: the same as it stood in the Basic credentials, before decoding.
        assertion: the JWT it presented.

    """

    method: AuthMethod = "none"
    client_id: str | None = None
    implied_client_id: str | None = None
    secret: str | None = None
    raw_secret: str | None = None
    assertion: str | None = None


def read_form(flow: ClientRequest) -> None:
    """A form in the body, each parameter once; nothing is read from the URL (RFC 6749, section 2.3.1)."""
    flow.params = flow.request.form()
    for name in flow.params.repeated:
        if name not in REPEATABLE:
            raise OAuthError("invalid_request", f"{name[:60]} was sent more than once", "RFC 6749, section 3.2")


def read_client_credentials(flow: ClientRequest) -> None:
    """By Basic, in the body or by assertion, never two of them (RFC 6749, section 2.3)."""
    params = flow.params
    scheme, _, basic = (flow.request.header(b"authorization") or "").partition(" ")
    flow.client_id = params.get("client_id")
    if scheme.lower() == "basic":
        _read_basic(flow, basic)
    elif "client_assertion" in params or "client_assertion_type" in params:
        _read_assertion(flow)
    elif "client_secret" in params:
        flow.method, flow.secret = "client_secret_post", params["client_secret"]
    if flow.client_id is None:
        flow.client_id = flow.implied_client_id
    if flow.client_id is None:
        raise refused("no client_id was sent")


def _read_basic(flow: ClientRequest, encoded: str) -> None:
    _refuse_second(flow, "client_secret", "client_assertion")
    flow.method = "client_secret_basic"
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode()
    except ValueError:  # no base64, no ASCII before it was decoded, or no UTF-8 after
        raise refused("the Basic credentials are not base64 of UTF-8") from None
    raw_id, colon, flow.raw_secret = text.partition(":")
    if not colon:
        raise refused("the Basic credentials have no colon")
    client_id, flow.secret = _decoded_id(flow, raw_id), unquote_plus(flow.raw_secret)
    if flow.client_id not in (None, client_id):
        raise refused("client_id in the body and in the Authorization header differ")
    flow.client_id = client_id


def _decoded_id(flow: ClientRequest, raw_id: str) -> str:
    client_id, clients = unquote_plus(raw_id), flow.tenant.clients
    if client_id in clients or raw_id not in clients:
        return client_id
    if "basic-not-encoded" not in clients[raw_id].lenient:
        raise refused(f"the client id was {_NOT_ENCODED}", "RFC 6749, section 2.3.1")
    flow.entry.lenient.append("basic-not-encoded")
    return raw_id


def _read_assertion(flow: ClientRequest) -> None:
    _refuse_second(flow, "client_secret")
    params = flow.params
    if params.get("client_assertion_type") != JWT_BEARER:
        raise refused(f"client_assertion_type is not {JWT_BEARER}", "RFC 7523, section 2.2")
    if "client_assertion" not in params:
        raise refused("client_assertion is missing", "RFC 7523, section 2.2")
    flow.assertion = params["client_assertion"]
    try:
        symmetric = unverified_header(flow.assertion).get("alg") in SYMMETRIC
        named = unverified_claims(flow.assertion).get("sub")
    except TokenRefusedError as error:
        raise refused(f"the client assertion is refused: {error}", "RFC 7523, section 3") from error
    flow.method = "client_secret_jwt" if symmetric else "private_key_jwt"
    if not isinstance(named, str) or flow.client_id not in (None, named):
        raise refused("client_id and the sub of the client assertion differ", "RFC 7521, section 4.2")
    flow.client_id = named


def _refuse_second(flow: ClientRequest, *others: str) -> None:
    if any(name in flow.params for name in others):
        raise OAuthError("invalid_request", "the client authenticates in two ways at once", "RFC 6749, section 2.3")


def find_client(flow: ClientRequest) -> None:
    """Unknown clients are welcome where the tenant is not strict."""
    try:
        flow.use_client(flow.provider.client(flow.tenant, flow.client_id or ""))
    except OAuthError as error:
        raise refused(error.description) from error


def authenticate_client(flow: ClientRequest) -> None:
    """By a method that the client may use, with its own secret; `check_assertion` judges assertions."""
    client = flow.client
    assert client is not None  # noqa: S101 # the step before found it
    if not client.registered:
        flow.entry.notes.append("client-unregistered")
        return
    if flow.method == "none" and flow.implied_client_id is not None and "client_id" not in flow.params:
        return  # what the grant rests on was signed by the client, and is judged there
    check_method(flow, client)
    if flow.secret is not None:
        check_secret(flow, client)


def check_method(flow: ClientRequest, client: Client) -> None:
    """One of those it was registered with; without any: whatever its secret or its keys allow, else none."""
    if flow.method not in allowed_methods(client) and not flow.tolerates("any-secret"):
        raise refused(f"the client authenticates by {flow.method}; it may use {', '.join(allowed_methods(client))}")


def allowed_methods(client: Client) -> list[AuthMethod]:
    """How a client may authenticate: a secret may come by Basic, in the body, or as the key of an assertion."""
    if client.auth_methods:
        return client.auth_methods
    allowed: list[AuthMethod] = []
    if client.secret is not None:
        allowed += ["client_secret_basic", "client_secret_post", "client_secret_jwt"]
    if client.jwks is not None or client.jwks_uri is not None:
        allowed.append("private_key_jwt")
    return allowed or ["none"]


def check_secret(flow: ClientRequest, client: Client) -> None:
    """Compared in constant time."""
    if client.secret is not None and _equal(flow.secret or "", client.secret):
        return
    unencoded = client.secret is not None and flow.raw_secret is not None and _equal(flow.raw_secret, client.secret)
    if unencoded and flow.tolerates("basic-not-encoded"):
        return
    if flow.tolerates("any-secret"):
        return
    raise refused(
        f"the client secret is right, but was {_NOT_ENCODED}" if unencoded else "the client secret is wrong",
        "RFC 6749, section 2.3.1",
    )


def _equal(text: str, other: str) -> bool:
    return hmac.compare_digest(text.encode("utf-8", "replace"), other.encode("utf-8", "replace"))


async def check_assertion(flow: ClientRequest) -> None:
    """Signed with the client's secret or key, for us, not expired, and for one use (RFC 7523, section 3)."""
    if flow.assertion is None or flow.client is None or not flow.client.registered:
        return
    try:
        claims = await _verified_assertion(flow, flow.client, flow.assertion)
    except TokenRefusedError as error:
        if flow.tolerates("any-secret"):
            return
        raise refused(f"the client assertion is refused: {error}", "RFC 7523, section 3") from error
    if not await first_use(flow, f"assertion {flow.client.client_id}", claims["jti"], claims["exp"] - flow.now):
        raise refused("the client assertion was used before (its jti is known)", "OpenID Connect Core 1.0, section 9")


async def _verified_assertion(flow: ClientRequest, client: Client, assertion: str) -> dict[str, Any]:
    registered = client.metadata.get("token_endpoint_auth_signing_alg")
    algs = [registered] if registered else CLIENT_ALGORITHMS
    claims = verified(
        flow,
        assertion,
        (client.secret or "") if flow.method == "client_secret_jwt" else await client_keys(client),
        algs=algs,
        iss=client.client_id,
        aud=own_names(flow),
        require=("iss", "sub", "aud", "exp", "jti"),
    ).claims
    if not isinstance(claims["jti"], str):
        raise TokenRefusedError("its jti is no text")
    return claims


def own_names(flow: Flow) -> set[str]:
    """What an assertion may call us in ``aud``: issuer, token endpoint, or the endpoint that was asked.

    RFC 7523, section 3; RFC 9126, section 2.
    """
    endpoints = flow.provider.endpoints(flow)
    return {flow.issuer, endpoints.get("token_endpoint", flow.issuer), flow.request.base + flow.request.path}


CLIENT_AUTHENTICATION = (read_client_credentials, find_client, authenticate_client, check_assertion)
"""The steps that every back-channel endpoint begins with, after its form is read."""


def require_authentication(flow: ClientRequest) -> None:
    """Not for public clients: anybody could call itself one."""
    if flow.method == "none":
        raise refused("the client has to authenticate here")


def refused(why: str, source: str = "RFC 6749, section 5.2") -> OAuthError:
    """The client is not who it says it is, or did not prove it."""
    return OAuthError(
        "invalid_client", why, source, status=401, challenge='Basic realm="mock provider", charset="UTF-8"'
    )
