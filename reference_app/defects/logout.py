"""Bugs of signing out."""

from __future__ import annotations

from typing import Final

from reference_app.defects.model import ALL, COOKIES, Defect

DEFECTS: Final = (
    Defect(
        "logout-clears-wrong-path",
        "Logout clears the access cookie on /auth, though it was set on /: it stays.",
        COOKIES,
        rules={"logout_clears_path_set": False},
    ),
    Defect(
        "logout-only-clears-cookies",
        "Logout clears cookies at most; on the server nothing ends.",
        ALL,
        rules={"logout_ends": frozenset[str]()},
    ),
    Defect(
        "logout-keeps-access",
        "Logout revokes the refresh token only; the access token works until it expires.",
        ALL,
        rules={"logout_ends": frozenset({"refresh"})},
    ),
    Defect(
        "logout-keeps-refresh",
        "Logout ends the access token only; the refresh token still fetches new ones.",
        ALL,
        rules={"logout_ends": frozenset({"access"})},
    ),
    Defect(
        "logout-by-get",
        "A link to /auth/logout on any page signs the user out.",
        COOKIES,
        rules={"logout_by_post_only": False},
    ),
    Defect(
        "logout-anonymous-500",
        "Logout without a session is a server error.",
        ALL,
        rules={"logout_needs_no_user": False},
    ),
)
