"""What shows that the faults of the token endpoint strike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unittest.mock import ANY
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from tests.mock_idp.faults.of_authorization import patient
from tests.mock_idp.faults.walk import (
    GONE,
    NONCE,
    VERIFIER,
    authorize,
    changes,
    redeem,
    response_pairs,
    shows,
    text,
    token_members,
)
from tests.mock_idp.served import REDIRECT_URI

if TYPE_CHECKING:
    from tests.mock_idp.served import World

TOKENS = {"access_token", "refresh_token", "id_token"}


def changed(world: World, fault: str, **parameters: Any) -> dict[str, Any]:
    """The members of the token response that the fault changes; those that differ each time count where they go."""
    plain, faulty = token_members(world, **parameters), token_members(world, fault, **parameters)
    differing = changes(plain, faulty, but=set())
    return {
        name: value
        for name, value in differing.items()
        if name not in TOKENS or not isinstance(value, str) or value == GONE
    }


# -- statuses --


@shows("token.http-400-invalid-grant", "token.http-401-invalid-client", "token.http-500", "token.http-429")
def a_status(world: World, fault: str) -> None:
    response = redeem(world, fault)
    assert response.status_code == int(fault[11:14])
    assert (text(response) or {}).get("error", "").replace("_", "-") in (
        fault[15:] or fault,
        "temporarily-unavailable",
        "",
    )
    assert not TOKENS & set(text(response) or ())
    assert ("retry-after" in response.headers) == (response.status_code == 429)
    assert ("www-authenticate" in response.headers) == (response.status_code == 401)


@shows("token.http-200-error")
def error_that_looks_like_success(world: World, fault: str) -> None:
    response = redeem(world, fault)
    assert response.status_code == 200
    assert response.json().keys() == {"error", "error_description"}


@shows("token.redirect-307")
def redirected(world: World, fault: str) -> None:
    response = redeem(world, fault)
    assert response.status_code == 307
    there = urlsplit(response.headers["location"])
    assert there.hostname == "localhost"
    code = dict(response_pairs(authorize(world)))["code"]
    assert world.http.post(response.headers["location"], data={"code": code}).status_code == 400
    visit = world.journal()[-1]
    assert (visit.endpoint, visit.notes) == ("canary", ["canary-visited"])
    assert code.encode() in visit.request_body
    elsewhere = redeem(world, f"{fault}=https://attacker.example.test/x")
    assert elsewhere.headers["location"] == "https://attacker.example.test/x"


# -- bodies --


@shows("token.form-encoded")
def form_encoded(world: World, fault: str) -> None:
    response = redeem(world, fault)
    assert response.headers["content-type"] == "application/x-www-form-urlencoded"
    assert dict(parse_qsl(response.text)).keys() == token_members(world).keys()
    code = dict(response_pairs(authorize(world, fault)))["code"]
    data = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT_URI, "code_verifier": VERIFIER}
    accept = {"Accept": "text/plain, application/json; charset=utf-8"}
    assert "id_token" in world.post("token", data, auth=("app", "app-secret"), headers=accept).json()


@shows("token.empty-body")
def nothing(world: World, fault: str) -> None:
    response = redeem(world, fault)
    assert (response.status_code, response.content) == (200, b"")


@shows("token.html-body")
def a_page(world: World, fault: str) -> None:
    response = redeem(world, fault)
    assert response.status_code == 200
    assert response.text.startswith("<!doctype html>")


@shows("token.truncated-json")
def half_of_it(world: World, fault: str) -> None:
    response = redeem(world, fault)
    assert response.text.startswith('{"access_token":"')
    assert text(response) is None


@shows("token.invalid-json")
def nearly_json(world: World, fault: str) -> None:
    response = redeem(world, fault)
    assert response.text.startswith("{'access_token':\"")
    assert text(response) is None


@shows("token.not-an-object")
def in_an_array(world: World, fault: str) -> None:
    (members,) = redeem(world, fault).json()
    assert members.keys() == token_members(world).keys()


@shows("token.wrong-content-type")
def under_another_type(world: World, fault: str) -> None:
    response = redeem(world, fault)
    assert response.headers["content-type"] == "text/html"
    assert response.json().keys() == token_members(world).keys()


@shows("token.huge-body")
def very_much(world: World, fault: str) -> None:
    response = redeem(world, fault)
    assert len(response.content) > 16_000_000
    assert response.json().keys() - {"padding"} == token_members(world).keys()
    assert [entry.endpoint for entry in world.journal() if entry.cut] == ["token"]


@shows("token.duplicate-members")
def a_member_twice(world: World, fault: str) -> None:
    response = redeem(world, fault)
    assert response.text.count('"access_token"') == 2
    assert world.userinfo(response.json()["access_token"]).status_code == 200


@shows("token.extra-members")
def more_members(world: World, fault: str) -> None:
    assert changed(world, fault) == {"created_at": ANY, "secret_valid_until": ANY, "of_tomorrow": {"a": [1]}}


# -- members --


@shows(
    "token.missing-access-token",
    "token.null-access-token",
    "token.missing-id-token",
    "token.null-id-token",
    "token.token-type-unknown",
    "token.token-type-missing",
    "token.expires-in-missing",
    "token.expires-in-string",
    "token.expires-in-negative",
    "token.expires-in-fraction",
    "token.expires-in-null",
    "token.expires-in-huge",
)
def one_member(world: World, fault: str) -> None:
    expected = {
        "token.missing-access-token": {"access_token": GONE},
        "token.null-access-token": {"access_token": None},
        "token.missing-id-token": {"id_token": GONE},
        "token.null-id-token": {"id_token": None},
        "token.token-type-unknown": {"token_type": "mac_x"},
        "token.token-type-missing": {"token_type": GONE},
        "token.expires-in-missing": {"expires_in": GONE},
        "token.expires-in-string": {"expires_in": "3600"},
        "token.expires-in-negative": {"expires_in": -1},
        "token.expires-in-fraction": {"expires_in": 3599.5},
        "token.expires-in-null": {"expires_in": None},
        "token.expires-in-huge": {"expires_in": 10**30},
    }
    assert changed(world, fault) == expected[fault]


@shows("token.token-type-case")
def token_type_in_other_letters(world: World, fault: str) -> None:
    assert changed(world, fault) == {"token_type": "BEARER"}
    assert changed(world, f"{fault}=bearer") == {"token_type": "bearer"}


@shows("token.scope-reduced")
def less_scope(world: World, fault: str) -> None:
    members = token_members(world, fault)
    assert members["scope"] == "openid profile"
    assert "email" not in world.userinfo(members["access_token"]).json()
    assert "besides openid" in redeem(world, fault, scope="openid").json()["error_description"]


# -- what is checked --


def token_status(world: World, fault: str, *, pkce: bool = True, post: bool = False, **parameters: Any) -> int:
    """The status of a token request whose verifier, redirect URI or authentication is as told."""
    challenge = {} if pkce else {"code_challenge": None, "code_challenge_method": None}
    code = dict(response_pairs(authorize(world, fault, **challenge)))["code"]
    verifier = {"code_verifier": VERIFIER} if pkce else {}
    secret = {"client_id": "app", "client_secret": "app-secret"} if post else {}
    answer = world.redeem(code, auth=None if post else ("app", "app-secret"), **{**verifier, **secret, **parameters})
    return answer.status_code


@shows("token.pkce-enforced")
def pkce_enforced(world: World, fault: str) -> None:
    assert token_status(world, fault) == 200
    assert token_status(world, fault, code_verifier="x" * 43) == 400
    assert token_status(world, fault, pkce=False) == 400


@shows("token.pkce-ignored")
def pkce_ignored(world: World, fault: str) -> None:
    assert token_status(world, fault, code_verifier="x" * 43) == 200
    assert token_status(world, fault, code_verifier=None) == 200


@shows("token.redirect-uri-strict")
def redirect_uri_strict(world: World, fault: str) -> None:
    world.change(lambda tenant: tenant.clients["app"].lenient.append("redirect-uri-not-compared"))
    assert token_status(world, fault, redirect_uri=REDIRECT_URI + "/") == 400
    assert token_status(world, "", redirect_uri=REDIRECT_URI + "/") == 200
    assert token_status(world, fault) == 200


@shows("token.client-auth-basic-only", "token.client-auth-post-only")
def one_method(world: World, fault: str) -> None:
    by_post = "post" in fault
    assert token_status(world, fault, post=by_post) == 200
    assert token_status(world, fault, post=not by_post) == 401


# -- time and transport --


@shows("token.hang")
def hang(world: World, fault: str) -> None:
    code = dict(response_pairs(authorize(world, fault)))["code"]
    with pytest.raises(httpx.ReadTimeout):
        patient(world).redeem(code, code_verifier=VERIFIER)


@shows("token.slow")
def slow(world: World, fault: str) -> None:
    code = dict(response_pairs(authorize(world, f"{fault}=30")))["code"]
    with pytest.raises(httpx.ReadTimeout):
        patient(world).redeem(code, code_verifier=VERIFIER)
    assert redeem(world, f"{fault}=0.01").json().keys() == token_members(world).keys()


@shows("token.reset", "token.cut")
def broken_off(world: World, fault: str) -> None:
    code = dict(response_pairs(authorize(world, fault)))["code"]
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)) as caught:
        world.redeem(code, code_verifier=VERIFIER)
    assert ("complete" in str(caught.value)) == (fault == "token.cut") or isinstance(caught.value, httpx.ReadError)


@shows("token.drip")
def byte_by_byte(world: World, fault: str) -> None:
    code = dict(response_pairs(authorize(world, f"{fault}=0.001", scope="email", nonce=NONCE)))["code"]
    data = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT_URI, "code_verifier": VERIFIER}
    with world.http.stream("POST", f"{world.issuer}/token", data=data, auth=("app", "app-secret")) as response:
        pieces = list(response.iter_raw())
    assert len(pieces) > 10
    assert b'"access_token"' in b"".join(pieces)


# -- refresh --


def refreshed(world: World, fault: str) -> tuple[str, httpx.Response]:
    """The first refresh token, and the answer to its use."""
    first: str = token_members(world, fault)["refresh_token"]
    return first, world.refresh(first)


@shows("token.refresh-invalid-grant")
def refresh_refused(world: World, fault: str) -> None:
    _, answer = refreshed(world, fault)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


@shows("token.refresh-same", "token.refresh-omitted")
def refresh_token_stays(world: World, fault: str) -> None:
    first, answer = refreshed(world, fault)
    assert answer.json().get("refresh_token") == (first if fault.endswith("same") else None)
    assert world.refresh(first).status_code == 200
    assert world.refresh(first).status_code == 200


@shows("token.refresh-new")
def refresh_token_replaced(world: World, fault: str) -> None:
    world.change(lambda tenant: setattr(tenant.settings, "refresh", "fixed"))
    first, answer = refreshed(world, fault)
    second = answer.json()["refresh_token"]
    assert second != first
    assert world.refresh(second).status_code == 200
    world.change(lambda tenant: setattr(tenant.settings, "refresh", "rotate"))
    assert world.refresh(first).status_code == 400
