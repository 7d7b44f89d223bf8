from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.user_agent.cookies import CookieStore
from harness.user_agent.set_cookie import parse_cookie_date, parse_set_cookie

GOOD = "__Host-sid=abc123; Path=/; Secure; HttpOnly; SameSite=Lax; Expires=Wed, 09 Jun 2027 10:18:14 GMT; Max-Age=900"


def test_a_line_is_taken_apart_and_nothing_is_lost() -> None:
    parsed = parse_set_cookie(" sid = abc ;; Path=/a; path=/b;Foo = Bar;HTTPONLY=x; SameSite=lAX")
    assert (parsed.name, parsed.value) == ("sid", "abc")
    assert parsed.attributes == (
        ("", ""),
        ("Path", "/a"),
        ("path", "/b"),
        ("Foo", "Bar"),
        ("HTTPONLY", "x"),
        ("SameSite", "lAX"),
    )
    assert parsed.path == "/b"
    assert parsed.http_only
    assert parsed.same_site == "Lax"
    assert not parsed.secure
    assert parsed.attribute("FOO") == "Bar"


def test_a_line_as_servers_should_write_it_has_no_deviations() -> None:
    parsed = parse_set_cookie(GOOD)
    assert parsed.deviations == ()
    assert parsed.ignored is None
    assert parsed.max_age == 900
    assert parsed.expires == datetime(2027, 6, 9, 10, 18, 14, tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "deviation"),
    [
        ("sid", "no '='"),
        ("=x", "name is empty"),
        ("a b=x", "not a token"),
        ("a=b c", "other than cookie-octets"),
        ("a=é", "other than cookie-octets"),
        ('a="b', "other than cookie-octets"),
        ("a=b,c", "other than cookie-octets"),
        ("a=b;", "an attribute is empty"),
        ("a=b; Path=/; path=/x", "'path' appears more than once"),
        ("a=b; Expires=Wed, 9 Jun 2027 10:18:14 GMT", "Expires is not written"),
        ("a=b; Max-Age=-1", "Max-Age is not a number"),
        ("a=b; Max-Age=", "Max-Age is not a number"),
        ("a=b; Domain=.example.org", "Domain is not a plain host name"),
        ("a=b; Secure=true", "Secure has a value"),
        ("a=b; HttpOnly=1", "HttpOnly has a value"),
        ("a=b; SameSite=Maybe", "SameSite is not"),
        ("a=b; Path=/é", "control or non-ASCII"),
        (f"a=b; Path=/{'x' * 1024}", "longer than 1024"),
    ],
)
def test_deviations_from_the_servers_grammar_are_listed(line: str, deviation: str) -> None:
    assert any(deviation in found for found in parse_set_cookie(line).deviations)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("a=b\x00c", "control character"),
        ("a=b; Path=/\x7f", "control character"),
        ("a=b\rc", "control character"),
        ("a=b\tc", "a tab"),
        (f"a={'x' * 4096}", "longer than 4096"),
        (f"a={'é' * 2048}", "longer than 4096"),
        ("", "neither a name nor a value"),
        ("=; Path=/", "neither a name nor a value"),
    ],
)
def test_lines_that_browsers_drop_say_why(line: str, why: str) -> None:
    assert why in (parse_set_cookie(line).ignored or "")


def test_limits_count_octets_and_are_exact() -> None:
    assert parse_set_cookie(f"ab={'x' * 4094}").ignored is None
    assert parse_set_cookie(f"a={'é' * 2047}x").ignored is None
    long = f"/{'x' * 1023}"
    assert parse_set_cookie(f"a=b; Path=/ok; Path={long}").path == long
    assert parse_set_cookie(f"a=b; Path=/ok; Path={long}x").path == "/ok"


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("60", 60), ("-1", -1), ("0", 0), ("60s", None), ("+60", None), ("6e1", None), ("", None), ("٣", None)],
)
def test_max_age_is_an_ascii_integer(written: str, seconds: int | None) -> None:
    assert parse_set_cookie(f"a=b; Max-Age={written}").max_age == seconds


def test_an_invalid_attribute_does_not_hide_an_earlier_valid_one() -> None:
    parsed = parse_set_cookie("a=b; Max-Age=60; Max-Age=soon; Expires=Wed, 09 Jun 2027 10:18:14 GMT; Expires=never")
    assert parsed.max_age == 60
    assert parsed.expires is not None


def test_the_last_same_site_counts_even_when_it_is_no_word() -> None:
    assert parse_set_cookie("a=b; SameSite=Strict; SameSite=what").same_site is None


@pytest.mark.parametrize("year", ["70", "99", "1970", "2069", "69", "00", "1601"])
def test_years(year: str) -> None:
    expected = {"70": 1970, "99": 1999, "69": 2069, "00": 2000}.get(year, int(year))
    date = parse_cookie_date(f"01 Jan {year} 00:00:00 GMT")
    assert date is not None
    assert date.year == expected


@pytest.mark.parametrize(
    "text",
    ["", "01 Jan 1600 00:00:00", "31 Feb 2027 00:00:00", "01 Jan 2027 24:00:00", "01 Jan 2027 00:60:00", "Jan 1"],
)
def test_no_dates(text: str) -> None:
    assert parse_cookie_date(text) is None


def test_values_never_show_in_a_repr() -> None:
    assert "abc123" not in repr(parse_set_cookie(GOOD))
    assert "abc123" not in repr(CookieStore().receive("https://app.example/", GOOD))


ODD = st.text(alphabet=st.sampled_from('a=; \t\x00\r\n"\\,é\udc80-09:GMTJanPathDomainMax-AgeExpires'), max_size=80)


@given(st.one_of(st.text(max_size=200), ODD))
def test_the_parser_and_the_store_never_raise(line: str) -> None:
    parsed = parse_set_cookie(line)
    assert parsed.line == line
    store = CookieStore()
    outcome = store.receive("https://app.example/a/b", line)
    assert outcome.why
    assert (outcome.cookie is None) == (parsed.ignored is not None)
    assert outcome.accepted or not store.all()


@given(st.text(max_size=60))
def test_the_date_parser_never_raises(text: str) -> None:
    parse_cookie_date(text)
