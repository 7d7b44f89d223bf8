"""Bugs of where credentials are read from, and of where they go."""

from __future__ import annotations

from typing import Final

from reference_app.defects.model import ALL, COOKIES, HEADERS, Defect
from reference_app.settings import Architecture

IDENTITY_HEADERS: Final = (
    "X-User-Id",
    "X-User",
    "X-Forwarded-User",
    "X-Remote-User",
    "X-Auth-Request-User",
    "X-Auth-Request-Email",
)

DEFECTS: Final = (
    Defect(
        "route-ignores-carrier",
        "GET /notes reads the credential from elsewhere than all other routes do.",
        ALL,
        rules={"one_carrier_everywhere": False},
    ),
    Defect(
        "cookie-fallback",
        "Without an Authorization header the token is read from cookies, with no defence against forged requests.",
        (Architecture.BEARER,),
        rules={"stray_cookies": ("access_token", "token", "jwt", "session", "access")},
    ),
    Defect(
        "header-fallback",
        "Without a cookie the token is read from the Authorization header, which nobody declared.",
        (Architecture.COOKIE,),
        rules={"header_only_when_declared": False},
    ),
    Defect(
        "token-in-query",
        "The access token is also read from the query parameter token.",
        ALL,
        rules={"query_parameters": ("token",)},
    ),
    Defect(
        "login-redirect-carries-token",
        "A login redirects to the dashboard with the access token in the URL.",
        COOKIES,
        rules={"login_url_free_of_tokens": False},
    ),
    Defect(
        "set-cookie-interpolated",
        "The theme is copied into Set-Cookie as it came, so that it can add attributes.",
        ALL,
        rules={"cookie_values_checked": False},
    ),
    Defect(
        "scheme-unchecked",
        "Whatever stands last in the Authorization header is taken for a token, whichever the scheme.",
        HEADERS,
        rules={"scheme_checked": False},
    ),
    Defect(
        "identity-header-trusted",
        "X-User-Id, X-Forwarded-User and their like choose the user.",
        ALL,
        rules={"identity_headers": IDENTITY_HEADERS},
    ),
    Defect(
        "hsts-missing",
        "HTTPS answers lack Strict-Transport-Security.",
        ALL,
        rules={"transport_security_sent": False},
        needs={"tls": True},
    ),
)
