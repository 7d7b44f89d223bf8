"""Tokens without a flow, and authorizations without a page."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from mock_idp.configuration.reading import read
from mock_idp.control.authorizing import Authorize, authorize
from mock_idp.control.minting import Mint, mint
from mock_idp.control.wire import Body, Chosen, Controlled, base_of, gives, say, takes

router = APIRouter(tags=["tokens"])


@router.post(
    "/tenants/{tenant}/tokens",
    status_code=201,
    openapi_extra=takes("Mint"),
    responses=gives("The token.", "Token", 201),
)
async def mint_token(provider: Controlled, tenant: Chosen, body: Body, request: Request) -> Response:
    """Mint a token without a flow, signed or forged."""
    return say(await mint(provider, tenant, read(Mint, body), base_of(request)), 201)


@router.post(
    "/tenants/{tenant}/authorizations",
    status_code=201,
    openapi_extra=takes("Authorize"),
    responses=gives("What the browser would be sent, and the tokens.", "Authorized", 201),
)
async def authorize_without_page(provider: Controlled, tenant: Chosen, body: Body, request: Request) -> Response:
    """Authorize without a page: get the code, or the tokens, with any faults."""
    return say(await authorize(provider, tenant, read(Authorize, body), base_of(request)), 201)
