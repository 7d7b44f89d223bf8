"""Where the credential is read from, and where it is not."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.reference_app.conftest import Launch, Visitor


def bare(visitor: Visitor, headers: Any = None, query: str = "") -> int:
    """The probe's status for a request with these headers alone."""
    return visitor.http.get(f"/users/me{query}", headers=headers).status_code


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Bearer "])
def test_the_scheme_is_case_insensitive(launch: Launch, scheme: str) -> None:
    visitor = launch("bearer").signed_in()
    assert bare(visitor, {"Authorization": f"{scheme} {visitor.access}"}) == 200


@pytest.mark.parametrize("form", ["{0}", "Basic {0}", "Token {0}", "Bearer {0} x", "Bearer", "", "Bearer é"])
def test_only_bearer_credentials_are_accepted(launch: Launch, form: str) -> None:
    visitor = launch("bearer").signed_in()
    header = form.format(visitor.access).encode("latin-1")
    assert bare(visitor, [(b"Authorization", header)]) == 401


@pytest.mark.parametrize("architecture", ["bearer", "both"])
def test_two_authorization_headers_are_one_too_many(launch: Launch, architecture: str) -> None:
    visitor = launch(architecture).visitor()
    visitor.login(token_delivery="body")
    value = f"Bearer {visitor.access}"
    answer = visitor.http.get("/users/me", headers=[("Authorization", value), ("Authorization", value)])
    assert answer.status_code == 400


def test_each_architecture_reads_its_own_carrier_only(launch: Launch) -> None:
    for architecture, header, cookie in (("bearer", 200, 401), ("cookie", 401, 200), ("both", 200, 200)):
        visitor = launch(architecture).signed_in()
        assert bare(visitor, {"Authorization": f"Bearer {visitor.access}"}) == header
        assert bare(visitor, {"Cookie": f"access={visitor.access}"}) == cookie
        for name in ("access_token", "token", "jwt", "session", "refresh"):
            assert bare(visitor, {"Cookie": f"{name}={visitor.access}"}) == 401
            assert bare(visitor, query=f"?{name}={visitor.access}") == 401


def test_a_bad_header_never_falls_back_to_the_cookie(launch: Launch) -> None:
    visitor = launch("both").signed_in()
    cookie = {"Cookie": f"access={visitor.access}"}
    assert bare(visitor, cookie | {"Authorization": f"Bearer {visitor.access}"}) == 200
    for header in ("Bearer garbage", "Basic x", "", "Bearer"):
        assert bare(visitor, cookie | {"Authorization": header}) == 401


def test_a_header_needs_no_anti_forgery_token(launch: Launch) -> None:
    visitor = launch("both").signed_in()
    header = {"Authorization": f"Bearer {visitor.access}"}
    assert visitor.http.post("/notes", json={"text": "x"}, headers=header).status_code == 201
    cookie = {"Cookie": f"access={visitor.access}"}
    assert visitor.http.post("/notes", json={"text": "x"}, headers=cookie).status_code == 403


@pytest.mark.parametrize("name", ["X-User-Id", "X-Forwarded-User", "X-Remote-User", "X-Auth-Request-Email"])
def test_nobody_is_who_a_header_says(launch: Launch, name: str) -> None:
    app = launch()
    for claim in ("1", "alice", "alice@reference.example"):
        assert bare(app.visitor(), {name: claim}) == 401
    assert app.signed_in("bob").me(headers={name: "alice"}) == "bob"


@pytest.mark.parametrize("architecture", ["bearer", "cookie", "both"])
@pytest.mark.parametrize("tokens", ["jwt", "opaque"])
def test_what_is_no_credential_is_refused(launch: Launch, architecture: str, tokens: str) -> None:
    visitor = launch(architecture, tokens=tokens).visitor()
    name, start = ("Cookie", b"access=") if architecture == "cookie" else ("Authorization", b"Bearer ")
    for value in (
        b"",
        b".",
        b"..",
        b"x.y.z",
        b"e30.e30.e30",
        b"\xc3\xa9\xff",
        b"x" * 20_000,
        b"{}",
        b'"',
        b"=",
        b"a=b=c",
    ):
        answer = visitor.http.get("/users/me", headers=[(name.encode(), (start + value).strip())])
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"]


def test_an_enormous_credential_is_refused(launch: Launch) -> None:
    visitor = launch("bearer").visitor()
    assert bare(visitor, {"Authorization": "Bearer " + "x" * 60_000}) == 431
    assert bare(visitor, {"Cookie": "access=" + "x" * 60_000}) == 431


def test_a_changed_token_is_refused(launch: Launch) -> None:
    visitor = launch("bearer").signed_in()
    head, payload, signature = visitor.access.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))

    def encoded(content: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()

    changed = [
        f"{head}.{encoded(claims | {'sub': '2'})}.{signature}",
        f"{head}.{payload}.",
        f"{head}.{payload}.{signature[:-4]}",
        f"{head}.{payload}.{'A' * len(signature)}",
        *(f"{encoded({'alg': alg, 'typ': 'JWT'})}.{payload}." for alg in ("none", "None", "NONE", "nOnE")),
        *(f"{encoded({'alg': alg})}.{payload}.{signature}" for alg in ("RS256", "ES256", "HS512", "EdDSA", 7, None)),
        f"{encoded([])}.{payload}.{signature}",
        f"{head}.{encoded([])}.{signature}",
    ]
    for value in changed:
        assert visitor.put_access(value).get("/users/me").status_code == 401
    assert visitor.me() == "alice"


def test_access_tokens_say_no_more_than_they_must(launch: Launch) -> None:
    visitor = launch("bearer").signed_in()
    payload = visitor.access.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    assert claims.keys() == {"iss", "aud", "sub", "sid", "jti", "iat", "exp", "typ"}
    assert claims["exp"] - claims["iat"] == 900
