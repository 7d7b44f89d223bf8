"""fetch() from a page: what is sent, what is asked first, what the page may read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.user_agent import Body, UserAgent

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.evidence.exchange import Recorder
    from tests.user_agent.doubles import Network

API = "https://api.example.org/data"
HOME = "https://api.example.org/page"
SIBLING = "https://www.example.org"
EVIL = "https://evil.example"
ALLOWED = (("Access-Control-Allow-Origin", EVIL), ("Access-Control-Allow-Credentials", "true"))


@pytest.fixture
def signed_in(agent: UserAgent) -> UserAgent:
    agent.cookies.receive(API, "sid=1; Path=/; SameSite=None; Secure")
    return agent


@pytest.mark.parametrize(
    ("page", "credentials", "sent", "kept"),
    [
        (HOME, "omit", False, False),
        (HOME, "same-origin", True, True),
        (HOME, "include", True, True),
        (SIBLING, "same-origin", False, False),
        (SIBLING, "include", True, True),
        (EVIL, "same-origin", False, False),
        (EVIL, "include", True, True),
    ],
)
def test_credentials_decide_over_cookies_both_ways(  # noqa: PLR0913, PLR0917
    signed_in: UserAgent,
    network: Network,
    page: str,
    credentials: str,
    sent: bool,  # noqa: FBT001
    kept: bool,  # noqa: FBT001
) -> None:
    network.answer(API, ("Set-Cookie", "new=1; SameSite=None; Secure; Path=/"))
    answer = signed_in.fetch(API, initiator=page, credentials=credentials)  # type: ignore[arg-type]
    assert ("cookie" in network.last) is sent
    assert (signed_in.cookies.get("new") is not None) is kept
    assert answer.set_cookies[0].accepted is kept
    if not kept:
        assert "without credentials" in answer.set_cookies[0].why


def test_a_note_tells_of_cookies_left_at_home(signed_in: UserAgent, notes: Callable[[], str]) -> None:
    signed_in.fetch(API, initiator=EVIL)
    assert "cookies 'sid' not sent: credentials mode 'same-origin'" in notes()


@pytest.mark.parametrize(
    ("page", "method", "origin"),
    [
        (HOME, "GET", None),
        (HOME, "POST", "https://api.example.org"),
        (SIBLING, "GET", SIBLING),
        (EVIL, "POST", EVIL),
        ("null", "GET", "null"),
    ],
)
def test_origin(agent: UserAgent, network: Network, page: str, method: str, origin: str | None) -> None:
    agent.fetch(API, initiator=page, method=method)
    assert network.last.get("origin") == origin
    assert network.last["sec-fetch-mode"] == "cors"
    assert network.last["sec-fetch-dest"] == "empty"
    assert "sec-fetch-user" not in network.last


def test_a_simple_request_is_sent_whoever_may_read_the_answer(
    agent: UserAgent, network: Network, notes: Callable[[], str]
) -> None:
    answer = agent.fetch(API, initiator=EVIL, method="post", body=Body.text('{"a":1}'))
    assert (answer.status, answer.readable, answer.blocked) == (200, False, None)
    assert [request.method for request in network.requests] == ["POST"]
    assert "may not read the answer: no Access-Control-Allow-Origin" in notes()


def test_with_permission_the_page_reads_the_answer_and_the_exposed_headers(agent: UserAgent, network: Network) -> None:
    network.answer(API, *ALLOWED, ("Access-Control-Expose-Headers", "X-Total"), ("X-Total", "1"), ("X-Other", "1"))
    answer = agent.fetch(API, initiator=EVIL, credentials="include")
    assert answer.readable
    assert answer.exposed == frozenset({"x-total"})
    home = agent.fetch(API, initiator=HOME)
    assert home.readable
    assert home.exposed is None


def test_a_preflight_goes_first_and_without_credentials(signed_in: UserAgent, network: Network) -> None:
    network.answer(
        f"OPTIONS {API}",
        *ALLOWED,
        ("Access-Control-Allow-Methods", "PUT"),
        ("Access-Control-Allow-Headers", "content-type, authorization"),
        ("Set-Cookie", "sneaky=1; SameSite=None; Secure"),
        status=204,
    )
    network.answer(f"PUT {API}", *ALLOWED, status=201)
    answer = signed_in.fetch(
        API,
        initiator=EVIL,
        method="PUT",
        headers={"Authorization": "Bearer x"},
        body=Body.json({}),
        credentials="include",
    )
    assert (answer.status, answer.readable) == (201, True)
    preflight, actual = network.sent(0), network.sent(1)
    assert preflight["access-control-request-method"] == "PUT"
    assert preflight["access-control-request-headers"] == "authorization,content-type"
    assert preflight["origin"] == EVIL
    assert not {"cookie", "authorization", "content-type"} & set(preflight)
    assert network.requests[0].body is None
    assert actual["cookie"] == "sid=1"
    assert actual["authorization"] == "Bearer x"
    assert signed_in.cookies.get("sneaky") is None


def test_without_permission_the_request_is_never_sent(agent: UserAgent, network: Network, recorder: Recorder) -> None:
    network.answer(f"OPTIONS {API}", *ALLOWED, status=204)
    answer = agent.fetch(API, initiator=EVIL, method="DELETE")
    assert (answer.status, answer.readable) == (0, False)
    assert answer.blocked == "preflight: Access-Control-Allow-Methods does not list DELETE"
    assert [request.method for request in network.requests] == ["OPTIONS"]
    (record,) = recorder.exchanges
    assert (record.number, record.purpose) == (answer.exchange, "preflight")
    assert record.notes == (
        "preflight, because DELETE is not a CORS-safelisted method",
        "the DELETE is not sent: Access-Control-Allow-Methods does not list DELETE",
    )


def test_at_home_nothing_is_asked_first(agent: UserAgent, network: Network) -> None:
    agent.fetch(API, initiator=HOME, method="DELETE", headers={"X-A": "1"})
    assert [request.method for request in network.requests] == ["DELETE"]


def test_headers_of_the_browser_cannot_be_forged_by_a_script(
    signed_in: UserAgent, network: Network, notes: Callable[[], str]
) -> None:
    forged = {"Origin": HOME, "Cookie": "sid=2", "Sec-Fetch-Site": "same-origin", "Referer": HOME, "Host": "x"}
    signed_in.fetch(API, initiator=EVIL, headers=forged, credentials="include")
    assert network.last["origin"] == EVIL
    assert network.last["cookie"] == "sid=1"
    assert network.last["sec-fetch-site"] == "cross-site"
    assert network.last["host"] == "api.example.org"
    assert notes().count("a script may not set it") == 5


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({"mode": "same-origin"}, "mode same-origin"),
        ({"mode": "no-cors", "method": "PUT"}, "mode no-cors does not allow PUT"),
        ({"method": "TRACE"}, "may not send TRACE"),
    ],
)
def test_what_the_browser_refuses_is_recorded_and_not_sent(
    agent: UserAgent, network: Network, recorder: Recorder, arguments: dict[str, str], why: str
) -> None:
    answer = agent.fetch(API, initiator=EVIL, **arguments)  # type: ignore[arg-type]
    assert why in (answer.blocked or "")
    assert not network.requests
    assert (recorder.exchanges[0].status, recorder.exchanges[0].number) == (None, answer.exchange)
    assert "not sent: " in (recorder.exchanges[0].error or "")


def test_user_names_in_urls_are_not_fetched_across_origins(agent: UserAgent) -> None:
    assert agent.fetch("https://user:pass@api.example.org/", initiator=EVIL).blocked
    assert agent.fetch("https://user:pass@api.example.org/", initiator=HOME).blocked is None


def test_no_cors_sends_simple_things_and_reads_nothing(agent: UserAgent, network: Network) -> None:
    network.answer(API, *ALLOWED)
    answer = agent.fetch(
        API,
        initiator=EVIL,
        method="POST",
        mode="no-cors",
        headers={"X-A": "1"},
        body=Body.text("x"),
        credentials="include",
    )
    assert (answer.status, answer.readable, answer.exposed) == (200, False, frozenset())
    assert "x-a" not in network.last
    assert network.last["origin"] == EVIL
    assert network.last["sec-fetch-mode"] == "no-cors"


def test_a_get_has_no_body(agent: UserAgent) -> None:
    with pytest.raises(ValueError, match="GET request has no body"):
        agent.fetch(API, initiator=HOME, body=Body.text("x"))


def test_mixed_content_is_sent_and_noted(agent: UserAgent, network: Network, notes: Callable[[], str]) -> None:
    agent.fetch("http://api.example.org/", initiator=EVIL)
    assert "mixed content" in notes()
    agent.fetch("http://localhost/", initiator=EVIL)
    assert "mixed content" not in notes()
    assert len(network.requests) == 2
