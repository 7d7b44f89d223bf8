"""Keys of clients, and JWTs signed with them: assertions, request objects, DPoP proofs."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from mock_idp.records import Seen
from mock_idp.tokens.jws import TokenRefusedError, Verified, verify

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mock_idp.protocol.table import Flow
    from mock_idp.records import Client

LEEWAY_S = 30.0
LONGEST_MEMORY_S = 24 * 3600.0
"""For how long a ``jti`` is remembered, however far away its ``exp`` is."""


async def client_keys(client: Client) -> Mapping[str, Any]:
    """The client's public keys as a JWK Set (RFC 7517, section 5), fetched anew where they are at its ``jwks_uri``.

    Raises:
        TokenRefusedError: it has none, or they cannot be fetched.

    """
    if client.jwks is not None:
        return client.jwks
    if client.jwks_uri is None:
        raise TokenRefusedError(f"client {client.client_id!r} has no keys: neither jwks nor jwks_uri is registered")
    return await fetched_keys(client.jwks_uri)


async def fetched_keys(uri: str) -> Mapping[str, Any]:
    """The JWK Set at a URI.

    Raises:
        TokenRefusedError: it cannot be fetched within bounds, or is none.

    """
    from mock_idp.wire.outgoing import UnansweredError, fetch  # noqa: PLC0415 # asked for by few

    try:
        heard = await fetch(uri)
        keys = json.loads(heard.body) if heard.status == 200 else None  # noqa: PLR2004
    except UnansweredError as error:
        raise TokenRefusedError(f"its keys cannot be fetched: {error}") from error
    except (ValueError, RecursionError):
        keys = None
    if not isinstance(keys, dict) or not isinstance(keys.get("keys"), list):
        raise TokenRefusedError(f"its keys cannot be fetched: {uri} answers {heard.status} and no JWK Set")
    return keys


def verified(flow: Flow, token: str, key: str | Mapping[str, Any], **checks: Any) -> Verified:
    """Check a JWT that a client made (see `mock_idp.tokens.jws.verify` for the checks).

    The client goes by its own clock. Where a test has moved the tenant's, the machine's will do as well, and the
    journal says so: what is tested then is the lifetime of the provider's own tokens.

    Raises:
        TokenRefusedError: it is not acceptable by either clock.

    """
    try:
        return verify(token, key, now=flow.now, leeway=LEEWAY_S, **checks)
    except TokenRefusedError:
        if abs(flow.now - flow.entry.at) < 1:
            raise
        try:
            found = verify(token, key, now=flow.entry.at, leeway=LEEWAY_S, **checks)
        except TokenRefusedError:
            found = None
        if found is None:
            raise
    flow.entry.notes.append("judged-by-machine-clock")
    return found


async def first_use(flow: Flow, kind: str, identifier: str, seconds: float) -> bool:
    """Is this the first time that something with this identifier came in? Atomic over all processes.

    Args:
        flow: of the request that brought it.
        kind: whose identifiers they are, so that those of different kinds may be equal.
        identifier: of any length.
        seconds: for how long it has to be remembered.

    """
    store, name = flow.provider.store, flow.tenant.name
    key = f"{kind} {sha256(identifier.encode('utf-8', 'surrogatepass')).hexdigest()}"
    lifetime = min(max(seconds, 0.0) + LEEWAY_S, LONGEST_MEMORY_S)
    await store.put(name, key, Seen(flow.now + lifetime), lifetime)
    return (await store.spend(name, Seen, key))[1]
