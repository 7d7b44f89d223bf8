"""What another site's page can do, judged on an application other than the reference app."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.judging import judge
from tests.small_app import Handler, SmallApp, small_app

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

WRITE = """
[write]
path = "/notes"
encoding = "form"
fields = { text = "{marker}" }
check = "/notes"
"""
DESCRIBED = """
[[endpoints]]
path = "/things"
[[endpoints]]
path = "/things"
method = "POST"
fields = { name = "x" }
"""
FOREIGN = ("Access-Control-Allow-Origin", "https://attacker.example")


class Notes:
    """Notes by form; how they are defended is the test's affair.

    Attributes:
        allowed: whether a write may go ahead.
        ends_session: whether one that may not signs its user out.

    """

    def __init__(self, allowed: Callable[[Handler], bool], *, ends_session: bool = False) -> None:
        self.allowed = allowed
        self.ends_session = ends_session
        self.kept: dict[str, list[str]] = {}

    def __call__(self, handler: Handler) -> None:
        user = handler.user
        if user is None:
            handler.answer(401, {"detail": "sign in"})
        elif handler.command == "GET":
            handler.answer(200, self.kept.get(user, []))
        elif self.allowed(handler):
            self.kept.setdefault(user, []).append(handler.sent.decode())
            handler.answer(201, {})
        else:
            if self.ends_session:
                handler.server.sessions.clear()
            handler.answer(403, {"detail": "forged"})


@pytest.fixture
def app() -> Iterator[SmallApp]:
    with small_app() as running:
        yield running


def anyone(_: Handler) -> bool:
    return True


def own_pages(handler: Handler) -> bool:
    return handler.headers.get("Sec-Fetch-Site", "same-origin") == "same-origin"


def lax_by_default(handler: Handler) -> None:
    """The login, its cookie without a SameSite attribute."""
    plain = handler.answer

    def answer(status: int, document: Any, *headers: tuple[str, str], body: bytes | None = None) -> None:
        plain(status, document, *((name, value.replace("; SameSite=Lax", "")) for name, value in headers), body=body)

    handler.answer = answer  # type: ignore[method-assign]
    handler.sign_in()


def outcomes(app: SmallApp, folder: Path, *only: str, more: str = WRITE) -> dict[str, str]:
    document = judge(app.profile(folder, more=more), folder / "report", only=only)
    return {verdict["id"]: verdict["outcome"] for verdict in document["verdicts"]}


FORGED = "csrf.cross-site-write-blocked"


def test_a_checked_origin_passes(app: SmallApp, tmp_path: Path) -> None:
    app.misbehaviours["/notes"] = Notes(own_pages)
    assert outcomes(app, tmp_path, "csrf") | {"csrf.websocket-origin-checked": ""} == {
        FORGED: "pass",
        "csrf.simple-content-types-closed": "pass",
        "csrf.safe-methods-safe": "pass",
        "csrf.token-bound-to-session": "not_applicable",
        "csrf.login-forgery-blocked": "pass",
        "csrf.websocket-origin-checked": "",
    }


def test_samesite_alone_is_accepted_and_said(app: SmallApp, tmp_path: Path) -> None:
    app.misbehaviours["/notes"] = Notes(anyone)
    found = outcomes(app, tmp_path, FORGED, "csrf.simple-content-types-closed")
    assert found == {FORGED: "accepted", "csrf.simple-content-types-closed": "not_applicable"}


def test_a_cookie_without_samesite_is_young_enough_for_a_form(app: SmallApp, tmp_path: Path) -> None:
    app.misbehaviours |= {"/notes": Notes(anyone), "/in": lax_by_default}
    assert outcomes(app, tmp_path, FORGED) == {FORGED: "fail"}


def test_a_session_that_ends_hides_no_effect(app: SmallApp, tmp_path: Path) -> None:
    def careless(handler: Handler) -> bool:
        return own_pages(handler) or (handler.headers.get("Content-Type") or "").startswith("text/plain")

    notes = Notes(careless, ends_session=True)
    notes.kept = {"ann": []}
    app.misbehaviours["/notes"] = notes
    found = outcomes(app, tmp_path, "csrf.simple-content-types-closed")
    assert found == {"csrf.simple-content-types-closed": "fail"}


def test_a_write_without_visible_effect_is_not_judged(app: SmallApp, tmp_path: Path) -> None:
    app.misbehaviours["/notes"] = lambda handler: handler.answer(200, [])
    assert outcomes(app, tmp_path, FORGED) == {FORGED: "inconclusive"}


@pytest.mark.parametrize("status", [302, 307])
def test_a_redirect_for_everybody_is_no_refusal(app: SmallApp, tmp_path: Path, status: int) -> None:
    app.misbehaviours["/things"] = lambda handler: handler.answer(status, {}, ("Location", "/things/"))
    found = outcomes(app, tmp_path, "transport.declared-channel-works", more=DESCRIBED)
    assert found == {"transport.declared-channel-works": "pass"}


def test_a_check_for_forgery_that_comes_first_is_no_refusal(app: SmallApp, tmp_path: Path) -> None:
    def things(handler: Handler) -> None:
        if handler.command == "POST":
            handler.answer(403, {"detail": "no token"})
        else:
            handler.who()

    app.misbehaviours["/things"] = things
    found = outcomes(app, tmp_path, "transport.declared-channel-works", more=DESCRIBED)
    assert found == {"transport.declared-channel-works": "pass"}


@pytest.mark.parametrize("status", [401, 403])
def test_a_route_that_knows_nobody_is_found(app: SmallApp, tmp_path: Path, status: int) -> None:
    app.misbehaviours["/things"] = lambda handler: handler.answer(status, {"detail": "Not authenticated"})
    found = outcomes(app, tmp_path, "transport.declared-channel-works", more=DESCRIBED)
    assert found == {"transport.declared-channel-works": "fail"}


def test_a_permission_of_its_own_is_no_refusal(app: SmallApp, tmp_path: Path) -> None:
    def things(handler: Handler) -> None:
        handler.answer(403, {"detail": "admins only" if handler.user else "sign in"})

    app.misbehaviours["/things"] = things
    found = outcomes(app, tmp_path, "transport.declared-channel-works", more=DESCRIBED)
    assert found == {"transport.declared-channel-works": "pass"}


@pytest.mark.parametrize(
    ("headers", "outcome"),
    [
        ([FOREIGN, ("Access-Control-Allow-Credentials", "true")], "fail"),
        ([FOREIGN], "pass"),
        ([("Access-Control-Allow-Origin", "*"), ("Access-Control-Allow-Credentials", "true")], "pass"),
        ([("Access-Control-Allow-Origin", "*")], "pass"),
    ],
)
def test_only_what_a_browser_would_share_counts(
    app: SmallApp, tmp_path: Path, headers: list[tuple[str, str]], outcome: str
) -> None:
    def who(handler: Handler) -> None:
        handler.answer(200 if handler.user else 401, {"user": handler.user}, *headers)

    app.misbehaviours["/who"] = who
    assert outcomes(app, tmp_path, "cors.untrusted-origin-refused", more="") == {
        "cors.untrusted-origin-refused": outcome
    }


def test_no_secret_of_a_forgery_reaches_the_report(app: SmallApp, tmp_path: Path) -> None:
    app.misbehaviours["/notes"] = Notes(anyone)
    document = judge(app.profile(tmp_path, more=WRITE), tmp_path / "report", only=["csrf", "transport"])
    told = json.dumps(document)
    assert "Ann-secret-4711" not in told
    assert not [value for value in app.sessions if value in told]
