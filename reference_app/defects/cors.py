"""Bugs of cross-origin resource sharing."""

from __future__ import annotations

from typing import Final

from reference_app.defects.model import ALL, COOKIES, Defect
from reference_app.settings import Architecture

DEFECTS: Final = (
    Defect(
        "cors-reflects-any-origin",
        "Every origin that asks is allowed to read answers, with credentials.",
        ALL,
        rules={"cors_origins": "any"},
    ),
    Defect(
        "cors-regex-unanchored",
        "Origins are matched by a pattern that other hosts fit too, such as the front end's name with more after it.",
        ALL,
        rules={"cors_origins": "unanchored"},
    ),
    Defect(
        "cors-auth-before-preflight",
        "Preflights are answered 401, because the login is checked before CORS.",
        ALL,
        rules={"cors_before_authentication": False},
    ),
    Defect(
        "cors-wildcard-headers",
        "Preflights allow the headers *, which does not cover Authorization.",
        (Architecture.BEARER,),
        rules={"cors_headers_named": False},
    ),
    Defect(
        "cors-wildcard-headers-with-cookies",
        "Preflights allow the headers *, which means the header named * where cookies are sent.",
        COOKIES,
        rules={"cors_headers_named": False},
    ),
    Defect(
        "cors-vary-missing",
        "Answers differ by Origin without saying Vary: Origin.",
        ALL,
        rules={"cors_varies_by_origin": False},
    ),
    Defect(
        "cors-errors-bare",
        "401, 403 and 422 lack the CORS headers, so that the front end cannot read them.",
        ALL,
        rules={"cors_on_errors": False},
    ),
)
