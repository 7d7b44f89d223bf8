"""Bugs of the life of a session."""

from __future__ import annotations

from typing import Final

from reference_app.defects.model import ALL, COOKIES, Defect

DEFECTS: Final = (
    Defect(
        "session-fixation",
        "An access cookie that the client brings along to the login becomes the signed-in one.",
        COOKIES,
        rules={"access_value_chosen_here": False},
        needs={"tokens": "opaque"},
    ),
    Defect(
        "relogin-keeps-old-session",
        "Signing in again leaves the session that the client had before alive.",
        COOKIES,
        rules={"relogin_ends_previous": False},
    ),
    Defect(
        "session-id-sequential",
        "Access values are consecutive numbers in base64.",
        ALL,
        rules={"access_value_random": False},
        needs={"tokens": "opaque"},
    ),
    Defect(
        "session-in-query",
        "The access value is also read from the query parameter session.",
        ALL,
        rules={"query_parameters": ("session",)},
    ),
    Defect(
        "me-cacheable",
        "GET /users/me says Cache-Control: public, max-age=60.",
        ALL,
        rules={"user_never_cached": False},
    ),
    Defect(
        "user-in-module-global",
        "The current user is kept in a global variable, which concurrent requests overwrite.",
        ALL,
        rules={"user_kept_per_request": False},
    ),
    Defect(
        "session-never-expires",
        "Neither the idle nor the absolute limit of a session is enforced by the server.",
        ALL,
        rules={"sessions_expire": False},
    ),
    Defect(
        "password-change-keeps-sessions",
        "Changing the password leaves the other sessions of the user alive.",
        ALL,
        rules={"password_change_ends_others": False},
    ),
)
