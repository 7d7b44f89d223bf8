from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.user_agent.urls import BadUrl, parse_url

BASE = parse_url("https://app.example/a/b?q=1#top")


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("/\\evil.example", "https://evil.example/"),
        ("\\\\evil.example", "https://evil.example/"),
        ("///evil.example", "https://evil.example/"),
        ("/\t/evil.example", "https://evil.example/"),
        (" //evil.example", "https://evil.example/"),
        ("http:evil.example", "http://evil.example/"),
        ("http:/evil.example", "http://evil.example/"),
        ("https:evil.example", "https://app.example/a/evil.example"),
        ("https:/evil.example", "https://app.example/evil.example"),
        ("//app.example@evil.example", "https://app.example@evil.example/"),
        ("//evil.example\\@app.example", "https://evil.example/@app.example"),
        ("//evil.example#@app.example", "https://evil.example/#@app.example"),
        ("/%2f/evil.example", "https://app.example/%2f/evil.example"),
        ("./\\evil.example", "https://app.example/a//evil.example"),
    ],
)
def test_redirect_targets_lead_where_a_browser_takes_them(text: str, url: str) -> None:
    assert str(parse_url(text, BASE)) == url


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("c", "https://app.example/a/c"),
        ("../c/./d", "https://app.example/c/d"),
        ("%2e%2E/c", "https://app.example/c"),
        ("..", "https://app.example/"),
        ("/x/..", "https://app.example/"),
        ("?", "https://app.example/a/b?"),
        ("#end", "https://app.example/a/b?q=1#end"),
        ("", "https://app.example/a/b?q=1"),
        ("/x y/é?ü='", "https://app.example/x%20y/%C3%A9?%C3%BC=%27"),
        ("HTTPS://APP.Example:443/X", "https://app.example/X"),
        ("http://app.example:443/", "http://app.example:443/"),
        ("http://ex%61mple.org", "http://example.org/"),
        ("http://bücher.example/", "http://xn--bcher-kva.example/"),
        ("http://0x7f.1/", "http://127.0.0.1/"),
        ("http://2130706433/", "http://127.0.0.1/"),
        ("http://0177.0.0.1/", "http://127.0.0.1/"),
        ("http://[::0001]:80/", "http://[::1]/"),
        ("javascript:alert(1)", "javascript:alert(1)"),
    ],
)
def test_urls_are_resolved_and_serialised_as_the_url_standard_says(text: str, url: str) -> None:
    assert str(parse_url(text, BASE)) == url


@pytest.mark.parametrize(
    "text",
    [
        "//",
        "http://",
        "http://a b/",
        "http://a:70000/",
        "http://a:1x/",
        "http://256.1.1.1/",
        "http://1.2.3.4.5/",
        "http://[::1/",
        "http://a%00b/",
        "http://\udc80.example/",
    ],
)
def test_what_no_browser_would_load_is_refused(text: str) -> None:
    with pytest.raises(BadUrl):
        parse_url(text, BASE)


def test_a_relative_url_needs_a_base() -> None:
    with pytest.raises(BadUrl, match="not an absolute"):
        parse_url("/path")


def test_octets_that_are_not_utf_8_survive_as_percent_escapes() -> None:
    assert str(parse_url("/\udcff", BASE)) == "https://app.example/%FF"


@given(st.text(max_size=60))
def test_any_text_is_a_url_or_refused_and_serialising_is_stable(text: str) -> None:
    try:
        url = parse_url(text, BASE)
    except BadUrl:
        return
    assert parse_url(str(url)) == url
