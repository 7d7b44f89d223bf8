"""Who can sign in."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from reference_app.errors import Refusal, WrongPassword
from reference_app.models import User

if TYPE_CHECKING:
    from reference_app.limits import Throttle
    from reference_app.passwords import Passwords
    from reference_app.settings import Settings
    from reference_app.store import Store

ORDINARY: Final = "user"
ADMIN: Final = "admin"


class Accounts:
    """Users and their passwords."""

    def __init__(self, settings: Settings, store: Store, passwords: Passwords, throttle: Throttle) -> None:
        self._rules = settings.rules
        self._store = store
        self._passwords = passwords
        self._throttle = throttle
        self._seed(settings)

    def check(self, username: str, password: object) -> User:
        """The user whose name and password these are.

        Raises:
            WrongPassword: they are nobody's; the answer does not tell which of the two was wrong.
            Refusal: too many failures in a row (429).
        """
        wait = self._throttle.attempt(username) if self._rules.login_throttled else 0
        if wait > 0:
            raise Refusal(429, "Too many attempts", {"Retry-After": str(math.ceil(wait))})
        user = self.named(username)
        if user is None and not self._rules.unknown_user_hidden:
            raise Refusal(404, "User not found")
        if not self._passwords.matches(password, user.password_hash if user else None) or user is None:
            raise WrongPassword
        self._throttle.succeeded(username)
        return user

    def named(self, username: str) -> User | None:
        """The user of that name. PostgreSQL would not even search for one with a NUL."""
        if "\0" in username:
            return None
        with self._store.transaction() as db:
            return db.scalar(select(User).where(User.username == username))

    def all(self) -> list[User]:
        """Every user, in the order of joining."""
        with self._store.transaction() as db:
            return list(db.scalars(select(User).order_by(User.id)))

    def create(self, username: str, email: str, password: str, role: str = ORDINARY) -> User:
        """A new account.

        Raises:
            Refusal: the name is taken (409).
        """
        user = User(username=username, email=email, role=role, password_hash=self._passwords.hash(password))
        try:
            with self._store.transaction() as db:
                db.add(user)
        except IntegrityError:
            raise Refusal(409, "That name is taken") from None
        return user

    def change_password(self, user: User, password: str) -> None:
        """Replace a user's password."""
        hashed = self._passwords.hash(password)
        with self._store.transaction() as db:
            db.get_one(User, user.id).password_hash = hashed

    def _seed(self, settings: Settings) -> None:
        """The accounts that every deployment of the reference app has."""
        for username, role, password in (
            ("alice", ORDINARY, settings.alice_password),
            ("bob", ORDINARY, settings.bob_password),
            ("carol", ADMIN, settings.carol_password),
        ):
            if self.named(username) is None:
                self.create(username, f"{username}@reference.example", password.get_secret_value(), role)
