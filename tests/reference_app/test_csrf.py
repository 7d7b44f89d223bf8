"""Requests that another site makes a browser send."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.reference_app.conftest import Launch

EVIL = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
FOREIGN = [
    EVIL,
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
]


@pytest.mark.parametrize("architecture", ["cookie", "both"])
def test_a_write_needs_the_token_of_its_session(launch: Launch, architecture: str) -> None:
    app = launch(architecture)
    alice, bob = app.signed_in(), app.signed_in("bob")
    assert alice.write("mine")
    for token in ("", "x", "x.y", ".", bob.csrf_token or "", (alice.csrf_token or "")[:-1], "é"):
        raw = [(b"X-CSRF-Token", token.encode())]
        assert not alice.write("forged", proof=False, headers=raw)
    assert not alice.write("forged", proof=False)
    forged_pair = alice.twin()
    forged_pair.cookies["csrf"] = "nonce.signature"
    assert not forged_pair.write("forged")
    assert alice.notes() == ["mine"]
    note = alice.get("/notes").json()[0]["id"]
    assert alice.send("DELETE", f"/notes/{note}", proof=False).status_code == 403
    assert alice.send("DELETE", f"/notes/{note}").status_code == 204


@pytest.mark.parametrize(
    "media_type",
    [
        None,
        "text/plain",
        "Text/Plain",
        "text/plain; application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
    ],
)
def test_only_json_is_read_as_json(launch: Launch, media_type: str | None) -> None:
    visitor = launch().signed_in()
    headers = {"Content-Type": media_type} if media_type else {}
    login = b'{"username": "alice", "password": "Alice-correct-horse-1"}'
    assert visitor.post("/auth/login", content=login, headers=headers).status_code == 415
    assert visitor.post("/notes", content=b'{"text": "x"}', headers=headers).status_code == 415
    assert visitor.post("/notes", content=b'{"text": "x"}', headers=headers, proof=False).status_code == 403
    assert visitor.notes() == []
    json_ = {"Content-Type": "Application/JSON; charset=utf-8"}
    assert visitor.post("/notes", content=b'{"text": "x"}', headers=json_).status_code == 201


@pytest.mark.parametrize("headers", FOREIGN)
def test_foreign_pages_reach_none_of_the_routes_without_a_session(launch: Launch, headers: dict[str, str]) -> None:
    app = launch()
    visitor = app.visitor()
    body = {"username": "alice", "password": "Alice-correct-horse-1"}
    assert visitor.post("/auth/login", json=body, headers=headers).status_code == 403
    account = {"username": "dave", "password": "x" * 20, "email": "dave@example.org"}
    assert visitor.post("/auth/signup", json=account, headers=headers).status_code == 403
    assert not visitor.cookies
    victim = app.signed_in()
    assert victim.post("/auth/refresh", headers=headers).status_code == 403
    assert victim.post("/auth/logout", headers=headers).status_code == 403
    assert victim.me() == "alice"
    assert victim.refresh().status_code == 200


def test_own_pages_do(launch: Launch) -> None:
    app = launch()
    body = {"username": "alice", "password": "Alice-correct-horse-1"}
    for headers in (
        {"Origin": app.origin, "Sec-Fetch-Site": "same-origin"},
        {"Origin": "http://127.0.0.1:3000", "Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {},
    ):
        assert app.visitor().post("/auth/login", json=body, headers=headers).status_code == 200


@pytest.mark.parametrize("path", ["/auth/refresh", "/auth/logout"])
def test_refresh_and_logout_by_cookie_need_the_token_too(launch: Launch, path: str) -> None:
    visitor = launch().signed_in()
    assert visitor.post(path, proof=False).status_code == 403
    assert visitor.me() == "alice"


def test_the_origin_alone_can_be_the_defence(launch: Launch) -> None:
    visitor = launch(csrf="origin").signed_in()
    assert visitor.csrf_token is None
    for headers in FOREIGN:
        assert not visitor.write("forged", headers=headers)
    assert visitor.write("mine", headers={"Origin": visitor.running.origin})
    assert visitor.refresh().status_code == 200


def test_a_custom_header_can_be_the_defence(launch: Launch) -> None:
    visitor = launch(csrf="custom-header").signed_in()
    assert not visitor.write("forged")
    assert visitor.post("/auth/refresh").status_code == 403
    assert visitor.write("mine", headers={"X-Requested-With": "fetch"})
    assert visitor.post("/auth/refresh", headers={"X-Requested-With": "fetch"}).status_code == 200


def test_bearer_needs_no_defence(launch: Launch) -> None:
    assert launch("bearer").signed_in().write("mine", headers=EVIL)


def test_http_basic_does(launch: Launch) -> None:
    visitor = launch("bearer", basic=True).visitor()
    right = ("alice", "Alice-correct-horse-1")
    assert visitor.http.post("/notes", json={"text": "x"}, auth=right, headers=EVIL).status_code == 403
    assert visitor.http.post("/notes", json={"text": "x"}, auth=right).status_code == 201


def test_reading_changes_nothing(launch: Launch) -> None:
    visitor = launch().signed_in()
    override = {"X-HTTP-Method-Override": "POST"}
    assert visitor.get("/notes?text=x&_method=POST", headers=override).status_code == 200
    assert visitor.send("HEAD", "/notes?text=x").status_code == 405
    assert visitor.notes() == []


def test_the_token_is_told_to_scripts_of_other_origins(launch: Launch) -> None:
    visitor = launch().visitor()
    answer = visitor.login()
    assert answer.headers["x-csrf-token"] == visitor.csrf_token
    readable = visitor.login().headers
    assert "access-control-expose-headers" not in readable
    sent = visitor.get("/status", headers={"Origin": "http://127.0.0.1:3000"})
    assert "X-CSRF-Token" in sent.headers["access-control-expose-headers"]
