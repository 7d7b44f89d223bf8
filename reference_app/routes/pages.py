"""The pages: a start, a login form, a dashboard. The last two exist where cookies carry the session."""

from __future__ import annotations

import re
import secrets
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from jinja2 import Environment, FileSystemLoader
from starlette.responses import HTMLResponse, RedirectResponse, Response

from reference_app import delivery
from reference_app.bodies import form
from reference_app.cookies import LOGIN_FORM_S
from reference_app.csrf import FIELD
from reference_app.dependencies import ServicesDep, signed_in
from reference_app.errors import Forbidden, Refusal, Unauthenticated, WrongPassword
from reference_app.routes.auth import LONGEST_PASSWORD
from reference_app.services import Services  # noqa: TC001

if TYPE_CHECKING:
    from reference_app.sessions import Issue

CSP: Final = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
OWN_PATH: Final = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]*")
"""What browsers resolve to this origin: they read `\\` as `/`, and drop tabs and line breaks."""

start = APIRouter(include_in_schema=False)
router = APIRouter(include_in_schema=False)


@start.get("/")
def home(app: ServicesDep) -> Response:
    """Where everybody starts."""
    return _page(app, "index.html")


@router.get("/login")
async def login_form(request: Request, app: ServicesDep, next: str = "") -> Response:  # noqa: A002 - the parameter's name
    """The form; somebody already signed in goes straight on."""
    try:
        await signed_in(request, app)
    except Refusal:
        return _form(request, app, next)
    return RedirectResponse(_return_path(app, next), 303)


@router.post("/login")
async def log_in(request: Request, app: ServicesDep) -> Response:
    """Sign in by form. Its anti-forgery token belongs to a cookie that the form came with: there is no session yet."""
    app.csrf.check_origin(request)
    fields = await form(request)
    if not app.csrf.belongs(fields.get(FIELD), app.cookies.login_form.read(request) or secrets.token_urlsafe()):
        raise Forbidden("The anti-forgery token is missing or is not for this form")
    after = fields.get("next", "")
    try:
        issue = await run_in_threadpool(_by_form, app, request, fields)
    except WrongPassword as refusal:
        return _form(request, app, after, refusal)
    response = RedirectResponse(_return_path(app, after), 303)
    app.cookies.clear(response, app.cookies.login_form)
    return delivery.in_cookies(app, response, issue)


@router.get("/dashboard")
async def dashboard(request: Request, app: ServicesDep) -> Response:
    """The user's own page."""
    root = app.settings.root_path
    try:
        principal = await signed_in(request, app)
    except Unauthenticated:
        return RedirectResponse(f"{root}/login?next={root}/dashboard", 303)
    token = app.csrf.token(principal.session_id or "")
    return _page(app, "dashboard.html", username=principal.user.username, csrf_token=token)


def _by_form(app: Services, request: Request, fields: dict[str, str]) -> Issue | None:
    username, password = fields.get("username", ""), fields.get("password", "")
    if len(password) > LONGEST_PASSWORD:
        raise WrongPassword
    return delivery.sign_in(app, request, username, password)[1]


def _form(request: Request, app: Services, after: str, refusal: WrongPassword | None = None) -> Response:
    """The login form, with words of its own after a wrong password."""
    known = app.cookies.login_form.read(request)
    bound_to = known or secrets.token_urlsafe(32)
    response = _page(app, "login.html", csrf_token=app.csrf.sign(bound_to), next=after, refused=refusal is not None)
    if refusal is not None and not app.settings.login_form_only:
        response.status_code = refusal.status
        for challenge in app.errors.challenges(refusal):
            response.headers.append("WWW-Authenticate", challenge)
    if known is None:
        app.cookies.set(response, app.cookies.login_form, bound_to, LOGIN_FORM_S)
    return response


def _return_path(app: Services, after: str) -> str:
    """Where to go after signing in: a path of this origin, and nothing that a browser reads as another's."""
    safe = OWN_PATH.fullmatch(after) is not None if app.rules.return_path_checked else after.startswith("/")
    return after if safe else f"{app.settings.root_path}/dashboard"


def _page(app: Services, name: str, **values: object) -> Response:
    template = _templates().get_template(name)
    text = template.render(root=app.settings.root_path, settings=app.settings, field=FIELD, **values)
    return HTMLResponse(text, headers={"Content-Security-Policy": CSP})


@cache
def _templates() -> Environment:
    return Environment(loader=FileSystemLoader(Path(__file__).parents[1] / "pages"), autoescape=True)
