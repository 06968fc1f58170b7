"""Bringing the tables up to date, safely when several processes start at once."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import URL, Connection, inspect, text

from lesionlens.errors import StoreError
from lesionlens.tracker.database.engine import WRITE, make_engine
from lesionlens.tracker.database.sessions import failures_told

if TYPE_CHECKING:
    from alembic.config import Config

__all__ = ["HEAD", "alembic_config", "bring_up_to_date", "check_not_newer", "current_revision"]

HEAD: Final = "0001"
"""The revision that this program works with; revisions are numbered, so that a newer one can be told."""

_FOLDER: Final = Path(__file__).resolve().parent.parent / "migrations"
_LOCK_KEY: Final = 0x4C65_7369_6F6E  # "Lesion": an arbitrary number that names the lock in PostgreSQL
_alembic_lock = threading.Lock()


def current_revision(connection: Connection) -> str | None:
    """Return the revision of the tables; None for an empty database."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def check_not_newer(revision: str | None) -> None:
    """Refuse tables that a newer LesionLens made.

    Args:
        revision: As `current_revision` gives it.

    Raises:
        StoreError: The revision is newer than `HEAD`.
    """
    if revision is not None and revision > HEAD:
        raise StoreError(
            f"the database has revision {revision}, made by a newer LesionLens; this one knows revisions up to {HEAD}: "
            "update LesionLens"
        )


def bring_up_to_date(url: URL) -> None:
    """Make the tables, or change them to the newest revision; all in one transaction, so that it is done or not.

    Of several processes that start at once the first does it, and the others wait and find it done.

    Args:
        url: As `database_url` gives it.

    Raises:
        StoreError: The database cannot be reached, failed, or was made by a newer LesionLens.
    """
    engine = make_engine(url, migrating=True)
    with failures_told(url, mistakes=True):
        with engine.connect() as connection:
            revision = current_revision(connection)
        if revision != HEAD:
            check_not_newer(revision)
            with engine.execution_options(**{WRITE: True}).begin() as connection:
                _migrate(connection)


def alembic_config(connection: Connection | None = None) -> Config:
    """Return the configuration under which Alembic's commands work on the tables.

    Args:
        connection: The connection to use; None for the database of the settings.
    """
    from alembic.config import Config

    # By default it is what standard output was when Alembic was first imported, which may be closed by now.
    config = Config(stdout=sys.stdout)
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.set_main_option("file_template", "v%%(rev)s_%%(slug)s")  # a module's name begins with a letter
    config.attributes["connection"] = connection
    return config


def _migrate(connection: Connection) -> None:
    # Alembic is loaded only when there is something to do, which keeps every other start quick.
    from alembic import command

    sqlite = connection.dialect.name == "sqlite"
    if not sqlite:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_KEY})
    check_not_newer(current_revision(connection))  # another process may have been first
    with _alembic_lock:  # Alembic keeps the migration that is running in module variables
        command.upgrade(alembic_config(connection), HEAD)
    if sqlite and (broken := connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()):
        raise StoreError(
            f"the tables were left as they were: after the change {len(broken)} rows would name others that are missing"
        )
