"""Analyses are pure: alone or in a batch, from one thread or eight, the same picture gets the same answer."""

from __future__ import annotations

import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from lesionlens import CODES, Analysis, Classifier
from lesionlens.imaging import decode
from lesionlens.imaging.preprocess import preprocess
from lesionlens.inference.bundle import Bundle
from synthetic import lesion


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier()


@pytest.fixture(scope="module")
def pictures() -> list[Image.Image]:
    return [lesion(label, 1, size) for label, size in enumerate([(300, 200), (200, 300), (256, 256), (64, 40)])]


def test_an_analysis_is_whole(classifier: Classifier, pictures: list[Image.Image]) -> None:
    [analysis] = classifier.analyse(pictures[:1])
    assert analysis.probabilities.shape == (8,)
    assert analysis.probabilities.sum() == pytest.approx(1.0, abs=1e-5)
    assert analysis.max_confidence == pytest.approx(float(analysis.probabilities.max()))
    assert analysis.maps.shape[0] == 8
    assert list(analysis.probabilities_by_code) == list(CODES)
    assert analysis.malignant_probability == pytest.approx(
        sum(analysis.probabilities_by_code[c] for c in ("MEL", "BCC", "AKIEC", "SCC")), abs=1e-5
    )
    assert analysis.seen_box == pytest.approx((1 / 6, 0.0, 5 / 6, 1.0))
    assert classifier.description["sha256"] == classifier.manifest.graph_sha256


def test_nothing_in_nothing_out(classifier: Classifier) -> None:
    assert classifier.analyse([]) == []


def assert_alike(a: Analysis, b: Analysis) -> None:
    np.testing.assert_allclose(a.probabilities, b.probabilities, atol=1e-5)
    np.testing.assert_allclose(a.maps, b.maps, atol=1e-4 * max(1.0, float(a.maps.max())))


def test_a_batch_and_threads_change_nothing(classifier: Classifier, pictures: list[Image.Image]) -> None:
    alone = [classifier.analyse([picture])[0] for picture in pictures]
    for one, other in zip(alone, classifier.analyse(pictures), strict=True):
        assert_alike(one, other)
    with ThreadPoolExecutor(8) as pool:
        jobs = [(i, pool.submit(classifier.analyse, [pictures[i]])) for i in list(range(4)) * 4]
        for i, job in jobs:
            assert_alike(alone[i], job.result()[0])


def test_probabilities_alone_are_those_of_the_analysis(classifier: Classifier, pictures: list[Image.Image]) -> None:
    batch = np.stack([preprocess(picture, classifier.manifest.preprocessing) for picture in pictures])
    expected = [analysis.probabilities for analysis in classifier.analyse(pictures)]
    np.testing.assert_allclose(classifier.probabilities(batch), expected, atol=1e-5)


def test_a_raised_threshold_makes_the_answer_not_confident(classifier: Classifier, pictures: list[Image.Image]) -> None:
    manifest = classifier.manifest.model_copy(update={"confidence_threshold": 1.0})
    unsure = Classifier(Bundle(classifier.bundle.path, manifest))
    [analysis] = unsure.analyse(pictures[:1])
    assert analysis.prediction == 8
    assert not analysis.confident
    assert analysis.diagnosis.name == "Not confident"
    assert 0 <= analysis.top < 8


def test_the_overlay_of_any_class_can_be_drawn(classifier: Classifier, pictures: list[Image.Image]) -> None:
    [analysis] = classifier.analyse(pictures[:1])
    top = Image.open(io.BytesIO(analysis.overlay_png(pictures[0], max_side=100)))
    assert top.size == (100, 67)
    other = analysis.overlay_png(pictures[0], index=(analysis.top + 1) % 8, max_side=100)
    assert other != analysis.overlay_png(pictures[0], max_side=100)


def test_only_rgb_is_taken(classifier: Classifier) -> None:
    with pytest.raises(ValueError, match="RGB"):
        classifier.analyse([Image.new("L", (50, 50))])


def test_real_pictures_of_the_test_fold_are_told_apart(
    classifier: Classifier, fold_rows: dict[str, dict[str, str]], real_image: Callable[[str], bytes]
) -> None:
    large = [r for r in fold_rows.values() if r["fold"] == "0" and min(int(r["width"]), int(r["height"])) >= 180]
    recalls = []
    for label, code in enumerate(CODES):
        names = sorted(row["image"] for row in large if row["label"] == code)[:15]
        answers = classifier.analyse([decode(real_image(name)).image for name in names])
        recalls.append(sum(answer.top == label for answer in answers) / len(names))
    # Measured on all of them: 0.63. Of 120 pictures it strays by about 0.05; guessing gives 0.125.
    assert sum(recalls) / 8 >= 0.45, recalls
    assert sum(recall > 0 for recall in recalls) >= 7, recalls
