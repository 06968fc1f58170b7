"""A photo is prepared alike with helpers and without, and measured as the classifier would measure it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from lesionlens import Classifier
from lesionlens.attention import fit_within
from lesionlens.errors import CorruptImageError
from lesionlens.imaging import Limits, decode, preprocess
from lesionlens.imaging.preprocess import PreprocessSpec
from lesionlens.prepare import Prepared, prepare
from serving import draw_lesion, encode

SPEC = PreprocessSpec(size=96)
PHOTO = encode(draw_lesion(), "JPEG", quality=90)


@pytest.fixture(params=[False, True], ids=["alone", "with helpers"])
def prepared(request: pytest.FixtureRequest) -> Prepared:
    if not request.param:
        return prepare(PHOTO, SPEC, limits=Limits(), preview_side=100)
    with ThreadPoolExecutor(2) as helpers:
        return prepare(PHOTO, SPEC, limits=Limits(), preview_side=100, helpers=helpers)


def test_the_parts_are_those_of_the_photo(prepared: Prepared) -> None:
    photo = decode(PHOTO).image
    assert np.array_equal(prepared.tensor, preprocess(photo, SPEC))
    assert prepared.preview is not None
    assert np.array_equal(np.asarray(prepared.preview), np.asarray(fit_within(photo, 100)))
    assert (prepared.width, prepared.height, prepared.decoded_size, prepared.format) == (320, 240, (320, 240), "JPEG")


def test_no_preview_is_made_unless_one_is_asked_for() -> None:
    with ThreadPoolExecutor(1) as helpers:
        assert prepare(PHOTO, SPEC, limits=Limits(), helpers=helpers).preview is None
    assert prepare(PHOTO, SPEC, limits=Limits()).preview is None


def test_a_damaged_photo_is_refused_with_helpers_too() -> None:
    with ThreadPoolExecutor(1) as helpers, pytest.raises(CorruptImageError):
        prepare(PHOTO[:700], SPEC, limits=Limits(), preview_side=100, helpers=helpers)


def test_an_answer_is_the_same_whether_the_look_is_given_or_measured() -> None:
    classifier = Classifier(engine="onnxruntime", threads=1)
    photo = prepare(PHOTO, classifier.manifest.preprocessing, limits=Limits())
    batch, sizes = photo.tensor[None], [photo.decoded_size]
    [given], [measured], [absent] = (
        classifier.analyse_tensors(batch, sizes, looks) for looks in ([photo.look], None, [None])
    )
    for other in (measured, absent):
        assert np.array_equal(given.appearance.statistics, other.appearance.statistics)
        assert given.suitability == other.suitability
        assert given.quality == other.quality
        assert np.array_equal(given.logits, other.logits)


def test_as_many_looks_as_pictures_are_wanted() -> None:
    classifier = Classifier(engine="onnxruntime", threads=1)
    photo = prepare(PHOTO, classifier.manifest.preprocessing, limits=Limits())
    with pytest.raises(ValueError, match="zip"):
        classifier.analyse_tensors(photo.tensor[None], [photo.decoded_size], [photo.look, photo.look])
