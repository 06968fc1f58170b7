from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from places import Place, analysis, photo
from sqlalchemy import text

from lesionlens.errors import StoreError
from lesionlens.tracker import Lesion, Tracker
from lesionlens.tracker.database.address import FILE_NAME, database_url
from lesionlens.tracker.database.engine import make_engine
from lesionlens.tracker.database.migrate import HEAD, alembic_config, bring_up_to_date, current_revision


def test_models_and_migrations_agree(tracker: Tracker) -> None:
    with tracker._database.engine.connect() as connection:
        command.check(alembic_config(connection))


def test_the_program_knows_the_newest_migration() -> None:
    script = ScriptDirectory.from_config(alembic_config())
    assert script.get_heads() == [HEAD]
    revisions = [revision.revision for revision in script.walk_revisions()]
    assert all(len(revision) == 4 and revision.isdecimal() for revision in revisions)
    assert sorted(revisions, reverse=True) == revisions


def test_alembics_own_commands_find_the_database(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LESIONLENS_DATA_DIR", str(place.data_dir))
    monkeypatch.setenv("LESIONLENS_DATABASE_URL", place.url or "")
    command.upgrade(alembic_config(), "head")
    command.check(alembic_config())
    with Tracker(place.data_dir, place.url) as tracker:
        tracker.people.create("Ada")


def test_opening_again_changes_nothing(place: Place) -> None:
    with Tracker(place.data_dir, place.url) as tracker:
        person = tracker.people.create("Ada")
    with Tracker(place.data_dir, place.url) as tracker:
        assert tracker.people.list().items == (person,)


def test_a_newer_database_is_left_alone(place: Place) -> None:
    with Tracker(place.data_dir, place.url) as tracker, tracker._database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match=r"revision 9999, made by a newer LesionLens.*update LesionLens"):
        Tracker(place.data_dir, place.url)


def test_a_change_that_fails_leaves_the_tables_as_they_were(place: Place) -> None:
    url = database_url(place.data_dir, place.url)
    engine = make_engine(url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE photos (mine INTEGER)"))
    with pytest.raises(StoreError, match=r"failed: .*photos.* already exists"):
        bring_up_to_date(url)
    with engine.begin() as connection:
        assert current_revision(connection) is None
        connection.execute(text("SELECT * FROM photos"))
        connection.execute(text("DROP TABLE photos"))
    engine.dispose()
    bring_up_to_date(url)


def test_threads_that_open_a_new_store_at_once_all_succeed(place: Place) -> None:
    failures: list[BaseException] = []
    barrier = threading.Barrier(6)

    def start(i: int) -> None:
        barrier.wait()
        try:
            with Tracker(place.data_dir, place.url) as tracker:
                tracker.people.create(f"person {i}")
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=start, args=(i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with Tracker(place.data_dir, place.url) as tracker:
        assert tracker.people.list().total == 6


_OPENER = """
import sys
from pathlib import Path
from lesionlens.tracker import Tracker
import alembic.command, alembic.runtime.environment
data_dir, url = sys.argv[1], sys.argv[2] or None
print("ready", flush=True)
sys.stdin.readline()
with Tracker(Path(data_dir), url) as tracker:
    print(tracker.people.create("Ada").id, flush=True)
"""


def test_processes_that_open_a_new_store_at_once_all_succeed(place: Place) -> None:
    arguments = [sys.executable, "-c", _OPENER, str(place.data_dir), place.url or ""]
    with ExitStack() as stack:
        openers = [
            stack.enter_context(subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
            for _ in range(4)
        ]
        for opener in openers:
            assert opener.stdout is not None
            assert opener.stdout.readline() == "ready\n"
        for opener in openers:  # all have imported what they need, and now begin within a millisecond
            assert opener.stdin is not None
            opener.stdin.write("\n")
            opener.stdin.flush()
        answers = [opener.communicate()[0].strip() for opener in openers]
    assert [opener.returncode for opener in openers] == [0] * 4
    with Tracker(place.data_dir, place.url) as tracker:
        assert sorted(person.id for person in tracker.people.list().items) == sorted(answers)


def test_every_connection_of_sqlite_is_durable_and_checks_references(tmp_path: Path) -> None:
    with Tracker(tmp_path / "moles") as tracker:
        engine = tracker._database.engine
        with engine.connect() as one, engine.connect() as two:
            for connection in (one, two):
                pragmas: dict[str, Any] = {
                    name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
                    for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete", "busy_timeout")
                }
                full, on = 2, 1
                assert pragmas == {
                    "journal_mode": "wal",
                    "synchronous": full,
                    "foreign_keys": on,
                    "secure_delete": on,
                    "busy_timeout": 30_000,
                }
    assert stat.S_IMODE((tmp_path / "moles").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "moles" / FILE_NAME).stat().st_mode) == 0o600


def test_what_is_erased_can_not_be_read_in_the_files(tmp_path: Path) -> None:
    secret = "the note that nobody shall read"
    with Tracker(tmp_path) as tracker:
        person = tracker.people.create("Ada", note=secret)
        lesion = tracker.lesions.create(person.id, "back", 0.5, 0.5, note=secret)
        tracker.visits.add(lesion.id, photo(), note=secret, analysis=analysis())
        tracker.people.erase(person.id)
        for path in tmp_path.rglob("*"):
            assert not path.is_file() or secret.encode() not in path.read_bytes(), path


def test_a_reader_sees_one_moment_while_another_writes(tracker: Tracker, lesion: Lesion) -> None:
    from sqlalchemy import func, select

    from lesionlens.tracker.database.models import VisitRow

    count = select(func.count()).select_from(VisitRow)
    with tracker._database.read() as session:
        assert session.scalar(count) == 0
        tracker.visits.add(lesion.id, photo())
        assert session.scalar(count) == 0
    with tracker._database.read() as session:
        assert session.scalar(count) == 1


def test_a_failed_write_leaves_nothing(tracker: Tracker, lesion: Lesion) -> None:
    from lesionlens.tracker.database.models import VisitRow

    visit = tracker.visits.add(lesion.id, photo())

    def fail_halfway() -> None:
        with tracker._database.write() as session:
            row = session.get(VisitRow, visit.id)
            assert row is not None
            row.note = "half"
            session.flush()
            raise RuntimeError("in between")

    with pytest.raises(RuntimeError, match="in between"):
        fail_halfway()
    assert tracker.visits.get(visit.id).note == ""


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"this is not a database " * 100)
    with pytest.raises(StoreError, match=r"tracker\.sqlite3.* failed: file is not a database"):
        Tracker(tmp_path)


def test_a_server_that_does_not_answer_is_told_without_the_password(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"the database postgresql\+psycopg://ada:\*\*\*@127\.0\.0\.1:1/") as caught:
        Tracker(tmp_path, "postgresql://ada:secret@127.0.0.1:1/moles?connect_timeout=2")
    assert "secret" not in str(caught.value)


def test_a_data_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"data folder .*file.* cannot be used: .*LESIONLENS_DATA_DIR"):
        Tracker(tmp_path / "file")
    with pytest.raises(StoreError, match=r"database .*moles\.db cannot be made"):
        Tracker(tmp_path / "data", f"sqlite:///{tmp_path}/file/moles.db")


def test_a_database_that_stays_busy_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from lesionlens.tracker.database import engine

    monkeypatch.setattr(engine, "_WAIT", 0.05)
    with Tracker(tmp_path) as tracker:
        other = sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="database is locked"):
            tracker.people.create("Ada")
        assert tracker.people.list().total == 0
        other.execute("ROLLBACK")
        other.close()
        tracker.people.create("Ada")


def test_the_log_is_switched_on_as_soon_as_others_let_go(tmp_path: Path) -> None:
    file = tmp_path / FILE_NAME
    other = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    other.execute("CREATE TABLE mine (x)")
    other.execute("BEGIN IMMEDIATE")
    timer = threading.Timer(0.3, other.close)
    timer.start()
    with Tracker(tmp_path) as tracker:
        tracker.people.create("Ada")
    timer.join()
