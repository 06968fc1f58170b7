from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from places import photo
from typer.testing import CliRunner

import lesionlens.cli.doctor  # registers the command
from lesionlens.cli import app
from lesionlens.tracker import Tracker

assert lesionlens.cli.doctor


@pytest.fixture
def doctor(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Result]:
    """Run `lesionlens doctor` on a store of 25 visits."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("LESIONLENS_DATA_DIR", str(tmp_path / "moles"))
    return lambda *arguments: CliRunner().invoke(app, ["doctor", *map(str, arguments)])


@pytest.fixture
def store(doctor: object, tmp_path: Path) -> Path:
    with Tracker(tmp_path / "moles") as tracker:
        lesion = tracker.lesions.create(tracker.people.create("Ada").id, "back", 0.5, 0.5)
        for seed in range(25):
            tracker.visits.add(lesion.id, photo(seed))
    return tmp_path / "moles"


def test_a_healthy_store_exits_zero(doctor: Callable[..., Result], store: Path) -> None:
    result = doctor()
    assert result.exit_code == 0
    assert "25 photos, all whole" in result.stdout
    assert str(store) in result.stdout


def test_losses_exit_non_zero_until_they_are_repaired(
    doctor: Callable[..., Result], store: Path, tmp_path: Path
) -> None:
    lost = [path for path in (store / "photos").rglob("*") if path.is_file()]
    backup = tmp_path / "backup"
    (store / "photos").rename(backup)
    for arguments in ((), ("--repair",)):
        result = doctor(*arguments)
        assert result.exit_code == 1
        assert "25 of 25 photos lost or damaged" in result.stdout
        assert "… and 5 more (--json lists all)" in result.stdout
    report = json.loads(doctor("--json").stdout)
    assert report["healthy"] is False
    [photos] = [f for f in report["findings"] if f["check"] == "photos"]
    assert len(photos["details"]) == len(lost) == 25
    result = doctor("--repair", "--photos-from", backup)
    assert result.exit_code == 0
    assert "25 photos put back" in result.stdout
    assert doctor().exit_code == 0


def test_no_store_is_no_fault(doctor: Callable[..., Result], tmp_path: Path) -> None:
    result = doctor()
    assert result.exit_code == 0
    assert "nothing has been recorded yet" in result.stdout
    assert not (tmp_path / "moles").exists()


def test_a_wrong_setting_exits_two(doctor: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LESIONLENS_DATABASE_URL", "mysql://db/moles")
    result = doctor()
    assert result.exit_code == 2
    assert "accepted: postgresql://" in result.stderr
    assert doctor("--photos-from", "/no/such/folder").exit_code == 2
