"""Faults of discovery and of the key set. They belong to a tenant; rotations may also be bound to one authorization."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from mock_idp.faults.ingredients import foreign, honest, html
from mock_idp.faults.registry import fault
from mock_idp.keys.ring import jwk
from mock_idp.keys.rotation import rotate
from mock_idp.protocol import id_token, metadata
from mock_idp.tokens import forge
from mock_idp.wire.http import Answer, type_json

if TYPE_CHECKING:
    from mock_idp.keys.ring import Rotation
    from mock_idp.protocol.id_token import IdToken
    from mock_idp.protocol.metadata import Metadata

_START = "starts cleanly without this provider, or shows a page"
_NOT_WITH_THEM = "verifies nothing with them"
_RECOVERS = "refuses logins, and recovers once there are keys again"
_FAR_HOST = "idp.example.test"
_OTHER_ALG = {"RS256": "RS512", "PS256": "PS512", "ES256": "ES384", "EdDSA": "ES256"}


# --- discovery --------------------------------------------------------------------------------------------------------


@fault("discovery.issuer-mismatch", replaces=metadata.name_issuer, correct="refuses the provider", of_tenant=True)
def issuer_mismatch(flow: Metadata) -> None:
    """``issuer`` is another one than was asked (OpenID Connect Discovery 1.0, section 4.3)."""
    flow.document["issuer"] = "https://another-issuer.example.test"


@fault("discovery.issuer-trailing-slash", replaces=metadata.name_issuer, correct="refuses the provider", of_tenant=True)
def issuer_trailing_slash(flow: Metadata) -> None:
    """``issuer`` has a slash at its end."""
    flow.document["issuer"] = flow.issuer + "/"


@fault(
    "discovery.endpoint-foreign",
    replaces=metadata.name_endpoints,
    correct="refuses the provider, or keeps secrets from that host",
    of_tenant=True,
    takes="token_endpoint or userinfo_endpoint, where only one of them is to be",
)
async def endpoint_foreign(flow: Metadata) -> None:
    """``token_endpoint`` and ``userinfo_endpoint`` are on another host."""
    await honest(flow)
    for name in [flow.value] if flow.value else ["token_endpoint", "userinfo_endpoint"]:
        flow.document[name] = foreign(flow, name.removesuffix("_endpoint"))


@fault(
    "discovery.endpoint-http",
    replaces=metadata.name_endpoints,
    correct="refuses the provider: plain http is for loopback only",
    of_tenant=True,
)
async def endpoint_http(flow: Metadata) -> None:
    """All endpoints are plain http, on a host that is not loopback."""
    await honest(flow)
    for name, value in flow.document.items():
        if isinstance(value, str) and name != "issuer":
            flow.document[name] = urlunsplit(("http", _FAR_HOST, *urlsplit(value)[2:]))


@fault("discovery.unavailable", replaces=metadata.send_metadata, correct=_START, of_tenant=True)
def unavailable(_: Metadata) -> Answer:
    """Discovery answers 503."""
    return html(503)


@fault("discovery.garbage", replaces=metadata.send_metadata, correct=_START, of_tenant=True)
def garbage(_: Metadata) -> Answer:
    """Discovery answers 200 with octets that are no JSON."""
    return Answer(200, [type_json], b"\x00\xff{not json")


@fault(
    "discovery.no-pkce",
    replaces=metadata.name_pkce,
    correct="relies on state and nonce, or sends a challenge all the same",
    of_tenant=True,
)
def without_pkce(_: Metadata) -> None:
    """``code_challenge_methods_supported`` is missing."""


# --- rotation ---------------------------------------------------------------------------------------------------------


@fault("jwks.rotate", replaces=id_token.key, correct="fetches the keys again and goes on", positive=True)
async def rotated(token: IdToken) -> None:
    """A new key signs from this token on, and the old one leaves the JWKS at once."""
    await _rotated(token, "swap")


@fault("jwks.rotate-before-sign", replaces=id_token.key, correct="fetches the keys again and goes on", positive=True)
async def rotated_in_time(token: IdToken) -> None:
    """A new key is published and signs from this token on; the old one stays published."""
    await _rotated(token, "announce", "use")


async def _rotated(token: IdToken, *modes: Rotation) -> None:
    flow = token.flow
    for mode in modes:
        await rotate(flow.provider.store, flow.tenant.name, mode, flow.tenant.settings.signing_alg)
    flow.tenant = await flow.provider.store.tenant(flow.tenant.name) or flow.tenant
    await honest(token)


@fault("jwks.flood", replaces=id_token.sign, correct="fetches the keys a bounded number of times", of_tenant=True)
def flood(token: IdToken) -> None:
    """Every ID Token has a new ``kid`` that the JWKS does not list."""
    assert token.key is not None  # noqa: S101 # the step before chose it
    token.compact = forge.hdr_kid_unknown(forge.Draft(token.claims, token.key))


# --- the key set ------------------------------------------------------------------------------------------------------


@fault("jwks.unavailable", replaces=metadata.send_keys, correct=_RECOVERS, of_tenant=True)
def keys_unavailable(_: Metadata) -> Answer:
    """The JWKS answers 503."""
    return html(503)


@fault("jwks.empty", replaces=metadata.collect_keys, correct=_RECOVERS, of_tenant=True)
def no_keys(flow: Metadata) -> None:
    """The JWKS has no keys."""
    flow.document["keys"] = []


@fault("jwks.malformed", replaces=metadata.send_keys, correct=_RECOVERS, of_tenant=True)
def keys_malformed(_: Metadata) -> Answer:
    """The JWKS is JSON of another shape: ``keys`` is text."""
    return Answer(200, [type_json], b'{"keys":"none today"}')


@fault("jwks.wrong-use", replaces=metadata.collect_keys, correct=_NOT_WITH_THEM, of_tenant=True)
def wrong_use(flow: Metadata) -> None:
    """All keys are for encryption: ``use`` is ``enc``."""
    flow.document["keys"] = [{**key, "use": "enc"} for key in _keys(flow)]


@fault("jwks.wrong-alg", replaces=metadata.collect_keys, correct=_NOT_WITH_THEM, of_tenant=True)
def wrong_algorithm(flow: Metadata) -> None:
    """All keys are for another algorithm than tokens are signed with."""
    flow.document["keys"] = [{**key, "alg": _OTHER_ALG[key["alg"]]} for key in _keys(flow)]


@fault("jwks.oct-key", replaces=metadata.collect_keys, correct=_NOT_WITH_THEM, of_tenant=True)
def symmetric_key(flow: Metadata) -> None:
    """All keys are symmetric (``oct``), for HS256, under the honest ``kid``."""
    flow.document["keys"] = [
        {
            "kty": "oct",
            "k": "bW9jayBpZHAgc3ltbWV0cmljIGtleSBvZiAzMiBieXRlcw",
            "kid": key["kid"],
            "use": "sig",
            "alg": "HS256",
        }
        for key in _keys(flow)
    ]


@fault("jwks.duplicate-kid", replaces=metadata.collect_keys, correct="tries both, or refuses the login", of_tenant=True)
def duplicate_key_id(flow: Metadata) -> None:
    """Each key is preceded by a foreign one with the same ``kid``."""
    keys: list[dict[str, Any]] = []
    for ref in flow.tenant.keys.published():
        keys += [{**jwk(forge.forger_key(ref.alg)), "kid": ref.kid}, jwk(ref)]
    flow.document["keys"] = keys


def _keys(flow: Metadata) -> list[dict[str, str]]:
    return [jwk(ref) for ref in flow.tenant.keys.published()]
