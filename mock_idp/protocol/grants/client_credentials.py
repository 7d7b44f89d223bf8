"""The client credentials grant (RFC 6749, section 4.4): the client acts for itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mock_idp.protocol.errors import OAuthError
from mock_idp.protocol.table import Table
from mock_idp.protocol.targets import read_scope
from mock_idp.records import Grant, unguessable

if TYPE_CHECKING:
    from mock_idp.protocol.token import TokenRequest


def require_confidential(flow: TokenRequest) -> None:
    """Only for clients that authenticate (section 4.4)."""
    if flow.method == "none":
        raise OAuthError(
            "unauthorized_client", "client credentials are for clients that authenticate", "RFC 6749, section 4.4"
        )


def take_scope(flow: TokenRequest) -> None:
    """What is asked for (section 4.4.2)."""
    flow.scope = read_scope(flow)


async def grant_to_client(flow: TokenRequest) -> None:
    """The subject is the client itself (RFC 9068, section 2.2)."""
    assert flow.client is not None  # noqa: S101
    grant = Grant(
        id=unguessable(),
        client_id=flow.client.client_id,
        account=None,
        sub=flow.client.client_id,
        scope=flow.scope,
        created_at=flow.now,
        issuer=flow.issuer,
        audience=flow.resources,
    )
    flow.use_grant(grant)
    await flow.provider.keep_grant(flow.tenant, grant)


CLIENT_CREDENTIALS: Table[TokenRequest] = Table(
    "client credentials grant", require_confidential, take_scope, grant_to_client
)
