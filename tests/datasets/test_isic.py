"""Both layouts read alike, from folders and tars, and what is wrong with a file is said by line."""

from __future__ import annotations

import shutil
import tarfile
from collections import Counter
from pathlib import Path

import pytest

from lesionlens.datasets import ImageSource, Sample, read_samples
from lesionlens.datasets.copies import join_copies
from lesionlens.datasets.folds import assign_folds, hold_out, write_folds
from lesionlens.datasets.isic import class_counts
from lesionlens.errors import DataError
from lesionlens.taxonomy import CODES
from synthetic import write_data_folder


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_data_folder(tmp_path / "data")


def test_the_folds_file_and_the_official_files_name_the_same_labels(data: Path) -> None:
    with_folds = read_samples(data)
    (data / "isic2019_folds.csv").unlink()
    official = read_samples(data)
    assert [(s.image, s.label) for s in with_folds] == [(s.image, s.label) for s in official]
    assert {s.fold for s in with_folds} == {0, 1, 2, 3, 4}
    assert {s.fold for s in official} == {None}
    assert class_counts(official) == [10] * 8


def test_metadata_joins_pictures_of_one_lesion(data: Path) -> None:
    (data / "isic2019_folds.csv").unlink()
    names = [s.image for s in read_samples(data)]
    lines = ["image,lesion_id", f"{names[0]},L1", f"{names[1]},L1", f"{names[2]},"]
    (data / "ISIC_2019_Training_Metadata.csv").write_text("\n".join(lines))
    groups = {s.image: s.group for s in read_samples(data)}
    assert groups[names[0]] == groups[names[1]] == "L1"
    assert groups[names[2]] == names[2]


def write_isic_2018(folder: Path) -> Path:
    """Three pictures as `data fetch isic2018` lays them out, two of them of one lesion."""
    truth = folder / "ISIC2018_Task3_Training_GroundTruth"
    truth.mkdir(parents=True)
    (truth / f"{truth.name}.csv").write_text(
        "image,MEL,NV,BCC,AKIEC,BKL,DF,VASC\nA,0,1,0,0,0,0,0\nB,0,1,0,0,0,0,0\nC,0,0,0,1,0,0,0\n"
    )
    (folder / "ISIC2018_Task3_Training_LesionGroupings.csv").write_text(
        "image,lesion_id,diagnosis_confirm_type\nA,HAM_1,histopathology\nB,HAM_1,histopathology\nC,HAM_2,confocal\n"
    )
    return folder


def test_the_isic_2018_layout_is_read_by_lesion(tmp_path: Path) -> None:
    samples = read_samples(write_isic_2018(tmp_path))
    assert [(s.image, CODES[s.label], s.group) for s in samples] == [
        ("A", "NV", "HAM_1"),
        ("B", "NV", "HAM_1"),
        ("C", "AKIEC", "HAM_2"),
    ]


def test_which_ground_truth_holds_must_be_clear(tmp_path: Path) -> None:
    folder = write_isic_2018(tmp_path)
    (folder / "ISIC2018_Task3_Test_GroundTruth.csv").write_text("image,MEL\nD,1\n")
    with pytest.raises(DataError, match=r"several ground truths \(ISIC2018_Task3_Test_GroundTruth\.csv, ISIC2018.*/"):
        read_samples(folder)
    (folder / "ISIC_2019_Training_GroundTruth.csv").write_text("image,MEL,UNK\nE,1,0\nF,0,1\n")
    assert [s.image for s in read_samples(folder)] == ["E"]


def test_pictures_without_a_group_are_lesions_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "isic2019_folds.csv").write_text("image,label,group,fold\nA,NV,,0\nB,NV, ,1\nC,NV,7,1\n")
    assert [s.group for s in read_samples(tmp_path)] == ["A", "B", "7"]


def test_the_ending_of_a_picture_may_be_in_any_case(tmp_path: Path) -> None:
    for name in ("A.jpg", "B.JPG", "C.jpeg", "D.Jpeg"):
        (tmp_path / name).write_bytes(name.encode())
    (tmp_path / "notes.txt").touch()
    (tmp_path / "folder.jpg").mkdir()
    source = ImageSource(tmp_path)
    assert {image: source.read(image) for image in source} == {
        "A": b"A.jpg",
        "B": b"B.JPG",
        "C": b"C.jpeg",
        "D": b"D.Jpeg",
    }


def test_groups_that_share_a_file_become_one(tmp_path: Path) -> None:
    contents = {"A": b"1", "B": b"2", "C": b"2", "D": b"3", "E": b"3", "F": b"4"}
    for image, content in contents.items():
        (tmp_path / f"{image}.jpg").write_bytes(content)
    # C ties lesion 1 to lesion 2, whose other picture D ties it to E: all three are one.
    samples = [Sample(i, 1, g) for i, g in zip("ABCDEFG", ("1", "1", "2", "2", "3", "4", "absent"), strict=True)]
    steps: list[tuple[str, int, int | None]] = []
    joined = join_copies(samples, ImageSource(tmp_path), progress=lambda *step: steps.append(step))
    assert [s.group for s in joined] == ["1", "1", "1", "1", "1", "4", "absent"]
    assert [s.image for s in joined] == list("ABCDEFG")
    assert steps[-1] == ("comparing pictures", 6, 6)


def test_pictures_are_the_same_from_a_tar_and_unpacked(data: Path, tmp_path: Path) -> None:
    unpacked = tmp_path / "unpacked"
    with tarfile.open(data / "drawn.tar") as tar:
        tar.extractall(unpacked, filter="data")
    packed, loose = ImageSource(data), ImageSource(unpacked)
    assert len(packed) == len(loose) == 80
    assert all(packed.read(name) == loose.read(name) for name in packed)
    assert next(iter(packed)) in loose
    with pytest.raises(DataError, match="ISIC_absent"):
        packed.read("ISIC_absent")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image,label,group\nA,NV,1\n", "lacks the column fold"),
        ("image,label,group,fold\nA,XYZ,1,0\n", "line 2: unknown diagnosis 'XYZ'"),
        ("image,label,group,fold\nA,NV,1,0\n\nB,NV,1,zero\n", "line 4: fold 'zero'; accepted: 0, 1"),
        ("image,label,group,fold,width\nA,NV,1,0,wide\n", "line 2: width 'wide'; accepted: 0, 1"),
        ("image,label,group,fold\nA,NV\n", "line 2: fold ''"),
    ],
)
def test_a_wrong_folds_file_is_told_by_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "isic2019_folds.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        read_samples(tmp_path)


@pytest.mark.parametrize("row", ["A,1.0,1.0", "A,0.0,0.0", "A,,", "A,1", "A,1,x", "A,1,0,1"])
def test_a_row_must_mark_one_class(tmp_path: Path, row: str) -> None:
    (tmp_path / "ISIC_2019_Training_GroundTruth.csv").write_text(f"image,MEL,NV\n{row}\n")
    with pytest.raises(DataError, match=r"line 2: .*exactly one class must be 1"):
        read_samples(tmp_path)


def test_folders_without_data_are_told(tmp_path: Path, data: Path) -> None:
    with pytest.raises(DataError, match="no such data folder"):
        read_samples(tmp_path / "absent")
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(DataError, match="isic2019_folds"):
        read_samples(empty)
    with pytest.raises(DataError, match="no pictures"):
        ImageSource(empty)
    (empty / "broken.tar").write_bytes(b"not a tar")
    with pytest.raises(DataError, match=r"broken\.tar"):
        ImageSource(empty)
    shutil.copy(data / "drawn.tar", empty / "broken.tar")
    assert len(ImageSource(empty)) == 80


def lesions(count: int) -> list[Sample]:
    """Lesions of four classes with one to three pictures each."""
    return [
        Sample(f"{g}-{i}", g % 4, str(g), source="A" if g % 3 else "B") for g in range(count) for i in range(g % 3 + 1)
    ]


def test_folds_never_split_a_lesion_and_are_stratified() -> None:
    samples = assign_folds(lesions(200), folds=5, seed=3)
    fold_of: dict[str, set[int | None]] = {}
    for sample in samples:
        fold_of.setdefault(sample.group, set()).add(sample.fold)
    assert all(len(folds) == 1 for folds in fold_of.values())
    shares = [Counter(s.label for s in samples if s.fold == f) for f in range(5)]
    for label in range(4):
        assert max(c[label] for c in shares) - min(c[label] for c in shares) <= 8
    assert [s.fold for s in assign_folds(lesions(200), folds=5, seed=3)] == [s.fold for s in samples]


def test_holding_out_takes_whole_lesions() -> None:
    samples = lesions(200)
    kept, held = hold_out(samples, 0.2)
    assert len(kept) + len(held) == len(samples)
    assert 0.15 < len(held) / len(samples) < 0.25
    assert not {s.group for s in kept} & {s.group for s in held}
    assert hold_out(samples, 0.0) == (samples, [])
    with pytest.raises(DataError, match=r"between 0 and 0\.5"):
        hold_out(samples, 0.9)
    with pytest.raises(DataError, match="2 lesions cannot be split"):
        assign_folds(lesions(2))


def test_rare_diagnoses_are_split_without_a_fuss() -> None:
    rare = [*lesions(60), Sample("rare", 7, "rare", source="A")]
    assert {s.fold for s in assign_folds(rare)} == {0, 1, 2, 3, 4}
    # Eight lesions, no diagnosis of which is there five times, and then none from a source twice.
    few = [Sample(str(i), i % 4, str(i), source=str(i)) for i in range(8)]
    assert sorted(Counter(s.fold for s in assign_folds(few, folds=5)).values()) == [1, 1, 2, 2, 2]
    by_class = [(s.label, s.fold) for s in assign_folds(few, folds=2)]
    assert Counter(by_class) == {(label, fold): 1 for label in range(4) for fold in range(2)}


@pytest.mark.parametrize("count", [2, 3, 7])
def test_a_small_share_of_few_lesions_is_one_lesion_at_least(count: int) -> None:
    samples = [Sample(str(i), i % 3, str(i)) for i in range(count)]
    kept, held = hold_out(samples, 0.05)
    assert (len(kept), len(held)) == (count - 1, 1)
    with pytest.raises(DataError, match="1 lesion cannot be split into 2 folds"):
        hold_out(samples[:1], 0.05)


def test_real_folds_keep_lesions_apart(shared_data: Path) -> None:
    samples = read_samples(shared_data)
    assert len(samples) == 25295
    folds: dict[str, set[int | None]] = {}
    for sample in samples:
        folds.setdefault(sample.group, set()).add(sample.fold)
    assert all(len(f) == 1 for f in folds.values())
    source = ImageSource(shared_data)
    assert all(sample.image in source for sample in samples)
    assert source.read(samples[0].image).startswith(b"\xff\xd8")


def test_a_folds_file_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    samples = assign_folds(lesions(50), folds=3)
    write_folds(samples, tmp_path / "isic2019_folds.csv")
    assert read_samples(tmp_path) == samples
