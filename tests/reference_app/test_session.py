"""The life of a session: renewal, expiry, logout."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import jwt
import pytest

if TYPE_CHECKING:
    from tests.reference_app.conftest import Launch, Visitor

EVERYWHERE = pytest.mark.parametrize(
    ("architecture", "tokens"),
    [("bearer", "jwt"), ("bearer", "opaque"), ("cookie", "jwt"), ("cookie", "opaque"), ("both", "jwt")],
)
DAY_S = 86400


def at(offset_s: int) -> dict[str, dict[str, str]]:
    return {"headers": {"X-Clock-Offset": str(offset_s)}}


def refreshed(visitor: Visitor, offset_s: int) -> int:
    body = {"json": {"refresh_token": visitor.tokens["refresh_token"]}} if visitor.tokens else {}
    return visitor.post("/auth/refresh", **at(offset_s), **body).status_code


@EVERYWHERE
def test_a_refresh_renews_everything(launch: Launch, architecture: str, tokens: str) -> None:
    visitor = launch(architecture, tokens=tokens).signed_in()
    before = visitor.twin()
    assert visitor.refresh().status_code == 200
    assert visitor.me() == "alice"
    assert visitor.access != before.access
    assert visitor.refresh_value != before.refresh_value
    assert visitor.refresh().status_code == 200
    assert visitor.me() == "alice"


@EVERYWHERE
def test_a_refresh_value_used_twice_ends_the_session(launch: Launch, architecture: str, tokens: str) -> None:
    visitor = launch(architecture, tokens=tokens).signed_in()
    stolen = visitor.twin()
    visitor.refresh()
    assert stolen.refresh().status_code == 401
    assert visitor.me() is None
    assert visitor.refresh().status_code == 401


@EVERYWHERE
def test_of_two_refreshes_at_once_at_most_one_succeeds(launch: Launch, architecture: str, tokens: str) -> None:
    visitor = launch(architecture, tokens=tokens).signed_in()
    with ThreadPoolExecutor(8) as pool:
        answers = [future.result().status_code for future in [pool.submit(visitor.twin().refresh) for _ in range(8)]]
    assert set(answers) <= {200, 401}
    assert answers.count(200) == 1


@EVERYWHERE
def test_the_grace_answers_a_retry_with_the_same_successor(launch: Launch, architecture: str, tokens: str) -> None:
    visitor = launch(architecture, tokens=tokens, rotation_grace_s=30).signed_in()
    first = visitor.twin()
    visitor.refresh()
    retry = first.twin()
    assert retry.refresh().status_code == 200
    assert retry.refresh_value == visitor.refresh_value
    assert retry.me() == "alice"


@EVERYWHERE
def test_the_grace_does_not_cover_two_generations(launch: Launch, architecture: str, tokens: str) -> None:
    visitor = launch(architecture, tokens=tokens, rotation_grace_s=30).signed_in()
    first = visitor.twin()
    visitor.refresh()
    visitor.refresh()
    assert first.refresh().status_code == 401
    assert visitor.me() is None


def test_after_the_grace_a_retry_is_a_theft(launch: Launch) -> None:
    visitor = launch("bearer", rotation_grace_s=30, clock_header=True).signed_in()
    first = visitor.twin()
    visitor.refresh()
    assert refreshed(first, 31) == 401
    assert visitor.refresh().status_code == 401


@EVERYWHERE
def test_access_and_refresh_values_are_not_interchangeable(launch: Launch, architecture: str, tokens: str) -> None:
    visitor = launch(architecture, tokens=tokens).signed_in()
    assert visitor.put_access(visitor.refresh_value).me() is None
    assert visitor.put_refresh(visitor.access).refresh().status_code == 401
    assert visitor.me() == "alice"


@EVERYWHERE
def test_what_is_no_refresh_value_is_refused(launch: Launch, architecture: str, tokens: str) -> None:
    visitor = launch(architecture, tokens=tokens).signed_in()
    for value in ("", ".", "a.b.c", "x" * 20_000, "é" * 10, "=", "{}", "null"):
        if architecture == "bearer":
            answer = visitor.post("/auth/refresh", json={"refresh_token": value})
        else:
            proof = (visitor.csrf_token or "").encode()
            raw = [(b"Cookie", f"refresh={value}".encode()), (b"X-CSRF-Token", proof)]
            answer = visitor.http.post("/auth/refresh", headers=raw)
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/json"


@EVERYWHERE
def test_the_absolute_limit_holds_however_often_one_refreshes(launch: Launch, architecture: str, tokens: str) -> None:
    visitor = launch(architecture, tokens=tokens, clock_header=True).signed_in()
    assert refreshed(visitor, 3 * DAY_S) == 200
    assert refreshed(visitor, 6 * DAY_S) == 200
    assert refreshed(visitor, 7 * DAY_S + 1) == 401


def test_a_rotated_token_expires_when_the_first_one_would(launch: Launch) -> None:
    visitor = launch("bearer", clock_header=True).signed_in()
    before = jwt.decode(visitor.refresh_value, options={"verify_signature": False})["exp"]
    assert refreshed(visitor, DAY_S) == 200
    assert jwt.decode(visitor.refresh_value, options={"verify_signature": False})["exp"] == before


@EVERYWHERE
def test_access_expires(launch: Launch, architecture: str, tokens: str) -> None:
    visitor = launch(architecture, tokens=tokens, clock_header=True).signed_in()
    assert visitor.me(**at(895)) == "alice"
    assert visitor.me(**at(901)) is None


@EVERYWHERE
def test_an_idle_session_ends(launch: Launch, architecture: str, tokens: str) -> None:
    visitor = launch(architecture, tokens=tokens, clock_header=True, idle_timeout_s=60).signed_in()
    assert visitor.me(**at(50)) == "alice"
    assert visitor.me(**at(100)) == "alice"
    assert visitor.me(**at(170)) is None
    assert refreshed(visitor, 170) == 401


@pytest.mark.parametrize("offset", ["", "soon", "nan", "inf", "1e99"])
def test_a_clock_offset_is_a_number_of_seconds(launch: Launch, offset: str) -> None:
    assert launch(clock_header=True).visitor().get("/status", headers={"X-Clock-Offset": offset}).status_code == 400


def test_nobody_moves_the_clock_of_an_ordinary_deployment(launch: Launch) -> None:
    assert launch().signed_in().me(**at(DAY_S)) == "alice"


@EVERYWHERE
def test_logout_ends_the_session_on_the_server(launch: Launch, architecture: str, tokens: str) -> None:
    visitor = launch(architecture, tokens=tokens).signed_in()
    captured = visitor.twin()
    assert visitor.logout().status_code == 204
    assert captured.me() is None
    assert captured.refresh().status_code == 401


@pytest.mark.parametrize("kept", ["access", "refresh"])
def test_either_cookie_is_enough_to_sign_out(launch: Launch, kept: str) -> None:
    visitor = launch().signed_in()
    captured = visitor.twin()
    visitor.cookies = {name: value for name, value in visitor.cookies.items() if name in {kept, "csrf"}}
    assert visitor.logout().status_code == 204
    assert captured.me() is None
    assert captured.refresh().status_code == 401


def test_a_refresh_token_in_the_body_is_enough_to_sign_out(launch: Launch) -> None:
    visitor = launch("bearer").signed_in()
    answer = launch("bearer").visitor().post("/auth/logout", json={"refresh_token": visitor.refresh_value})
    assert answer.status_code == 204
    stranger = visitor.running.visitor()
    assert stranger.post("/auth/logout", json={"refresh_token": visitor.refresh_value}).status_code == 204
    assert visitor.me() is None


def test_a_header_signs_out_its_own_session_only(launch: Launch) -> None:
    app = launch("both")
    browser, mobile = app.signed_in(), app.visitor()
    mobile.login(token_delivery="body")
    captured = mobile.twin()
    mobile.cookies = dict(browser.cookies)
    assert mobile.logout().status_code == 204
    assert mobile.cookies == browser.cookies
    assert (browser.me(), captured.me()) == ("alice", None)


@EVERYWHERE
def test_logout_with_nothing_to_end_is_no_error(launch: Launch, architecture: str, tokens: str) -> None:
    app = launch(architecture, tokens=tokens)
    visitor = app.signed_in()
    captured = visitor.twin()
    visitor.logout()
    assert captured.logout().status_code == 204
    assert app.visitor().logout().status_code == 204
    assert visitor.put_access("garbage").logout().status_code == 204 if visitor.tokens else True
    assert app.visitor().get("/auth/logout").status_code == 405


def test_stateless_access_is_still_bound_to_its_session(launch: Launch) -> None:
    app = launch("cookie", stateless_access=True)
    alice, bob = app.signed_in(), app.signed_in("bob")
    assert alice.write("mine")
    assert not alice.write("forged", proof=False, headers={"X-CSRF-Token": bob.csrf_token or ""})


def test_stateless_access_outlives_logout_but_refresh_does_not(launch: Launch) -> None:
    visitor = launch("bearer", stateless_access=True, clock_header=True).signed_in()
    visitor.logout()
    assert visitor.me() == "alice"
    assert visitor.me(**at(901)) is None
    assert visitor.put_access(visitor.refresh_value).me() is None
    assert visitor.refresh().status_code == 401


@EVERYWHERE
def test_changing_the_password_ends_the_other_sessions(launch: Launch, architecture: str, tokens: str) -> None:
    app = launch(architecture, tokens=tokens)
    here, elsewhere, bob = app.signed_in(), app.signed_in(), app.signed_in("bob")
    change = {"current_password": "Alice-correct-horse-1", "new_password": "Alice-another-horse-1"}
    wrong = here.post("/auth/password", json=change | {"current_password": "wrong"})
    assert (wrong.status_code, elsewhere.me()) == (400, "alice")
    assert here.post("/auth/password", json=change).status_code == 204
    assert (here.me(), bob.me(), elsewhere.me()) == ("alice", "bob", None)
    assert elsewhere.refresh().status_code == 401
    assert app.visitor().login().status_code == 401
    assert app.visitor().login(password="Alice-another-horse-1").status_code == 200


def test_users_at_once_never_see_each_other(launch: Launch) -> None:
    app = launch()
    visitors = {name: app.signed_in(name) for name in ("alice", "bob")}
    with ThreadPoolExecutor(8) as pool:
        seen = [(name, pool.submit(visitors[name].twin().me)) for name in ["alice", "bob"] * 20]
    assert all(future.result() == name for name, future in seen)


def test_without_refresh_there_is_none(launch: Launch) -> None:
    visitor = launch(refresh="off").signed_in()
    assert visitor.cookie("refresh") is None
    assert visitor.refresh().status_code == 404


def test_notes_and_administration_are_for_whom_they_belong_to(launch: Launch) -> None:
    app = launch("bearer")
    alice, bob, carol = (app.signed_in(name) for name in ("alice", "bob", "carol"))
    assert alice.write("mine")
    note = alice.get("/notes").json()[0]["id"]
    assert alice.get(f"/notes/{note}").json() == {"id": note, "text": "mine"}
    assert bob.get(f"/notes/{note}").status_code == 404
    assert bob.send("DELETE", f"/notes/{note}").status_code == 404
    assert bob.notes() == []
    assert (bob.get("/admin/users").status_code, app.visitor().get("/admin/users").status_code) == (403, 401)
    assert [user["username"] for user in carol.get("/admin/users").json()] == ["alice", "bob", "carol"]
    assert alice.send("DELETE", f"/notes/{note}").status_code == 204
    assert alice.notes() == []
