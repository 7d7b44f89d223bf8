"""Discovery and keys: what clients ask before anything else. Generated from what is switched on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mock_idp.keys.ring import jwk
from mock_idp.protocol.table import Flow, Table
from mock_idp.wire.http import Answer, json_answer, json_bytes, type_json

if TYPE_CHECKING:
    from mock_idp.protocol.errors import OAuthError

CACHED = (b"cache-control", b"no-cache")
"""A client may keep it and has to ask again: settings and keys change under test."""


@dataclass(slots=True)
class Metadata(Flow):
    """A question for metadata or keys; `document` is what is answered."""

    document: dict[str, Any] = field(default_factory=dict)


def answer_ready(flow: Metadata) -> Answer | None:
    """Ready bytes, where nothing changed since they were made."""
    body = flow.provider.ready.get((flow.request.path, flow.issuer, flow.tenant.name))
    if body is None or body[0] != flow.tenant.version or flow.may_lie:
        return None
    return Answer(200, [type_json, CACHED], body[1])


def name_issuer(flow: Metadata) -> None:
    """``issuer``: the very URL that was asked (OpenID Connect Discovery 1.0, section 4.3)."""
    flow.document["issuer"] = flow.issuer


def name_endpoints(flow: Metadata) -> None:
    """Where everything is, for browsers and for servers."""
    flow.document.update(flow.provider.endpoints(flow))


def name_capabilities(flow: Metadata) -> None:
    """What is switched on."""
    flow.document.update(flow.dialect.capabilities(flow.tenant.settings))


def name_pkce(flow: Metadata) -> None:
    """``code_challenge_methods_supported`` (RFC 8414, section 2)."""
    methods = ["S256", "plain"] if flow.tenant.settings.plain_pkce else ["S256"]
    flow.document["code_challenge_methods_supported"] = methods


def name_issuer_parameter(flow: Metadata) -> None:
    """``authorization_response_iss_parameter_supported`` (RFC 9207, section 3)."""
    flow.document["authorization_response_iss_parameter_supported"] = flow.dialect.iss_parameter(flow.tenant.settings)


def send_metadata(flow: Metadata) -> Answer:
    """JSON."""
    return _remember(flow)


def collect_keys(flow: Metadata) -> None:
    """Every published key."""
    flow.document["keys"] = [jwk(key) for key in flow.tenant.keys.published()]


def send_keys(flow: Metadata) -> Answer:
    """A JWK set (RFC 7517, section 5)."""
    return _remember(flow)


def _remember(flow: Metadata) -> Answer:
    body = json_bytes(flow.document)
    if not flow.may_lie:
        flow.provider.remember((flow.request.path, flow.issuer, flow.tenant.name), flow.tenant.version, body)
    return Answer(200, [type_json, CACHED], body)


DISCOVERY: Table[Metadata] = Table(
    "discovery",
    answer_ready,
    name_issuer,
    name_endpoints,
    name_capabilities,
    name_pkce,
    name_issuer_parameter,
    send_metadata,
)

JWKS: Table[Metadata] = Table("jwks", answer_ready, collect_keys, send_keys)


def refuse(_: Metadata, error: OAuthError) -> Answer:
    """Nothing of this can be refused but by a fault."""
    return json_answer(error.status, {"error": error.error, "error_description": error.description})
