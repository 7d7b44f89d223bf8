"""What a secret looks like: names that announce one, and text that can hardly be anything else.

Judged by name first (``password``, ``csrfmiddlewaretoken``, ``connect.sid``), by shape second (JWTs, long random
strings). Wrong guesses cost readability in one direction and a leak in the other: names are matched generously.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final

_IN_NAME: Final = re.compile(
    r"passw|passphrase|secret|token|csrf|xsrf|session|sessid|apikey|credential|assertion|samlresponse|authorization"
    r"|verifier|signature|bearer|jwt"
)
_WORDS: Final = frozenset(
    {"pass", "pwd", "sid", "sess", "otp", "totp", "pin", "ticket", "nonce", "state", "sig", "code", "auth", "cookie"}
)
_KEY_OF: Final = frozenset({"access", "api", "app", "auth", "client", "encryption", "private", "signing"})
# What is said about a secret is none: token_type, password_changed_at, csrf_header_name, session_count.
_ABOUT: Final = frozenset(
    {
        *("alg", "at", "count", "enabled", "endpoint", "expiration", "expires", "expiry", "field", "header", "hint"),
        *("in", "length", "lifetime", "method", "methods", "name", "policy", "required", "status", "supported"),
        *("ttl", "type", "types", "uri", "url"),
    }
)
_CODES_ABOUT: Final = frozenset({"country", "error", "exit", "http", "language", "postal", "response", "status", "zip"})
# Names that often hold something harmless, and are judged by what they hold.
_UNSURE: Final = frozenset({"auth", "code", "cookie", "nonce", "session", "sig", "state", "ticket"})

JWT: Final = re.compile(r"eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]*){0,3}")
RUN: Final = re.compile(r"[A-Za-z0-9_+=-]{24,}")

_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_PLAIN: Final = re.compile(
    r"[a-z]{1,15}|[A-Z]{1,15}|[A-Z][a-z]{0,14}"  # one word
    r"|[a-z]+(?:[ _.-][a-z]+)+|[A-Z]+(?:_[A-Z]+)+"  # several: invalid_grant, TOKEN_EXPIRED, en-us
    r"|[a-z]{2}[-_][A-Z]{2}"  # en-US
    r"|-?\d{1,5}(?:\.\d+)?"  # a number
    r"|[./][\w./-]{0,40}"  # a path
    r"|https?://[^?#]*"
)
_MIN_HEX: Final = 32


def is_secret_name(name: str) -> bool:
    """True when a field, parameter, cookie or header of this name holds a secret."""
    words = [word.lower() for word in _WORD.findall(name)]
    if not words or words[-1] in _ABOUT:
        return False
    if _IN_NAME.search("".join(words)):
        return True
    if "code" in words and _CODES_ABOUT & set(words):
        return False
    return bool(_WORDS & set(words)) or ("key" in words and bool(_KEY_OF & set(words)))


def is_unsure_name(name: str) -> bool:
    """True for secret names whose value may well be a plain word: ``state``, ``code``."""
    return name.lower() in _UNSURE


def is_plain(text: str) -> bool:
    """True for words, small numbers and paths: too common in honest text to be masked wherever they occur."""
    return _PLAIN.fullmatch(text) is not None


def is_random(run: str) -> bool:
    """True when a run of 24 characters or more was drawn by a machine rather than written by a person."""
    core = run.rstrip("=")
    if re.fullmatch(r"[0-9a-fA-F-]+", core):
        # A UUID names things more often than it opens them.
        letters = sum(char.isalpha() for char in core)
        return len(core.replace("-", "")) >= _MIN_HEX and "-" not in core and 0 < letters < len(core)
    kinds = ["d" if char.isdigit() else "u" if char.isupper() else "l" for char in core if char.isalnum()]
    changes = sum(before != after for before, after in pairwise(kinds))
    return changes >= max(4, len(kinds) // 5) and ("d" in kinds or changes >= len(kinds) // 3)
