"""Real pictures through the real model, many at a time."""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fitted import LIKE, UNLIKE
from lesionlens import CODES, Classifier
from lesionlens.bulk import Result, classify_files, replaced_pictures
from lesionlens.bulk.result import printable
from lesionlens.imaging import Limits, decode


def files_of(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.jpg"))


def test_answers_are_those_of_analyse(classifier: Classifier, pictures: Path) -> None:
    files = files_of(pictures)
    results = list(classify_files(classifier, files, batch_size=3))
    assert [r.file for r in results] == [str(f) for f in files]
    for result, file in zip(results, files, strict=True):
        photo = decode(file.read_bytes())
        [analysis] = classifier.analyse([photo.image])
        assert result.error is None
        assert result.code == analysis.diagnosis.code
        assert result.answer == analysis.diagnosis.name
        assert result.confident == analysis.confident
        assert list(result.probabilities) == list(analysis.probabilities_by_code)
        np.testing.assert_allclose(
            list(result.probabilities.values()), list(analysis.probabilities_by_code.values()), atol=1e-4
        )
        assert result.malignant_probability == pytest.approx(analysis.malignant_probability, abs=1e-4)
        assert (result.width, result.height) == (photo.width, photo.height)


def test_doubt_comes_along(fitted: Classifier, tmp_path: Path) -> None:
    rule = fitted.manifest.prediction_set
    assert rule is not None
    for name, data in (("like.jpg", LIKE), ("unlike.png", UNLIKE), ("bad.jpg", b"bad")):
        (tmp_path / name).write_bytes(data)
    like, unlike, bad = classify_files(fitted, [tmp_path / name for name in ("like.jpg", "unlike.png", "bad.jpg")])
    assert (like.suitable, like.decided_by, like.reasons) == (True, "max_probability", ())
    assert (unlike.suitable, unlike.decided_by, unlike.confident) == (False, "suitability", False)
    assert unlike.reasons
    for result, data in ((like, LIKE), (unlike, UNLIKE)):
        [analysis] = fitted.analyse([decode(data).image])
        assert analysis.prediction_set is not None
        assert result.prediction_set == tuple(CODES[index] for index in analysis.prediction_set)
        assert result.coverage == rule.coverage
        assert result.confident == analysis.confident
        assert result.hints == tuple(hint.message for hint in analysis.quality.hints)
        assert result.error is None
    assert (bad.prediction_set, bad.suitability, bad.quality, bad.confident) == (None, None, None, False)


def test_a_bad_file_leaves_the_others_as_they_are(classifier: Classifier, pictures: Path) -> None:
    good = files_of(pictures)
    alone = {r.file: r for r in classify_files(classifier, good)}
    cut = pictures / "ISIC_0000022 cut.jpg"
    cut.write_bytes(good[0].read_bytes()[:4000])
    (pictures / "empty.jpg").touch()
    (pictures / "text.jpg").write_text("not a picture")
    (pictures / "folder.jpg").mkdir()
    mixed = [pictures / "text.jpg", *good[:4], cut, pictures / "folder.jpg", *good[4:], pictures / "empty.jpg"]
    results = list(classify_files(classifier, [*mixed, pictures / "gone.jpg"], batch_size=4))
    failed = {Path(r.file).name: r.error for r in results if r.error is not None}
    assert list(failed) == ["text.jpg", "ISIC_0000022 cut.jpg", "folder.jpg", "empty.jpg", "gone.jpg"]
    assert failed["folder.jpg"] == failed["gone.jpg"] == "there is no such file"
    assert "empty" in str(failed["empty.jpg"])
    for result in results:
        if result.error is None:
            assert result.probabilities == pytest.approx(alone[result.file].probabilities, abs=1e-4)


def test_batches_of_bad_files_alone_ask_nothing_of_the_network(classifier: Classifier, tmp_path: Path) -> None:
    bad = []
    for i in range(3):
        bad.append(tmp_path / f"{i}.jpg")
        bad[-1].write_bytes(b"bad")
    assert all(r.error for r in classify_files(classifier, bad, batch_size=2))


def test_files_and_pictures_over_the_limits_are_refused(classifier: Classifier, pictures: Path) -> None:
    file = files_of(pictures)[0]
    [by_bytes] = classify_files(classifier, [file], limits=Limits(max_bytes=100))
    [by_pixels] = classify_files(classifier, [file], limits=Limits(max_pixels=100))
    assert "MiB are accepted" in str(by_bytes.error)
    assert "pixels" in str(by_pixels.error)


def test_a_file_that_the_system_refuses_says_why(classifier: Classifier) -> None:
    [result] = classify_files(classifier, [Path("x" * 300)])
    assert result.error == "the file cannot be read: File name too long"


def test_heatmaps_lie_in_their_folder_under_names_of_their_own(classifier: Classifier, pictures: Path) -> None:
    file = files_of(pictures)[0]
    other = pictures / "sub" / file.name
    other.parent.mkdir()
    other.write_bytes(file.read_bytes())
    large = pictures / "large.png"
    Image.open(file).resize((900, 600)).save(large)
    folder = pictures / "heat" / "maps"
    results = list(classify_files(classifier, [file, other, large], overlays=folder))
    assert [r.overlay for r in results] == [
        str(folder / f"{file.stem}-heatmap.png"),
        str(folder / f"{file.stem}-2-heatmap.png"),
        str(folder / "large-heatmap.png"),
    ]
    with Image.open(folder / "large-heatmap.png") as heatmap:
        assert heatmap.size == (512, 341)
    with Image.open(folder / f"{file.stem}-heatmap.png") as heatmap, Image.open(file) as photo:
        assert heatmap.size == photo.size
        assert not np.array_equal(np.asarray(heatmap), np.asarray(photo))


def test_heatmaps_explain_the_class_that_was_asked_for(classifier: Classifier, pictures: Path) -> None:
    file = files_of(pictures)[0]
    by_class = []
    for index in (0, 1):
        [result] = classify_files(classifier, [file], overlays=pictures / "heat", class_index=index, thumbnails=True)
        by_class.append((Path(result.overlay).read_bytes(), result.overlay_jpeg, result.photo_jpeg))
    assert by_class[0][0] != by_class[1][0]
    assert by_class[0][1] != by_class[1][1]
    assert by_class[0][2] == by_class[1][2]


def test_heatmaps_change_no_answer(classifier: Classifier, pictures: Path) -> None:
    """Also of a large JPEG, which is decoded at reduced scale."""
    large = pictures / "large.jpg"
    Image.open(pictures / "ISIC_0000022.jpg").resize((2100, 1700)).save(large)
    [plain] = classify_files(classifier, [large])
    [drawn] = classify_files(classifier, [large], overlays=pictures / "heat", thumbnails=True)
    assert drawn.probabilities == plain.probabilities
    assert (drawn.width, drawn.height) == (2100, 1700)


def test_pictures_that_heatmaps_would_replace_are_found(pictures: Path) -> None:
    first, second, *_ = files_of(pictures)
    assert replaced_pictures([first, second], pictures) == []
    heatmap = pictures / f"{first.stem}-heatmap.png"
    heatmap.write_bytes(b"of an earlier run")
    assert replaced_pictures([first, second], pictures) == []
    assert replaced_pictures([first, heatmap], pictures) == [heatmap]
    (pictures / f"{second.stem}-heatmap.png").hardlink_to(second)
    assert replaced_pictures([first, second], pictures / ".." / pictures.name) == [second]


def test_thumbnails_are_small_jpegs(classifier: Classifier, pictures: Path) -> None:
    [result] = classify_files(classifier, [pictures / "ISIC_0000022.jpg"], thumbnails=True)
    for data in (result.photo_jpeg, result.overlay_jpeg):
        with Image.open(io.BytesIO(data)) as image:
            assert image.format == "JPEG"
            assert image.size == (320, 320)


def test_thousands_of_files_are_not_read_ahead(classifier: Classifier, pictures: Path) -> None:
    [file] = files_of(pictures)[:1]
    asked = 0

    def endless() -> Iterator[Path]:
        nonlocal asked
        while True:
            asked += 1
            yield file

    before = threading.active_count()
    stream = classify_files(classifier, endless(), batch_size=2)
    for _ in range(6):
        assert isinstance(next(stream), Result)
    assert asked <= 6 + 2  # the next batch, and no more
    stream.close()  # type: ignore[attr-defined]
    assert threading.active_count() <= before


def test_no_files_give_no_results(classifier: Classifier) -> None:
    assert list(classify_files(classifier, [])) == []


def test_a_batch_holds_at_least_one_picture(classifier: Classifier, pictures: Path) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        next(classify_files(classifier, files_of(pictures), batch_size=0))


def test_names_that_would_disturb_a_terminal_are_made_safe() -> None:
    assert printable("mole\x1b[2J\n.jpg") == "mole�[2J�.jpg"
    assert printable(Path(os.fsdecode(b"m\xf6le.jpg"))) == "m�le.jpg"
    assert printable("Leberfleck größer.jpg") == "Leberfleck größer.jpg"
