"""Citations: each names a place and has a link that a reader can open."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from harness import sources

if TYPE_CHECKING:
    from harness.sources import Source

CITED = [
    (sources.RFC6749("10.12"), "RFC 6749 section 10.12", "https://www.rfc-editor.org/rfc/rfc6749#section-10.12"),
    (sources.RFC10017("6.1"), "RFC 10017 section 6.1", "https://www.rfc-editor.org/rfc/rfc10017#section-6.1"),
    (sources.RFC6265BIS("5.7"), "RFC 6265bis section 5.7", "rfc6265bis.html#section-5.7"),
    (sources.OIDC_CORE("3.1.3.7"), "OpenID Connect Core section 3.1.3.7", "#rfc.section.3.1.3.7"),
    (sources.FETCH("cors-check"), "Fetch #cors-check", "https://fetch.spec.whatwg.org/#cors-check"),
    (sources.ASVS("3.3.4"), "ASVS 5.0 V3.3.4", "V3-Web-Frontend-Security.md"),
    (sources.ASVS("10.4.5"), "ASVS 5.0 V10.4.5", "V10-OAuth-and-OIDC.md"),
    (sources.CWE(1004), "CWE 1004", "https://cwe.mitre.org/data/definitions/1004.html"),
    (sources.WSTG("SESS-02"), "WSTG SESS-02", "owasp.org"),
    (sources.ZAP("10010"), "ZAP 10010", "https://www.zaproxy.org/docs/alerts/10010/"),
    (
        sources.CHEATSHEET("Session Management"),
        "OWASP Cheat Sheet Session Management",
        "Session_Management_Cheat_Sheet",
    ),
    (sources.OAUCH("x"), "OAuch x", "https://oauch.io/"),
    (
        sources.OPENAPI("security-requirement-object"),
        "OpenAPI security-requirement-object",
        "#security-requirement-object",
    ),
]


@pytest.mark.parametrize(("source", "text", "link"), CITED, ids=[text for _, text, _ in CITED])
def test_a_citation_reads_as_people_write_it(source: Source, text: str, link: str) -> None:
    assert str(source) == text
    assert link in source.url
    assert urlsplit(source.url).scheme == "https"
    assert " " not in source.url
    assert source.as_json() == {
        "document": source.document,
        "section": source.section,
        "url": source.url,
        "text": text,
    }


def test_equal_citations_are_equal() -> None:
    assert sources.CWE(1004) == sources.CWE(1004)
    assert len({sources.CWE(1004), sources.CWE(1004), sources.CWE(614)}) == 2
