"""The cookie cases of the IETF httpstate working group, and where RFC 6265bis wants something else."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from harness.user_agent.cookies import CookieStore
from harness.user_agent.set_cookie import parse_cookie_date
from harness.user_agent.urls import parse_url

FOLDER = Path(
    os.environ.get("AUTHCONFORM_HTTP_STATE")
    or Path(__file__).parents[2].parent.joinpath("shared", "data", "http-state")
)
SERVER = parse_url("http://home.example.org:8888/cookie-parser")

NAMELESS = "section 5.6, step 3: without '=' or with nothing before it the name is empty, and the cookie is kept"
CONTROL = "section 5.6, step 1: a control character drops the whole line; RFC 6265 cut it short"
PATHS = "section 5.1.4: paths are compared as they are, percent-encoding is not undone"
EMPTY_DOMAIN = "section 5.7, step 7: the last Domain counts, an empty one makes a host-only cookie"

# The expectations are RFC 6265's. What RFC 6265bis makes of these cases, as [(name, value), ...], and where it says so.
DEVIATIONS: dict[str, tuple[str, list[tuple[str, str]]]] = {
    "0004": (NAMELESS, [("", "foo")]),
    "0021": (NAMELESS, [("a", "b"), ("", "x"), ("c", "d")]),
    "0023": (NAMELESS, [("", "foo")]),
    "0024": (NAMELESS, [("", "foo")]),
    "0025": (NAMELESS, [("", "foo")]),
    "0026": (NAMELESS, [("", "foo")]),
    "0027": (NAMELESS, [("", "bar")]),
    "0028": (NAMELESS, [("", "foo")]),
    "CHROMIUM0009": (NAMELESS, [("", "BLAHHH")]),
    "CHROMIUM0010": (NAMELESS, [("", '"BLA\\"HHH"')]),
    "CHROMIUM0012": (NAMELESS, [("", "ABC")]),
    "DISABLED_CHROMIUM0022": (CONTROL, []),
    "DISABLED_CHROMIUM0023": (CONTROL, []),
    "DISABLED_PATH0029": (PATHS, []),
    "MOZILLA0012": (NAMELESS, [("test", '"fubar! = foo'), ("", "five")]),
    "MOZILLA0014": (NAMELESS, [("", "six")]),
    "MOZILLA0015": (NAMELESS, [("", "seven")]),
    "MOZILLA0016": (NAMELESS, [("", "eight")]),
    "MOZILLA0017": (NAMELESS, [("", "eight"), ("test", "six")]),
    "NAME0017": (NAMELESS, [("", "a=bar")]),
    "NAME0023": (NAMELESS, [("", "foo")]),
    "NAME0025": (NAMELESS, [("", "==a=bar")]),
    "NAME0028": (NAMELESS, [("", "a")]),
    "NAME0031": (NAMELESS, [("", '"foo')]),
    "NAME0032": (NAMELESS, [("", '"foo\\"bar')]),
    "NAME0033": (NAMELESS, [("", "aaa")]),
    "OPTIONAL_DOMAIN0042": (EMPTY_DOMAIN, [("foo", "bar")]),
}


def _cases(name: str) -> list[dict[str, Any]]:
    if not FOLDER.is_dir():
        pytest.skip(f"the working group's cases are not here: no folder {FOLDER}; name it in AUTHCONFORM_HTTP_STATE")
    cases: list[dict[str, Any]] = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    return cases


def _sent_by_us(case: dict[str, Any]) -> list[tuple[str, str]]:
    store = CookieStore()
    for line in case["received"]:
        store.receive(f"{SERVER}?{case['test']}", line)
    target = parse_url(case.get("sent-to", f"/cookie-parser-result?{case['test']}"), SERVER)
    return [(cookie.name, cookie.value) for cookie in store.for_request(target).sent]


def test_cookies_as_the_working_group_expects_them_or_as_rfc_6265bis_demands() -> None:
    cases = {case["test"]: case for case in _cases("parser.json")}
    expected = {name: [(c["name"], c["value"]) for c in case["sent"]] for name, case in cases.items()}
    ours = {name: _sent_by_us(case) for name, case in cases.items()}
    wanted = expected | {name: sent for name, (_, sent) in DEVIATIONS.items()}
    assert ours == wanted
    idle = [name for name, (_, sent) in DEVIATIONS.items() if sent == expected.get(name)]
    assert not idle, "listed as deviations, and deviate no longer"
    assert len(cases) == 222
    assert len(DEVIATIONS) == 27


@pytest.mark.parametrize("name", ["dates-examples.json", "dates-bsd-examples.json"])
def test_dates_as_the_working_group_expects_them(name: str) -> None:
    for case in _cases(name):
        date = parse_cookie_date(case["test"])
        written = None if date is None else date.strftime("%a, %d %b %Y %H:%M:%S GMT")
        assert written == case["expected"], case["test"]
