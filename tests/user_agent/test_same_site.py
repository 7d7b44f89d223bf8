"""SameSite: what is sent, what may be set, for every kind of request and distance."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import pytest

from harness.user_agent import Answer, Form, UserAgent

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.user_agent.doubles import Clock, Network

APP = "https://app.example.org/x"
PAGES = {
    "same-origin": "https://app.example.org",
    "same-site": "https://www.example.org",
    "cross-site": "https://evil.example",
    "cross-scheme": "http://app.example.org",
    "opaque": "null",
}
ALL = "strict lax none absent"


def get(agent: UserAgent, page: str | None) -> Answer:
    return agent.navigate(APP, initiator=page)


def post(agent: UserAgent, page: str) -> Answer:
    return agent.submit(Form(APP), initiator=page)


def submit_get(agent: UserAgent, page: str) -> Answer:
    return agent.submit(Form(APP, method="get", fields=[("a", "1")]), initiator=page)


def fetch(agent: UserAgent, page: str) -> Answer:
    return agent.fetch(APP, initiator=page, credentials="include")


def fetch_post(agent: UserAgent, page: str) -> Answer:
    return agent.fetch(APP, initiator=page, method="POST", mode="no-cors", credentials="include")


ACTS: dict[str, Callable[[UserAgent, str], Answer]] = {
    "link": get,
    "form": post,
    "get form": submit_get,
    "fetch": fetch,
    "fetch post": fetch_post,
}
# What goes with a request from another site; from the same site everything does, whatever the act.
CROSS_SITE = {
    "link": "lax none absent",
    "form": "none",
    "get form": "lax none absent",
    "fetch": "none",
    "fetch post": "none",
}


@pytest.fixture
def signed_in(agent: UserAgent) -> UserAgent:
    for line in ("strict=1; SameSite=Strict", "lax=1; SameSite=Lax", "none=1; SameSite=None; Secure", "absent=1"):
        assert agent.cookies.receive(APP, f"{line}; Path=/").accepted
    return agent


@pytest.mark.parametrize(("act", "distance"), list(product(ACTS, PAGES)))
def test_which_cookies_go(signed_in: UserAgent, network: Network, clock: Clock, act: str, distance: str) -> None:
    clock.now += 121  # past Lax-allowing-unsafe
    ACTS[act](signed_in, PAGES[distance])
    expected = ALL if distance in {"same-origin", "same-site"} else CROSS_SITE[act]
    sent = network.last.get("cookie", "").replace("=1", "").replace(";", "")
    assert sent == expected


def test_everything_goes_when_the_user_types_the_address(signed_in: UserAgent, network: Network) -> None:
    get(signed_in, None)
    assert network.last["cookie"] == "strict=1; lax=1; none=1; absent=1"


def test_a_cookie_without_same_site_goes_with_a_cross_site_post_in_its_first_two_minutes(
    signed_in: UserAgent,
    network: Network,
    clock: Clock,
    notes: Callable[[], str],
) -> None:
    clock.now += 120
    post(signed_in, PAGES["cross-site"])
    assert network.last["cookie"] == "none=1; absent=1"
    assert "cookie 'absent' sent: no SameSite and younger than two minutes" in notes()
    assert "cookie 'lax' not sent: SameSite=Lax on a cross-site POST" in notes()
    fetch_post(signed_in, PAGES["cross-site"])
    assert network.last["cookie"] == "none=1"


def test_redirects_do_not_launder_where_a_request_comes_from(signed_in: UserAgent, network: Network) -> None:
    network.redirect("https://evil.example/go", APP)
    first = signed_in.navigate("https://evil.example/go", initiator=PAGES["cross-site"])
    signed_in.follow(first)
    assert network.last["cookie"] == "lax=1; none=1; absent=1"


def test_a_same_site_page_stays_same_site_through_a_foreign_redirect_as_in_chromium(
    signed_in: UserAgent, network: Network
) -> None:
    network.redirect("https://idp.example/callback", APP)
    first = signed_in.navigate("https://idp.example/callback", initiator=PAGES["same-site"])
    signed_in.follow(first)
    assert network.last["cookie"] == "strict=1; lax=1; none=1; absent=1"


def test_the_method_of_the_hop_decides_not_that_of_the_first_request(
    signed_in: UserAgent, network: Network, clock: Clock
) -> None:
    clock.now += 121
    for status, cookies in ((303, "lax=1; none=1; absent=1"), (307, "none=1")):
        network.redirect("https://evil.example/go", APP, status)
        first = signed_in.submit(Form("https://evil.example/go"), initiator=PAGES["cross-site"])
        signed_in.follow(first)
        assert network.last["cookie"] == cookies


SET = [
    ("Set-Cookie", "strict=1; SameSite=Strict"),
    ("Set-Cookie", "lax=1; SameSite=Lax"),
    ("Set-Cookie", "none=1; SameSite=None; Secure"),
    ("Set-Cookie", "absent=1"),
]


@pytest.mark.parametrize(("act", "distance"), list(product(ACTS, PAGES)))
def test_which_cookies_may_be_set(agent: UserAgent, network: Network, act: str, distance: str) -> None:
    network.answer(APP, *SET)
    network.answer(f"{APP}?a=1", *SET)
    answer = ACTS[act](agent, PAGES[distance])
    subresource = act.startswith("fetch")
    near = distance in {"same-origin", "same-site"}
    expected = ALL if near or not subresource else "none"
    assert " ".join(s.parsed.name for s in answer.set_cookies if s.accepted) == expected
    assert " ".join(cookie.name for cookie in agent.cookies) == expected
    refused = {s.parsed.name: s.why for s in answer.set_cookies if not s.accepted}
    if refused:
        assert "SameSite=Lax in the answer to a cross-site subresource request" in refused["lax"]
        assert "no SameSite (treated as Lax)" in refused["absent"]


def test_a_plain_client_knows_no_same_site(signed_in: UserAgent, network: Network) -> None:
    network.answer(APP, *SET)
    answer = signed_in.send("POST", APP, headers={"Origin": "https://evil.example"})
    assert network.last["cookie"] == "strict=1; lax=1; none=1; absent=1"
    assert all(outcome.accepted for outcome in answer.set_cookies)
