"""How the database is reached: durable and consistent in the same way in SQLite and in PostgreSQL."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event

from lesionlens.errors import StoreError
from lesionlens.tracker.photos import make_private_folder, sync_folder

__all__ = ["WRITE", "make_engine", "sqlite_file"]

_WAIT: Final = 30.0  # seconds that a writer waits for another, or for a connection
_CONNECTIONS: Final = 20  # about as many as there are worker threads that can ask at once

WRITE: Final = "lesionlens_write"
"""Execution option of a connection that will write."""


def sqlite_file(url: URL) -> Path | None:
    """Return the file of an SQLite database; None for PostgreSQL."""
    return Path(url.database or "") if url.get_backend_name() == "sqlite" else None


def make_engine(url: URL, *, migrating: bool = False) -> Engine:
    """Return an engine; nothing is connected yet, but an SQLite file and its folder are made if they are missing.

    Args:
        url: As `database_url` gives it.
        migrating: For changes of the tables: one connection, and foreign keys of SQLite off, since SQLite rebuilds
            a table to change it (https://sqlite.org/lang_altertable.html, section 7).

    Raises:
        StoreError: The folder cannot be made, or the PostgreSQL driver is not installed.
    """
    pool: dict[str, Any] = {"poolclass": NullPool} if migrating else {"pool_size": _CONNECTIONS, "pool_timeout": _WAIT}
    file = sqlite_file(url)
    if file is None:
        try:
            return create_engine(url, pool_pre_ping=True, hide_parameters=True, **pool)
        except ModuleNotFoundError as error:
            raise StoreError(
                f"a PostgreSQL database needs {error.name}; install it with: pip install 'lesionlens[postgres]'"
            ) from error
    try:
        _make_file(file)
    except OSError as error:
        raise StoreError(f"the database {file} cannot be made: {error.strerror or error}") from error
    engine = create_engine(url, hide_parameters=True, connect_args={"timeout": _WAIT}, **pool)

    @event.listens_for(engine, "connect")
    def _connected(connection: sqlite3.Connection, _: object) -> None:
        try:
            _prepare(connection, foreign_keys=not migrating)
        except BaseException:
            connection.close()
            raise

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A transaction that reads first and then writes would fail whenever another wrote in between.
        writing = connection.get_execution_options().get(WRITE, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine


def _make_file(file: Path) -> None:
    """Make an empty database for nobody but this user; SQLite gives its other files the same mode."""
    make_private_folder(file.parent)
    try:
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        return
    sync_folder(file.parent)


def _prepare(connection: sqlite3.Connection, *, foreign_keys: bool) -> None:
    # Python's driver would begin transactions by itself, later than it should; `_begin` does it instead.
    connection.isolation_level = None
    _use_wal(connection)
    # FULL flushes each commit to the disk: NORMAL may lose the last ones in a power cut. `fullfsync` matters on macOS
    # only. `secure_delete` overwrites what is erased, so that no note stays readable in the file.
    for pragma in ("synchronous = FULL", "fullfsync = ON", "secure_delete = ON"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute(f"PRAGMA foreign_keys = {'ON' if foreign_keys else 'OFF'}")


def _use_wal(connection: sqlite3.Connection) -> None:
    """Let readers and one writer work at once: write-ahead log, https://sqlite.org/wal.html."""
    # Once set it stays in the file. Setting it needs the file for oneself, and SQLite does not always wait for that.
    deadline = time.monotonic() + _WAIT
    while True:
        try:
            if connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
                connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
