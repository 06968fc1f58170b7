"""Pictures that a model should not judge are recognised, with the reason; damaged statistics are refused."""

from __future__ import annotations

import io
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import NearestNeighbors

from fitted import LIKE, UNLIKE, fitted, plain  # noqa: F401  (fixtures)
from lesionlens import Bundle, Classifier
from lesionlens.calibration.reference import fit_reference, spread
from lesionlens.datasets import ImageSource, read_samples
from lesionlens.errors import BundleError
from lesionlens.imaging import decode
from lesionlens.suitability import PARTS, Mixture, Reference, Suitability


def judged(classifier: Classifier, *images: Image.Image) -> list[Suitability]:
    found = [analysis.suitability for analysis in classifier.analyse(images)]
    assert all(finding is not None for finding in found)
    return [finding for finding in found if finding is not None]


def codes(finding: Suitability) -> list[str]:
    return [reason.code for reason in finding.reasons]


def test_a_picture_like_the_reference_is_suitable(fitted: Classifier) -> None:  # noqa: F811
    [finding] = judged(fitted, decode(LIKE).image)
    assert finding.suitable
    assert finding.reasons == ()
    assert finding.score <= finding.threshold


def test_a_picture_of_nothing_is_not_and_says_why(fitted: Classifier) -> None:  # noqa: F811
    [finding] = judged(fitted, decode(UNLIKE).image)
    assert not finding.suitable
    assert finding.score > finding.threshold
    assert len(finding.reasons) >= 1
    assert all(reason.message.endswith(".") for reason in finding.reasons)


def test_an_older_bundle_judges_every_picture(plain: Classifier) -> None:  # noqa: F811
    [analysis] = plain.analyse([decode(UNLIKE).image])
    assert analysis.suitability is None
    assert plain.reference is None
    assert analysis.quality.short_side == 256


def test_the_score_does_not_depend_on_the_batch(fitted: Classifier) -> None:  # noqa: F811
    like, unlike = decode(LIKE).image, decode(UNLIKE).image
    together = judged(fitted, like, unlike)
    alone = [judged(fitted, image)[0] for image in (like, unlike)]
    assert [t.score for t in together] == pytest.approx([a.score for a in alone], rel=1e-3)


def test_real_pictures_pass_and_others_do_not(
    plain: Classifier,  # noqa: F811
    shared_data: Path,
    real_sample: dict[str, bytes],
) -> None:
    samples, source = read_samples(shared_data), ImageSource(shared_data)
    training = spread([s for s in samples if s.fold in (1, 2)], 150)
    held_out = spread([s for s in samples if s.fold == 3], 60)
    found = fit_reference(plain, training, held_out, source)
    reference = Reference.from_bytes(found.data, found.rule)

    def judge(image: Image.Image) -> Suitability:
        [analysis] = plain.analyse([image])
        return reference.judge(analysis.features, analysis.appearance)

    photos = [decode(data).image for data in real_sample.values()]
    assert sum(judge(photo).suitable for photo in photos) >= 7
    blurred = judge(photos[0].filter(ImageFilter.GaussianBlur(16)))
    assert codes(blurred)[0] == "blurred"
    rng = np.random.default_rng(0)
    noise = judge(Image.fromarray(rng.integers(0, 256, (300, 300, 3)).astype(np.uint8)))
    assert "detail" in codes(noise)
    blue = [judge(photo.point([round(v * f) for f in (0.25, 0.6, 1.0) for v in range(256)])) for photo in photos]
    assert sum("colour" in codes(found) for found in blue) >= 7
    skin = judge(Image.fromarray(np.clip(rng.normal((224, 182, 160), 3, (300, 300, 3)), 0, 255).astype(np.uint8)))
    assert "no_lesion" in codes(skin)


def test_statistics_are_kept_whole_and_without_the_time(fitted: Classifier) -> None:  # noqa: F811
    reference, rule = fitted.reference, fitted.manifest.out_of_distribution
    assert reference is not None
    assert rule is not None
    data = reference.to_bytes()
    assert data == fitted.bundle.reference
    again = Reference.from_bytes(data, rule)
    assert again.to_bytes() == data
    assert again.threshold == rule.threshold
    assert len(data) < 1_500_000
    dates = {info.date_time for info in zipfile.ZipFile(io.BytesIO(data)).infolist()}
    assert dates == {(1980, 1, 1, 0, 0, 0)}


def saved(**arrays: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def without(data: bytes, name: str, **others: np.ndarray) -> bytes:
    with np.load(io.BytesIO(data)) as file:
        return saved(**{n: file[n] for n in file.files if n != name}, **others)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: b"no zip at all",
        lambda data: data[: len(data) // 2],
        lambda data: without(data, "tails"),
        lambda data: without(data, "", surprise=np.zeros(3)),
        lambda data: without(data, "centre", centre=np.array([{"a": 1}], dtype=object)),  # a pickle
        lambda data: without(data, "centre", centre=np.zeros(5)),
        lambda data: without(data, "tails", tails=np.zeros((3, 2))),
    ],
)
def test_a_file_that_holds_no_statistics_is_refused(fitted: Classifier, spoil: Callable[[bytes], bytes]) -> None:  # noqa: F811
    rule, data = fitted.manifest.out_of_distribution, fitted.bundle.reference
    assert rule is not None
    assert data is not None
    with pytest.raises(BundleError, match=rule.file):
        Reference.from_bytes(spoil(data), rule)


@pytest.fixture
def copy(fitted: Classifier, tmp_path: Path) -> Path:  # noqa: F811
    """A copy of a bundle with statistics that may be damaged."""
    return Path(shutil.copytree(fitted.bundle.path, tmp_path / "bundle"))


def test_a_bundle_without_its_statistics_is_refused(copy: Path) -> None:
    [file] = copy.glob("*.npz")
    file.unlink()
    with pytest.raises(BundleError, match=f"{file.name} is missing"):
        Bundle.load(copy)


def test_exchanged_statistics_are_refused(copy: Path) -> None:
    [file] = copy.glob("*.npz")
    file.write_bytes(file.read_bytes() + b"\0")
    with pytest.raises(BundleError, match="damaged or was exchanged"):
        Bundle.load(copy)


def test_new_statistics_take_the_place_of_the_old_ones(copy: Path) -> None:
    bundle = Bundle.load(copy)
    rule, data = bundle.manifest.out_of_distribution, bundle.reference
    assert rule is not None
    assert data is not None
    other = without(data, "")
    with pytest.raises(BundleError, match="not those that its manifest names"):
        bundle.with_manifest(bundle.manifest, other)
    assert Bundle.load(copy).manifest == bundle.manifest  # nothing was touched
    none = bundle.with_manifest(bundle.manifest.model_copy(update={"out_of_distribution": None}))
    assert list(copy.glob("*.npz")) == []
    assert Bundle.load(copy).reference is none.reference is None
    with pytest.raises(BundleError, match="is missing"):
        none.with_manifest(bundle.manifest)
    assert none.with_manifest(bundle.manifest, data).reference == data
    assert Bundle.load(copy).manifest == bundle.manifest


def test_a_bundle_is_not_written_without_the_statistics_that_it_names(fitted: Classifier, tmp_path: Path) -> None:  # noqa: F811
    bundle = fitted.bundle
    graph = bundle.graph_path.read_bytes()
    with pytest.raises(BundleError, match="is missing"):
        Bundle.write(tmp_path / "new", graph, bundle.manifest, "")
    written = Bundle.write(tmp_path / "new", graph, bundle.manifest, "", bundle.reference)
    assert Bundle.load(written.path).reference == bundle.reference


def test_detectors_measure_what_they_say(fitted: Classifier) -> None:  # noqa: F811
    reference = fitted.reference
    assert reference is not None
    analyses = fitted.analyse([decode(data).image for data in (LIKE, UNLIKE)])
    features, looks = np.array([a.features for a in analyses]), [a.appearance for a in analyses]
    measured = dict(zip(PARTS, reference.distances(features, looks).T, strict=True))

    statistics = (np.array([look.statistics for look in looks]) - reference.centre) / reference.scale
    nearest = NearestNeighbors(n_neighbors=5).fit(reference.neighbours).kneighbors(statistics)[0][:, -1]
    assert measured["appearance"] == pytest.approx(nearest, rel=1e-3)
    offset = (features - reference.feature_mean).astype(np.float64)
    explained = offset @ reference.feature_axes.T @ reference.feature_axes
    assert measured["features"] == pytest.approx(np.linalg.norm(offset - explained, axis=1), rel=1e-2)
    assert measured["lesion"] == pytest.approx([-look["power_2"] - look["power_4"] for look in looks])
    tails = reference.scores(features, looks)
    assert [max(row) for row in tails] == pytest.approx(
        [a.suitability.score for a in analyses if a.suitability], rel=1e-3
    )


def test_a_mixture_is_that_of_scikit_learn() -> None:
    values = np.random.default_rng(0).normal(size=(200, 3)) * (1, 2, 3)
    model = GaussianMixture(3, random_state=0).fit(values)
    mine = Mixture(model.weights_, model.means_, model.precisions_cholesky_).surprise(values)
    constant = 1.5 * np.log(2 * np.pi)
    assert mine + constant == pytest.approx(-model.score_samples(values))
