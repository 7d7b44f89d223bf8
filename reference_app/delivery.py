"""Signing in, and handing over what comes of it: in cookies, or in the body of the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, RedirectResponse, Response

from reference_app import csrf
from reference_app.headers import STORABLE
from reference_app.models import Kind

if TYPE_CHECKING:
    from fastapi import Request

    from reference_app.models import User
    from reference_app.services import Services
    from reference_app.sessions import Issue


def sign_in(app: Services, request: Request, username: str, password: object) -> tuple[User, Issue | None]:
    """A session for whoever these credentials belong to; the one this client had before ends.

    Raises:
        WrongPassword: they are nobody's (401).
        Refusal: too many failures (429).
    """
    user = app.accounts.check(username, password)
    if not app.rules.login_issues_credentials:
        return user, None
    previous = by_header(app, request) | by_cookie(app, request)
    presented = app.cookies.access.read(request) if app.settings.architecture.takes_cookie else None
    issue = app.sessions.open(user, presented=presented)
    if app.rules.relogin_ends_previous:
        app.sessions.supersede(previous)
    return user, issue


def by_header(app: Services, request: Request) -> set[str]:
    """The session whose access token the Authorization header carries, when that is a declared carrier."""
    if not app.settings.architecture.takes_header:
        return set()
    sent = request.headers.get("authorization", "").partition(" ")[2].strip()
    return {found for found in [app.sessions.session_of(sent, Kind.ACCESS)] if found}


def by_cookie(app: Services, request: Request) -> set[str]:
    """The sessions whose access or refresh value the cookies carry, when those are a declared carrier."""
    if not app.settings.architecture.takes_cookie:
        return set()
    access = app.sessions.session_of(app.cookies.access.read(request), Kind.ACCESS)
    refresh = app.sessions.session_of(app.cookies.refresh.read(request), Kind.REFRESH)
    return {found for found in (access, refresh) if found}


def in_body(app: Services, request: Request, issue: Issue | None) -> Response:
    """Tokens as RFC 6749 (5.1) has them."""
    if issue is None:
        return JSONResponse({})
    tokens: dict[str, object] = {
        "access_token": issue.access,
        "token_type": "Bearer",
        "expires_in": round(issue.access_lifetime_s),
    }
    if issue.refresh is not None:
        tokens["refresh_token"] = issue.refresh
    if not app.rules.token_answers_not_stored:
        request.scope.setdefault("state", {})[STORABLE] = True
        return JSONResponse(tokens)
    return JSONResponse(tokens, headers={"Cache-Control": "no-store", "Pragma": "no-cache"})


def in_cookies(app: Services, response: Response, issue: Issue | None) -> Response:
    """Set the cookies of a session on an answer, and tell scripts of other origins the anti-forgery token."""
    if issue is not None:
        token = app.csrf.token(issue.session_id)
        if token is not None:
            response.headers[csrf.HEADER] = token
        app.cookies.sign_in(response, issue, token)
    return response


def login_answer(app: Services, user: User, issue: Issue | None) -> Response:
    """What a login through the API says when cookies carry the credentials."""
    dashboard = f"{app.settings.root_path}/dashboard"
    if not app.rules.login_stays_on_origin:
        return RedirectResponse(f"{app.settings.front}/welcome")  # 307 unless told otherwise
    if issue and not app.rules.login_url_free_of_tokens:
        return RedirectResponse(f"{dashboard}?token={issue.access}", 303)
    if app.settings.login_answer == "303":
        return RedirectResponse(dashboard, 303)
    if app.settings.login_answer == "204":
        return Response(status_code=204)
    return JSONResponse({"user": user.public()})
