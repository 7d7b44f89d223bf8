"""Where clients register themselves (RFC 7591, section 3), and look after their registration (RFC 7592, section 2)."""

from __future__ import annotations

import hmac
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from mock_idp.protocol.errors import OAuthError
from mock_idp.protocol.registration import metadata
from mock_idp.protocol.registration.metadata import completed, described, new_client, refusal, understood
from mock_idp.protocol.table import Flow, Table
from mock_idp.records import Client, Grant, unguessable
from mock_idp.wire.http import NO_STORE, Answer, json_answer

if TYPE_CHECKING:
    from mock_idp.records import Tenant

MOST_CLIENTS = 10_000
"""Clients of one tenant: a store is no place for a flood of them."""
_NOT_TO_BE_SENT = (
    "registration_access_token",
    "registration_client_uri",
    "client_secret_expires_at",
    "client_id_issued_at",
)
"""RFC 7592, section 2.2."""
_OWN = "issued_at"
"""Under which name `Client.metadata` keeps when a client was registered."""


@dataclass(slots=True)
class Registration(Flow):
    """A client that registers, or asks for or changes its registration.

    Attributes:
        document: as sent.
        metadata: what of it is understood, completed.

    """

    document: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)


# --- reading ----------------------------------------------------------------------------------------------------------


def read_document(flow: Registration) -> None:
    """A JSON object (RFC 7591, section 3.1)."""
    media_type = flow.request.media_type
    if media_type != "application/json":
        raise refusal(f"the body is {media_type or 'of no type'}, not application/json", source="RFC 7591, section 3.1")
    try:
        document = json.loads(flow.request.body)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise refusal("the body is no JSON object", source="RFC 7591, section 3.1")
    flow.document = document


def check_members(flow: Registration) -> None:
    """Each member that is understood; others are ignored (RFC 7591, section 2)."""
    flow.metadata = understood(flow.document)


def complete(flow: Registration) -> None:
    """What was not said is as the specification has it (RFC 7591, section 2)."""
    flow.metadata = completed(flow.metadata)


def check_grant_types(flow: Registration) -> None:
    """``grant_types`` that are switched on here (RFC 7591, section 2)."""
    metadata.check_grant_types(flow.metadata, flow.tenant.settings)


def check_response_types(flow: Registration) -> None:
    """``response_types`` that are switched on here, and go with the grant types (RFC 7591, section 2.1)."""
    metadata.check_response_types(flow.metadata, flow.dialect.response_types(flow.tenant.settings))


def check_redirects(flow: Registration) -> None:
    """``redirect_uris`` where they are needed (RFC 7591, section 2)."""
    metadata.check_redirects(flow.metadata)


def check_authentication(flow: Registration) -> None:
    """``token_endpoint_auth_method`` goes with keys and grant types (RFC 7591, section 2)."""
    metadata.check_authentication(flow.metadata)


def check_id_token_algorithm(flow: Registration) -> None:
    """``id_token_signed_response_alg`` is the tenant's (OpenID Connect Dynamic Client Registration 1.0, section 2)."""
    metadata.check_id_token_algorithm(flow.metadata, flow.tenant.settings)


READING_METADATA = (
    read_document,
    check_members,
    complete,
    check_grant_types,
    check_response_types,
    check_redirects,
    check_authentication,
    check_id_token_algorithm,
)


# --- registering ------------------------------------------------------------------------------------------------------


async def register(flow: Registration) -> None:
    """Keep the client, with an id and, where it authenticates by one, a secret (RFC 7591, section 3.2.1)."""
    bare = Client(unguessable()[:22], registration_token=unguessable())
    client = new_client(flow.metadata, bare)
    client.metadata[_OWN] = int(flow.now)

    def add(tenant: Tenant) -> bool:
        if len(tenant.clients) >= MOST_CLIENTS:
            return False
        tenant.clients[client.client_id] = client
        return True

    if not await flow.provider.store.change(flow.tenant.name, add):
        raise OAuthError("invalid_client_metadata", f"this tenant has {MOST_CLIENTS} clients, and takes no more")
    flow.use_client(client)


def send_registered(flow: Registration) -> Answer:
    """201 with everything that is registered (RFC 7591, section 3.2.1)."""
    return json_answer(201, _information(flow))


def _information(flow: Registration) -> dict[str, Any]:
    client, addresses = flow.client, flow.provider.addresses
    assert client is not None  # noqa: S101 # registered or found before
    endpoint = addresses.endpoint(flow.tenant, flow.request.base, "registration_endpoint", "register")
    members = described(client, flow.tenant.settings)
    issued_at = members.pop(_OWN, int(flow.now))
    secret = {} if client.secret is None else {"client_secret": client.secret, "client_secret_expires_at": 0}
    return {
        "client_id": client.client_id,
        **secret,
        "client_id_issued_at": issued_at,
        "registration_access_token": client.registration_token,
        "registration_client_uri": f"{endpoint}/{quote(client.client_id, safe='')}",
        **members,
    }


# --- managing ---------------------------------------------------------------------------------------------------------


def check_registration_token(flow: Registration) -> None:
    """Only who registered the client holds its token (RFC 7592, section 2)."""
    scheme, _, token = (flow.request.header(b"authorization") or "").partition(" ")
    client = flow.tenant.clients.get(flow.rest)
    expected = client.registration_token if client else None
    given = token.strip().encode("utf-8", "replace")
    if scheme.lower() != "bearer" or expected is None or not hmac.compare_digest(given, expected.encode()):
        raise OAuthError(
            "invalid_token",
            "there is no such client, or this is not its registration access token",
            "RFC 7592, section 2",
            status=401,
            challenge='Bearer realm="client registration", error="invalid_token"',
        )
    assert client is not None  # noqa: S101 # it has a token
    flow.use_client(client)


async def manage(flow: Registration) -> Answer:
    """Read, replace or delete, by the method (RFC 7592, sections 2.1 to 2.3)."""
    answer = await _METHODS[flow.request.method].walk(flow)
    assert answer is not None  # noqa: S101 # each of them answers
    return answer


def send_information(flow: Registration) -> Answer:
    """200 with everything that is registered (RFC 7592, section 3)."""
    return json_answer(200, _information(flow))


def check_identity(flow: Registration) -> None:
    """The client names itself, and sends nothing that only we say (RFC 7592, section 2.2)."""
    client, source = flow.client, "RFC 7592, section 2.2"
    assert client is not None  # noqa: S101
    for name in _NOT_TO_BE_SENT:
        if name in flow.document:
            raise OAuthError("invalid_request", f"{name} is not the client's to set", source)
    if flow.document.get("client_id") != client.client_id:
        raise OAuthError("invalid_request", "client_id is missing, or another client's", source)
    if "client_secret" in flow.document and flow.document["client_secret"] != client.secret:
        raise OAuthError("invalid_request", "client_secret is not the one that was issued", source)


async def update(flow: Registration) -> None:
    """What is sent replaces all that was registered (RFC 7592, section 2.2)."""
    client = flow.client
    assert client is not None  # noqa: S101
    changed = new_client(flow.metadata, client)
    changed.metadata[_OWN] = client.metadata.get(_OWN, int(flow.now))

    def put(tenant: Tenant) -> None:
        tenant.clients[client.client_id] = changed

    await flow.provider.store.change(flow.tenant.name, put)
    flow.use_client(changed)


async def deregister(flow: Registration) -> None:
    """The client is gone (RFC 7592, section 2.3)."""
    client = flow.client
    assert client is not None  # noqa: S101

    def remove(tenant: Tenant) -> None:
        tenant.clients.pop(client.client_id, None)

    await flow.provider.store.change(flow.tenant.name, remove)


async def revoke_grants(flow: Registration) -> None:
    """With all that was granted to it (RFC 7592, section 2.3)."""
    store, name = flow.provider.store, flow.tenant.name
    for key, grant in (await store.records(name, Grant)).items():
        if flow.client is not None and grant.client_id == flow.client.client_id:
            await store.delete(name, Grant, key)


def send_gone(_: Registration) -> Answer:
    """204 (RFC 7592, section 2.3)."""
    return Answer(204, [*NO_STORE])


REGISTRATION: Table[Registration] = Table("registration", *READING_METADATA, register, send_registered)

READING: Table[Registration] = Table("registration read", send_information)
REPLACING: Table[Registration] = Table(
    "registration replaced", *READING_METADATA, check_identity, update, send_information
)
DELETING: Table[Registration] = Table("registration deleted", deregister, revoke_grants, send_gone)
_METHODS = {"GET": READING, "PUT": REPLACING, "DELETE": DELETING}

MANAGEMENT: Table[Registration] = Table("registration management", check_registration_token, manage)


def refuse(_: Registration, error: OAuthError) -> Answer:
    """JSON (RFC 7591, section 3.2.2)."""
    description = f"{error.description} ({error.source})" if error.source else error.description
    answer = json_answer(error.status, {"error": error.error, "error_description": description})
    if error.challenge is not None:
        answer.headers.append((b"www-authenticate", error.challenge.encode("latin-1", "replace")))
    return answer
