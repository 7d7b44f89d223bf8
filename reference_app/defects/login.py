"""Bugs of signing in."""

from __future__ import annotations

from typing import Final

from reference_app.defects.model import ALL, COOKIES, Defect

DEFECTS: Final = (
    Defect(
        "login-issues-nothing",
        "Signing in with the right password succeeds, but neither a cookie nor a token is issued.",
        ALL,
        rules={"login_issues_credentials": False},
    ),
    Defect(
        "null-password-accepted",
        "A password of null, or an empty list or object, signs anybody in.",
        ALL,
        rules={"password_must_be_text": False},
    ),
    Defect(
        "password-case-folded",
        "Passwords are lower-cased before they are hashed, so that their case does not matter.",
        ALL,
        rules={"password_case_matters": False},
    ),
    Defect(
        "unknown-user-404",
        "A login for a name that nobody has is answered 404, a wrong password 401.",
        ALL,
        rules={"unknown_user_hidden": False},
    ),
    Defect(
        "login-unthrottled",
        "Passwords can be guessed as fast as the server answers.",
        ALL,
        rules={"login_throttled": False},
    ),
    Defect(
        "login-by-get",
        "GET /auth/login takes the username and password from the query string.",
        ALL,
        rules={"login_by_post_only": False},
    ),
    Defect(
        "login-redirect-307",
        "A successful login redirects to the front end with 307, which repeats the password there.",
        COOKIES,
        rules={"login_stays_on_origin": False},
    ),
    Defect(
        "open-redirect-prefix",
        "The path to return to after login is only checked to start with a slash: //evil.example passes.",
        COOKIES,
        rules={"return_path_checked": False},
    ),
    Defect(
        "plain-http-served",
        "The same routes are served in the clear on a second port.",
        ALL,
        rules={"clear_text_redirected": False},
        needs={"tls": True, "plain_port": True},
    ),
)
