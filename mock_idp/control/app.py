"""The control API as an ASGI application."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.security import HTTPBearer
from starlette.exceptions import HTTPException as StarletteHTTPException

from mock_idp.configuration.reading import DocumentError
from mock_idp.control import behaviour_routes, journal_routes, state_routes, tenant_routes, token_routes
from mock_idp.control.wire import PROBLEMS, Gate, base_of, decoded, say
from mock_idp.protocol.errors import OAuthError
from mock_idp.store import StoreDownError

if TYPE_CHECKING:
    from mock_idp.provider import Provider

_DESCRIPTION = """Control of a mock OAuth 2.0 and OpenID Connect provider, for tests, from any language.

Every request carries the control token as a bearer token; the provider says it when it starts. Names in paths are
percent-encoded as a whole: tenant `realms/acme` is `realms%2Facme`.
"""


class _Described(FastAPI):
    """Schemas that routes refer to by name are added when somebody asks for the description."""

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            from mock_idp.control.schemas import schemas  # noqa: PLC0415 # reading docstrings takes time

            super().openapi()["components"]["schemas"].update(schemas())
        return super().openapi()


def application(provider: Provider, token: str) -> Gate:
    """The control API of a provider.

    Args:
        provider: what is controlled.
        token: what requests have to carry.

    """
    return Gate(described(provider), token)


def described(provider: Provider) -> FastAPI:
    """The routes, without the gate in front of them."""
    app = _Described(
        title="authconform mock provider: control",
        version=_version(),
        description=_DESCRIPTION,
        openapi_url="/_control/openapi.json",
        docs_url=None,  # FastAPI's pages load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.provider = provider
    for module in (tenant_routes, behaviour_routes, token_routes, journal_routes, state_routes):
        app.include_router(
            module.router, prefix="/_control", responses=PROBLEMS, dependencies=[Depends(HTTPBearer(auto_error=False))]
        )
    app.add_api_route("/_control/ready", _ready, methods=["GET"], tags=["provider"])
    app.add_api_route(
        "/_control", _about, methods=["GET"], tags=["provider"], dependencies=[Depends(HTTPBearer(auto_error=False))]
    )
    handlers: dict[Any, Any] = {
        RequestValidationError: _invalid,
        DocumentError: _unusable,
        OAuthError: _cannot,
        StoreDownError: _store_down,
        StarletteHTTPException: _refused,
        KeyError: _gone,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)
    return app


def _version() -> str:
    try:
        return version("authconform")
    except PackageNotFoundError:  # run from a folder that is not installed
        return "0"


async def _ready() -> Response:
    """Say that the provider answers; needs no token."""
    return say({"ready": True})


async def _about(request: Request) -> Response:
    """Tell under which names the provider is known."""
    addresses = request.app.state.provider.addresses
    return say(
        {
            "mock": True,
            "version": request.app.version,
            "base": addresses.public or base_of(request),
            "server_base": addresses.server or addresses.public or base_of(request),
        }
    )


# --- what is said when something is wrong: one sentence, never a value that was sent ----------------------------------


def _invalid(_: Request, error: RequestValidationError) -> Response:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"][1:])
    text = first["msg"][0].lower() + first["msg"][1:]
    return say({"error": f"{where}: {text}" if where else text}, 422)


def _unusable(_: Request, error: DocumentError) -> Response:
    return say({"error": str(error)}, 422)


def _cannot(_: Request, error: OAuthError) -> Response:
    return say({"error": error.description}, 422)


def _store_down(_: Request, error: StoreDownError) -> Response:
    return say({"error": str(error)}, 503)


def _refused(_: Request, error: HTTPException) -> Response:
    answer = say({"error": str(error.detail)}, error.status_code)
    answer.headers.update(error.headers or {})
    return answer


async def _gone(request: Request, error: KeyError) -> Response:
    name = decoded(str(request.path_params.get("tenant", "")))
    if not name or await request.app.state.provider.store.tenant(name) is not None:
        raise error
    return say({"error": f"there is no tenant {str(error.args[0])[:100]!r} any more"}, 404)
