"""Putting the application together: layers, outermost first, and routes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import FastAPI
from starlette.middleware import Middleware

from reference_app import openapi
from reference_app.bodies import BodyLimit
from reference_app.clock import ClockHeader
from reference_app.cors import Cors
from reference_app.errors import CatchAll
from reference_app.headers import SecurityHeaders
from reference_app.routes import auth, live, notes, pages, public, users
from reference_app.services import build

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi import APIRouter

    from reference_app.settings import Settings


def create_app(settings: Settings) -> FastAPI:
    """The application as the settings have it.

    Raises:
        SettingsError: the database cannot be opened.
    """
    services = build(settings)
    layers = [
        Middleware(Cors, settings=settings),
        Middleware(SecurityHeaders, settings=settings, errors=services.errors),
        Middleware(CatchAll, errors=services.errors),
        Middleware(BodyLimit),
    ]
    if settings.clock_header:
        layers.append(Middleware(ClockHeader))
    app = FastAPI(
        title="Reference app",
        version="1.0.0",
        openapi_url=f"{settings.root_path}/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # a redirect of a login would repeat the password
        middleware=layers,
    )
    app.state.services = services
    services.errors.install(app)
    openapi.install(app, services)
    for router in _routers(settings):
        app.include_router(router, prefix=settings.root_path)
    return app


def _routers(settings: Settings) -> Iterator[APIRouter]:
    yield from (public.router, users.router, notes.router, auth.router, live.router, pages.start)
    if settings.architecture.takes_cookie:
        yield pages.router
    if not settings.login_form_only:
        yield auth.json_login
    if settings.refresh == "on":
        yield auth.refresh
    if not settings.rules.login_by_post_only:
        yield auth.login_by_get
    if not settings.rules.logout_by_post_only:
        yield auth.logout_by_get
