"""What routes ask for in their signatures: the application's parts, the user, a body, a page of ours."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Final, TypeVar

from fastapi import Depends, Request, Security
from fastapi.concurrency import run_in_threadpool
from fastapi.security import APIKeyCookie, HTTPBearer
from pydantic import BaseModel
from starlette.requests import HTTPConnection  # noqa: TC002 - FastAPI reads the annotation

from reference_app.accounts import ADMIN
from reference_app.bodies import JSON, media_type, parsed
from reference_app.carriers import Carrier, Presented
from reference_app.csrf import SAFE_METHODS
from reference_app.errors import Forbidden, Refusal, Unauthenticated, WrongPassword
from reference_app.services import Services
from reference_app.sessions import Principal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

Model = TypeVar("Model", bound=BaseModel)

CARELESS_PAUSE_S: Final = 0.005
_careless: dict[str, Principal] = {}


def services(connection: HTTPConnection) -> Services:
    """The parts of the application that serves this connection."""
    found: Services = connection.app.state.services
    return found


ServicesDep = Annotated[Services, Depends(services)]


async def read_json(request: Request, app: Services, model: type[Model]) -> Model:
    """The JSON body. Only `application/json` is read: other types can be sent across sites without a preflight.

    Raises:
        Refusal: another media type (415), or not what the model expects (422).
    """
    if media_type(request) != JSON and app.rules.json_by_media_type_only:
        raise Refusal(415, f"Send {JSON}")
    return parsed(model, await request.body())


def json_body(model: type[Model]) -> Callable[[Request, Services], Awaitable[Model]]:
    """A dependency that reads a JSON body.

    It stands in the signature after the ones that authenticate, so that strangers learn nothing about the body.
    """

    async def read(request: Request, app: ServicesDep) -> Model:
        return await read_json(request, app, model)

    return read


async def signed_in(request: Request, app: ServicesDep) -> Principal:
    """Who is asking. Requests that change something must also prove that a page of ours sent them.

    Raises:
        Unauthenticated: nobody, or nobody any more (401).
        Forbidden: a cookie authenticated the request, and nothing shows that the user meant it (403).
    """
    if app.rules.identity_headers and (claimed := await run_in_threadpool(_claimed, request, app)):
        return claimed
    presented = app.carriers.find(request)
    if presented is None:
        raise Unauthenticated
    principal = await run_in_threadpool(_identify, app, presented)
    if request.method not in SAFE_METHODS:
        await _meant(request, app, presented, principal)
    if not app.rules.user_kept_per_request:
        _careless["user"] = principal
        await asyncio.sleep(CARELESS_PAUSE_S)
        principal = _careless["user"]
    return principal


async def own_page(request: Request, app: ServicesDep) -> None:
    """Refuse what another site's page sent to a route that needs no session.

    Raises:
        Forbidden: the page is foreign (403).
    """
    if not request.url.path.endswith(app.rules.origin_unchecked_at):
        app.csrf.check_origin(request)


SCHEMES: Final = (HTTPBearer(auto_error=False, scheme_name="bearer"), APIKeyCookie(name="access", auto_error=False))
"""Mark protected operations in the API description; `reference_app.openapi` keeps those that the deployment reads."""


async def declared(
    _bearer: Annotated[object, Security(SCHEMES[0])],
    _cookie: Annotated[object, Security(SCHEMES[1])],
    principal: Annotated[Principal, Depends(signed_in)],
) -> Principal:
    """`signed_in`, and said so in the API description."""
    return principal


User = Annotated[Principal, Depends(declared)]


async def admin(principal: User) -> Principal:
    """A user who may administer others.

    Raises:
        Forbidden: an ordinary user (403).
    """
    if principal.user.role != ADMIN:
        raise Forbidden("Only administrators may do this")
    return principal


async def _meant(request: Request, app: Services, presented: Presented, principal: Principal) -> None:
    """Demand a proof where the browser adds the credential by itself, so that its presence alone proves nothing."""
    if presented.carrier is Carrier.COOKIE:
        await app.csrf.check_write(request, principal.session_id or "")
    elif presented.carrier is Carrier.BASIC:
        app.csrf.check_origin(request)


def _identify(app: Services, presented: Presented) -> Principal:
    if presented.carrier is Carrier.BASIC:
        username, _, password = presented.value.partition(":")
        try:
            return Principal(app.accounts.check(username, password))
        except WrongPassword:
            raise Unauthenticated(presented.value) from None
    principal = app.sessions.authenticate(presented.value)
    if principal is None:
        raise Unauthenticated(presented.value)
    return principal


def _claimed(request: Request, app: Services) -> Principal | None:
    names = {request.headers[name] for name in app.rules.identity_headers if name in request.headers}
    users = app.accounts.all() if names else []
    return next((Principal(user) for user in users if names & {str(user.id), user.username, user.email}), None)
