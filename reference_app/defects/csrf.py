"""Bugs of the defence against forged requests."""

from __future__ import annotations

from typing import Final

from reference_app.defects.model import COOKIES, Defect

DEFECTS: Final = (
    Defect(
        "csrf-unchecked-samesite-none",
        "The cookies are SameSite=None, and nothing checks where a request comes from.",
        COOKIES,
        rules={
            "cookies_same_site": False,
            "csrf_checked": False,
            "json_by_media_type_only": False,
            "origin_unchecked_at": ("/login", "/refresh", "/logout", "/signup"),
        },
        needs={"tls": True},
    ),
    Defect(
        "csrf-check-absent",
        "Writes are accepted without any anti-forgery token: SameSite alone protects them.",
        COOKIES,
        rules={"csrf_checked": False},
    ),
    Defect(
        "csrf-skips-text-plain",
        "No anti-forgery token is asked for when the body is text/plain or has no type, and JSON is read all the same.",
        COOKIES,
        rules={"csrf_for_every_media_type": False, "json_by_media_type_only": False},
    ),
    Defect(
        "write-by-get",
        "GET /notes?text=x writes a note.",
        COOKIES,
        rules={"reading_changes_nothing": False},
    ),
    Defect(
        "csrf-token-double-submit-naive",
        "The anti-forgery token is only compared with the cookie of the same request: any matching pair passes.",
        COOKIES,
        rules={"csrf_token_verified": False},
        needs={"csrf": "token"},
    ),
    Defect(
        "csrf-token-unbound",
        "An anti-forgery token of one user is accepted from another.",
        COOKIES,
        rules={"csrf_bound_to_session": False},
        needs={"csrf": "token"},
    ),
    Defect(
        "login-cross-site-accepted",
        "A form on any site can sign its visitors in: the login looks neither at the origin nor at the media type.",
        COOKIES,
        rules={"json_by_media_type_only": False, "origin_unchecked_at": ("/login",)},
    ),
    Defect(
        "websocket-origin-unchecked",
        "The WebSocket handshake accepts the cookie from a page of any origin.",
        COOKIES,
        rules={"websocket_origin_checked": False},
    ),
)
