"""Signing in and out, and what lies between: the API half."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import AfterValidator, BaseModel, Field
from starlette.responses import JSONResponse, RedirectResponse, Response

from reference_app import delivery
from reference_app.bodies import FORMS, JSON, described, media_type
from reference_app.dependencies import ServicesDep, User, json_body, own_page, read_json
from reference_app.errors import Refusal, Unauthenticated, WrongPassword
from reference_app.models import Kind
from reference_app.services import Services  # noqa: TC001
from reference_app.settings import Architecture

LONGEST_PASSWORD: Final = 128


def _bounded(password: object) -> object:
    if isinstance(password, str) and len(password) > LONGEST_PASSWORD:
        raise ValueError("too long")  # before it is hashed: a megabyte would take as long to hash as it likes
    return password


Name = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$")]
NewName = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
Email = Annotated[str, Field(max_length=254, pattern=r"^[^@\s]+@[^@\s]+$")]
AnyPassword = Annotated[object, AfterValidator(_bounded), Field(json_schema_extra={"type": "string"})]
NewPassword = Annotated[str, Field(min_length=8, max_length=LONGEST_PASSWORD)]
OwnPage: Final = Depends(own_page)

router = APIRouter(prefix="/auth", tags=["auth"])
json_login = APIRouter(prefix="/auth", tags=["auth"])
refresh = APIRouter(prefix="/auth", tags=["auth"])
login_by_get = APIRouter(prefix="/auth", include_in_schema=False)
logout_by_get = APIRouter(prefix="/auth", include_in_schema=False)


class Login(BaseModel):
    """Credentials. Whether the password is text at all is judged where it is compared, and refused alike."""

    username: Name
    password: AnyPassword = None
    token_delivery: Literal["cookie", "body"] = "cookie"  # noqa: S105 - where tokens go, not a token


class Signup(BaseModel):
    """A new account."""

    username: NewName
    email: Email
    password: NewPassword


class PasswordChange(BaseModel):
    """The present password, as proof, and the next one."""

    current_password: AnyPassword
    new_password: NewPassword


class RefreshToken(BaseModel):
    """A refresh token that travels in the body."""

    refresh_token: str | None = None


@json_login.post("/login", dependencies=[OwnPage], openapi_extra=described(Login))
def log_in(request: Request, app: ServicesDep, body: Annotated[Login, Depends(json_body(Login))]) -> Response:
    """Sign in with a password."""
    return _logged_in(request, app, body)


@login_by_get.get("/login")
def log_in_by_get(request: Request, app: ServicesDep, username: str = "", password: str = "") -> Response:
    """Sign in with a password in the query."""
    return _logged_in(request, app, Login(username=username, password=password))


@refresh.post("/refresh", dependencies=[OwnPage], openapi_extra=described(RefreshToken, required=False))
async def renew(request: Request, app: ServicesDep) -> Response:
    """Exchange a refresh token for fresh credentials; it travels back the way it came."""
    in_body = await _refresh_token(request, app) if await request.body() else None
    value = in_body
    if in_body is None and app.settings.architecture.takes_cookie:
        value = app.cookies.refresh.read(request)
    session_id = await run_in_threadpool(app.sessions.session_of, value, Kind.REFRESH)
    if value is None or session_id is None:
        raise Unauthenticated(value)
    if in_body is None:
        await app.csrf.check_write(request, session_id)
    issue = None
    if app.rules.refresh_issues_credentials:
        issue = await run_in_threadpool(app.sessions.renew, value)
        if issue is None:
            raise Unauthenticated(value)
    if in_body is not None:
        return delivery.in_body(app, request, issue)
    return delivery.in_cookies(app, JSONResponse({"renewed": issue is not None}), issue)


@router.post("/logout", status_code=204, dependencies=[OwnPage])
async def log_out(request: Request, app: ServicesDep) -> Response:
    """End the session, whichever credential names it. Nothing to end is no error."""
    sessions = await run_in_threadpool(delivery.by_header, app, request)
    if media_type(request) == JSON and await request.body():
        value = await _refresh_token(request, app)
        found = await run_in_threadpool(app.sessions.session_of, value, Kind.REFRESH)
        sessions |= {found} if found else set()
    if not sessions:
        sessions = await run_in_threadpool(delivery.by_cookie, app, request)
        for session_id in sessions:
            await app.csrf.check_write(request, session_id)
    return await run_in_threadpool(_logged_out, request, app, sessions)


@logout_by_get.get("/logout")
def log_out_by_get(request: Request, app: ServicesDep) -> Response:
    """End the session because of a link."""
    return _logged_out(request, app, delivery.by_header(app, request) | delivery.by_cookie(app, request))


@router.post("/signup", status_code=201, dependencies=[OwnPage], openapi_extra=described(Signup))
def sign_up(app: ServicesDep, body: Annotated[Signup, Depends(json_body(Signup))]) -> JSONResponse:
    """Open an account; signing in is a step of its own."""
    return JSONResponse(app.accounts.create(body.username, body.email, body.password).public(), 201)


@router.post("/password", status_code=204, openapi_extra=described(PasswordChange))
def change_password(
    principal: User, app: ServicesDep, body: Annotated[PasswordChange, Depends(json_body(PasswordChange))]
) -> Response:
    """Choose another password. Every other session of the user ends: one of them may be why."""
    try:
        app.accounts.check(principal.user.username, body.current_password)
    except WrongPassword:
        raise Refusal(400, "The current password is wrong") from None
    app.accounts.change_password(principal.user, body.new_password)
    if app.rules.password_change_ends_others:
        app.sessions.end_others(principal.user, kept=principal.session_id)
    return Response(status_code=204)


def _logged_in(request: Request, app: Services, body: Login) -> Response:
    user, issue = delivery.sign_in(app, request, body.username, body.password)
    architecture = app.settings.architecture
    if architecture is Architecture.BEARER or (architecture is Architecture.BOTH and body.token_delivery == "body"):  # noqa: S105
        return delivery.in_body(app, request, issue)
    return delivery.in_cookies(app, delivery.login_answer(app, user, issue), issue)


def _logged_out(request: Request, app: Services, sessions: set[str]) -> Response:
    if not app.rules.logout_needs_no_user:
        sessions = {sessions.pop()}
    for session_id in sessions:
        app.sessions.end(session_id)
    response = Response(status_code=204)
    if media_type(request) in FORMS:
        response = RedirectResponse(f"{app.settings.root_path}/login", 303)
    if app.settings.architecture.takes_cookie and delivery.by_cookie(app, request) <= sessions:
        app.cookies.sign_out(response)
    return response


async def _refresh_token(request: Request, app: Services) -> str | None:
    """The refresh token in the body, where bodies may carry one."""
    if not app.settings.architecture.takes_header:
        return None
    return (await read_json(request, app, RefreshToken)).refresh_token
