"""How Alembic reaches the tables: through the caller's connection, or by itself from its own command line."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from lesionlens.tracker.database.address import database_url
from lesionlens.tracker.database.engine import WRITE, make_engine
from lesionlens.tracker.database.models import Base
from lesionlens.tracker.settings import load_tracker_settings


def _run(connection: Connection) -> None:
    # SQLite changes a table only by building it anew, which is what a batch does.
    context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    _run(given)
else:
    settings = load_tracker_settings()
    address = settings.database_url.get_secret_value() if settings.database_url else None
    engine = make_engine(database_url(settings.data_dir, address), migrating=True)
    with engine.execution_options(**{WRITE: True}).begin() as own:
        _run(own)
