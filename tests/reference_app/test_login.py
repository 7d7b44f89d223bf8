"""Signing in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.reference_app.conftest import Launch

ARCHITECTURES = pytest.mark.parametrize("architecture", ["bearer", "cookie", "both"])
WRONG: tuple[object, ...] = (
    "wrong-password",
    "alice-CORRECT-horse-1",
    "Alice-correct-horse-",
    " Alice-correct-horse-1",
    "Alice-correct-horse-1 ",
    "",
    "\x00",
    "Alice-correct-horse-1\x00",
    "пароль",
    "x" * 64,
    "x" * 128,
    None,
    [],
    ["Alice-correct-horse-1"],
    {},
    True,
    0,
)


@ARCHITECTURES
@pytest.mark.parametrize("tokens", ["jwt", "opaque"])
@pytest.mark.parametrize("username", ["alice", "bob", "carol"])
def test_the_right_password_signs_in(launch: Launch, architecture: str, tokens: str, username: str) -> None:
    assert launch(architecture, tokens=tokens).signed_in(username).me() == username


@pytest.mark.parametrize("tls", [False, True])
def test_cookies_or_body_never_both(launch: Launch, *, tls: bool) -> None:
    app = launch("both", tls=tls)
    browser, mobile = app.visitor(), app.visitor()
    browser.login()
    answer = mobile.login(token_delivery="body")
    assert browser.cookies
    assert not browser.tokens
    assert set(answer.json()) == {"access_token", "refresh_token", "token_type", "expires_in"}
    assert (answer.headers["cache-control"], answer.headers["pragma"]) == ("no-store", "no-cache")
    assert not mobile.cookies
    assert (browser.me(), mobile.me()) == ("alice", "alice")


@ARCHITECTURES
def test_a_wrong_password_does_not(launch: Launch, architecture: str) -> None:
    app = launch(architecture)
    for password in WRONG:
        visitor = app.visitor()
        answer = visitor.post("/auth/login", json={"username": "alice", "password": password})
        assert (answer.status_code, answer.json()) == (401, {"detail": "Wrong username or password"})
        assert "www-authenticate" in answer.headers
        assert visitor.me() is None
        app.signed_in()  # so that the guesses are never ten in a row


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"password": "Alice-correct-horse-1"}',
        b'{"username": null, "password": "x"}',
        b'{"username": "al\\u0000ice", "password": "x"}',
        b'{"username": "\\ud800", "password": "x"}',
        b'{"username": "alice", "password": "\\ud800"}',
        b'{"username": "alice", "password": "' + b"x" * 1_000_000 + b'"}',
    ],
)
def test_what_is_no_login_is_refused_without_quoting_it(launch: Launch, body: bytes) -> None:
    answer = launch().visitor().post("/auth/login", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert len(answer.text) < 100


def test_a_body_without_end_is_cut_off(launch: Launch) -> None:
    answer = (
        launch().visitor().post("/auth/login", content=b"x" * 3_000_000, headers={"Content-Type": "application/json"})
    )
    assert answer.status_code == 413


def test_nobody_and_somebody_are_refused_alike(launch: Launch) -> None:
    visitor = launch().visitor()
    somebody, nobody = visitor.login("alice", "wrong"), visitor.login("zoe", "wrong")
    assert somebody.content == nobody.content
    assert somebody.status_code == nobody.status_code
    assert [*somebody.headers] == [*nobody.headers]


@pytest.mark.parametrize("username", ["bob", "nobody"])
def test_guessing_is_throttled_per_account(launch: Launch, username: str) -> None:
    app = launch("bearer", clock_header=True)
    visitor = app.visitor()
    assert [visitor.login(username, f"guess-{guess}").status_code for guess in range(10)] == [401] * 10
    refused = visitor.login(username)
    assert refused.status_code == 429
    assert 0 < int(refused.headers["retry-after"]) <= 60
    assert visitor.login("alice").status_code == 200
    later = {"X-Clock-Offset": refused.headers["retry-after"]}
    body = {"username": username, "password": "Bob-battery-staple-2"}
    assert visitor.post("/auth/login", json=body, headers=later).status_code == (200 if username == "bob" else 401)


def test_the_right_password_forgives_the_wrong_ones(launch: Launch) -> None:
    visitor = launch("bearer").visitor()
    for _ in range(3):
        assert [visitor.login("bob", "guess").status_code for _ in range(9)] == [401] * 9
        assert visitor.login("bob").status_code == 200


def test_signing_in_again_ends_the_session_before(launch: Launch) -> None:
    visitor = launch().signed_in()
    before = visitor.twin()
    visitor.login("bob")
    assert visitor.me() == "bob"
    assert before.me() is None
    assert before.refresh().status_code == 401


def test_a_failed_login_ends_nothing(launch: Launch) -> None:
    visitor = launch().signed_in()
    visitor.login("bob", "wrong")
    assert visitor.me() == "alice"


@pytest.mark.parametrize("tokens", ["jwt", "opaque"])
def test_a_cookie_brought_along_is_never_adopted(launch: Launch, tokens: str) -> None:
    app = launch(tokens=tokens)
    victim = app.visitor()
    victim.cookies = {"access": "chosen-by-the-attacker", "csrf": "x.y", "refresh": "chosen-too"}
    victim.login()
    assert "chosen-by-the-attacker" not in victim.cookies.values()
    assert victim.put_access("chosen-by-the-attacker").me() is None


def test_the_login_takes_post_only(launch: Launch) -> None:
    visitor = launch().visitor()
    answer = visitor.get("/auth/login", params={"username": "alice", "password": "Alice-correct-horse-1"})
    assert answer.status_code == 405
    assert not visitor.cookies


@pytest.mark.parametrize(("answer", "status"), [("200", 200), ("204", 204), ("303", 303)])
def test_the_answer_of_a_login_is_a_setting(launch: Launch, answer: str, status: int) -> None:
    visitor = launch(login_answer=answer).visitor()
    response = visitor.login()
    assert response.status_code == status
    assert response.headers.get("location") == ("/dashboard" if status == 303 else None)
    assert visitor.me() == "alice"


def test_signing_up_opens_an_account(launch: Launch) -> None:
    visitor = launch("bearer").visitor()
    account = {"username": "dave", "password": "p" * 90, "email": "dave@example.org"}
    assert visitor.post("/auth/signup", json=account).status_code == 201
    assert visitor.post("/auth/signup", json=account).status_code == 409
    assert visitor.login("dave", "p" * 72).status_code == 401
    assert visitor.login("dave", "p" * 90).status_code == 200
    assert visitor.get("/users/me").json()["role"] == "user"


def test_passwords_of_other_lengths_are_not_accepted_at_sign_up(launch: Launch) -> None:
    visitor = launch("bearer").visitor()
    for password in ("short", "x" * 129):
        account = {"username": "dave", "password": password, "email": "dave@example.org"}
        assert visitor.post("/auth/signup", json=account).status_code == 422


@pytest.mark.parametrize("argon2", ["light", "strong"])
def test_http_basic_signs_in_where_it_was_chosen(launch: Launch, argon2: str) -> None:
    visitor = launch("bearer", basic=True, argon2=argon2).visitor()
    right, wrong = ("alice", "Alice-correct-horse-1"), ("alice", "alice")
    assert visitor.http.get("/users/me", auth=right).json()["username"] == "alice"
    refused = visitor.http.get("/users/me", auth=wrong)
    assert refused.status_code == 401
    assert [each.split()[0] for each in refused.headers.get_list("www-authenticate")] == ["Bearer", "Basic"]
    assert visitor.get("/users/me", headers={"Authorization": "Basic !"}).status_code == 401


def test_http_basic_is_no_way_in_otherwise(launch: Launch) -> None:
    assert launch("bearer").visitor().http.get("/users/me", auth=("alice", "Alice-correct-horse-1")).status_code == 401
