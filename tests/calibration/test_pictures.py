"""Pictures that a network was trained on are never calibrated on."""

from __future__ import annotations

from pathlib import Path

import pytest

from lesionlens.calibration.pictures import held_out_by, pictures_of
from lesionlens.datasets import read_samples
from lesionlens.errors import DataError
from lesionlens.imaging.preprocess import PreprocessSpec
from lesionlens.inference.bundle import Manifest, TrainingRecord
from lesionlens.training.config import TrainConfig
from lesionlens.training.splits import split
from synthetic import write_data_folder


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """80 drawn lesions in five folds."""
    return write_data_folder(tmp_path_factory.mktemp("pictures"))


def manifest(recipe: dict[str, object] | None, earlier: dict[str, object] | None = None) -> Manifest:
    def record(of: dict[str, object]) -> TrainingRecord:
        return TrainingRecord(data="Drawn.", licence="none", recipe=of)

    training = None
    if recipe is not None:
        training = record(recipe)
        if earlier is not None:
            training = training.model_copy(update={"earlier": record(earlier)})
    return Manifest(
        name="drawn",
        version="1",
        architecture="a",
        preprocessing=PreprocessSpec(size=64),
        training=training,
        graph_sha256="a" * 64,
    )


def recipe(**changes: object) -> dict[str, object]:
    settings = {"train_folds": [1, 2, 3], "validation_fold": None, "validation_share": 0.25, "seed": 3}
    return {**settings, "made_up_by_a_later_version": True, **changes}


def test_the_split_of_the_training_run_is_made_again(data: Path) -> None:
    config = TrainConfig(data=data, train_folds=(1, 2, 3), validation_share=0.25, seed=3)
    training, validation = split(config)
    pictures = pictures_of(manifest(recipe()), data)
    assert pictures.held_out == validation
    assert pictures.training == training
    assert pictures == held_out_by(config)
    assert pictures.fold is None
    assert pictures.measured_on == f"{len(validation)} pictures of folds 1, 2, 3 kept out of training"
    assert not {s.group for s in pictures.held_out} & {s.group for s in pictures.training}
    assert all(s.fold in (1, 2, 3) for s in pictures.held_out)


def test_a_validation_fold_is_what_was_kept_out(data: Path) -> None:
    pictures = pictures_of(manifest(recipe(validation_fold=4)), data)
    assert {s.fold for s in pictures.held_out} == {4}
    assert pictures.fold == 4
    assert pictures.measured_on == "16 pictures of fold 4"
    assert pictures_of(manifest(recipe(validation_fold=4)), data, fold=4) == pictures


def test_a_fold_that_was_not_seen_may_be_named(data: Path) -> None:
    pictures = pictures_of(manifest(recipe()), data, fold=4)
    assert {s.fold for s in pictures.held_out} == {4}
    assert {s.fold for s in pictures.training} == {1, 2, 3}


def test_weights_of_unknown_origin_need_a_fold(data: Path) -> None:
    with pytest.raises(DataError, match=r"does not say which pictures were kept out .* --fold"):
        pictures_of(manifest(None), data)
    with pytest.raises(DataError, match="no seed in its recipe"):
        pictures_of(manifest({k: v for k, v in recipe().items() if k != "seed"}), data)
    pictures = pictures_of(manifest(None), data, fold=2)
    assert {s.fold for s in pictures.held_out} == {2}
    assert {s.fold for s in pictures.training} == {0, 1, 3, 4}
    assert len(pictures.training) + len(pictures.held_out) == len(read_samples(data))


def test_a_fold_that_was_trained_on_is_refused(data: Path) -> None:
    with pytest.raises(DataError, match=r"trained on fold 2.*not among 1, 2, 3"):
        pictures_of(manifest(recipe()), data, fold=2)
    # Also where it was an earlier training that saw it.
    with pytest.raises(DataError, match="trained on fold 0"):
        pictures_of(manifest(recipe(), earlier=recipe(train_folds=[0, 1, 2, 3])), data, fold=0)


def test_what_cannot_be_split_is_explained(data: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"kept no pictures out.*--fold"):
        pictures_of(manifest(recipe(validation_share=0.0)), data)
    with pytest.raises(DataError, match="recipe in the manifest of drawn is not valid: seed"):
        pictures_of(manifest(recipe(seed="often")), data)
    with pytest.raises(DataError, match="is both trained on and validated on"):
        pictures_of(manifest(recipe(validation_fold=1)), data)
    with pytest.raises(DataError, match="no picture is in fold 9"):
        pictures_of(manifest(recipe()), data, fold=9)
    with pytest.raises(DataError, match="no such data folder"):
        pictures_of(manifest(recipe()), tmp_path / "nowhere")
