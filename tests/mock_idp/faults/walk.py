"""A login with a fault bound to it, the same login without one, and what differs."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import jwt

from mock_idp.records import Armed
from mock_idp.tokens import jws
from tests.mock_idp.served import World, challenge, claims, header

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    Check = Callable[[World, str], None]

NONCE = "the-nonce"
GONE = "(not there)"
"""Stands for a member that is missing."""
VERIFIER, CHALLENGE = challenge()
VOLATILE = {"at_hash", "c_hash", "sid", "jti"}
"""Claims that differ from token to token."""
CHECKS: dict[str, Check] = {}
"""What shows that a fault strikes, by its name."""


def shows(*names: str) -> Callable[[Check], Check]:
    """The function below checks, in a fresh tenant, that each of these faults deviates as it says and not otherwise."""

    def declare(check: Check) -> Check:
        for name in names:
            assert name not in CHECKS, name
            CHECKS[name] = check
        return check

    return declare


# -- a login, step by step --


def authorize(world: World, fault: str | None = None, **parameters: Any) -> httpx.Response:
    """The authorization response to a request with PKCE and nonce."""
    return world.authorize(**{"mock_fault": fault, "nonce": NONCE, **CHALLENGE, **parameters})


def response_pairs(response: httpx.Response) -> list[tuple[str, str]]:
    """The parameters of an authorization response, in their order."""
    assert response.status_code == 303, response.text
    parts = urlsplit(response.headers["location"])
    return parse_qsl(parts.query or parts.fragment, keep_blank_values=True)


def redeem(world: World, fault: str | None = None, **parameters: Any) -> httpx.Response:
    """The token response of a whole login."""
    code = dict(response_pairs(authorize(world, fault, **parameters)))["code"]
    return world.redeem(code, code_verifier=VERIFIER)


def token_members(world: World, fault: str | None = None, **parameters: Any) -> dict[str, Any]:
    """The members of a token response that is JSON and 200."""
    response = redeem(world, fault, **parameters)
    assert response.status_code == 200, response.text
    members: dict[str, Any] = response.json()
    return members


def id_token(world: World, fault: str | None = None, **parameters: Any) -> str:
    """The ID Token of a whole login."""
    token: str = token_members(world, fault, **parameters)["id_token"]
    return token


def profile(world: World, fault: str | None = None, **parameters: Any) -> httpx.Response:
    """The UserInfo response of a whole login."""
    return world.userinfo(token_members(world, fault, **parameters)["access_token"])


def metadata(world: World) -> dict[str, Any]:
    """The discovery document."""
    document: dict[str, Any] = world.get(".well-known/openid-configuration").json()
    return document


def jwks(world: World) -> list[dict[str, Any]]:
    """The published keys."""
    keys: list[dict[str, Any]] = world.get("jwks").json()["keys"]
    return keys


def key_of(world: World, token: str) -> jwt.PyJWK:
    """The published key that a token names."""
    return next(jwt.PyJWK(key) for key in jwks(world) if key["kid"] == header(token)["kid"])


def is_rightly_signed(world: World, token: str) -> bool:
    """Whether the key that the token names, as the JWKS has it now, verifies the token."""
    key = key_of(world, token)
    try:
        jwt.PyJWS().decode(token, key, algorithms=[key.algorithm_name])
    except jwt.PyJWTError:
        return False
    return True


def arm(world: World, fault: str) -> None:
    """Let a fault strike in the whole tenant until `disarm`."""
    world.change(lambda tenant: tenant.armed.append(Armed("the-fault", fault)))


def disarm(world: World) -> None:
    """No fault is armed any more."""
    world.change(lambda tenant: tenant.armed.clear())


def struck(world: World) -> list[str]:
    """Faults that the journal says have struck, oldest first."""
    return [name for entry in world.journal() for name in entry.faults]


def changes(honest: dict[str, Any], faulty: dict[str, Any], but: set[str] = VOLATILE) -> dict[str, Any]:
    """The members of `faulty` that are not as in `honest`."""
    names = (honest.keys() | faulty.keys()) - but
    return {name: faulty.get(name, GONE) for name in names if honest.get(name, GONE) != faulty.get(name, GONE)}


# -- the same login without a fault --


@dataclass
class Honest:
    """What an honest login and its documents look like, but for what is new in each."""

    response: dict[str, str]
    members: dict[str, Any]
    header: dict[str, Any]
    claims: dict[str, Any]
    profile: dict[str, Any]
    metadata: dict[str, Any]
    redirect_uri: str = field(default="")


def honest(world: World) -> Honest:
    """Log in without a fault, and check what can be checked."""
    redirected = authorize(world)
    response = dict(response_pairs(redirected))
    answer = world.redeem(response["code"], code_verifier=VERIFIER)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    members = answer.json()
    token = members["id_token"]
    assert is_rightly_signed(world, token)
    said = claims(token)
    assert said["at_hash"] == jws.half_hash(members["access_token"], header(token)["alg"])
    userinfo = world.userinfo(members["access_token"])
    assert userinfo.status_code == 200, userinfo.text
    assert len(jwks(world)) == len({key["kid"] for key in jwks(world)})
    secret = {"access_token", "refresh_token", "id_token"}
    return Honest(
        response={name: value if name != "code" else "" for name, value in response.items()},
        members={name: value if name not in secret else "" for name, value in members.items()},
        header={name: value for name, value in header(token).items() if name != "kid"},
        claims={name: value for name, value in said.items() if name not in VOLATILE},
        profile=userinfo.json(),
        metadata=metadata(world),
        redirect_uri=redirected.headers["location"].partition("?")[0],
    )


def text(response: httpx.Response) -> Any:
    """A body as JSON, or None where it is none."""
    try:
        return json.loads(response.content)
    except ValueError:
        return None
