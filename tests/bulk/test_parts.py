"""Runs in parts: what is kept, who may go on with it, and that it ends as if nothing had happened."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from lesionlens import CODES
from lesionlens.bulk import Entry, Job, Result, Runner, Target, absolute, in_order, part_size
from lesionlens.bulk.folders import LocalFolder
from lesionlens.bulk.parts import Identity
from lesionlens.bulk.run import Part, pack, unpack
from lesionlens.errors import BulkError
from lesionlens.imaging.quality import Hint, Quality
from lesionlens.suitability import Suitability

MODEL = {"name": "lite", "version": "1.0", "architecture": "x", "sha256": "0" * 64, "engine": "onnxruntime"}
PROBABILITIES = dict(zip(CODES, (0.1 + 0.2, 1 / 3, 1e-17, 0.0, 0.1, 0.1, 0.05, 0.01), strict=True))
FULL = Result(
    "a.jpg", code="MEL", answer="Melanoma", nearest="Melanoma", confidence=0.1 + 0.2, malignant_probability=1 / 3,
    probabilities=PROBABILITIES, width=640, height=480, overlay="h.png", confident=True, decided_by="max_probability",
    prediction_set=("MEL", "NV"), coverage=0.9, suitability=Suitability(9.25, 3.0, False, (Hint("c", "Odd: “é”."),)),
    quality=Quality(480, -2.0, 12.0, 0.0, float("nan"), float("inf"), 0.0, (Hint("dark", "Dark."),)),
    photo_jpeg=bytes(range(256)), overlay_jpeg=b"\xff\xd8",
)  # fmt: skip
ENTRIES = [Entry(Path(f"{i:03}.jpg")) for i in range(150)]


def runner(limit: int | None = None, *, backwards: bool = False) -> tuple[Runner, list[int]]:
    """What names the pictures of parts, and stops after some of them; and the parts that it was given."""
    asked: list[int] = []

    def run(parts: Sequence[Part]) -> Iterator[tuple[int, list[Result]]]:
        asked.extend(index for index, _ in parts)
        for done, (index, entries) in enumerate(reversed(parts) if backwards else parts):
            if done == limit:
                raise KeyboardInterrupt
            yield index, [Result(str(e.place), error=f"no {e.place}") for e in entries]

    return run, asked


def begun(target: Target, *, restart: bool = False, retry: bool = False, **options: object) -> Job:
    job = Job(target, options, restart=restart)
    try:
        job.begin(MODEL, job.earlier or ENTRIES, batch_size=8, retry=retry)
    except BulkError:
        job.close()
        raise
    return job


@pytest.fixture
def target(tmp_path: Path) -> Target:
    return Target(tmp_path / "results.csv", "file", "csv")


def stopped(target: Target, after: int, **options: object) -> None:
    job = begun(target, **options)
    with pytest.raises(KeyboardInterrupt):
        job.run(runner(after)[0])
    job.close()


def test_every_digit_and_every_byte_is_kept() -> None:
    results = [FULL, Result("b.jpg", error="no picture")]
    kept = unpack(pack(results))
    assert repr(kept) == repr(results)  # NaN differs from itself
    assert (kept[0].photo_jpeg, kept[0].overlay_jpeg) == (FULL.photo_jpeg, FULL.overlay_jpeg)
    assert pack(kept) == pack(results)


@pytest.mark.parametrize(
    ("pictures", "batch", "size"),
    [(1, 8, 64), (64_000, 8, 64), (1_000_000, 8, 1000), (10**9, 8, 4096), (10, 100, 100), (10, 7, 70)],
)
def test_parts_are_whole_batches(pictures: int, batch: int, size: int) -> None:
    assert part_size(pictures, batch) == size
    assert size % batch == 0


def test_a_run_leaves_its_results_and_nothing_else(target: Target, tmp_path: Path) -> None:
    job = begun(target)
    assert (tmp_path / "results.csv.parts").is_dir()
    job.run(runner(backwards=True)[0])
    job.finish()
    assert [p.name for p in tmp_path.iterdir()] == ["results.csv"]
    lines = (tmp_path / "results.csv").read_text().splitlines()[1:]
    assert [line.split(",")[0] for line in lines] == [str(e.place) for e in ENTRIES]


def test_a_stopped_run_goes_on_with_what_is_missing(target: Target, tmp_path: Path) -> None:
    stopped(target, after=1)
    assert not (tmp_path / "results.csv").exists()
    job = Job(target, {})
    assert job.earlier == ENTRIES  # also after the pictures went elsewhere
    job.begin(MODEL, job.earlier, batch_size=8)
    assert (job.earlier_count.files, job.earlier_count.failed) == (64, 64)
    run, asked = runner()
    job.run(run)
    assert asked == [1, 2]
    job.finish()
    through = begun(Target(tmp_path / "through.csv", "file", "csv"))
    through.run(runner()[0])
    through.finish()
    assert (tmp_path / "results.csv").read_bytes() == (tmp_path / "through.csv").read_bytes()


def test_a_kill_leaves_no_half_part(target: Target, tmp_path: Path) -> None:
    stopped(target, after=1)
    folder = tmp_path / "results.csv.parts"
    (folder / ".part-000001.json.123").write_bytes(b"[{")  # what a kill in the middle of a write leaves
    job = begun(target)
    run, asked = runner()
    job.run(run)
    assert asked == [1, 2]
    job.finish()
    assert not folder.exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda: ({**MODEL, "sha256": "1" * 64}, {}), "model's sha256 was '000"),
        (lambda: ({**MODEL, "engine": "onnxruntime, tta 2"}, {}), "engine was 'onnxruntime', is 'onnxruntime, tta 2'"),
        (lambda: (MODEL, {"class": "MEL"}), "option class was None, is 'MEL'"),
        (lambda: (MODEL, {"paths": ["/other"]}), "option paths was None, is ['/other']"),
    ],
)
def test_another_run_is_refused_and_left_as_it_is(
    target: Target, change: Callable[[], tuple[dict[str, str], dict[str, object]]], said: str
) -> None:
    stopped(target, after=2)
    model, options = change()
    job = Job(target, options)
    with pytest.raises(BulkError) as refused:
        job.begin(model, ENTRIES, batch_size=8)
    job.close()
    assert said in str(refused.value)
    assert "2 of 3 parts done" in str(refused.value)
    assert "--restart" in str(refused.value)
    run, asked = runner()
    job = begun(target)
    job.run(run)
    assert asked == [2]
    job.close()


def test_another_version_is_another_run() -> None:
    one = Identity(lesionlens="1.0", model=MODEL, options={})
    assert Identity(lesionlens="2.0", model=MODEL, options={}).difference(one) == "LesionLens was '1.0', is '2.0'"
    assert one.difference(one) == ""


def test_restart_begins_anew(target: Target) -> None:
    stopped(target, after=2)
    job = begun(target, restart=True, **{"class": "MEL"})
    run, asked = runner()
    job.run(run)
    assert asked == [0, 1, 2]
    job.close()


def test_restart_removes_nothing_but_runs(tmp_path: Path) -> None:
    (tmp_path / "part-000000.csv").touch()
    (tmp_path / "thesis.tex").touch()
    folder = Target(tmp_path, "folder", "csv")
    with pytest.raises(BulkError, match=r"holds more than a run \(thesis.tex\)"):
        Job(folder, {}, restart=True)
    assert (tmp_path / "thesis.tex").exists()


def test_parts_of_nobody_are_not_taken(tmp_path: Path) -> None:
    (tmp_path / "part-000000.csv").touch()
    with pytest.raises(BulkError, match=r"holds part-000000.csv, and nothing that says of which run"):
        begun(Target(tmp_path, "folder", "csv"))


def test_errors_are_done_unless_they_shall_be_tried_again(target: Target) -> None:
    stopped(target, after=2)
    run, asked = runner()
    job = begun(target)
    job.run(run)
    assert asked == [2]
    job.close()
    run, asked = runner()
    job = begun(target, retry=True)
    assert job.earlier_count.files == 0
    job.run(run)
    assert asked == [0, 1, 2]
    job.close()


def test_two_runs_never_write_to_one_place(target: Target) -> None:
    job = begun(target)
    with pytest.raises(BulkError, match="another run is writing to"):
        Job(target, {})
    job.run(runner()[0])
    job.finish()
    begun(target).close()


def test_a_run_that_never_began_leaves_nothing(target: Target, tmp_path: Path) -> None:
    Job(target, {}).close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("damage", ["_manifest.json", "_listing.json.gz"])
def test_a_damaged_run_says_so(target: Target, tmp_path: Path, damage: str) -> None:
    stopped(target, after=1)
    file = tmp_path / "results.csv.parts" / damage
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(BulkError, match=r"cannot be read .*--restart"):
        Job(target, {})


def test_a_damaged_part_says_so(target: Target, tmp_path: Path) -> None:
    job = begun(target)
    job.run(runner()[0])
    file = tmp_path / "results.csv.parts" / "part-000001.json"
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(BulkError, match=r"part-000001.json is damaged; remove it"):
        job.finish()
    assert not (tmp_path / "results.csv").exists()
    job.close()
    with pytest.raises(BulkError, match="damaged"):
        begun(target)


def test_parts_that_do_not_come_back_are_missed(target: Target) -> None:
    job = begun(target)
    with pytest.raises(BulkError, match="3 parts did not come back"):
        job.run(lambda _: iter(()))
    with pytest.raises(BulkError, match="part 0 came back with 0 results for 64 pictures"):
        job.run(lambda _: iter([(0, [])]))
    job.close()


def test_a_folder_keeps_its_parts_and_is_done_once(tmp_path: Path) -> None:
    folder = Target(tmp_path / "out", "folder", "csv")
    job = begun(folder)
    job.run(runner()[0])
    job.finish()
    parts = sorted(p.name for p in (tmp_path / "out").glob("part-*"))
    assert parts == ["part-000000.csv", "part-000001.csv", "part-000002.csv"]
    rows = [line for p in parts for line in (tmp_path / "out" / p).read_text().splitlines()[1:]]
    assert [row.split(",")[0] for row in rows] == [str(e.place) for e in ENTRIES]
    again = begun(folder)
    assert again.earlier_count.files == 150
    again.run(lambda _: pytest.fail("everything is done"))
    again.finish()


def test_a_folder_holds_parts_of_one_format(tmp_path: Path) -> None:
    begun(Target(tmp_path / "out", "folder", "csv")).close()
    with pytest.raises(BulkError, match="option format was 'csv', is 'parquet'"):
        begun(Target(tmp_path / "out", "folder", "parquet"))


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").touch()
    with pytest.raises(OSError, match="exists"):
        LocalFolder(tmp_path / "x").hold()


def test_names_that_are_no_text_survive_the_listing(tmp_path: Path) -> None:
    odd = [Entry(Path(os.fsdecode(b"m\xf6le.jpg")), heatmap="s3://b/h.png"), Entry("s3://b/a", error="gone")]
    target = Target(tmp_path / "r.csv", "file", "csv")
    job = Job(target, {})
    job.begin(MODEL, odd, batch_size=8)
    job.close()
    again = Job(target, {})
    assert again.earlier == odd
    again.close()


def test_parts_come_in_order() -> None:
    parts = [(i, [Result(str(i))]) for i in (2, 0, 3, 1)]
    assert [r.file for r in in_order(iter(parts))] == ["0", "1", "2", "3"]


def test_arguments_mean_the_same_from_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert absolute(["a", "/b/*.jpg", "s3://c"]) == [str(tmp_path / "a"), "/b/*.jpg", "s3://c"]
