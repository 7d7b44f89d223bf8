"""What navigations, form submissions and plain requests say about themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.user_agent import Body, Form, UserAgent

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.evidence.exchange import Recorder
    from tests.user_agent.doubles import Network

APP = "https://app.example.org/x?y=1"
BROWSER_OWN = {"origin", "referer", "sec-fetch-site", "sec-fetch-mode", "sec-fetch-dest", "sec-fetch-user"}


def own(network: Network) -> dict[str, str]:
    return {name: value for name, value in network.last.items() if name in BROWSER_OWN}


def test_a_typed_address(agent: UserAgent, network: Network, recorder: Recorder) -> None:
    answer = agent.navigate(APP)
    assert own(network) == {
        "sec-fetch-site": "none",
        "sec-fetch-mode": "navigate",
        "sec-fetch-dest": "document",
        "sec-fetch-user": "?1",
    }
    assert network.last["user-agent"] == "Mozilla/5.0 authconform"
    assert answer.readable
    assert recorder.exchanges[0].initiator is None


@pytest.mark.parametrize(
    ("page", "site", "referer"),
    [
        ("https://app.example.org/login?next=1#x", "same-origin", "https://app.example.org/login?next=1"),
        ("https://app.example.org", "same-origin", "https://app.example.org/"),
        ("https://app.example.org:8443/login", "same-site", "https://app.example.org:8443/"),
        ("https://www.example.org/page", "same-site", "https://www.example.org/"),
        ("https://evil.example/page", "cross-site", "https://evil.example/"),
        ("http://app.example.org/page", "cross-site", "http://app.example.org/"),
        ("null", "cross-site", None),
    ],
)
def test_a_link_says_where_it_comes_from(
    agent: UserAgent, network: Network, page: str, site: str, referer: str | None
) -> None:
    answer = agent.navigate(APP, initiator=page)
    expected = {"sec-fetch-site": site, "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    assert own(network) == (expected | ({"referer": referer} if referer else {}))
    assert answer.readable is (site == "same-origin")


@pytest.mark.parametrize(
    ("page", "target", "origin", "referer"),
    [
        ("https://evil.example", APP, "https://evil.example", "https://evil.example/"),
        ("http://evil.example", APP, "http://evil.example", "http://evil.example/"),
        ("https://app.example.org", APP, "https://app.example.org", "https://app.example.org/"),
        ("null", APP, "null", None),
        # A secure page tells an insecure one nothing: referrer policy strict-origin-when-cross-origin.
        ("https://evil.example", "http://app.example.org/", "null", None),
        ("http://evil.example", "http://app.example.org/", "http://evil.example", "http://evil.example/"),
    ],
)
def test_a_form_post_names_its_origin(  # noqa: PLR0913, PLR0917
    agent: UserAgent, network: Network, page: str, target: str, origin: str, referer: str | None
) -> None:
    agent.submit(Form(target), initiator=page)
    assert network.last["origin"] == origin
    assert network.last.get("referer") == referer


def test_fetch_metadata_goes_to_trustworthy_urls_only(agent: UserAgent, network: Network) -> None:
    agent.navigate("http://app.example.org/")
    assert own(network) == {}
    agent.navigate("http://localhost:8000/")
    assert own(network)["sec-fetch-site"] == "none"


def test_an_attackers_page_chooses_its_referrer(agent: UserAgent, network: Network) -> None:
    agent.navigate(APP, initiator="https://evil.example", referrer="https://evil.example/?app.example.org")
    assert network.last["referer"] == "https://evil.example/?app.example.org"
    agent.navigate(APP, initiator="https://evil.example", referrer="")
    assert "referer" not in network.last


@pytest.mark.parametrize(
    ("enctype", "content_type", "body"),
    [
        ("urlencoded", "application/x-www-form-urlencoded", b"a+b=1%262&%C3%A9=%7E%0D%0A*"),
        ("text/plain", "text/plain", "a b=1&2\r\né=~\r\n*\r\n".encode()),
    ],
)
def test_forms_are_encoded_as_browsers_do(
    agent: UserAgent, network: Network, enctype: str, content_type: str, body: bytes
) -> None:
    fields = [("a b", "1&2"), ("é", "~\n*")]
    agent.submit(Form(APP, fields=fields, enctype=enctype), initiator=APP)  # type: ignore[arg-type]
    assert network.last["content-type"] == content_type
    assert network.requests[-1].body == body


def test_multipart_forms(agent: UserAgent, network: Network) -> None:
    agent.submit(Form("/upload", fields=[('a"b', "1\n2")], enctype="multipart"), initiator=APP)
    request = network.requests[-1]
    boundary = network.last["content-type"].partition("boundary=")[2]
    expected = f'--{boundary}\r\nContent-Disposition: form-data; name="a%22b"\r\n\r\n1\r\n2\r\n--{boundary}--\r\n'
    assert request.body == expected.encode()
    assert str(request.url) == "https://app.example.org/upload"


def test_a_get_form_replaces_the_query(agent: UserAgent, network: Network) -> None:
    agent.submit(Form(f"{APP}#top", method="get", fields=[("q", "a b")]), initiator=APP)
    assert str(network.requests[-1].url) == "https://app.example.org/x?q=a+b"
    assert network.requests[-1].body is None


def test_a_plain_client_says_what_it_is_told_and_nothing_more(agent: UserAgent, network: Network) -> None:
    agent.cookies.receive(APP, "sid=1; Path=/")
    agent.send("TRACE", APP, headers=[("X-A", "1"), ("X-A", "2")], cookies="none", target="/a/../b")
    request = network.requests[-1]
    assert own(network) == {}
    assert [value for name, value in request.headers if name == "X-A"] == ["1", "2"]
    assert "cookie" not in network.last
    assert (request.method, request.target) == ("TRACE", "/a/../b")


def test_a_plain_client_chooses_its_cookies(agent: UserAgent, network: Network) -> None:
    agent.cookies.receive(APP, "sid=1; Path=/")
    agent.send("GET", APP)
    assert network.last["cookie"] == "sid=1"
    agent.send("GET", APP, cookies={"sid": "stolen", "x": "y"})
    assert network.last["cookie"] == "sid=stolen; x=y"
    agent.send("GET", APP, cookies={})
    assert "cookie" not in network.last
    agent.send("GET", APP, headers={"Cookie": "raw"})
    assert network.last["cookie"] == "raw"


def test_a_plain_client_may_leave_the_store_alone(agent: UserAgent, network: Network) -> None:
    network.answer(APP, ("Set-Cookie", "sid=1"))
    answer = agent.send("GET", APP, store=False)
    assert answer.set_cookies[0].accepted
    assert len(agent.cookies) == 0
    agent.send("GET", APP)
    assert agent.cookie_names(APP) == ["sid"]


def test_headers_of_the_caller_replace_defaults(agent: UserAgent, network: Network) -> None:
    agent.send("POST", APP, headers={"user-agent": "curl", "Host": "evil.example"}, body=Body.json({"a": 1}))
    headers = [(name.lower(), value) for name, value in network.requests[-1].headers]
    assert [value for name, value in headers if name == "user-agent"] == ["curl"]
    network.requests[-1] = network.prepare(network.requests[-1])
    assert network.last["host"] == "evil.example"
    assert network.last["content-type"] == "application/json"


def test_headers_of_the_agent_go_with_everything(network: Network, recorder: Recorder) -> None:
    agent = UserAgent(network, recorder, label="alice", header={"X-Clock-Offset": "60"})
    agent.navigate(APP)
    agent.fetch(APP, initiator="https://evil.example", method="PUT")
    agent.clone("bob").send("GET", APP)
    assert [network.sent(number)["x-clock-offset"] for number in range(3)] == ["60"] * 3
    assert network.requests[1].method == "OPTIONS"
    assert "x-clock-offset" not in network.sent(1).get("access-control-request-headers", "")


def test_a_clone_starts_without_cookies_on_the_same_wire(agent: UserAgent, recorder: Recorder) -> None:
    agent.cookies.receive(APP, "sid=1")
    agent.allowed = frozenset({"https://app.example.org"})
    twin = agent.clone("bob")
    twin.navigate(APP)
    assert (len(twin.cookies), twin.allowed, twin.label) == (0, agent.allowed, "bob")
    assert recorder.exchanges[-1].agent == "bob"


@pytest.mark.parametrize("url", ["/relative", "ftp://a.example/", "javascript:alert(1)"])
def test_what_is_no_http_url_is_refused_in_one_line(agent: UserAgent, url: str) -> None:
    for act in (agent.navigate, lambda target: agent.send("GET", target)):
        with pytest.raises(ValueError, match=r"^.+$"):
            act(url)


def test_answers(agent: UserAgent, network: Network) -> None:
    network.answer(
        APP, ("Content-Type", "text/html; charset=latin-1"), ("X-A", "1"), ("x-a", "2"), body="é".encode("latin-1")
    )
    answer = agent.navigate(APP)
    assert answer.text == "é"
    assert answer.headers.get("x-A") == "1, 2"
    assert answer.headers.all("X-a") == ["1", "2"]
    assert "x-a" in answer.headers
    assert answer.headers.get("Absent") is None
    assert len(answer.headers) == 3
    assert answer.json() is None
    network.answer(APP, body=b'\xef\xbb\xbf{"a": [1]}')
    assert agent.navigate(APP).json() == {"a": [1]}
    network.answer(APP, ("Content-Type", "text/html; charset=nonsense"), body=b"\xff")
    assert agent.navigate(APP).text == "\ufffd"


def test_representations_show_no_secret(agent: UserAgent, network: Network, notes: Callable[[], str]) -> None:
    network.answer(f"{APP}&token=abcdefgh", ("Set-Cookie", "sid=s3cret-value"), body=b"s3cret-value")
    answer = agent.send("GET", f"{APP}&token=abcdefgh", body=Body.form([("password", "hunter2")]))
    shown = repr([answer, answer.headers, answer.set_cookies, agent, agent.cookies, answer.request, notes()])
    assert "abcdefgh" not in shown
    assert "s3cret-value" not in shown
    assert "hunter2" not in shown
