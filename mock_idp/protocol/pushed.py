"""Pushed authorization requests (RFC 9126): what the browser is spared from carrying."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mock_idp.protocol import dpop
from mock_idp.protocol.authorization import CHECKS, Authorization
from mock_idp.protocol.authorization.request import PUSHED, read_request_object, read_state
from mock_idp.protocol.client_authentication import CLIENT_AUTHENTICATION, ClientRequest, read_form
from mock_idp.protocol.errors import OAuthError
from mock_idp.protocol.table import Table
from mock_idp.records import Pending, unguessable
from mock_idp.wire.http import Params, json_answer

if TYPE_CHECKING:
    from mock_idp.wire.http import Answer

_OF_THE_CLIENT = ("client_secret", "client_assertion", "client_assertion_type")
"""Parameters that prove who pushes, and are no part of the request."""


@dataclass(slots=True)
class PushedRequest(ClientRequest):
    """A request that is pushed.

    Attributes:
        asked: what it asks for, checked as the authorization endpoint checks it.
        request_uri: what it is called from now on.

    """

    asked: Authorization | None = None
    request_uri: str = ""


def refuse_reference(flow: PushedRequest) -> None:
    """What is pushed is the request itself, no reference to one (RFC 9126, section 2.1)."""
    if "request_uri" in flow.params:
        raise OAuthError("invalid_request", "request_uri cannot be pushed", "RFC 9126, section 2.1")


async def check_as_authorization(flow: PushedRequest) -> None:
    """Everything that the authorization endpoint would refuse is refused here (RFC 9126, section 2.1)."""
    assert flow.client is not None  # noqa: S101 # it has authenticated
    pairs = [(name, value) for name, value in flow.params.items() if name not in _OF_THE_CLIENT]
    params = Params(pairs)
    params.setdefault("client_id", flow.client.client_id)
    flow.asked = Authorization(
        provider=flow.provider,
        tenant=flow.tenant,
        dialect=flow.dialect,
        request=flow.request,
        entry=flow.entry,
        now=flow.now,
        issuer=flow.issuer,
        params=params,
        client=flow.client,
        state=read_state(flow.request.body),
        resources=flow.params.every("resource"),
        pushed=True,
    )
    await ASKED.walk(flow.asked)


async def bind_key(flow: PushedRequest) -> None:
    """A DPoP proof binds the code to its key, as ``dpop_jkt`` does (RFC 9449, section 10.1)."""
    if flow.request.header(dpop.HEADER) is None or "dpop" not in flow.dialect.token_schemes:
        return
    assert flow.asked is not None  # noqa: S101
    proved = await dpop.prove(flow, "pushed_authorization_request_endpoint")
    if flow.asked.params.setdefault("dpop_jkt", proved) != proved:
        raise OAuthError(
            "invalid_dpop_proof", "the DPoP proof is by another key than dpop_jkt", "RFC 9449, section 10.1"
        )


async def keep_request(flow: PushedRequest) -> None:
    """Under a name that nobody guesses, for a short time (RFC 9126, section 2.2)."""
    asked, lifetime = flow.asked, flow.tenant.settings.lifetimes.pushed_request
    assert asked is not None and flow.client is not None  # noqa: S101, PT018
    flow.request_uri = PUSHED + unguessable()
    pending = Pending(
        client_id=flow.client.client_id,
        parameters=dict(asked.params),
        resources=asked.resources,
        raw_state=asked.state.decode("latin-1") if asked.state else None,
        expires_at=flow.now + lifetime,
        issuer=flow.issuer,
    )
    await flow.provider.store.put(flow.tenant.name, flow.request_uri, pending, lifetime)


def send(flow: PushedRequest) -> Answer:
    """201 with the name (RFC 9126, section 2.2)."""
    lifetime = flow.tenant.settings.lifetimes.pushed_request
    return json_answer(201, {"request_uri": flow.request_uri, "expires_in": lifetime})


ASKED: Table[Authorization] = Table("pushed request", read_request_object, *CHECKS)

PUSHED_REQUEST: Table[PushedRequest] = Table(
    "pushed authorization request",
    read_form,
    *CLIENT_AUTHENTICATION,
    refuse_reference,
    check_as_authorization,
    bind_key,
    keep_request,
    send,
)


def refuse(flow: PushedRequest, error: OAuthError) -> Answer:
    """As the token endpoint refuses (RFC 9126, section 2.3)."""
    return flow.dialect.token_error(flow, error)
