"""Redirects: where they lead, what they carry, when they stop."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.user_agent import Answer, Body, Form, TooManyRedirects, UserAgent

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.evidence.exchange import Recorder
    from tests.user_agent.doubles import Network

APP = "https://app.example/start"
NEXT = "https://app.example/next"
ELSEWHERE = "https://other.example/next"
BODY = Body.form([("a", "1")])


@pytest.mark.parametrize(
    ("status", "method", "after"),
    [
        (301, "POST", "GET"),
        (302, "POST", "GET"),
        (303, "POST", "GET"),
        (307, "POST", "POST"),
        (308, "POST", "POST"),
        (301, "PUT", "PUT"),
        (302, "DELETE", "DELETE"),
        (303, "PUT", "GET"),
        (303, "HEAD", "HEAD"),
        (302, "GET", "GET"),
    ],
)
def test_methods_and_bodies(agent: UserAgent, network: Network, status: int, method: str, after: str) -> None:
    network.redirect(APP, "/next", status)
    body = None if method in {"GET", "HEAD"} else BODY
    agent.follow(agent.send(method, APP, body=body, headers={"Content-Language": "en", "X-Kept": "1"}))
    request = network.requests[-1]
    assert (request.method, str(request.url)) == (after, NEXT)
    kept = after == method and body is not None
    assert (request.body is not None) is kept
    assert ("content-type" in network.last) is kept
    assert ("content-language" in network.last) is (kept or after == method)
    assert network.last["x-kept"] == "1"


@pytest.mark.parametrize("status", [200, 201, 300, 304, 305, 401])
def test_a_location_alone_is_no_redirect(agent: UserAgent, network: Network, status: int) -> None:
    network.redirect(APP, "/next", status)
    answer = agent.navigate(APP)
    assert answer.redirect_to is None
    with pytest.raises(ValueError, match="is no redirect"):
        agent.follow(answer)
    assert agent.follow_all(answer) == []


@pytest.mark.parametrize(
    ("location", "leads_to"),
    [
        ("next", NEXT),
        ("//other.example/next", ELSEWHERE),
        ("/\\other.example/next", ELSEWHERE),
        ("myapp://callback?code=1", "myapp://callback?code=1"),
        ("http://[", None),
    ],
)
def test_where_a_redirect_leads(agent: UserAgent, network: Network, location: str, leads_to: str | None) -> None:
    network.redirect(APP, location)
    assert agent.navigate(APP).redirect_to == leads_to


def test_differing_locations_lead_nowhere(agent: UserAgent, network: Network, notes: Callable[[], str]) -> None:
    network.redirect(APP, "/a", 302, ("Location", "/b"))
    assert agent.navigate(APP).redirect_to is None
    assert "several Location headers" in notes()


def test_credentials_of_the_caller_stay_with_the_origin_they_were_meant_for(agent: UserAgent, network: Network) -> None:
    headers = {"Authorization": "Bearer x", "Host": "app.example"}
    network.redirect(APP, NEXT)
    network.redirect(NEXT, ELSEWHERE)
    first = agent.send("GET", APP, headers=headers, cookies={"sid": "1"})
    second = agent.follow(first)
    assert (network.last["authorization"], network.last["cookie"]) == ("Bearer x", "sid=1")
    agent.follow(second)
    assert not {"authorization", "cookie"} & set(network.last)
    assert network.last["host"] == "other.example"


def test_each_hop_gets_the_cookies_of_its_own_host_and_may_set_some(agent: UserAgent, network: Network) -> None:
    agent.cookies.receive(ELSEWHERE, "theirs=1; Path=/")
    network.redirect(APP, ELSEWHERE, 302, ("Set-Cookie", "ours=1; Path=/"))
    agent.follow(agent.navigate(APP))
    assert network.last["cookie"] == "theirs=1"
    assert agent.cookie_names(APP) == ["ours"]


def test_origin_is_null_after_leaving_a_foreign_origin(agent: UserAgent, network: Network) -> None:
    network.redirect(APP, ELSEWHERE, 307)
    form = Form(APP, fields=[("a", "1")])
    for page, origin in (("https://evil.example", "null"), ("https://app.example", "https://app.example")):
        agent.follow(agent.submit(form, initiator=page))
        assert network.last["origin"] == origin
    network.redirect(APP, NEXT, 307)
    agent.follow(agent.submit(form, initiator="https://evil.example"))
    assert network.last["origin"] == "https://evil.example"


@pytest.mark.parametrize(
    ("chain", "site"),
    [
        (["https://a.example.org/", "https://a.example.org/2"], "same-origin"),
        (["https://a.example.org/", "https://b.example.org/"], "same-site"),
        (["https://b.example.org/", "https://a.example.org/"], "same-site"),
        (["https://evil.example/", "https://a.example.org/"], "cross-site"),
    ],
)
def test_sec_fetch_site_remembers_the_whole_chain(
    agent: UserAgent, network: Network, chain: list[str], site: str
) -> None:
    network.redirect(chain[0], chain[1])
    agent.follow(agent.navigate(chain[0], initiator="https://a.example.org/page"))
    assert network.last["sec-fetch-site"] == site
    agent.follow(agent.navigate(chain[0]))
    assert network.last["sec-fetch-site"] == "none"


def test_a_fetch_that_leaves_its_origin_is_cors_from_then_on(agent: UserAgent, network: Network) -> None:
    agent.cookies.receive(ELSEWHERE, "sid=1; Path=/; SameSite=None; Secure")
    network.redirect(APP, ELSEWHERE)
    network.answer(ELSEWHERE, ("Access-Control-Allow-Origin", "https://app.example"))
    first = agent.fetch(APP, initiator="https://app.example")
    answer = agent.follow(first)
    assert answer.readable
    assert network.last["origin"] == "https://app.example"
    assert "cookie" not in network.last


def test_a_foreign_redirect_without_permission_ends_a_fetch(
    agent: UserAgent, network: Network, recorder: Recorder
) -> None:
    network.redirect(ELSEWHERE, APP)
    answer = agent.follow(agent.fetch(ELSEWHERE, initiator="https://app.example"))
    assert "without CORS permission" in (answer.blocked or "")
    assert len(network.requests) == 1
    assert len(recorder.exchanges) == 2


def test_a_redirected_preflighted_request_asks_again(agent: UserAgent, network: Network) -> None:
    allow = (("Access-Control-Allow-Origin", "*"), ("Access-Control-Allow-Methods", "PUT"))
    network.answer(f"OPTIONS {ELSEWHERE}", *allow)
    network.redirect(f"PUT {ELSEWHERE}", "https://third.example/", 307, *allow)
    network.answer("OPTIONS https://third.example/", *allow)
    agent.follow(agent.fetch(ELSEWHERE, initiator="https://app.example", method="PUT"))
    assert [request.method for request in network.requests] == ["OPTIONS", "PUT", "OPTIONS", "PUT"]
    assert network.last["origin"] == "null"


def chain(network: Network, length: int) -> None:
    for number in range(length):
        network.redirect(f"https://app.example/{number}", f"/{number + 1}")


def urls(answers: list[Answer]) -> list[str]:
    return [answer.url.rpartition("/")[2] for answer in answers]


def test_following_to_the_end(agent: UserAgent, network: Network) -> None:
    chain(network, 5)
    answers = agent.follow_all(agent.navigate("https://app.example/0"))
    assert urls(answers) == ["1", "2", "3", "4", "5"]
    assert answers[-1].redirect_to is None


def test_a_chain_that_is_too_long_returns_what_came(agent: UserAgent, network: Network) -> None:
    chain(network, 9)
    with pytest.raises(TooManyRedirects, match=r"more than 3 redirects, the next to https://app\.example/4") as caught:
        agent.follow_all(agent.navigate("https://app.example/0"), limit=3)
    assert urls(caught.value.answers) == ["1", "2", "3"]


def test_a_loop_is_told_from_a_second_visit_with_another_cookie(agent: UserAgent, network: Network) -> None:
    network.redirect(APP, NEXT)
    network.redirect(NEXT, APP)
    with pytest.raises(TooManyRedirects, match="round in a circle") as caught:
        agent.follow_all(agent.navigate(APP), limit=50)
    assert len(caught.value.answers) == 2
    network.redirect(NEXT, APP, 302, ("Set-Cookie", "sid=1; Path=/"))
    with pytest.raises(TooManyRedirects) as caught:
        agent.follow_all(agent.navigate(APP), limit=50)
    assert len(caught.value.answers) == 3


def test_only_allowed_origins_are_followed(agent: UserAgent, network: Network) -> None:
    network.redirect(APP, NEXT)
    network.redirect(NEXT, f"{ELSEWHERE}?code=1")
    agent.allowed = frozenset({"https://app.example"})
    answers = agent.follow_all(agent.navigate(APP))
    assert urls(answers) == ["next"]
    assert answers[-1].redirect_to == f"{ELSEWHERE}?code=1"
    network.redirect(NEXT, "myapp:callback")
    agent.allowed = None
    assert agent.follow_all(agent.navigate(APP))[-1].redirect_to == "myapp:callback"


def test_no_secret_of_a_url_stands_in_the_error(agent: UserAgent, network: Network) -> None:
    network.redirect(APP, "/start?token=topsecret1")
    network.redirect(f"{APP}?token=topsecret1", "/start?token=topsecret1")
    with pytest.raises(TooManyRedirects) as caught:
        agent.follow_all(agent.navigate(APP))
    assert "topsecret1" not in caught.value.line
