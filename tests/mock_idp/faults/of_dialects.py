"""A login with a fault in the other makes of provider."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tests.mock_idp.served import REDIRECT_URI, answered

if TYPE_CHECKING:
    import httpx

    from tests.mock_idp.served import World


class Paths(NamedTuple):
    """Where a make of provider has its endpoints, and what it calls a person."""

    authorize: str
    token: str
    profile: str
    scope: str
    subject: str


PATHS = {
    "github": Paths("login/oauth/authorize", "login/oauth/access_token", "user", "read:user user:email", "id"),
    "google": Paths("o/oauth2/v2/auth", "token", "v1/userinfo", "openid email profile", "sub"),
    "intra42": Paths("oauth/authorize", "oauth/token", "v2/me", "public", "id"),
}


def login(world: World, dialect: str, fault: str | None = None) -> list[httpx.Response]:
    """The answers of a login, as far as it comes: authorization response, token response, profile."""
    paths = PATHS[dialect]
    asked = {"client_id": "app", "redirect_uri": REDIRECT_URI, "response_type": "code", "state": "s"}
    named = {"mock_fault": fault} if fault else {}
    answers = [world.get(paths.authorize, params={**asked, "scope": paths.scope, **named})]
    code = answered(answers[0]).get("code") if answers[0].status_code == 303 else None
    if code is None:
        return answers
    form = {"grant_type": "authorization_code", "client_id": "app", "client_secret": "app-secret", "code": code}
    headers = {"Accept": "application/json"}
    answers.append(world.post(paths.token, {**form, "redirect_uri": REDIRECT_URI}, headers=headers))
    token = members(answers[-1]).get("access_token")
    if token:
        answers.append(world.get(paths.profile, headers={"Authorization": f"Bearer {token}"}))
    return answers


def members(response: httpx.Response) -> dict[str, Any]:
    """What a JSON object says; nothing where it is none."""
    try:
        found = response.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
