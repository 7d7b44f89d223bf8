"""How refusals are answered, and what the API description says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.reference_app.conftest import Launch


@pytest.mark.parametrize(
    ("architecture", "schemes"), [("bearer", ["Bearer"]), ("cookie", ["Cookie"]), ("both", ["Bearer", "Cookie"])]
)
def test_a_challenge_names_the_carriers_and_the_error_only_when_something_was_sent(
    launch: Launch, architecture: str, schemes: list[str]
) -> None:
    app = launch(architecture)
    anonymous = app.visitor().get("/users/me")
    challenges = anonymous.headers.get_list("www-authenticate")
    assert [each.split()[0] for each in challenges] == schemes
    assert not [each for each in challenges if "error" in each]
    garbage = app.signed_in().put_access("garbage").get("/users/me")
    assert all('error="invalid_token"' in each for each in garbage.headers.get_list("www-authenticate"))
    assert (anonymous.status_code, garbage.status_code) == (401, 401)


def test_every_401_has_a_challenge(launch: Launch) -> None:
    app = launch("both")
    body = {"refresh_token": "garbage"}
    for answer in (
        app.visitor().login(password="wrong"),
        app.visitor().post("/auth/refresh"),
        app.visitor().post("/auth/refresh", json=body),
        app.visitor().get("/notes"),
        app.visitor().get("/users/me", headers={"Authorization": "Basic x"}),
    ):
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Bearer realm=")


@pytest.mark.parametrize(
    ("errors", "media_type", "members"),
    [
        ("json", "application/json", {"detail"}),
        ("problem", "application/problem+json", {"type", "title", "status", "detail"}),
    ],
)
def test_errors_have_one_shape(launch: Launch, errors: str, media_type: str, members: set[str]) -> None:
    visitor = launch("bearer", errors=errors).signed_in()
    sound = {
        200: visitor.get("/status"),
        401: visitor.login(password="wrong"),
        403: visitor.get("/admin/users"),
        404: visitor.get("/notes/99"),
        405: visitor.send("PUT", "/notes"),
        415: visitor.post("/notes", content=b"x"),
        422: visitor.get("/notes/none"),
    }
    assert [answer.status_code for answer in sound.values()] == list(sound)
    for answer in list(sound.values())[1:]:
        assert answer.headers["content-type"] == media_type
        assert answer.json().keys() == members


def test_errors_do_not_quote_what_was_sent(launch: Launch) -> None:
    visitor = launch("bearer").visitor()
    secret = "do-not-quote-me-" * 10
    for answer in (
        visitor.login(password=secret),
        visitor.post("/auth/signup", json={"username": "dave", "password": secret}),
        visitor.get("/users/me", headers={"Authorization": f"Bearer {secret}"}),
        visitor.get(f"/notes/{secret}"),
        visitor.get(f"/{secret}"),
    ):
        assert answer.status_code >= 400
        assert "quote-me" not in answer.text


@pytest.mark.parametrize("path", ["/users/me/", "//users/me", "/users/./me", "/Users/me", "/users%2fme", "/users/me;x"])
def test_other_spellings_are_no_way_round(launch: Launch, path: str) -> None:
    answer = launch().visitor().http.get(path)
    assert answer.status_code in {401, 404}


@pytest.mark.parametrize(
    ("architecture", "settings", "schemes"),
    [
        ("bearer", {}, {"bearer": {"type": "http", "scheme": "bearer"}}),
        ("cookie", {}, {"cookie": {"type": "apiKey", "in": "cookie", "name": "access"}}),
        ("both", {}, {"bearer", "cookie"}),
        ("bearer", {"basic": True, "root_path": "/api"}, {"bearer", "basic"}),
    ],
)
def test_the_description_declares_what_is_protected(
    launch: Launch, architecture: str, settings: dict[str, Any], schemes: dict[str, object] | set[str]
) -> None:
    visitor = launch(architecture, **settings).visitor()
    document = visitor.get("/openapi.json").json()
    declared = document["components"]["securitySchemes"]
    assert (declared if isinstance(schemes, dict) else set(declared)) == schemes
    root = visitor.running.root
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            expected = path.startswith((f"{root}/users", f"{root}/notes", f"{root}/admin", f"{root}/auth/password"))
            assert bool(operation.get("security")) == expected, (method, path)
            if expected:
                answer = visitor.http.request(method, path.replace("{note_id}", "1"))
                assert answer.status_code == 401
