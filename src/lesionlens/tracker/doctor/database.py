"""Is the database there, whole, and up to date?"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import URL

from lesionlens.errors import StoreError
from lesionlens.tracker.database.migrate import HEAD, bring_up_to_date, check_not_newer, current_revision
from lesionlens.tracker.database.sessions import Database, failures_told
from lesionlens.tracker.doctor.findings import Finding

__all__ = ["examine_database"]

_DATABASE = "database"
_TABLES = "tables"
_SHOWN_PROBLEMS = 100


def examine_database(database: Database, url: URL, *, repair: bool) -> Iterator[Finding]:
    """Check the database; stops at the first thing that is wrong, since no later answer could be trusted.

    Args:
        database: Where the records are.
        url: Its address.
        repair: Whether to bring its tables up to date.

    Yields:
        What was found.
    """
    try:
        problems = _integrity(database)
    except StoreError as error:
        yield Finding(_DATABASE, "wrong", f"{error}; if it is damaged, put back a backup of it")
        return
    if problems:
        yield Finding(
            _DATABASE, "wrong", "the file is damaged; put back a backup of it (docs/tracker.md)", tuple(problems)
        )
        return
    whole = "the file is whole, and its rows fit together" if database.file else "PostgreSQL answers"
    yield Finding(_DATABASE, "fine", whole)

    try:
        with failures_told(url), database.engine.connect() as connection:
            revision = current_revision(connection)
        check_not_newer(revision)
        if revision == HEAD:
            yield Finding(_TABLES, "fine", f"revision {HEAD}, the newest")
        elif repair:
            bring_up_to_date(url)
            yield Finding(_TABLES, "repaired", f"brought from revision {revision or 'none'} to {HEAD}")
        else:
            yield Finding(
                _TABLES, "wrong", f"revision {revision or 'none'} is behind {HEAD}; starting the service updates it too"
            )
    except StoreError as error:
        yield Finding(_TABLES, "wrong", str(error))


def _integrity(database: Database) -> list[str]:
    """Return what SQLite finds wrong with its file; PostgreSQL looks after its own."""
    with failures_told(database.url), database.engine.connect() as connection:
        if database.file is None:
            connection.exec_driver_sql("SELECT 1")
            return []
        rows = connection.exec_driver_sql(f"PRAGMA integrity_check({_SHOWN_PROBLEMS})").scalars().all()
        problems = [str(row) for row in rows if row != "ok"]
        for table, _, other, _ in connection.exec_driver_sql("PRAGMA foreign_key_check").fetchmany(_SHOWN_PROBLEMS):
            problems.append(f"a row of {table} names one of {other} that is not there")
        return problems
