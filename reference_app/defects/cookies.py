"""Bugs of the attributes of cookies."""

from __future__ import annotations

from typing import Final

from reference_app.defects.model import COOKIES, Defect

DEFECTS: Final = (
    Defect(
        "cookie-readable",
        "The access cookie is set without HttpOnly.",
        COOKIES,
        rules={"access_cookie_http_only": False},
    ),
    Defect(
        "cookie-not-secure",
        "Over HTTPS the cookies are set without Secure, as in a development environment.",
        COOKIES,
        rules={"cookies_secure": False},
        needs={"tls": True},
    ),
    Defect(
        "samesite-none-undeclared",
        "The cookies are SameSite=None, though no front end on another site needs them.",
        COOKIES,
        rules={"cookies_same_site": False},
        needs={"tls": True},
    ),
    Defect(
        "host-prefix-with-domain",
        "The access cookie is named __Host- and has a Domain: browsers discard it.",
        COOKIES,
        rules={"access_cookie_domain": "host"},
        needs={"tls": True},
    ),
    Defect(
        "session-cookie-set-twice",
        "A login sets the access cookie twice: an anonymous value, then the signed-in one.",
        COOKIES,
        rules={"access_cookie_once": False},
    ),
    Defect(
        "cookie-unprefixed",
        "Over HTTPS the cookies' names carry neither __Host- nor __Secure-.",
        COOKIES,
        rules={"cookies_prefixed": False},
        needs={"tls": True},
    ),
    Defect(
        "cookie-domain-wide",
        "The access cookie has the Domain of the whole site, so that every sibling host receives it.",
        COOKIES,
        rules={"access_cookie_domain": "site"},
        needs={"tls": True, "domain": True},
    ),
    Defect(
        "client-token-twin",
        "The value of the HttpOnly access cookie is set again in a cookie that scripts can read.",
        COOKIES,
        rules={"access_value_only_http_only": False},
    ),
    Defect(
        "cookie-outlives-token",
        "The access cookie lasts a year, the token in it a quarter of an hour.",
        COOKIES,
        rules={"access_cookie_ends_with_token": False},
    ),
    Defect(
        "refresh-cookie-path-root",
        "The refresh cookie has the path / and rides along on every request.",
        COOKIES,
        rules={"refresh_cookie_narrow": False},
    ),
)
