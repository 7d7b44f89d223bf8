"""Bugs of renewing credentials."""

from __future__ import annotations

from typing import Final

from reference_app.defects.model import ALL, Defect

DEFECTS: Final = (
    Defect(
        "refresh-issues-nothing",
        "A refresh is answered 200 and issues nothing.",
        ALL,
        rules={"refresh_issues_credentials": False},
    ),
    Defect(
        "refresh-unverified",
        "Refresh tokens are decoded without verifying the signature.",
        ALL,
        rules={"refresh_signature_verified": False},
        needs={"tokens": "jwt"},
    ),
    Defect(
        "refresh-accepts-access",
        "An access token can be exchanged like a refresh token, and so lives for ever.",
        ALL,
        rules={"refresh_refuses_access": False},
    ),
    Defect(
        "api-accepts-refresh",
        "A refresh token works as an access token.",
        ALL,
        rules={"api_refuses_refresh": False},
    ),
    Defect(
        "refresh-not-rotated",
        "A refresh returns a new access token only; the refresh token stays the same.",
        ALL,
        rules={"refresh_rotates": False},
    ),
    Defect(
        "refresh-reuse-undetected",
        "A refresh token stays valid after it was replaced.",
        ALL,
        rules={"refresh_single_use": False},
    ),
    Defect(
        "refresh-extends-lifetime",
        "Every refresh moves the end of the session another seven days away.",
        ALL,
        rules={"refresh_keeps_session_end": False},
    ),
    Defect(
        "refresh-race",
        "Two refreshes at once with the same token both succeed, with different successors.",
        ALL,
        rules={"refresh_claimed_atomically": False},
    ),
)
