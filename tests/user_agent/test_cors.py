"""CORS decisions, from headers alone (Fetch Standard, section 3.3)."""

from __future__ import annotations

from typing import get_args

import pytest

from harness.user_agent import cors
from harness.user_agent.cors import Credentials

ORIGIN = "https://page.example"
ALLOW = ("Access-Control-Allow-Origin", ORIGIN)
ANY = ("Access-Control-Allow-Origin", "*")
CREDENTIALS = ("Access-Control-Allow-Credentials", "true")


@pytest.mark.parametrize(
    ("name", "value", "safelisted"),
    [
        ("Accept", "application/json", True),
        ("Accept", "a(b)", False),
        ("Accept-Language", "en-GB,en;q=0.5", True),
        ("Accept-Language", "en_GB", False),
        ("Content-Type", "text/plain;charset=UTF-8", True),
        ("Content-Type", "Multipart/Form-Data; boundary=x", True),
        ("Content-Type", "application/x-www-form-urlencoded", True),
        ("Content-Type", "application/json", False),
        ("Content-Type", "text/plain; x={application/json}", False),
        ("Content-Type", "text/plain;" + "x" * 120, False),
        ("Range", "bytes=0-99", True),
        ("Range", "bytes=0-1,5-9", False),
        ("Authorization", "Bearer x", False),
        ("X-CSRF-Token", "x", False),
    ],
)
def test_safelisted_request_headers(name: str, value: str, safelisted: bool) -> None:  # noqa: FBT001
    assert cors.is_safelisted_header(name, value) is safelisted


@pytest.mark.parametrize(
    ("method", "headers", "reason"),
    [
        ("GET", [], None),
        ("POST", [("Content-Type", "text/plain")], None),
        ("PUT", [], "PUT"),
        ("patch", [], "patch"),
        ("POST", [("Content-Type", "application/json")], "content-type"),
        ("GET", [("X-B", "1"), ("X-A", "1"), ("x-b", "2")], "x-a, x-b"),
        ("GET", [("Accept", "a" * 128)] * 9, "accept"),
    ],
)
def test_when_the_browser_asks_first(method: str, headers: list[tuple[str, str]], reason: str | None) -> None:
    found = cors.needs_preflight(method, headers)
    assert found is None if reason is None else reason in (found or "")


@pytest.mark.parametrize(
    ("headers", "credentials", "refusal"),
    [
        ([], "omit", "no Access-Control-Allow-Origin"),
        ([ANY], "omit", None),
        ([ANY], "same-origin", None),
        ([ANY, CREDENTIALS], "include", "does not cover credentials"),
        ([ALLOW], "same-origin", None),
        ([ALLOW], "include", "no Access-Control-Allow-Credentials"),
        ([ALLOW, CREDENTIALS], "include", None),
        ([ALLOW, ("Access-Control-Allow-Credentials", "True")], "include", "no Access-Control-Allow-Credentials"),
        ([("access-control-allow-origin", f"{ORIGIN}/")], "omit", "Access-Control-Allow-Origin is"),
        ([("Access-Control-Allow-Origin", "null")], "omit", "Access-Control-Allow-Origin is 'null'"),
        ([ALLOW, ALLOW], "omit", "Access-Control-Allow-Origin is"),
    ],
)
def test_who_may_read_the_answer(headers: list[cors.Pair], credentials: Credentials, refusal: str | None) -> None:
    found = cors.cors_check(headers, ORIGIN, credentials)
    assert found is None if refusal is None else refusal in (found or "")


def test_null_is_an_origin_one_can_allow() -> None:
    assert cors.cors_check([("Access-Control-Allow-Origin", "null"), CREDENTIALS], "null", "include") is None


@pytest.mark.parametrize(
    ("credentials", "answer", "method", "names", "refusal"),
    [
        ("omit", [ANY], "POST", [], None),
        ("omit", [ANY], "DELETE", [], "Allow-Methods does not list DELETE"),
        ("omit", [ANY, ("Access-Control-Allow-Methods", "GET, DELETE")], "DELETE", [], None),
        ("omit", [ANY, ("Access-Control-Allow-Methods", "delete")], "DELETE", [], "Allow-Methods"),
        ("omit", [ANY, ("Access-Control-Allow-Methods", "*")], "DELETE", [], None),
        ("omit", [ANY, ("Access-Control-Allow-Headers", "x-a")], "GET", ["X-A"], None),
        ("omit", [ANY, ("Access-Control-Allow-Headers", "X-A,x-B")], "GET", ["x-a", "x-b"], None),
        ("omit", [ANY, ("Access-Control-Allow-Headers", "X-A")], "GET", ["x-b"], "does not list x-b"),
        ("omit", [ANY, ("Access-Control-Allow-Headers", "*")], "GET", ["x-b"], None),
        ("omit", [ANY, ("Access-Control-Allow-Headers", "*")], "GET", ["Authorization"], "does not list authorization"),
        ("omit", [ANY, ("Access-Control-Allow-Headers", "*, authorization")], "GET", ["Authorization"], None),
        ("include", [ALLOW, CREDENTIALS, ("Access-Control-Allow-Headers", "*")], "GET", ["x-b"], "does not list x-b"),
        ("include", [ALLOW, CREDENTIALS, ("Access-Control-Allow-Methods", "*")], "PUT", [], "does not list PUT"),
        ("include", [ALLOW], "PUT", [], "no Access-Control-Allow-Credentials"),
    ],
)
def test_preflight_answers(
    credentials: Credentials, answer: list[cors.Pair], method: str, names: list[str], refusal: str | None
) -> None:
    headers = [(name, "1") for name in names]
    found = cors.preflight_check(204, answer, method=method, headers=headers, origin=ORIGIN, credentials=credentials)
    assert found is None if refusal is None else refusal in (found or "")


@pytest.mark.parametrize("status", [199, 301, 401, 404, 500])
def test_a_preflight_answer_must_be_a_success(status: int) -> None:
    found = cors.preflight_check(status, [ANY], method="GET", headers=[], origin=ORIGIN, credentials="omit")
    assert found == f"status {status}"


def test_exposed_headers() -> None:
    answer = [("Content-Type", "x"), ("X-A", "1"), ("X-B", "1"), ("Set-Cookie", "a=b")]
    assert cors.exposed_headers(answer, "omit") == {"content-type"}
    some = [*answer, ("Access-Control-Expose-Headers", "x-a, set-cookie, X-Absent")]
    assert cors.exposed_headers(some, "include") == {"content-type", "x-a"}
    star = [*answer, ("Access-Control-Expose-Headers", "*")]
    assert "x-b" in cors.exposed_headers(star, "omit")
    assert "set-cookie" not in cors.exposed_headers(star, "omit")
    assert "x-b" not in cors.exposed_headers(star, "include")


@pytest.mark.parametrize(
    ("name", "value", "forbidden"),
    [
        ("Cookie", "a=b", True),
        ("Origin", "x", True),
        ("Sec-Fetch-Site", "none", True),
        ("Proxy-Authorization", "x", True),
        ("X-HTTP-Method-Override", "DELETE, trace", True),
        ("X-HTTP-Method-Override", "DELETE", False),
        ("Authorization", "x", False),
        ("X-Forwarded-For", "x", False),
    ],
)
def test_headers_that_no_script_may_set(name: str, value: str, forbidden: bool) -> None:  # noqa: FBT001
    assert cors.is_forbidden_header(name, value) is forbidden


def test_methods() -> None:
    assert [cors.normalise_method(method) for method in ("get", "Put", "patch")] == ["GET", "PUT", "patch"]
    assert cors.is_forbidden_method("trace")
    assert not cors.is_forbidden_method("PATCH")
    assert set(get_args(Credentials)) == {"omit", "same-origin", "include"}
