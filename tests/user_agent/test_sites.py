from __future__ import annotations

import pytest

from harness.user_agent.sites import (
    Origin,
    is_loopback,
    is_public_suffix,
    origin_of,
    registrable_domain,
    same_origin,
    same_site,
)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://app.example/path?q", "https://app.example"),
        ("https://APP.example:443", "https://app.example"),
        ("http://app.example:8080/", "http://app.example:8080"),
        ("http://[::1]:8000/x", "http://[::1]:8000"),
        ("null", "null"),
        ("data:text/html,hi", "null"),
        ("file:///etc/passwd", "null"),
    ],
)
def test_origins_are_serialised_as_the_origin_header_has_them(url: str, origin: str) -> None:
    assert origin_of(url) == origin


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://example.org", "https://app.example.org", True),
        ("https://a.example.org", "https://b.example.org:8443", True),
        ("http://example.org", "https://example.org", False),
        ("https://example.org", "https://example.com", False),
        ("https://a.co.uk", "https://b.co.uk", False),
        ("https://alice.github.io", "https://bob.github.io", False),
        ("http://localhost:3000", "http://localhost:8000", True),
        ("http://localhost", "http://127.0.0.1", False),
        ("http://localhost", "http://evil.localhost", False),
        ("http://a.evil.localhost", "http://b.evil.localhost", True),
        ("http://127.0.0.1:1", "http://127.0.0.1:2", True),
        ("http://127.0.0.1", "http://127.0.0.2", False),
        ("https://example.org.", "https://example.org", False),
        ("null", "null", False),
    ],
)
def test_sites_are_scheme_and_registrable_domain(one: str, other: str, same: bool) -> None:  # noqa: FBT001
    assert same_site(Origin.of(one), Origin.of(other)) is same
    assert same_site(Origin.of(other), Origin.of(one)) is same


def test_opaque_origins_are_the_same_as_nothing() -> None:
    assert not same_origin(Origin(), Origin())
    assert same_origin(Origin.of("https://a.example"), Origin.of("https://a.example:443/x"))


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("a.b.example.co.uk", "example.co.uk"),
        ("co.uk", None),
        ("localhost", None),
        ("192.0.2.1", None),
        ("[::1]", None),
    ],
)
def test_the_registrable_domain_is_one_label_below_the_public_suffix(host: str, domain: str | None) -> None:
    assert registrable_domain(host) == domain


def test_public_suffixes() -> None:
    assert is_public_suffix("com")
    assert is_public_suffix("github.io")
    assert is_public_suffix("localhost")
    assert not is_public_suffix("example.com")
    assert not is_public_suffix("127.0.0.1")


@pytest.mark.parametrize(
    ("origin", "trustworthy"),
    [
        ("https://app.example", True),
        ("http://localhost:8000", True),
        ("http://app.localhost", True),
        ("http://127.1.2.3", True),
        ("http://[::1]", True),
        ("http://app.example", False),
        ("http://127.evil.example", False),
        ("http://localhost.evil.example", False),
    ],
)
def test_potentially_trustworthy_origins(origin: str, trustworthy: bool) -> None:  # noqa: FBT001
    assert Origin.of(origin).is_potentially_trustworthy is trustworthy
    if origin.startswith("http:"):
        assert is_loopback(Origin.of(origin).host) is trustworthy
