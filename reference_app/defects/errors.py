"""Bugs of how refusals are answered."""

from __future__ import annotations

from typing import Final

from reference_app.defects.model import ALL, Defect

DEFECTS: Final = (
    Defect(
        "anonymous-403",
        "A missing or invalid credential is answered 403 without a challenge.",
        ALL,
        rules={"unauthenticated_is_401": False},
    ),
    Defect(
        "challenge-missing",
        "401 comes without WWW-Authenticate.",
        ALL,
        rules={"challenge_sent": False},
    ),
    Defect(
        "pyjwt-wrong-exception",
        "A bad token is a server error: the handler names an exception that PyJWT does not have.",
        ALL,
        rules={"bad_tokens_caught": False},
        needs={"tokens": "jwt"},
    ),
    Defect(
        "error-shows-traceback",
        "A refused credential is answered with a traceback that quotes it.",
        ALL,
        rules={"errors_keep_internals": False},
    ),
    Defect(
        "errors-html-page",
        "401 and 403 are answered with an HTML page instead of JSON.",
        ALL,
        rules={"errors_machine_readable": False},
    ),
)
