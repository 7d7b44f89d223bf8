"""Opening, renewing and ending sessions; finding out whose credential it is."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

from sqlalchemy import CursorResult, func, select, update

from reference_app.models import Credential, Kind, Session, User
from reference_app.tokens import Draft, fingerprint

if TYPE_CHECKING:
    from sqlalchemy import orm

    from reference_app.clock import Clock
    from reference_app.settings import Settings
    from reference_app.store import Store
    from reference_app.tokens import Reading, Tokens

CARELESS_PAUSE_S: Final = 0.05
"""How long a careless application thinks between checking a refresh value and using it up."""


@dataclass(frozen=True, slots=True)
class Issue:
    """Credentials fresh from the mint, on their way to the client; how long they last, in seconds."""

    user: User
    session_id: str
    access: str
    access_lifetime_s: float
    refresh: str | None
    refresh_lifetime_s: float


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is asking."""

    user: User
    session_id: str | None = None


class Sessions:
    """Sessions and the credentials that descend from them."""

    def __init__(self, settings: Settings, store: Store, tokens: Tokens, clock: Clock) -> None:
        self._settings = settings
        self._rules = settings.rules
        self._store = store
        self._tokens = tokens
        self._clock = clock

    def open(self, user: User, *, presented: str | None = None) -> Issue:
        """A new session for somebody who just proved who they are.

        Args:
            user: whose it is.
            presented: the access value that came along with the login; a sound application makes its own.
        """
        now = self._clock.now()
        expires = self._rules.sessions_expire
        session = Session(
            id=secrets.token_urlsafe(24),
            user_id=user.id,
            opened_at=now,
            used_at=now,
            expires_at=now + self._settings.absolute_timeout_s if expires else None,
            idle_timeout_s=self._settings.idle_timeout_s if expires else None,
            ended_at=None,
        )
        with self._store.transaction() as db:
            db.add(session)
            db.flush()
            return self._issue(db, session, adopted=presented)

    def authenticate(self, value: str) -> Principal | None:
        """Whose access value this is; None when it is not, or no longer, good."""
        reading = self._tokens.read(value, Kind.ACCESS)
        if reading is None:
            return None
        with self._store.transaction() as db:
            if self._settings.stateless_access:
                user = db.get(User, reading.user_id) if self._admits(Kind.ACCESS, reading.kind) else None
                return Principal(user, reading.session_id) if user else None
            credential, session = self._row(db, reading, Kind.ACCESS)
            if credential is None or session is None or not self._usable(credential, session):
                return None
            if session.idle_timeout_s is not None:
                session.used_at = max(session.used_at, self._clock.now())
            user = db.get(User, reading.user_id or session.user_id)
            return Principal(user, session.id) if user else None

    def session_of(self, value: str | None, kind: Kind) -> str | None:
        """The session that a value descends from, though the value may be used up; None when it is not ours."""
        reading = self._tokens.read(value, kind) if value else None
        if reading is None:
            return None
        with self._store.transaction() as db:
            credential, _ = self._row(db, reading, kind)
            return credential.session_id if credential else None

    def renew(self, value: str) -> Issue | None:
        """Exchange a refresh value for fresh credentials.

        A value that was used before means that two hold it, and which of them is the thief cannot be told: the whole
        session ends (RFC 9700, 4.14.2), except for a retry within the grace that the settings allow.

        Returns:
            None when the value is refused.
        """
        reading = self._tokens.read(value, Kind.REFRESH)
        if reading is None:
            return None
        seen_unused = not self._rules.refresh_claimed_atomically and self._unused_a_moment_ago(reading)
        with self._store.transaction() as db:
            credential, session = self._row(db, reading, Kind.REFRESH)
            if credential is None or session is None or not session.alive(self._clock.now()):
                return None
            if credential.ended_at is None and not self._rules.refresh_rotates:
                return self._issue(db, session, with_refresh=False)
            if self._claim(db, credential) or seen_unused:
                return self._renewed(db, session, credential)
            return self._replayed(db, session, credential)

    def end(self, session_id: str) -> None:
        """Sign out: neither the session's access nor its refresh values work from here on."""
        ends = self._rules.logout_ends
        with self._store.transaction() as db:
            self._end_credentials(db, session_id, [Kind(kind) for kind in ends])
            if ends == {Kind.ACCESS, Kind.REFRESH}:
                self._end(db, [session_id])

    def supersede(self, session_ids: set[str]) -> None:
        """End sessions because their client signed in anew."""
        with self._store.transaction() as db:
            self._end(db, list(session_ids))

    def end_others(self, user: User, kept: str | None) -> None:
        """End all sessions of a user but one."""
        with self._store.transaction() as db:
            ids = db.scalars(select(Session.id).where(Session.user_id == user.id, Session.id != kept)).all()
            self._end(db, list(ids))

    def _admits(self, wanted: Kind, found: Kind | None) -> bool:
        """Access and refresh values are not interchangeable (RFC 8725, 3.12)."""
        if found is wanted:
            return True
        strict = self._rules.api_refuses_refresh if wanted is Kind.ACCESS else self._rules.refresh_refuses_access
        return not strict

    def _row(self, db: orm.Session, reading: Reading, wanted: Kind) -> tuple[Credential, Session] | tuple[None, None]:
        credential = db.get(Credential, reading.key)
        if credential is None or not self._admits(wanted, credential.kind):
            return None, None
        session = db.get(Session, credential.session_id)
        return (credential, session) if session else (None, None)

    def _usable(self, credential: Credential, session: Session) -> bool:
        now = self._clock.now()
        expired = credential.expires_at is not None and credential.expires_at <= now
        return credential.ended_at is None and not expired and session.alive(now)

    def _unused_a_moment_ago(self, reading: Reading) -> bool:
        with self._store.transaction() as db:
            credential, _ = self._row(db, reading, Kind.REFRESH)
            unused = credential is not None and credential.ended_at is None
        time.sleep(CARELESS_PAUSE_S)
        return unused

    def _claim(self, db: orm.Session, credential: Credential) -> bool:
        """Use the value up. One statement both checks and marks, so that of two requests at once only one succeeds."""
        if credential.kind is Kind.ACCESS or not self._rules.refresh_single_use:
            return credential.ended_at is None
        unused = update(Credential).where(Credential.key == credential.key, Credential.ended_at.is_(None))
        result = cast("CursorResult[object]", db.execute(unused.values(ended_at=self._clock.now())))
        db.refresh(credential)
        return result.rowcount == 1

    def _renewed(self, db: orm.Session, session: Session, credential: Credential) -> Issue:
        if not self._rules.refresh_keeps_session_end:
            session.expires_at = self._clock.now() + self._settings.absolute_timeout_s
        session.used_at = self._clock.now()
        return self._issue(db, session, predecessor=credential)

    def _replayed(self, db: orm.Session, session: Session, credential: Credential) -> Issue | None:
        """A value that was replaced before: a quick retry gets the same successor, anything else ends the session."""
        successor = db.get(Credential, credential.replaced_by) if credential.replaced_by else None
        if successor is None or credential.ended_at is None:
            return None
        in_time = self._clock.now() <= credential.ended_at + self._settings.rotation_grace_s
        if self._settings.rotation_grace_s and in_time and successor.ended_at is None:
            return self._issue(db, session, successor=successor)
        self._end(db, [session.id])
        return None

    def _issue(  # noqa: PLR0913
        self,
        db: orm.Session,
        session: Session,
        *,
        adopted: str | None = None,
        predecessor: Credential | None = None,
        successor: Credential | None = None,
        with_refresh: bool = True,
    ) -> Issue:
        now = self._clock.now()
        user = db.get_one(User, session.user_id)
        ends = now + self._settings.absolute_timeout_s if session.expires_at is None else session.expires_at
        access_ends = min(now + self._settings.access_ttl_s, ends)
        access = self._mint(db, Draft(Kind.ACCESS, user, session, self._nonce(db), now, access_ends), adopted)
        refresh = None
        if successor is not None:
            draft = Draft(Kind.REFRESH, user, session, successor.nonce, successor.issued_at, session.expires_at)
            refresh = self._tokens.write(draft)[0]
        elif with_refresh and self._settings.refresh == "on":
            draft = Draft(Kind.REFRESH, user, session, secrets.token_urlsafe(24), now, session.expires_at)
            refresh = self._mint(db, draft, replacing=predecessor)
        return Issue(user, session.id, access, access_ends - now, refresh, ends - now)

    def _mint(
        self, db: orm.Session, draft: Draft, adopted: str | None = None, replacing: Credential | None = None
    ) -> str:
        value, key = self._tokens.write(draft)
        if adopted and not self._rules.access_value_chosen_here and db.get(Credential, fingerprint(adopted)) is None:
            value, key = adopted, fingerprint(adopted)
        db.add(
            Credential(
                key=key,
                session_id=draft.session.id,
                kind=draft.kind,
                nonce=draft.nonce,
                issued_at=draft.issued_at,
                expires_at=draft.expires_at if self._settings.tokens == "opaque" else None,
                ended_at=None,
                replaced_by=None,
            )
        )
        if replacing is not None:
            replacing.replaced_by = key
        return value

    def _nonce(self, db: orm.Session) -> str:
        if self._rules.access_value_random:
            return secrets.token_urlsafe(24)
        return str(1 + (db.scalar(select(func.count()).where(Credential.kind == Kind.ACCESS)) or 0))

    def _end(self, db: orm.Session, session_ids: list[str]) -> None:
        db.execute(update(Session).where(Session.id.in_(session_ids)).values(ended_at=self._clock.now()))

    def _end_credentials(self, db: orm.Session, session_id: str, kinds: list[Kind]) -> None:
        live = update(Credential).where(Credential.session_id == session_id, Credential.ended_at.is_(None))
        db.execute(live.where(Credential.kind.in_(kinds)).values(ended_at=self._clock.now()))
