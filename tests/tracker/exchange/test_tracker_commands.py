from __future__ import annotations

import json
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from places import analysis, photo
from typer.testing import CliRunner

from lesionlens import DISCLAIMER, Classifier
from lesionlens.cli import app
from lesionlens.tracker import Tracker
from lesionlens.tracker.reanalysis import Reanalysed, reanalyse

Run = Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run `lesionlens tracker` on a store in `tmp_path`."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("LESIONLENS_DATA_DIR", str(tmp_path / "moles"))
    return lambda *arguments: CliRunner().invoke(app, ["tracker", *map(str, arguments)])


@pytest.fixture
def store(run: Run, tmp_path: Path) -> Path:
    """Ada with two visits, one of them analysed, and Zoë, whose label somebody else has too."""
    with Tracker(tmp_path / "moles") as tracker:
        lesion = tracker.lesions.create(tracker.people.create("Ada").id, "back", 0.5, 0.5, reminder_months=1)
        tracker.visits.add(lesion.id, photo(0), analysis=analysis())
        tracker.visits.add(lesion.id, photo(1))
        tracker.people.create("Zoë")
        tracker.people.create("zoë")
    return tmp_path / "moles"


def test_export_and_import(run: Run, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "out" / "moles.zip"
    result = run("export", target)
    assert result.exit_code == 0, result.output
    assert "3 people, 1 lesion, 2 visits, 1 analysis, 2 photos" in result.stdout
    assert DISCLAIMER in result.stdout
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert [path.name for path in target.parent.iterdir()] == ["moles.zip"]
    first = target.read_bytes()
    monkeypatch.setenv("LESIONLENS_DATA_DIR", str(tmp_path / "elsewhere"))
    result = run("import", target)
    assert result.exit_code == 0, result.output
    assert "Added: 3 people, 1 lesion, 2 visits, 1 analysis, 2 photos. Already there: 0. Left out: 0." in result.stdout
    report = json.loads(run("import", target, "--json").stdout)
    assert (report["visits"], report["already_there"], report["skipped"]) == (0, 7, [])
    assert run("export", target).exit_code == 0  # replaces the file
    assert target.read_bytes() == first


def test_one_persons_export(run: Run, store: Path, tmp_path: Path) -> None:
    assert run("export", tmp_path / "ada.zip", "--person", "ada").exit_code == 0
    with zipfile.ZipFile(tmp_path / "ada.zip") as archive:
        assert len([name for name in archive.namelist() if name.endswith("person.json")]) == 1
    nobody = run("export", tmp_path / "x.zip", "--person", "Bob")
    assert (nobody.exit_code, "there is no person 'Bob'" in nobody.stderr) == (2, True)
    several = run("export", tmp_path / "x.zip", "--person", "Zoë")
    assert (several.exit_code, "2 people are called 'Zoë'" in several.stderr) == (2, True)
    assert not (tmp_path / "x.zip").exists()
    assert run("export", tmp_path).exit_code == 2


def test_a_lost_photo_fails_the_export_that_lacks_it(run: Run, store: Path, tmp_path: Path) -> None:
    [lost, _] = [path for path in (store / "photos").rglob("*") if path.is_file()]
    lost.unlink()
    result = run("export", tmp_path / "moles.zip")
    assert result.exit_code == 1
    assert "the files of 1 photos are lost or damaged" in result.stderr
    assert zipfile.is_zipfile(tmp_path / "moles.zip")
    with Tracker(tmp_path / "other") as tracker:
        assert tracker.counts().visits == 0


def test_what_is_left_out_is_listed(run: Run, tmp_path: Path) -> None:
    moles = [{"id": i, "location": {"x": 200, "y": 1}, "records": []} for i in range(25)]
    (tmp_path / "app.json").write_text(json.dumps({"moles": moles}))
    result = run("import", tmp_path / "app.json")
    assert result.exit_code == 1
    assert "Left out: 25." in result.stdout
    assert "mole '0': location.x is '200'; accepted: a number of percents, 0–100" in result.stdout
    assert "… and 5 more (--json lists all)" in result.stdout


def test_photos_may_be_as_large_as_the_service_takes_them(
    run: Run, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("export", tmp_path / "moles.zip")
    monkeypatch.setenv("LESIONLENS_DATA_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("LESIONLENS_MAX_UPLOAD_BYTES", "1024")
    result = run("import", tmp_path / "moles.zip")
    assert (result.exit_code, "more than 1,024 bytes" in result.stdout) == (1, True)
    monkeypatch.delenv("LESIONLENS_MAX_UPLOAD_BYTES")
    assert "2 visits, 1 analysis, 2 photos. Already there: 4." in run("import", tmp_path / "moles.zip").stdout


@pytest.mark.parametrize(
    ("variable", "value"),
    [("LESIONLENS_DATA_DIR", "moles"), ("LESIONLENS_DATABASE_URL", "mysql://x"), ("LESIONLENS_MAX_PIXELS", "many")],
)
def test_settings_that_are_not_accepted(run: Run, monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    monkeypatch.setenv(variable, value)
    result = run("status")
    assert (result.exit_code, variable in result.stderr) == (2, True)


def test_files_that_cannot_be_imported(run: Run, store: Path, tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(b"PK\x03\x04")
    result = run("import", tmp_path / "x.zip")
    assert (result.exit_code, "cut short" in result.stderr) == (1, True)
    assert run("import", tmp_path / "none.zip").exit_code == 2
    (tmp_path / "app.json").write_text('{"moles": []}')
    result = run("import", tmp_path / "app.json", "--person", "Ada")
    assert (result.exit_code, "Added: 0 people" in result.stdout) == (0, True)


def test_reports(run: Run, store: Path, tmp_path: Path) -> None:
    for name, start in (("ada.html", b"<!doctype html>"), ("ada.PDF", b"%PDF-")):
        result = run("report", "Ada", tmp_path / name)
        assert result.exit_code == 0, result.output
        assert DISCLAIMER in result.stdout
        assert (tmp_path / name).read_bytes().startswith(start)
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    result = run("report", "Ada", tmp_path / "ada.docx")
    assert (result.exit_code, "end it in .html or .pdf" in result.stderr) == (2, True)
    result = run("report", "00000000-0000-4000-8000-000000000000", tmp_path / "none.pdf")
    assert (result.exit_code, "there is no person" in result.stderr) == (1, True)
    assert not (tmp_path / "none.pdf").exists()


def test_status(run: Run, store: Path) -> None:
    result = run("status")
    assert result.exit_code == 0, result.output
    for expected in (str(store), "sqlite:///", "3", "2 visits that lite2"):
        assert expected in result.stdout
    facts = json.loads(run("status", "--json").stdout)
    assert (facts["people"], facts["visits"], facts["not_analysed"], facts["due"]) == (3, 2, 2, 0)


def test_reanalysing_keeps_both_answers_and_ends(run: Run, store: Path) -> None:
    arguments = ("--person", "Ada", "--engine", "onnxruntime", "--threads", "1")
    result = run("reanalyse", *arguments)
    assert result.exit_code == 0, result.output
    assert "2 visits analysed. Model: lite2" in result.stdout
    assert DISCLAIMER in result.stdout
    with Tracker(store) as tracker:
        first, second = tracker.visits.list(sort="created_at", descending=False).items
        assert [a.graph_sha256[:4] == "aaaa" for a in first.analyses] == [True, False]
        assert len(second.analyses) == 1
    assert "0 visits analysed" in run("reanalyse", *arguments).stdout
    assert run("reanalyse", "--model", "no-such-model").exit_code == 2


def test_reanalysing_goes_on_past_photos_that_are_lost(run: Run, store: Path, tmp_path: Path) -> None:
    with Tracker(store) as tracker:
        lesion = tracker.lesions.list().items[0].id
        lost = tracker.visits.list(sort="created_at", descending=False).items[0]
        tracker.photos.remove(lost.photo.sha256)
        tracker.visits.delete(tracker.visits.add(lesion, photo(2)).id)
        steps: list[tuple[int, int]] = []
        classifier = Classifier(engine="onnxruntime", threads=1)
        done = reanalyse(tracker, classifier, progress=lambda *step: steps.append(step))
        assert done.analysed == 1
        assert list(done.failed) == [lost.id]
        assert "is missing" in done.failed[lost.id]
        assert steps == [(1, 2), (2, 2)]
        again = reanalyse(tracker, classifier)
        assert again == Reanalysed(0, done.failed)
    result = run("reanalyse", "--engine", "onnxruntime")
    assert result.exit_code == 1
    assert f"visit {lost.id}: the photo file" in result.stdout
    assert "the photos of 1 visits could not be used" in result.stderr


def test_an_answer_is_that_of_the_classifier(tmp_path: Path) -> None:
    from lesionlens.prepare import prepare

    classifier = Classifier(engine="onnxruntime", threads=1)
    with Tracker(tmp_path) as tracker:
        lesion = tracker.lesions.create(tracker.people.create("Ada").id, "back", 0.5, 0.5)
        visit = tracker.visits.add(lesion.id, photo(0))
        reanalyse(tracker, classifier, lesion.person_id)
        [kept] = tracker.visits.get(visit.id).analyses
        prepared = prepare(photo(0), classifier.manifest.preprocessing, limits=tracker.store.limits)
    [answer] = classifier.analyse_tensors(prepared.tensor[None], [prepared.decoded_size])
    assert kept.probabilities == tuple(map(float, answer.probabilities))
    assert kept.graph_sha256 == classifier.manifest.graph_sha256
    assert kept.maps_shape is not None
