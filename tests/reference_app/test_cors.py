"""Cross-origin resource sharing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.reference_app.conftest import Launch

FRONT = "http://127.0.0.1:3000"
NEAR_MISSES = [
    "null",
    "https://127.0.0.1:3000",
    "http://127.0.0.1",
    "http://127.0.0.1:3001",
    "http://127.0.0.1:30000",
    "http://127.0.0.1:3000.evil.example",
    "http://evil127.0.0.1:3000",
    "http://127.0.0.1.:3000",
    "http://localhost:3000",
    "HTTP://127.0.0.1:3000",
    "https://evil.example",
]


def test_the_front_end_is_served(launch: Launch) -> None:
    visitor = launch("bearer").visitor()
    asking = {
        "Origin": FRONT,
        "Access-Control-Request-Method": "DELETE",
        "Access-Control-Request-Headers": "authorization,content-type,x-csrf-token",
    }
    preflight = visitor.send("OPTIONS", "/notes/1", headers=asking)
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == FRONT
    assert preflight.headers["access-control-allow-credentials"] == "true"
    assert "DELETE" in preflight.headers["access-control-allow-methods"].split(", ")
    assert {"Authorization", "Content-Type", "X-CSRF-Token"} <= {
        *preflight.headers["access-control-allow-headers"].split(", ")
    }
    assert "Origin" in preflight.headers["vary"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/status", None, 200),
        ("GET", "/users/me", None, 401),
        ("GET", "/nowhere", None, 404),
        ("DELETE", "/status", None, 405),
        ("POST", "/auth/login", {"username": "alice"}, 401),
        ("POST", "/auth/login", {}, 422),
        ("POST", "/auth/login", None, 415),
    ],
)
def test_errors_can_be_read_too(launch: Launch, method: str, path: str, body: object, status: int) -> None:
    answer = launch().visitor().send(method, path, json=body, headers={"Origin": FRONT})
    assert answer.status_code == status
    assert answer.headers["access-control-allow-origin"] == FRONT
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert answer.headers["vary"] == "Origin"


def test_an_unhandled_error_can_be_read_too(launch: Launch, caplog: pytest.LogCaptureFixture) -> None:
    visitor = launch("bearer", "logout-anonymous-500").visitor()
    answer = visitor.post("/auth/logout", headers={"Origin": FRONT})
    assert (answer.status_code, answer.json()) == (500, {"detail": "Internal error"})
    assert answer.headers["access-control-allow-origin"] == FRONT
    assert "unhandled error" in caplog.text


def test_nobody_else_is(launch: Launch) -> None:
    visitor = launch().signed_in()
    stranger = visitor.running.visitor()
    for origin in NEAR_MISSES:
        preflight = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        for answer in (
            visitor.get("/users/me", headers={"Origin": origin}),
            stranger.get("/users/me", headers={"Origin": origin}),
            visitor.send("OPTIONS", "/users/me", headers=preflight),
        ):
            assert not [name for name in answer.headers if name.startswith("access-control-allow")]
            assert "Origin" in answer.headers["vary"]


@pytest.mark.parametrize(("cors", "served"), [("none", []), ("one", [3000]), ("two", [3000, 3001])])
def test_how_many_front_ends_is_a_setting(launch: Launch, cors: str, served: list[int]) -> None:
    visitor = launch(cors=cors).visitor()
    answers = {port: visitor.get("/status", headers={"Origin": f"http://127.0.0.1:{port}"}) for port in (3000, 3001)}
    assert [port for port, answer in answers.items() if "access-control-allow-origin" in answer.headers] == served


def test_the_front_end_may_be_named(launch: Launch) -> None:
    visitor = launch(tls=True, front_origin="https://shop.example").visitor()
    for origin, served in (("https://shop.example", True), ("https://front.localhost", False)):
        assert ("access-control-allow-origin" in visitor.get("/status", headers={"Origin": origin}).headers) == served


def test_the_front_end_of_a_domain_is_its_sibling(launch: Launch) -> None:
    visitor = launch(tls=True, tls_names=("127.0.0.1", "app.site.example")).visitor()
    answer = visitor.get("/status", headers={"Origin": "https://front.site.example"})
    assert answer.headers["access-control-allow-origin"] == "https://front.site.example"
