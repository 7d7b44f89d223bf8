"""Who the client is, and proof of it (RFC 6749, section 2.3; OpenID Connect Core 1.0, section 9)."""

from __future__ import annotations

import base64
import binascii
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

from mock_idp.protocol.errors import OAuthError
from mock_idp.protocol.table import Flow

if TYPE_CHECKING:
    from mock_idp.records import AuthMethod, Client


@dataclass(slots=True)
class ClientRequest(Flow):
    """A request of a client at a back-channel endpoint.

    Attributes:
        method: how it authenticates.
        secret: what it presented.

    """

    method: AuthMethod = "none"
    client_id: str | None = None
    secret: str | None = None


def read_form(flow: ClientRequest) -> None:
    """A form in the body, each parameter once; nothing is read from the URL (RFC 6749, section 2.3.1)."""
    flow.params = flow.request.form()
    for name in flow.params.repeated:
        if name not in ("resource", "audience"):
            raise OAuthError("invalid_request", f"{name[:60]} was sent more than once", "RFC 6749, section 3.2")


def read_client_credentials(flow: ClientRequest) -> None:
    """By Basic or in the body, never both (RFC 6749, section 2.3)."""
    scheme, _, basic = (flow.request.header(b"authorization") or "").partition(" ")
    flow.client_id = flow.params.get("client_id")
    flow.secret = flow.params.get("client_secret")
    flow.method = "none" if flow.secret is None else "client_secret_post"
    if scheme.lower() == "basic":
        if flow.secret is not None:
            raise OAuthError("invalid_request", "the client authenticates in two ways at once", "RFC 6749, section 2.3")
        flow.method = "client_secret_basic"
        client_id, flow.secret = _basic(basic)
        if flow.client_id not in (None, client_id):
            raise _refused("client_id in the body and in the Authorization header differ")
        flow.client_id = client_id
    if flow.client_id is None:
        raise _refused("no client_id was sent")


def _basic(encoded: str) -> tuple[str, str]:
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise _refused("the Basic credentials are not base64 of UTF-8") from None
    client_id, colon, secret = text.partition(":")
    if not colon:
        raise _refused("the Basic credentials have no colon")
    return unquote_plus(client_id), unquote_plus(secret)


def find_client(flow: ClientRequest) -> None:
    """Unknown clients are welcome where the tenant is not strict."""
    try:
        flow.use_client(flow.provider.client(flow.tenant, flow.client_id or ""))
    except OAuthError as error:
        raise _refused(error.description) from error


def authenticate_client(flow: ClientRequest) -> None:
    """By a method that the client may use, with its own secret."""
    client = flow.client
    assert client is not None  # noqa: S101 # the step before found it
    if not client.registered:
        flow.entry.notes.append("client-unregistered")
        return
    check_method(flow, client)
    check_secret(flow, client)


def check_method(flow: ClientRequest, client: Client) -> None:
    """One of those it was registered with; without any: by Basic or body where it has a secret, else none."""
    allowed: list[AuthMethod] = client.auth_methods or (
        ["none"] if client.secret is None else ["client_secret_basic", "client_secret_post"]
    )
    if flow.method not in allowed and not flow.tolerates("any-secret"):
        raise _refused(f"the client authenticates by {flow.method}; it may use {', '.join(allowed)}")


def check_secret(flow: ClientRequest, client: Client) -> None:
    """Compared in constant time."""
    if flow.method == "none":
        return
    expected = (client.secret or "").encode()
    if not hmac.compare_digest((flow.secret or "").encode("utf-8", "replace"), expected) and not flow.tolerates("any-secret"):
        raise _refused("the client secret is wrong")


def _refused(why: str) -> OAuthError:
    return OAuthError(
        "invalid_client", why, "RFC 6749, section 5.2", status=401, challenge='Basic realm="mock provider", charset="UTF-8"'
    )
