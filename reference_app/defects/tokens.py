"""Bugs of the application's own tokens."""

from __future__ import annotations

from typing import Final

from reference_app.defects.model import ALL, Defect
from reference_app.settings import Architecture

DEFECTS: Final = (
    Defect(
        "jwt-signature-unverified",
        "Access tokens are decoded without verifying the signature.",
        ALL,
        rules={"access_signature_verified": False},
        needs={"tokens": "jwt"},
    ),
    Defect(
        "jwt-alg-from-header",
        "The algorithm to verify with is taken from the token, so that alg none passes.",
        ALL,
        rules={"access_algorithm_fixed": False},
        needs={"tokens": "jwt"},
    ),
    Defect(
        "jwt-key-tutorial",
        "Tokens are signed with a key copied from a tutorial.",
        ALL,
        settings={"secret": "your-secret-key-change-in-production"},
        needs={"tokens": "jwt"},
    ),
    Defect(
        "jwt-exp-ignored",
        "The expiry of access tokens is not checked.",
        ALL,
        rules={"access_expiry_checked": False},
        needs={"tokens": "jwt"},
    ),
    Defect(
        "token-answer-cacheable",
        "Answers with tokens in the body say nothing about caching.",
        (Architecture.BEARER,),  # elsewhere a client gets tokens in the body only when it asks for them
        rules={"token_answers_not_stored": False},
    ),
    Defect(
        "jwt-carries-user-row",
        "Access tokens carry the whole row of the user, password hash included.",
        ALL,
        rules={"access_claims_minimal": False},
        needs={"tokens": "jwt"},
    ),
)
