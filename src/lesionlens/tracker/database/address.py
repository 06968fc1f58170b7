"""Where the database is: an SQLite file in the data folder, or what `LESIONLENS_DATABASE_URL` says."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from lesionlens.errors import SettingsError

__all__ = ["FILE_NAME", "database_url"]

FILE_NAME: Final = "tracker.sqlite3"
_ACCEPTED: Final = "postgresql://USER:PASSWORD@HOST:PORT/DATABASE, or sqlite:////ABSOLUTE/PATH of a file"
_POSTGRESQL: Final = ("postgres", "postgresql", "postgresql+psycopg")


def database_url(data_dir: Path, url: str | None = None) -> URL:
    """Return the address of the database.

    Args:
        data_dir: The data folder, which holds an SQLite file unless `url` says otherwise.
        url: `postgresql://…` or `sqlite:////…`; None for the file in the data folder.

    Raises:
        SettingsError: The address is not accepted.
    """
    if url is None:
        return URL.create("sqlite", database=str(data_dir / FILE_NAME))
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # the latter where the port is no number
        # Not chained: that error repeats the address, which may hold a password.
        raise SettingsError(f"LESIONLENS_DATABASE_URL is not an address; accepted: {_ACCEPTED}") from None
    if parsed.drivername in _POSTGRESQL and parsed.database:
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername == "sqlite" and parsed.database and Path(parsed.database).is_absolute():
        return parsed
    shown = parsed.render_as_string(hide_password=True)
    raise SettingsError(f"LESIONLENS_DATABASE_URL is {shown!r}; accepted: {_ACCEPTED}")
