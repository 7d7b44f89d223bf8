"""What is stored, replaced, deleted, refused and evicted: RFC 6265bis section 5.7."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from harness.user_agent import CookieStore
from harness.user_agent.cookie_rules import Context
from harness.user_agent.cookies import MAX_PER_DOMAIN

if TYPE_CHECKING:
    from tests.user_agent.doubles import Clock

APP = "https://app.example.org/account/login"
PLAIN = "http://app.example.org/"
SCRIPT = Context(script=True)


@pytest.fixture
def store(clock: Clock) -> CookieStore:
    return CookieStore(clock)


def names(store: CookieStore, url: str) -> list[str]:
    return [cookie.name for cookie in store.matching(url)]


def test_without_attributes_a_cookie_is_for_this_host_this_directory_and_this_session(store: CookieStore) -> None:
    outcome = store.receive(APP, "sid=1")
    assert outcome.effect == "stored"
    assert outcome.cookie is not None
    assert (outcome.cookie.domain, outcome.cookie.host_only) == ("app.example.org", True)
    assert (outcome.cookie.path, outcome.cookie.expires) == ("/account", None)
    assert names(store, "https://app.example.org/account") == ["sid"]
    assert names(store, "https://app.example.org/account/x") == ["sid"]
    assert names(store, "https://app.example.org/accounts") == []
    assert names(store, "https://sub.app.example.org/account") == []


@pytest.mark.parametrize(
    ("url", "domain", "accepted"),
    [
        (APP, "example.org", True),
        (APP, ".Example.ORG", True),
        (APP, "app.example.org", True),
        (APP, "other.example.org", False),
        (APP, "x.app.example.org", False),
        (APP, "ample.org", False),
        (APP, "org", False),
        (APP, "éxample.org", False),
        ("https://a.co.uk/", "co.uk", False),
        ("https://alice.github.io/", "github.io", False),
        ("http://127.0.0.1/", "127.0.0.1", True),
        ("http://127.0.0.1/", "0.0.1", False),
        ("http://localhost/", "localhost", True),
        ("http://app.localhost/", "localhost", False),
    ],
)
def test_domain_must_cover_the_host_and_not_be_a_public_suffix(
    store: CookieStore,
    url: str,
    domain: str,
    accepted: bool,  # noqa: FBT001
) -> None:
    outcome = store.receive(url, f"a=b; Domain={domain}")
    assert outcome.accepted is accepted, outcome.why
    assert bool(store.as_header(url)) is accepted


def test_a_domain_cookie_goes_to_hosts_below_and_a_public_suffix_naming_itself_makes_a_host_only_one(
    store: CookieStore,
) -> None:
    store.receive(APP, "wide=1; Domain=example.org; Path=/")
    assert names(store, "https://example.org/") == ["wide"]
    assert names(store, "https://deep.app.example.org/") == ["wide"]
    outcome = store.receive("http://localhost/", "a=b; Domain=localhost")
    assert outcome.cookie is not None
    assert outcome.cookie.host_only


def test_secure_cookies_need_a_secure_connection_both_ways(store: CookieStore) -> None:
    assert "not a secure connection" in store.receive(PLAIN, "a=b; Secure").why
    store.receive(APP, "sid=1; Secure; Path=/")
    assert names(store, APP) == ["sid"]
    assert names(store, PLAIN) == []
    assert "Secure" in store.for_request(PLAIN).withheld[0].why


@pytest.mark.parametrize("host", ["localhost:8000", "app.localhost", "127.0.0.1:8000", "[::1]:8000"])
def test_loopback_counts_as_secure_as_in_chromium(store: CookieStore, host: str) -> None:
    assert store.receive(f"http://{host}/", "__Host-a=b; Secure; Path=/").accepted
    assert names(store, f"http://{host}/") == ["__Host-a"]


def test_an_insecure_connection_cannot_cover_a_secure_cookie(store: CookieStore) -> None:
    store.receive(APP, "sid=good; Secure; Path=/account; Domain=example.org")
    assert "cover a Secure cookie" in store.receive("http://app.example.org/account/x", "sid=evil").why
    assert "cover a Secure cookie" in store.receive("http://example.org/", "sid=evil; Path=/account/x").why
    assert store.receive(PLAIN, "sid=elsewhere; Path=/").accepted
    assert store.receive(PLAIN, "other=fine; Path=/account").accepted


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("__Secure-a=b", "without Secure"),
        ("__SECURE-a=b", "without Secure"),
        ("__Host-a=b; Path=/", "without Secure"),
        ("__Host-a=b; Secure", "without Path=/"),
        ("__Host-a=b; Secure; Path=/account", "without Path=/"),
        ("__host-a=b; Secure; Path=/; Domain=app.example.org", "with a Domain"),
        ("__Http-a=b; Secure", "without HttpOnly"),
        ("__Http-a=b; HttpOnly", "without Secure"),
        ("__Host-Http-a=b; Secure; Path=/", "without HttpOnly"),
        ("__Host-Http-a=b; Secure; HttpOnly", "without Path=/"),
        ("__Host-Http-a=b; Secure; HttpOnly; Path=/; Domain=app.example.org", "with a Domain"),
        ("=__Host-a=b; Secure; Path=/", "imitates a name prefix"),
        ("__secure-a", "imitates a name prefix"),
        ("a=b; SameSite=None", "SameSite=None without Secure"),
        ("a=b; Partitioned", "Partitioned without Secure"),
    ],
)
def test_refusals_say_why_and_still_show_what_was_asked_for(store: CookieStore, line: str, why: str) -> None:
    outcome = store.receive(APP, line)
    assert outcome.effect == "refused"
    assert why in outcome.why
    assert outcome.cookie is not None
    assert not store.all()


@pytest.mark.parametrize(
    "line",
    [
        "__Secure-a=b; Secure; Domain=example.org",
        "__Host-a=b; Secure; Path=/",
        "__Http-a=b; Secure; HttpOnly",
        "__Host-Http-a=b; Secure; HttpOnly; Path=/",
        "a=b; SameSite=None; Secure",
        "a=b; Partitioned; Secure; SameSite=None",
        "nameless",
    ],
)
def test_what_keeps_the_rules_is_stored(store: CookieStore, line: str) -> None:
    assert store.receive(APP, line).effect == "stored"


def test_host_prefix_looks_at_the_domain_attribute_not_at_what_became_of_it(store: CookieStore) -> None:
    line = "__Host-a=b; Secure; Path=/; Domain="
    assert not store.receive("http://localhost/", f"{line}localhost").accepted
    assert store.receive("http://127.0.0.1/", f"{line}127.0.0.1").accepted


def test_max_age_goes_before_expires_and_neither_beyond_400_days(store: CookieStore, clock: Clock) -> None:
    day = 86400
    lines = {
        "a": "a=1; Expires=Wed, 09 Jun 1999 10:18:14 GMT; Max-Age=60",
        "b": "b=1; Max-Age=9999999999",
        "c": "c=1; Expires=Fri, 31 Dec 9999 23:59:59 GMT",
        "d": "d=1; Max-Age=oops",
    }
    expires = {name: store.receive(APP, line).cookie for name, line in lines.items()}
    assert {name: cookie and cookie.expires for name, cookie in expires.items()} == {
        "a": clock.now + 60,
        "b": clock.now + 400 * day,
        "c": clock.now + 400 * day,
        "d": None,
    }
    clock.now += 61
    assert [cookie.name for cookie in store] == ["b", "c", "d"]


@pytest.mark.parametrize("ending", ["Max-Age=0", "Max-Age=-5", "Expires=Thu, 01 Jan 1970 00:00:00 GMT"])
def test_an_expiry_in_the_past_deletes_what_has_the_same_name_domain_and_path(store: CookieStore, ending: str) -> None:
    store.receive(APP, "sid=1; Path=/")
    elsewhere = store.receive(APP, f"sid=; Path=/account; {ending}")
    assert (elsewhere.effect, elsewhere.accepted) == ("deleted", True)
    assert "nothing to delete" in elsewhere.why
    assert store.get("sid") is not None
    assert "is deleted" in store.receive(APP, f"sid=; Path=/; {ending}").why
    assert store.get("sid") is None


def test_replacing_keeps_the_age_of_an_unchanged_value_only(store: CookieStore, clock: Clock) -> None:
    born = clock.now
    store.receive(APP, "a=1; Path=/")
    store.receive(APP, "b=1; Path=/")
    clock.now += 50
    assert store.receive(APP, "a=1; Path=/; HttpOnly").effect == "replaced"
    kept = store.get("a")
    assert kept is not None
    assert (kept.created, kept.http_only) == (born, True)
    assert store.as_header(APP) == "a=1; b=1"
    store.receive(APP, "a=2; Path=/")
    changed = store.get("a")
    assert changed is not None
    assert changed.created == clock.now
    assert store.as_header(APP) == "b=1; a=2"


def test_host_only_and_domain_cookies_of_one_name_live_side_by_side(store: CookieStore) -> None:
    store.receive("https://example.org/", "sid=host")
    store.receive("https://example.org/", "sid=domain; Domain=example.org")
    assert store.as_header("https://example.org/") == "sid=host; sid=domain"
    found = store.get("sid", "https://sub.example.org/")
    assert found is not None
    assert found.value == "domain"


def test_longer_paths_are_sent_first_then_older_cookies(store: CookieStore) -> None:
    for line in ("a=1; Path=/", "b=2; Path=/account/login", "c=3; Path=/account", "d=4; Path=/"):
        store.receive(APP, line)
    assert store.as_header(APP) == "b=2; c=3; a=1; d=4"


def test_scripts_neither_see_nor_set_nor_replace_http_only_cookies(store: CookieStore) -> None:
    store.receive(APP, "sid=1; HttpOnly; Path=/")
    assert not store.for_request(APP, SCRIPT).sent
    assert "may not replace" in store.receive(APP, "sid=evil; Path=/", SCRIPT).why
    assert "set by a script" in store.receive(APP, "x=1; HttpOnly", SCRIPT).why
    assert store.receive(APP, "theme=dark; Path=/", SCRIPT).accepted
    assert store.for_request(APP, SCRIPT).header == "theme=dark"


def test_a_partitioned_cookie_belongs_to_the_site_of_the_top_level_page(store: CookieStore) -> None:
    embedded = Context(top_level=False, page_site="https://shop.example")
    store.receive(APP, "sid=1; Partitioned; Secure; SameSite=None; Path=/", embedded)
    assert not store.as_header(APP)
    assert store.for_request(APP, embedded).header == "sid=1"
    assert not store.for_request(APP, replace(embedded, page_site="https://other.example")).sent


def test_a_crowded_domain_loses_first_what_is_not_secure_and_was_not_used(store: CookieStore, clock: Clock) -> None:
    store.receive(APP, "secure=1; Secure; Path=/old")
    store.receive(APP, "plain=1; Path=/old")
    for number in range(MAX_PER_DOMAIN):
        clock.now += 1
        store.receive(APP, f"n{number}=1; Path=/new")
    assert len(store) == MAX_PER_DOMAIN
    assert store.get("secure")
    assert not store.get("plain")
    assert not store.get("n0")


def test_a_copy_is_independent_and_the_end_of_a_session_forgets_session_cookies(store: CookieStore) -> None:
    store.receive(APP, "a=1; Path=/")
    store.receive(APP, "b=1; Path=/; Max-Age=60")
    stolen = store.copy()
    store.end_session()
    assert [cookie.name for cookie in store.all()] == ["b"]
    store.clear()
    assert (len(store), len(stolen)) == (0, 2)
    stolen.remove("a")
    assert stolen.as_header(APP) == "b=1"
