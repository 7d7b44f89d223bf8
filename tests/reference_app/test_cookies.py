"""What Set-Cookie lines look like."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import httpx

    from tests.reference_app.conftest import Launch


def lines(response: httpx.Response) -> dict[str, list[str]]:
    """Attributes by cookie name."""
    parsed = [line.split("; ") for line in response.headers.get_list("set-cookie")]
    return {pair.partition("=")[0]: attributes for pair, *attributes in parsed}


def test_cookies_in_the_clear(launch: Launch) -> None:
    assert lines(launch().visitor().login()) == {
        "access": ["Path=/", "HttpOnly", "SameSite=Lax", "Max-Age=900"],
        "refresh": ["Path=/auth", "HttpOnly", "SameSite=Lax", "Max-Age=604800"],
        "csrf": ["Path=/", "SameSite=Lax", "Max-Age=604800"],
    }


def test_cookies_over_tls(launch: Launch) -> None:
    answer = launch(tls=True, samesite="strict").visitor().login()
    assert lines(answer) == {
        "__Host-access": ["Path=/", "HttpOnly", "Secure", "SameSite=Strict", "Max-Age=900"],
        "__Secure-refresh": ["Path=/auth", "HttpOnly", "Secure", "SameSite=Strict", "Max-Age=604800"],
        "__Host-csrf": ["Path=/", "Secure", "SameSite=Strict", "Max-Age=604800"],
    }
    assert answer.headers["strict-transport-security"] == "max-age=31536000"


def test_cookies_under_a_prefix(launch: Launch) -> None:
    app = launch(tls=True, root_path="/api", refresh_path="/auth/refresh")
    visitor = app.visitor()
    attributes = lines(visitor.login())
    assert attributes["__Secure-access"][0] == "Path=/api"
    assert attributes["__Secure-refresh"][0] == "Path=/api/auth/refresh"
    assert visitor.me() == "alice"
    assert visitor.http.get("/users/me").status_code == 404


@pytest.mark.parametrize(
    ("lifetime", "attribute"), [("max-age", "Max-Age="), ("expires", "Expires="), ("session", None)]
)
def test_the_lifetime_of_cookies_is_a_setting(launch: Launch, lifetime: str, attribute: str | None) -> None:
    attributes = lines(launch(cookie_lifetime=lifetime).visitor().login())
    for each in attributes.values():
        said = [text for text in each if text.startswith(("Max-Age=", "Expires="))]
        assert [text.partition("=")[0] + "=" for text in said] == ([attribute] if attribute else [])


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("root", ["", "/api"])
@pytest.mark.parametrize("refresh_path", ["/auth", "/auth/refresh", "/"])
def test_logout_clears_every_cookie_with_its_own_attributes(
    launch: Launch, *, tls: bool, root: str, refresh_path: str
) -> None:
    visitor = launch(tls=tls, root_path=root, refresh_path=refresh_path).visitor()
    set_, cleared = lines(visitor.login()), lines(visitor.logout())
    assert set_.keys() == cleared.keys()
    for name, attributes in cleared.items():
        assert attributes[-2:] == ["Max-Age=0", "Expires=Thu, 01 Jan 1970 00:00:00 GMT"]
        assert attributes[:-2] == set_[name][:-1]


def test_bearer_sets_no_cookie(launch: Launch) -> None:
    visitor = launch("bearer").signed_in()
    visitor.refresh()
    visitor.logout()
    assert not visitor.cookies


def test_the_theme_cannot_break_out_of_its_cookie(launch: Launch) -> None:
    visitor = launch().visitor()
    assert lines(visitor.get("/preferences?theme=dark"))["theme"][:2] == ["Path=/", "SameSite=Lax"]
    for theme in ("x;Domain=evil.example", "x%0d%0aSet-Cookie:a=b", "x%250d%250a", "x,y", '"', "", "é", "x" * 99):
        answer = visitor.get(f"/preferences?theme={theme}")
        assert answer.status_code == 422
        assert "set-cookie" not in answer.headers


def test_nothing_personal_may_be_stored(launch: Launch) -> None:
    visitor = launch().signed_in()
    for answer in (visitor.get("/users/me"), visitor.get("/dashboard"), visitor.refresh(), visitor.logout()):
        assert answer.headers["cache-control"] == "no-store"
    assert visitor.get("/status").headers["cache-control"] == "public, max-age=60"
