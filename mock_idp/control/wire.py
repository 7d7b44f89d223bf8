"""What all control routes share: who may ask, names in paths, bodies, and answers."""

from __future__ import annotations

import difflib
import hmac
import json
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import unquote_to_bytes

from fastapi import Depends, HTTPException, Path, Request, Response
from pydantic import BaseModel, Field

from mock_idp.provider import Provider
from mock_idp.records import Tenant
from mock_idp.store import codec

if TYPE_CHECKING:
    from collections.abc import Iterable, MutableMapping

    from fastapi import FastAPI

SLASH = "\x1f"
"""Stands for a slash within a name while a path is routed; no name has this character."""
MOST_BYTES = 64 * 1024 * 1024
"""Of a body: a dump may be long."""


class Problem(BaseModel):
    """Why a request could not be carried out."""

    error: str = Field(description="One sentence: what is wrong, where, and how to mend it.")


PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: {"model": Problem, "description": "The body is no JSON."},
    401: {"model": Problem, "description": "The control token is missing or wrong."},
    404: {"model": Problem, "description": "There is no such tenant, client, account or fault."},
    409: {"model": Problem, "description": "That is not possible as things are."},
    413: {"model": Problem, "description": "The body is too large."},
    422: {"model": Problem, "description": "A key or value cannot be used."},
    503: {"model": Problem, "description": "The store does not answer."},
}


def say(document: Any, status: int = 200) -> Response:
    """A JSON answer that nobody stores; records in it become tables, and text of any kind survives."""
    headers = {"cache-control": "no-store"}
    return Response(codec.dump(document), status, headers, media_type="application/json")


def nothing() -> Response:
    """Done, and nothing to say."""
    return Response(status_code=204)


class Gate:
    """In front of the routes: the token, and names with slashes.

    A name within a path is percent-encoded as a whole, so that tenant ``realms/acme`` is ``realms%2Facme``.

    Args:
        app: the routes.
        token: what requests carry as a bearer token.

    """

    def __init__(self, app: FastAPI, token: str) -> None:
        self._app = app
        self._token = f"Bearer {token}".encode()

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        """One request (ASGI 3)."""
        path = b"/".join(
            unquote_to_bytes(part).replace(b"/", SLASH.encode())
            for part in scope["raw_path"].partition(b"?")[0].split(b"/")
        ).decode("utf-8", "replace")
        path = path if path != "/_control/" else "/_control"
        headers = dict(scope["headers"])
        if path not in _OPEN_PATHS and not hmac.compare_digest(headers.get(b"authorization", b""), self._token):
            answer = say({"error": "the control token is missing or wrong: send 'Authorization: Bearer TOKEN'"}, 401)
            answer.headers["www-authenticate"] = 'Bearer realm="mock provider control"'
            await answer(scope, receive, send)
        else:
            await self._app({**scope, "path": path}, receive, send)


_OPEN_PATHS = ("/_control/openapi.json", "/_control/ready")
"""What needs no token: neither tells anything about a tenant."""


def provider_of(request: Request) -> Provider:
    """The provider that is controlled."""
    provider: Provider = request.app.state.provider
    return provider


async def _provider(request: Request) -> Provider:
    return provider_of(request)  # FastAPI runs dependencies that are not coroutines in threads


def base_of(request: Request) -> str:
    """The base under which the sender of a control request knows the provider."""
    scope = request.scope
    return provider_of(request).addresses.told(scope["scheme"], request.headers.get("host", ""), scope["headers"])


def decoded(name: str) -> str:
    """A name from a path."""
    return name.replace(SLASH, "/")


def missing(what: str, name: str, known: Iterable[str]) -> HTTPException:
    """404, with the nearest name there is."""
    near = difflib.get_close_matches(name, list(known), 1)
    return HTTPException(404, f"there is no {what} {name[:100]!r}" + (f"; did you mean {near[0]!r}?" if near else ""))


TenantName = Annotated[
    str,
    Path(
        alias="tenant",
        min_length=1,
        max_length=300,
        description="Name; a slash in it is written %2F.",
        examples=["acme"],
    ),
]


async def tenant_of(tenant: TenantName, request: Request) -> Tenant:
    """The tenant that a path names.

    Raises:
        HTTPException: there is none.

    """
    store, name = provider_of(request).store, decoded(tenant)
    found = await store.tenant(name)
    if found is None:
        raise missing("tenant", name, await store.names())
    return found


Controlled = Annotated[Provider, Depends(_provider)]
Chosen = Annotated[Tenant, Depends(tenant_of)]


async def body_of(request: Request) -> Any:
    """The JSON body; an empty one counts as an empty table.

    Raises:
        HTTPException: it is no JSON, or too long.

    """
    raw = bytearray()
    async for part in request.stream():
        raw += part
        if len(raw) > MOST_BYTES:
            raise HTTPException(413, f"the body has more than {MOST_BYTES} bytes")
    if not raw:
        return {}
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        raise HTTPException(400, "the body is no JSON") from None


Body = Annotated[Any, Depends(body_of)]


def takes(schema: str) -> dict[str, Any]:
    """How OpenAPI describes a body that routes read by themselves: by a schema of `mock_idp.control.schemas`."""
    return {"requestBody": {"content": {"application/json": {"schema": _ref(schema)}}}}


def gives(description: str, schema: str, status: int = 200) -> dict[int | str, dict[str, Any]]:
    """How OpenAPI describes an answer: by a schema of `mock_idp.control.schemas`."""
    return {status: {"description": description, "content": {"application/json": {"schema": _ref(schema)}}}}


def _ref(schema: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{schema}"}
