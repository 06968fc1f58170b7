"""Transactions: a reader sees one moment, a writer all or nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress

from sqlalchemy import URL, text
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session, sessionmaker

from lesionlens.errors import StoreError
from lesionlens.tracker.database.engine import WRITE, make_engine, sqlite_file

__all__ = ["Database", "failures_told"]


class Database:
    """A database of which the tables are there and up to date (`lesionlens.tracker.database.migrate`).

    Safe from any number of threads: each transaction has a connection of its own.

    Args:
        url: As `database_url` gives it.

    Raises:
        StoreError: The folder of an SQLite file cannot be made, or the PostgreSQL driver is not installed.
    """

    def __init__(self, url: URL) -> None:
        self.url = url
        self.file = sqlite_file(url)
        self.engine = make_engine(url)
        # A list and the count of it are two statements, and must speak of the same moment. SQLite's readers always do.
        snapshot = {} if self.file else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        self._reading = sessionmaker(self.engine.execution_options(**snapshot), expire_on_commit=False)
        self._writing = sessionmaker(self.engine.execution_options(**{WRITE: True}), expire_on_commit=False)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Read; all statements see the same moment.

        Raises:
            StoreError: The database cannot be reached or failed.
        """
        with failures_told(self.url), self._reading.begin() as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Write; committed to the disk when the block is left, undone if it is left by an error.

        SQLite has one writer at a time: the lock is taken when the block begins.

        Raises:
            StoreError: The database cannot be reached or failed, or was busy for half a minute.
        """
        with failures_told(self.url), self._writing.begin() as session:
            if self.file:
                session.connection()  # begins, and so takes the lock before anything is looked at
            yield session

    def lock_photos(self, session: Session, hashes: Iterable[str]) -> None:
        """Make others wait who add or remove the same photos, until the transaction ends.

        Rows that the transaction locks must be locked before, so that two transactions never wait for each other.

        Args:
            session: A transaction of `write`.
            hashes: SHA-256 of the photos.
        """
        if self.file:  # where whoever writes has the whole database
            return
        # The lock's name is a signed 64-bit number. Photos that share one only wait for each other without need.
        for key in sorted({int.from_bytes(bytes.fromhex(h)[:8], "big", signed=True) for h in hashes}):
            session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})

    def forget_erased(self) -> None:
        """Empty SQLite's log, which still holds erased rows; where readers keep it busy, a later call will."""
        if self.file:
            # A connection of its own, for those of the pool wait longer for others than whoever erases should.
            with suppress(sqlite3.Error), closing(sqlite3.connect(self.file, timeout=1.0)) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        """Close the connections that are not in use."""
        self.engine.dispose()


@contextmanager
def failures_told(url: URL, *, mistakes: bool = False) -> Iterator[None]:
    """Turn failures of the database into `StoreError`.

    Args:
        url: The database, to be named in the message.
        mistakes: Whether to do so too for statements that the database refuses. These are the program's own mistakes,
            and should stay what they are, but for changes of tables: there a missing permission is one of them.

    Raises:
        StoreError: The database failed.
    """
    try:
        yield
    except (DBAPIError, PoolTimeoutError) as error:
        if isinstance(error, IntegrityError | ProgrammingError | DataError) and not mistakes:
            raise
        where = url.render_as_string(hide_password=True)
        reason = str(error.orig if isinstance(error, DBAPIError) else error).strip()
        raise StoreError(f"the database {where} failed: {reason}") from error
