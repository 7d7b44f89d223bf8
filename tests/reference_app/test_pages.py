"""The login form and the dashboard."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import httpx

    from tests.reference_app.conftest import Launch, Visitor

FOREIGN = [
    "https://evil.example",
    "//evil.example",
    "/\\evil.example",
    "\\/evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    " //evil.example",
    "https:evil.example",
    "javascript:alert(1)",
    "evil.example",
    "",
]


def submit(
    visitor: Visitor, after: str = "", password: str = "Alice-correct-horse-1", **more: object
) -> httpx.Response:
    page = visitor.get("/login", params={"next": after} if after else {})
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert token is not None
    fields = {"username": "alice", "password": password, "next": after, "csrf_token": token[1], **more}
    return visitor.post("/login", data=fields)


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("root", ["", "/api"])
def test_the_form_signs_in(launch: Launch, *, tls: bool, root: str) -> None:
    visitor = launch(tls=tls, root_path=root).visitor()
    answer = submit(visitor)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{root}/dashboard")
    assert "alice" in visitor.get("/dashboard").text
    assert visitor.cookie("form") is None


@pytest.mark.parametrize(("only", "status"), [(False, 401), (True, 200)])
def test_a_wrong_password_shows_the_form_again(launch: Launch, *, only: bool, status: int) -> None:
    visitor = launch(login_form_only=only).visitor()
    for password in ("wrong", "", "x" * 200, "\x00"):
        answer = submit(visitor, password=password)
        assert answer.status_code == status
        assert "Wrong username or password" in answer.text
    assert visitor.me() is None
    assert submit(visitor).status_code == 303


def test_the_form_can_be_the_only_way(launch: Launch) -> None:
    visitor = launch(login_form_only=True).visitor()
    assert visitor.login().status_code == 404
    assert visitor.get("/auth/login").status_code == 404


@pytest.mark.parametrize("token", ["", "x.y"])
def test_the_form_needs_its_token(launch: Launch, token: str) -> None:
    visitor = launch().visitor()
    assert submit(visitor, csrf_token=token).status_code == 403
    assert visitor.me() is None


def test_the_token_belongs_to_the_browser_that_asked(launch: Launch) -> None:
    app = launch()
    attacker, victim = app.visitor(), app.visitor()
    page = attacker.get("/login").text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token is not None
    fields = {"username": "bob", "password": "Bob-battery-staple-2", "csrf_token": token[1]}
    assert victim.post("/login", data=fields).status_code == 403
    assert attacker.post("/login", data=fields, headers={"Origin": "https://evil.example"}).status_code == 403
    assert attacker.post("/login", json=fields).status_code == 415
    assert attacker.post("/login", data=fields).status_code == 303


def test_nobody_is_sent_elsewhere(launch: Launch) -> None:
    visitor = launch().visitor()
    for after in FOREIGN:
        visitor.logout()
        assert submit(visitor, after).headers["location"] == "/dashboard"
        answer = visitor.get("/login", params={"next": after})
        assert (answer.status_code, answer.headers["location"]) == (303, "/dashboard")


def test_a_path_of_ones_own_is_returned_to(launch: Launch) -> None:
    visitor = launch().visitor()
    assert submit(visitor, "/notes?x=1").headers["location"] == "/notes?x=1"
    assert visitor.get("/login?next=/users/me").headers["location"] == "/users/me"


def test_strangers_are_sent_to_the_form(launch: Launch) -> None:
    answer = launch().visitor().get("/dashboard")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=/dashboard")


def test_the_dashboard_signs_out(launch: Launch) -> None:
    visitor = launch().signed_in()
    captured = visitor.twin()
    token = re.search(r'name="csrf_token" value="([^"]+)"', visitor.get("/dashboard").text)
    assert token is not None
    assert visitor.post("/auth/logout", data={"csrf_token": "wrong"}, proof=False).status_code == 403
    answer = visitor.post("/auth/logout", data={"csrf_token": token[1]}, proof=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert not visitor.cookies
    assert captured.me() is None


def test_pages_escape_and_cannot_be_framed(launch: Launch) -> None:
    visitor = launch().visitor()
    answer = visitor.get("/login", params={"next": '"><script>alert(1)</script>'})
    assert "<script>" not in answer.text
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_everybody_starts_somewhere(launch: Launch) -> None:
    assert "/login" in launch().visitor().get("/").text
    bearer = launch("bearer").visitor()
    assert "/login" not in bearer.get("/").text
    assert bearer.get("/login").status_code == 404
