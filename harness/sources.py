"""The documents that requirements cite, each by section, each with a link a reader can open.

A source is what a requirement's level rests on. Sections are written as their documents write them; anchors of
living standards are given as their fragment, since their numbering drifts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Source:
    """One place in one document.

    Attributes:
        document: short name, for example ``RFC 6749``.
        section: the section, verification number or entry, for example ``10.12``.
        url: where it can be read.

    """

    document: str
    section: str
    url: str

    def __str__(self) -> str:
        joint = " section " if self.section[0].isdigit() and self.document.startswith(("RFC", "OpenID")) else " "
        return f"{self.document}{joint}{self.section}"

    def as_json(self) -> dict[str, str]:
        """``{"document", "section", "url", "text"}``, as run.json holds it."""
        return {"document": self.document, "section": self.section, "url": self.url, "text": str(self)}


def _rfc(number: int) -> Callable[[str], Source]:
    def cite(section: str) -> Source:
        return Source(f"RFC {number}", section, f"https://www.rfc-editor.org/rfc/rfc{number}#section-{section}")

    return cite


RFC6749 = _rfc(6749)  # OAuth 2.0
RFC6750 = _rfc(6750)  # Bearer tokens
RFC7009 = _rfc(7009)  # Token revocation
RFC7518 = _rfc(7518)  # JSON Web Algorithms
RFC7519 = _rfc(7519)  # JSON Web Token
RFC8725 = _rfc(8725)  # JWT best current practices
RFC9110 = _rfc(9110)  # HTTP semantics
RFC9111 = _rfc(9111)  # HTTP caching
RFC9700 = _rfc(9700)  # OAuth 2.0 security best current practice
RFC10017 = _rfc(10017)  # OAuth 2.0 for browser-based applications


def RFC6265BIS(section: str) -> Source:  # noqa: N802 - the document's name
    """Cookies: HTTP State Management Mechanism (the revision browsers implement)."""
    return Source(
        "RFC 6265bis",
        section,
        f"https://httpwg.org/http-extensions/draft-ietf-httpbis-rfc6265bis.html#section-{section}",
    )


def FETCH(anchor: str) -> Source:  # noqa: N802
    """The Fetch standard, by anchor: its section numbers drift."""
    return Source("Fetch", f"#{anchor}", f"https://fetch.spec.whatwg.org/#{anchor}")


def OIDC_CORE(section: str) -> Source:  # noqa: N802
    """OpenID Connect Core 1.0."""
    return Source(
        "OpenID Connect Core", section, f"https://openid.net/specs/openid-connect-core-1_0.html#rfc.section.{section}"
    )


def ASVS(number: str) -> Source:  # noqa: N802
    """OWASP Application Security Verification Standard 5.0, by verification number such as ``3.3.4``."""
    chapter = _ASVS_CHAPTERS[int(number.split(".", 1)[0])]
    return Source("ASVS 5.0", f"V{number}", f"https://github.com/OWASP/ASVS/blob/v5.0.0_release/5.0/en/{chapter}.md")


_ASVS_CHAPTERS = {
    1: "0x10-V1-Encoding-and-Sanitization",
    2: "0x11-V2-Validation-and-Business-Logic",
    3: "0x12-V3-Web-Frontend-Security",
    4: "0x13-V4-API-and-Web-Service",
    6: "0x15-V6-Authentication",
    7: "0x16-V7-Session-Management",
    8: "0x17-V8-Authorization",
    9: "0x18-V9-Self-contained-Tokens",
    10: "0x19-V10-OAuth-and-OIDC",
    12: "0x21-V12-Secure-Communication",
    13: "0x22-V13-Configuration",
    14: "0x23-V14-Data-Protection",
    15: "0x24-V15-Secure-Coding-and-Architecture",
    16: "0x25-V16-Security-Logging-and-Error-Handling",
}


def CWE(number: int) -> Source:  # noqa: N802
    """Common Weakness Enumeration entry."""
    return Source("CWE", str(number), f"https://cwe.mitre.org/data/definitions/{number}.html")


def WSTG(test: str) -> Source:  # noqa: N802
    """OWASP Web Security Testing Guide, by test id such as ``SESS-02``."""
    return Source(
        "WSTG",
        test,
        "https://owasp.org/www-project-web-security-testing-guide/latest/4-Web_Application_Security_Testing/",
    )


def ZAP(rule: str) -> Source:  # noqa: N802
    """An alert of the ZAP scanner, by number."""
    return Source("ZAP", rule, f"https://www.zaproxy.org/docs/alerts/{rule}/")


def CHEATSHEET(title: str) -> Source:  # noqa: N802
    """An OWASP cheat sheet, by its title."""
    return Source(
        "OWASP Cheat Sheet",
        title,
        f"https://cheatsheetseries.owasp.org/cheatsheets/{title.replace(' ', '_')}_Cheat_Sheet.html",
    )


def OAUCH(test: str) -> Source:  # noqa: N802
    """A test of OAuch, the conformance tester of authorization servers."""
    return Source("OAuch", test, "https://oauch.io/")


def OPENAPI(section: str) -> Source:  # noqa: N802
    """The OpenAPI specification."""
    return Source("OpenAPI", section, f"https://spec.openapis.org/oas/v3.1.0.html#{section}")
