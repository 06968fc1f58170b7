"""What `check` says of data folders with real pictures and each kind of fault."""

from __future__ import annotations

import io
import tarfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from lesionlens.datasets.check import Problem, Report, check
from lesionlens.errors import DataError

FOLDS_HEADER = "image,label,source,lesion_id,group,fold,width,height,tar\n"


@pytest.fixture
def folder(tmp_path: Path, real_sample: dict[str, bytes], fold_rows: dict[str, dict[str, str]]) -> Path:
    """Eight real pictures in the official layout, with a folds file."""
    pictures = tmp_path / "ISIC_2019_Training_Input"
    pictures.mkdir()
    for image, data in real_sample.items():
        (pictures / f"{image}.jpg").write_bytes(data)
    write_folds(tmp_path, [fold_rows[image] for image in real_sample])
    return tmp_path


def write_folds(folder: Path, rows: list[dict[str, str]]) -> None:
    lines = [",".join(row[c] for c in FOLDS_HEADER.strip().split(",")) for row in rows]
    (folder / "isic2019_folds.csv").write_text(FOLDS_HEADER + "\n".join(lines) + "\n")


def kinds(report: Report) -> Counter[Problem]:
    return Counter(f.problem for f in report.findings)


def edit_folds(folder: Path, old: str, new: str) -> None:
    path = folder / "isic2019_folds.csv"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_a_sound_folder_has_nothing_wrong(folder: Path) -> None:
    steps: list[tuple[str, int, int | None]] = []
    report = check(folder, progress=lambda *step: steps.append(step))
    assert report.findings == ()
    assert not report.serious
    assert (report.table, report.rows, report.pictures) == ("isic2019_folds.csv", 8, 8)
    assert report.class_counts == dict.fromkeys(("MEL", "NV", "BCC", "AKIEC", "BKL", "DF", "VASC", "SCC"), 1)
    assert steps[-1] == ("decoding pictures", 8, 8)


def test_pictures_in_a_tar_are_found(folder: Path, real_sample: dict[str, bytes]) -> None:
    with tarfile.open(folder / "pictures.tar", "w") as tar:
        for image, data in real_sample.items():
            member = tarfile.TarInfo(f"ISIC_2019_Training_Input/{image}.jpg")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
            (folder / "ISIC_2019_Training_Input" / f"{image}.jpg").unlink()
    assert check(folder).findings == ()


def test_a_row_without_its_picture_is_serious(folder: Path) -> None:
    (folder / "ISIC_2019_Training_Input" / "ISIC_0024306.jpg").unlink()
    report = check(folder)
    assert [(f.problem, f.subject, f.serious) for f in report.findings] == [
        (Problem.MISSING_PICTURE, "ISIC_0024306", True)
    ]
    assert report.serious


def test_a_picture_without_a_row_is_only_worth_knowing(folder: Path, real_image: Callable[[str], bytes]) -> None:
    (folder / "ISIC_9999999.jpg").write_bytes(real_image("ISIC_0000000"))
    report = check(folder)
    assert kinds(report) == {Problem.UNLABELLED_PICTURE: 1}
    assert not report.serious


@pytest.mark.parametrize("damage", [lambda data: data[: len(data) // 2], lambda data: b"no picture", lambda data: b""])
def test_damaged_pictures_are_found_by_decoding(folder: Path, damage: Callable[[bytes], bytes]) -> None:
    path = folder / "ISIC_2019_Training_Input" / "ISIC_0024306.jpg"
    path.write_bytes(damage(path.read_bytes()))
    [finding] = check(folder).findings
    assert (finding.problem, finding.subject) == (Problem.UNREADABLE_PICTURE, "ISIC_0024306")
    assert finding.detail
    assert check(folder, quick=True).findings == ()


def test_copies_are_judged_by_their_labels_and_folds(folder: Path, fold_rows: dict[str, dict[str, str]]) -> None:
    pictures = folder / "ISIC_2019_Training_Input"
    copy = pictures / "ISIC_8888888.jpg"
    copy.write_bytes((pictures / "ISIC_0024306.jpg").read_bytes())
    rows = [fold_rows[p.stem] for p in sorted(pictures.glob("*.jpg")) if p != copy]
    original = fold_rows["ISIC_0024306"]
    cases = {
        Problem.SAME_BYTES: {},
        Problem.CONFLICTING_LABELS: {"label": "MEL"},
        Problem.COPY_ACROSS_FOLDS: {"fold": "4", "group": "new"},
    }
    for problem, change in cases.items():
        write_folds(folder, [*rows, {**original, "image": copy.stem, **change}])
        [finding] = check(folder, quick=True).findings
        assert finding.problem == problem
        assert finding.subject == "ISIC_0024306, ISIC_8888888"
        assert finding.serious == (problem != Problem.SAME_BYTES)


def test_a_group_in_two_folds_is_serious(folder: Path, fold_rows: dict[str, dict[str, str]]) -> None:
    group = fold_rows["ISIC_0024306"]["group"]
    rows = [fold_rows[p.stem] for p in sorted(folder.rglob("*.jpg"))]
    rows[0] = {**rows[0], "group": group, "fold": "3"}
    write_folds(folder, rows)
    [finding] = check(folder, quick=True).findings
    assert (finding.problem, finding.subject, finding.detail) == (
        Problem.GROUP_ACROSS_FOLDS,
        f"group {group}",
        "folds 0, 3",
    )


def test_faulty_rows_are_all_named_with_their_line(folder: Path) -> None:
    edit_folds(folder, "ISIC_0000022,MEL", "ISIC_0000022,MELANOM")
    edit_folds(folder, "ISIC_0024306", "ISIC_0000022")
    (folder / "ISIC_2019_Training_Input" / "ISIC_0024306.jpg").unlink()
    report = check(folder, quick=True)
    assert kinds(report)[Problem.UNKNOWN_LABEL] == 1
    assert kinds(report)[Problem.REPEATED_ROW] == 1
    [unknown] = [f for f in report.findings if f.problem == Problem.UNKNOWN_LABEL]
    assert unknown.subject == "isic2019_folds.csv, line 2 (ISIC_0000022)"
    assert "'MELANOM'" in unknown.detail


def test_a_fold_that_is_not_a_number_is_named(folder: Path) -> None:
    text = (folder / "isic2019_folds.csv").read_text().splitlines()
    cells = text[1].split(",")
    cells[5] = "test"
    (folder / "isic2019_folds.csv").write_text("\n".join([text[0], ",".join(cells), *text[2:]]))
    assert kinds(check(folder, quick=True)) == {Problem.BAD_FOLD: 1}


def test_pictures_without_a_group_are_not_one_group(folder: Path) -> None:
    (folder / "isic2019_folds.csv").write_text(
        "image,label,group,fold,width\nISIC_0000022,MEL,,0,512\nISIC_0024306,NV,,1,512.5\n"
    )
    report = check(folder, quick=True)
    assert kinds(report) == {Problem.UNLABELLED_PICTURE: 6, Problem.BAD_SIZE: 1}
    assert report.findings[0].subject == "isic2019_folds.csv, line 3 (ISIC_0024306)"
    assert report.findings[0].detail == "width '512.5'; accepted: 0, 1, 2, …"


ONE_HOT_HEADER = "image,MEL,NV,BCC,AK,BKL,DF,VASC,SCC,UNK"


@pytest.fixture
def official(tmp_path: Path, real_sample: dict[str, bytes]) -> Path:
    """Two real pictures with an official ground truth."""
    for image in ("ISIC_0000022", "ISIC_0024306"):
        (tmp_path / f"{image}.jpg").write_bytes(real_sample[image])
    return tmp_path


def test_the_official_ground_truth_is_read(official: Path) -> None:
    (official / "ISIC_2019_Training_GroundTruth.csv").write_text(
        f"{ONE_HOT_HEADER}\nISIC_0000022,1.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0\nISIC_0024306,0,0,0,1,0,0,0,0,0\n"
    )
    report = check(official)
    assert report.findings == ()
    assert (report.class_counts["MEL"], report.class_counts["AKIEC"]) == (1, 1)


@pytest.mark.parametrize(
    ("row", "detail"),
    [
        ("1,1,0,0,0,0,0,0,0", "MEL=1, NV=1"),
        ("0,0,0,0,0,0,0,0,0", "all are 0"),
        ("0.5,0.5,0,0,0,0,0,0,0", "MEL=0.5, NV=0.5"),
        ("1,x,0,0,0,0,0,0,0", "MEL=1, NV=x"),
        ("1", "NV="),
    ],
)
def test_rows_that_are_not_one_hot_are_named(official: Path, row: str, detail: str) -> None:
    (official / "ISIC_2019_Training_GroundTruth.csv").write_text(
        f"{ONE_HOT_HEADER}\nISIC_0000022,{row}\nISIC_0024306,0,1,0,0,0,0,0,0,0\n"
    )
    [finding] = check(official, quick=True).findings
    assert finding.problem == Problem.NOT_ONE_HOT
    assert finding.subject == "ISIC_2019_Training_GroundTruth.csv, line 2 (ISIC_0000022)"
    assert detail in finding.detail


def test_the_isic_2018_ground_truth_lies_in_a_folder_of_its_own(official: Path) -> None:
    own = official / "ISIC2018_Task3_Training_GroundTruth"
    own.mkdir()
    (own / "ISIC2018_Task3_Training_GroundTruth.csv").write_text(
        "image,MEL,NV,BCC,AKIEC,BKL,DF,VASC\nISIC_0000022,1,0,0,0,0,0,0\nISIC_0024306,0,1,0,0,0,0,0\n"
    )
    report = check(official)
    assert report.findings == ()
    assert report.table == "ISIC2018_Task3_Training_GroundTruth.csv"


def test_folders_that_training_could_not_read_are_refused(official: Path) -> None:
    for name in ("ISIC2018_Task3_Training_GroundTruth.csv", "ISIC2018_Task3_Test_GroundTruth.csv"):
        (official / name).write_text("image,MEL\nISIC_0000022,1\nISIC_0024306,1\n")
    with pytest.raises(DataError, match="several ground truths"):
        check(official)
    (official / "ISIC2018_Task3_Test_GroundTruth.csv").unlink()
    assert check(official, quick=True).findings == ()
    (official / "ISIC2018_Task3_Training_LesionGroupings.csv").write_text("image\nISIC_0000022\n")
    with pytest.raises(DataError, match=r"LesionGroupings\.csv lacks the column lesion_id"):
        check(official)


def test_a_class_that_nobody_knows_is_named(official: Path) -> None:
    (official / "ISIC_2019_Training_GroundTruth.csv").write_text("image,MEL,WART\nISIC_0000022,1,0\nISIC_0024306,0,1\n")
    assert kinds(check(official, quick=True)) == {Problem.UNKNOWN_LABEL: 1}


def test_the_folds_file_and_the_ground_truth_must_agree(folder: Path) -> None:
    (folder / "ISIC_2019_Training_GroundTruth.csv").write_text(
        f"{ONE_HOT_HEADER}\nISIC_0000022,0,1,0,0,0,0,0,0,0\nISIC_7777777,1,0,0,0,0,0,0,0,0\n"
    )
    [finding] = check(folder, quick=True).findings
    assert (finding.problem, finding.subject) == (Problem.CONFLICTING_LABELS, "ISIC_0000022")
    assert finding.detail == "MEL in isic2019_folds.csv, NV in ISIC_2019_Training_GroundTruth.csv"


def test_what_is_no_data_folder_says_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such data folder"):
        check(tmp_path / "none")
    with pytest.raises(DataError, match=r"holds neither isic2019_folds\.csv nor"):
        check(tmp_path)
    (tmp_path / "isic2019_folds.csv").write_text("image,label\n")
    with pytest.raises(DataError, match="lacks the columns group, fold"):
        check(tmp_path)
    (tmp_path / "isic2019_folds.csv").write_text("image,label,group,fold\n")
    with pytest.raises(DataError, match="holds no pictures"):
        check(tmp_path)
    (tmp_path / "isic2019_folds.csv").write_bytes(b"image,label,group,fold\n\xff\xfe\n")
    with pytest.raises(DataError, match="cannot read"):
        check(tmp_path)
