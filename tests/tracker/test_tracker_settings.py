from __future__ import annotations

from pathlib import Path

import pytest

from lesionlens.errors import SettingsError
from lesionlens.tracker import Tracker, TrackerSettings, load_tracker_settings
from lesionlens.tracker.database.address import FILE_NAME, database_url


def test_the_default_is_the_users_data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    settings = load_tracker_settings()
    assert settings.data_dir.is_relative_to(tmp_path)
    assert settings.data_dir.name == "lesionlens"
    assert settings.database_url is None


def test_the_environment_names_folder_and_database(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LESIONLENS_DATA_DIR", "~/moles")
    monkeypatch.setenv("LESIONLENS_DATABASE_URL", f"sqlite:///{tmp_path}/elsewhere.db")
    with Tracker.from_settings() as tracker:
        assert tracker.data_dir == tmp_path / "moles"
        tracker.people.create("Ada")
    assert (tmp_path / "elsewhere.db").stat().st_size > 0
    assert not (tmp_path / "moles" / FILE_NAME).exists()


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LESIONLENS_DATABASE_URL", "")
    assert load_tracker_settings().database_url is None


def test_a_relative_folder_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LESIONLENS_DATA_DIR", "moles")
    with pytest.raises(SettingsError, match=r"LESIONLENS_DATA_DIR .* accepted: a folder .* absolute path"):
        load_tracker_settings()


def test_without_a_home_a_folder_must_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LESIONLENS_DATA_DIR", "~nobody-of-this-name/moles")
    with pytest.raises(SettingsError, match="LESIONLENS_DATA_DIR"):
        load_tracker_settings()


def test_an_unknown_setting_is_named() -> None:
    with pytest.raises(SettingsError, match=r"no setting 'folder'; known: data_dir, database_url"):
        load_tracker_settings(folder="x")


def test_settings_never_show_the_password() -> None:
    settings = TrackerSettings(data_dir=Path("/moles"), database_url="postgresql://ada:secret@db/moles")  # type: ignore[arg-type]
    assert "secret" not in f"{settings!r} {settings}"


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_postgresql_is_reached_through_psycopg(scheme: str) -> None:
    url = database_url(Path("/moles"), f"{scheme}://ada:secret@db:5433/moles?sslmode=require")
    assert url.render_as_string(hide_password=False) == "postgresql+psycopg://ada:secret@db:5433/moles?sslmode=require"


@pytest.mark.parametrize(
    "url",
    [
        "mysql://ada:secret@db/moles",
        "postgresql://ada:secret@db",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///relative.db",
        "ada:secret@db/moles",
        "postgresql://ada:secret@db:port/moles",
    ],
)
def test_other_databases_are_refused_without_showing_the_password(url: str) -> None:
    with pytest.raises(
        SettingsError, match=r"LESIONLENS_DATABASE_URL .*accepted: postgresql://.* sqlite:////"
    ) as caught:
        database_url(Path("/moles"), url)
    assert "secret" not in str(caught.value)
