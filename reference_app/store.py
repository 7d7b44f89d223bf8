"""The database: SQLite in memory or in a file, or any other that SQLAlchemy reaches by URL."""

from __future__ import annotations

import threading
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

from sqlalchemy import create_engine, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.pool import StaticPool

from reference_app.models import Base
from reference_app.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from sqlalchemy import Engine


class Store:
    """Transactions on one database, from any thread."""

    def __init__(self, url: str) -> None:
        """Open the database and create what is missing.

        Raises:
            SettingsError: the URL is not understood, or nothing answers there.
        """
        try:
            self._engine = _engine(url)
            Base.metadata.create_all(self._engine)
        except (ArgumentError, SQLAlchemyError, ImportError) as error:
            reason = str(error).splitlines()[0]
            raise SettingsError(f"cannot open the database: {reason}") from None
        # SQLite has one writer, and in memory a single connection that all threads share: they take turns.
        is_sqlite = self._engine.dialect.name == "sqlite"
        self._turn: AbstractContextManager[object] = threading.RLock() if is_sqlite else nullcontext()
        self._open = sessionmaker(self._engine, expire_on_commit=False)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A unit of work: committed at the end, rolled back when an exception leaves it."""
        with self._turn, self._open.begin() as db:
            yield db

    def close(self) -> None:
        """Let go of every connection."""
        self._engine.dispose()


def _engine(url: str) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database in {None, "", ":memory:"}:
        return create_engine(
            parsed, poolclass=StaticPool, connect_args={"check_same_thread": False}, hide_parameters=True
        )
    return create_engine(parsed, hide_parameters=True)
