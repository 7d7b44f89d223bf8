"""The tables: users, sessions, the credentials of sessions, notes. Times are seconds since the epoch."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Kind(StrEnum):
    """What a credential is for."""

    ACCESS = "access"
    REFRESH = "refresh"


class Base(DeclarativeBase):
    """Everything the application remembers."""


class User(Base):
    """Somebody who can sign in."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(unique=True)
    email: Mapped[str]
    role: Mapped[str]
    password_hash: Mapped[str]

    def public(self) -> dict[str, object]:
        """What the user, and nobody else, may read about the account."""
        return {"id": self.id, "username": self.username, "email": self.email, "role": self.role}


class Session(Base):
    """One sign-in. All credentials descend from it and die with it."""

    __tablename__ = "sessions"

    id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    opened_at: Mapped[float]
    used_at: Mapped[float]
    expires_at: Mapped[float | None]
    idle_timeout_s: Mapped[float | None]
    ended_at: Mapped[float | None]

    def alive(self, now: float) -> bool:
        """True when neither ended, nor past its absolute end, nor left idle too long."""
        return (
            self.ended_at is None
            and (self.expires_at is None or now < self.expires_at)
            and (self.idle_timeout_s is None or now < self.used_at + self.idle_timeout_s)
        )


class Credential(Base):
    """One access or refresh value that was handed out. The value itself is never stored.

    `key` is the token's `jti`, or the SHA-256 of an opaque value; `nonce` recomputes the value, given the secret.
    """

    __tablename__ = "credentials"

    key: Mapped[str] = mapped_column(primary_key=True)
    session_id: Mapped[str] = mapped_column(ForeignKey("sessions.id"), index=True)
    kind: Mapped[Kind]
    nonce: Mapped[str]
    issued_at: Mapped[float]
    expires_at: Mapped[float | None]
    ended_at: Mapped[float | None]
    replaced_by: Mapped[str | None]


class Note(Base):
    """Something a user wrote down: what the protected part of the API is about."""

    __tablename__ = "notes"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    text: Mapped[str]

    def public(self) -> dict[str, object]:
        """The note as its owner reads it."""
        return {"id": self.id, "text": self.text}
