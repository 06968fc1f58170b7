"""Stores of both kinds: each test that takes `place` or `tracker` runs on SQLite and on PostgreSQL."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from places import Place
from sqlalchemy import create_engine, make_url, text

from lesionlens.tracker import Lesion, Tracker

_SERVER = "LESIONLENS_TEST_POSTGRES_URL"


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LESIONLENS_DATA_DIR", "LESIONLENS_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(params=["sqlite", "postgresql"])
def new_place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Place]]:
    """Function that makes room for a new, empty store."""
    folders = (tmp_path / f"data-{i}" for i in range(10_000))
    if request.param == "sqlite":
        yield lambda: Place(next(folders))
        return
    if _SERVER not in os.environ:
        pytest.skip(f"no PostgreSQL server: {_SERVER} is not set; .ci/postgres starts one and sets it")
    address = make_url(os.environ[_SERVER]).set(drivername="postgresql+psycopg")
    server = create_engine(address, isolation_level="AUTOCOMMIT")
    schemas: list[str] = []

    def make() -> Place:
        schemas.append(f"test_{secrets.token_hex(6)}")
        with server.connect() as connection:
            connection.execute(text(f"CREATE SCHEMA {schemas[-1]}"))
        name = schemas[-1]
        own = address.update_query_dict({"options": f"-csearch_path={name}", "application_name": name})

        def settle() -> None:
            # The server goes on for a moment with what a killed client asked of it.
            others = text("SELECT count(*) FROM pg_stat_activity WHERE application_name = :name")
            with server.connect() as connection:
                while connection.scalar(others, {"name": name}):
                    time.sleep(0.01)

        return Place(next(folders), own.render_as_string(hide_password=False), settle)

    yield make
    with server.connect() as connection:
        for schema in schemas:
            connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
    server.dispose()


@pytest.fixture
def place(new_place: Callable[[], Place]) -> Place:
    """Room for a store."""
    return new_place()


@pytest.fixture
def tracker(place: Place) -> Iterator[Tracker]:
    """A new store, opened."""
    with Tracker(place.data_dir, place.url) as opened:
        yield opened


@pytest.fixture
def lesion(tracker: Tracker) -> Lesion:
    """A lesion of a new person in the store."""
    return tracker.lesions.create(tracker.people.create("Ada").id, "back", 0.5, 0.25)
