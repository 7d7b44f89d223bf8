"""Hashing and comparing passwords (argon2id)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pwdlib.hashers.argon2 import Argon2Hasher

if TYPE_CHECKING:
    from reference_app.settings import Settings

COSTS: Final = {
    "strong": (2, 19456),  # OWASP's minimum for argon2id
    "light": (1, 64),
}
"""Passes over the memory, and its size in KiB."""


class Passwords:
    """Argon2id at the cost that the settings ask for."""

    def __init__(self, settings: Settings) -> None:
        self._rules = settings.rules
        passes, memory_kib = COSTS[settings.argon2]
        self._hasher = Argon2Hasher(time_cost=passes, memory_cost=memory_kib, parallelism=1)
        self._nobody = self._hasher.hash("nobody has this password")

    def hash(self, password: str) -> str:
        """The encoded hash, salted anew each time."""
        return self._hasher.hash(self._prepared(password))

    def matches(self, submitted: object, stored: str | None) -> bool:
        """True when `submitted` is the password behind `stored`.

        Without `stored` (nobody has that name) a hash is verified all the same, so that both refusals take as long.
        """
        if not isinstance(submitted, str):
            return not submitted and not self._rules.password_must_be_text
        found = self._hasher.verify(self._prepared(submitted), stored or self._nobody)
        return found and stored is not None

    def _prepared(self, password: str) -> str:
        return password if self._rules.password_case_matters else password.lower()
