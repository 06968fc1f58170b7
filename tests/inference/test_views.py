"""Test-time augmentation: what is shown, and that maps come back into place."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt
import pytest

from lesionlens import Classifier
from lesionlens.imaging.preprocess import preprocess
from lesionlens.inference.engines import EngineInfo, Outputs
from lesionlens.inference.views import VIEW_COUNTS, run_views
from synthetic import lesion

Floats = npt.NDArray[np.float32]
SIZE = 6
# A weight for each pixel, none like another: whoever sees the picture turned gives another answer.
WEIGHTS = np.random.default_rng(0).standard_normal((8, 3, SIZE, SIZE)).astype(np.float32)


class Telling:
    """A network that is a linear function of its pixels, and whose maps are the picture itself."""

    info = EngineInfo("telling", "1", "cpu", "fp32", 1)

    def __init__(self) -> None:
        self.seen: list[Floats] = []

    def run(self, batch: Floats) -> Outputs:
        assert batch.flags.c_contiguous
        self.seen.append(batch)
        logits = np.einsum("ncyx,kcyx->nk", batch, WEIGHTS)
        maps = np.einsum("ncyx,kc->nkyx", batch, np.arange(24, dtype=np.float32).reshape(8, 3))
        return Outputs(logits, maps.astype(np.float32), batch.reshape(len(batch), -1))


@pytest.fixture
def batch() -> Floats:
    return np.random.default_rng(1).standard_normal((2, 3, SIZE, SIZE)).astype(np.float32)


def test_one_view_is_the_engine_bit_for_bit(batch: Floats) -> None:
    engine = Telling()
    found, expected = run_views(engine, batch, 1), Telling().run(batch)
    assert engine.seen[0] is batch
    assert all(a.tobytes() == b.tobytes() for a, b in zip(found, expected, strict=True))


@pytest.mark.parametrize("count", VIEW_COUNTS)
def test_every_view_is_another_and_the_first_is_the_picture(batch: Floats, count: int) -> None:
    engine = Telling()
    outputs = run_views(engine, batch, count)
    assert len(engine.seen) == count
    np.testing.assert_array_equal(engine.seen[0], batch)
    for one, other in itertools.combinations(engine.seen, 2):
        assert not np.array_equal(one, other)
    logits = np.mean([Telling().run(view).logits for view in engine.seen], 0)
    np.testing.assert_allclose(outputs.logits, logits, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(outputs.features, batch.reshape(2, -1))
    assert [array.dtype for array in outputs] == [np.float32] * 3


@pytest.mark.parametrize("count", VIEW_COUNTS)
def test_maps_come_back_into_place(batch: Floats, count: int) -> None:
    # This network's maps go with the picture: turned back, those of every view are the same.
    np.testing.assert_allclose(run_views(Telling(), batch, count).maps, Telling().run(batch).maps, rtol=1e-5, atol=1e-5)


def shown(batch: Floats) -> dict[str, Floats]:
    mirrored, half = batch[..., ::-1], batch[..., ::-1, ::-1]
    quarter = batch.swapaxes(-2, -1)[..., ::-1, :]
    return {"mirrored": mirrored, "half": half, "quarter": quarter}


@pytest.mark.parametrize(
    ("count", "known"), [(2, ["mirrored"]), (4, ["mirrored", "half"]), (8, ["mirrored", "half", "quarter"])]
)
def test_a_picture_and_its_views_have_the_same_mean_answer(batch: Floats, count: int, known: list[str]) -> None:
    expected = run_views(Telling(), batch, count)
    for name, view in shown(batch).items():
        found = run_views(Telling(), np.ascontiguousarray(view), count)
        assert np.allclose(found.logits, expected.logits, atol=1e-4) == (name in known), name


def test_a_classifier_averages_and_says_so() -> None:
    single, eight = Classifier(engine="onnxruntime", threads=1), Classifier(engine="onnxruntime", threads=1, tta=8)
    assert (single.tta, eight.tta) == (1, 8)
    assert single.description["engine"] == "onnxruntime"
    assert eight.description == {**single.description, "engine": "onnxruntime, tta 8"}
    spec, photo = single.manifest.preprocessing, lesion(0, 3, (90, 90))
    pixels = preprocess(photo, spec)
    views = [np.rot90(flip, k, (-2, -1)) for flip in (pixels, pixels[..., ::-1]) for k in range(4)]
    alone = [single.analyse_tensors(np.ascontiguousarray(view)[None], [photo.size])[0] for view in views]
    [mean] = eight.analyse([photo])
    np.testing.assert_allclose(mean.logits, np.mean([a.logits for a in alone], 0), atol=1e-4)
    assert max(float(np.abs(a.logits - mean.logits).max()) for a in alone) > 1e-2  # the views do differ
    back = [np.rot90(a.maps, -k % 4, (-2, -1)) for a, k in zip(alone, [*range(4)] * 2, strict=True)]
    back = [maps if i < 4 else maps[..., ::-1] for i, maps in enumerate(back)]
    np.testing.assert_allclose(mean.maps, np.mean(back, 0), atol=1e-4 * mean.maps.max())
    np.testing.assert_allclose(mean.features, alone[0].features, atol=1e-5)
    assert mean.suitability == alone[0].suitability
    np.testing.assert_allclose(eight.probabilities(pixels[None])[0], mean.probabilities, atol=1e-5)
    again = Classifier(engine="onnxruntime", threads=1, tta=1).analyse([photo])[0]
    assert again.logits.tobytes() == single.analyse([photo])[0].logits.tobytes()


@pytest.mark.parametrize("count", [0, 3, -1, 16])
def test_other_numbers_of_views_are_refused(count: int) -> None:
    with pytest.raises(ValueError, match=f"tta is {count}; accepted: 1, 2, 4, 8"):
        Classifier(tta=count)
