"""The drift is about 1 where photos are like the reference, grows as they part from it, and forgets."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageFilter

from fitted import fitted
from lesionlens import Classifier
from lesionlens.drift import HIGHEST, LEAST, DriftMonitor, MovingMean
from lesionlens.imaging.appearance import STATISTICS, Appearance
from lesionlens.suitability import Reference
from serving import Running, as_file, classifier, running
from synthetic import jpeg, lesion

__all__ = ["classifier", "fitted"]

Doubles = npt.NDArray[np.float64]

ALARM = 8.0
"""The limit in `deploy/prometheus/alerts.yml`."""


def look(statistics: Doubles) -> Appearance:
    return Appearance(statistics.astype(np.float32), overexposed=0.0, dark_corners=0.0, thin_lines=0.0)


def draw(reference: Reference, count: int, seed: int, shift: float = 0.0) -> Iterator[tuple[Doubles, Appearance]]:
    """Photos of which each statistic is off by a share of its standard deviation, and so is each feature."""
    rng = np.random.default_rng(seed)
    features = rng.normal(shift, 1.0, (count, len(reference.feature_mean))) + reference.feature_mean
    looks = rng.normal(shift, 1.0, (count, len(STATISTICS))) * reference.scale + reference.centre
    return zip(features, map(look, looks), strict=True)


def watched(reference: Reference, count: int, seed: int, shift: float = 0.0, photos: int = 200) -> DriftMonitor:
    monitor = DriftMonitor(reference, photos)
    for features, appearance in draw(reference, count, seed, shift):
        monitor.add(features, appearance)
    return monitor


@pytest.fixture(scope="module")
def reference(classifier: Classifier) -> Reference:
    assert classifier.reference is not None
    return classifier.reference


def test_the_moving_mean_is_the_weighted_mean() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(3.0, 2.0, (70, 5))
    moving = MovingMean(5, photos=40)
    for row in values:
        moving.add(row)
    weights = (39 / 41) ** np.arange(70)[::-1]
    mean = np.average(values, axis=0, weights=weights)
    np.testing.assert_allclose(moving.mean, mean, rtol=1e-12)
    effective = weights.sum() ** 2 / (weights**2).sum()
    assert moving.effective == pytest.approx(effective)
    # numpy's own weighted covariance, with the same correction for its bias
    assert moving.total_variance == pytest.approx(np.trace(np.cov(values.T, aweights=weights)))


def test_in_the_long_run_it_rests_on_as_many_as_were_asked_for() -> None:
    moving = MovingMean(1, photos=50)
    for _ in range(1000):
        moving.add(np.zeros(1))
    assert moving.effective == pytest.approx(50, rel=1e-6)


def test_an_empty_mean_has_neither_weight_nor_spread() -> None:
    moving = MovingMean(3, photos=50)
    assert (moving.effective, moving.total_variance) == (0.0, 0.0)
    moving.add(np.ones(3))
    assert (moving.effective, moving.total_variance) == (1.0, 0.0)


def test_without_drift_the_square_is_1_on_average(reference: Reference) -> None:
    monitors = [watched(reference, 100, seed) for seed in range(40)]
    for name, tolerance in (("appearance", 0.1), ("features", 0.03)):
        squares = [getattr(monitor, name) ** 2 for monitor in monitors]
        assert np.mean(squares) == pytest.approx(1.0, abs=tolerance), name
        assert max(squares) < 3, name


@pytest.mark.parametrize("shift", [0.5, 1.0])
def test_it_is_the_shift_in_standard_errors(reference: Reference, shift: float) -> None:
    monitor = watched(reference, 1000, 1, shift)
    expected = np.sqrt(1 + monitor.photos * shift**2)
    assert monitor.appearance == pytest.approx(expected, rel=0.1)
    assert monitor.features == pytest.approx(expected, rel=0.1)
    assert all(value == pytest.approx(shift, abs=0.35) for value in monitor.shifts.values())


def test_what_has_passed_is_forgotten(reference: Reference) -> None:
    monitor = watched(reference, 300, 2, shift=1.0, photos=50)
    assert (monitor.appearance or 0) > 5
    for features, appearance in draw(reference, 300, 3):
        monitor.add(features, appearance)
    assert (monitor.appearance or 9) < 2
    assert (monitor.features or 9) < 2


def test_too_few_photos_say_nothing(reference: Reference) -> None:
    monitor = DriftMonitor(reference)
    assert monitor.appearance is None
    assert monitor.features is None
    for count, (features, appearance) in enumerate(draw(reference, LEAST + 5, 4), start=1):
        monitor.add(features, appearance)
        assert (monitor.appearance is None) == (monitor.photos < LEAST), count
    assert monitor.features is not None


def test_the_same_photo_again_and_again_is_drift_but_finite(reference: Reference) -> None:
    monitor = DriftMonitor(reference)
    [(features, appearance)] = draw(reference, 1, 5)
    for _ in range(60):
        monitor.add(features, appearance)
    assert monitor.features == HIGHEST
    assert 1 < (monitor.appearance or 0) < HIGHEST


def ratios(server: Running) -> tuple[float, float]:
    name = "lesionlens_input_drift_ratio"
    return server.metric(name, of="appearance"), server.metric(name, of="features")


def test_drawn_photos_through_the_service(fitted: Classifier) -> None:
    """The model's reference are drawn lesions; other ones of that kind are no drift, the same in blue are."""
    with running(fitted, drift_photos=40) as server:
        assert ratios(server) == (0, 0)
        for i in range(32):
            server.post("/v1/analyses", files=as_file(jpeg(lesion(i % 8, 500 + i)))).raise_for_status()
        like = ratios(server)
        assert server.metric("lesionlens_input_drift_photos") > 20
        for i in range(32):
            server.post("/v1/analyses", files=as_file(jpeg(blue(lesion(i % 8, 600 + i))))).raise_for_status()
        unlike = ratios(server)
    assert 0.3 < like[0] < 3
    assert 0.3 < like[1] < 3
    assert unlike[0] > ALARM
    assert unlike[1] > 2 * like[1]


def test_a_model_without_a_reference_tells_no_drift(classifier: Classifier) -> None:
    manifest = classifier.manifest.model_copy(update={"out_of_distribution": None})
    bare = Classifier(type(classifier.bundle)(classifier.bundle.path, manifest), engine=classifier._engine)
    with running(bare) as server:
        server.post("/v1/analyses", files=as_file(jpeg(lesion(0, 0)))).raise_for_status()
        assert ratios(server) == (0, 0)
        assert server.metric("lesionlens_input_drift_photos") == 0


def blue(picture: Image.Image) -> Image.Image:
    red, green, blue = picture.split()
    return Image.merge("RGB", (blue, green, red))


def blurred(picture: Image.Image) -> Image.Image:
    return picture.filter(ImageFilter.GaussianBlur(picture.width / 60))


@pytest.fixture(scope="module")
def fold_photos(fold_rows: dict[str, dict[str, str]], real_image: Callable[[str], bytes]) -> list[bytes]:
    """Photos of the fold that was kept out of training, as many of each source, as the reference has them."""
    by_source: dict[str, list[str]] = {}
    for name, row in fold_rows.items():
        if row["fold"] == "0":
            by_source.setdefault(row["source"], []).append(name)
    rng = np.random.default_rng(7)
    chosen = [name for names in by_source.values() for name in rng.choice(sorted(names), 14, replace=False)]
    return [real_image(str(name)) for name in rng.permutation(chosen)]


def test_real_photos_like_those_trained_on_are_no_drift(classifier: Classifier, fold_photos: list[bytes]) -> None:
    with running(classifier) as server:
        for photo in fold_photos:
            server.post("/v1/analyses", files=as_file(photo)).raise_for_status()
        appearance, features = ratios(server)
    assert 0.5 < appearance < 2
    assert 0.5 < features < 2


@pytest.mark.parametrize("change", [blue, blurred])
def test_real_photos_that_were_altered_are_drift(
    classifier: Classifier, fold_photos: list[bytes], change: Callable[[Image.Image], Image.Image]
) -> None:
    with running(classifier) as server:
        for photo in fold_photos:
            altered = change(Image.open(io.BytesIO(photo)).convert("RGB"))
            server.post("/v1/analyses", files=as_file(jpeg(altered, 95))).raise_for_status()
        at_42 = np.array(ratios(server))
    # Forty-two photos tell as much as two hundred would, but for the square root of their number.
    assert at_42.max() * np.sqrt(200 / 42) > 1.2 * ALARM
    assert at_42.min() > 2
