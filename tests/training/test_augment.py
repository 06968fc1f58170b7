"""Variants are repeatable, of the asked size, keep the lesion in sight, and hide sharpness."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the train extra")

from lesionlens.datasets import Sample
from lesionlens.training.augment import augment
from lesionlens.training.config import Augmentation, TrainConfig
from lesionlens.training.dataset import TrainingSampler
from synthetic import lesion

pytestmark = pytest.mark.train

PHOTO = np.asarray(lesion(0, 0, (200, 160)))


@pytest.mark.parametrize("size", [32, 64, 224])
def test_a_variant_has_the_asked_size_and_depends_on_the_seed_alone(size: int) -> None:
    one, same, other = (augment(PHOTO, size, Augmentation(), np.random.default_rng(s)) for s in (1, 1, 2))
    assert one.shape == (size, size, 3)
    assert one.dtype == np.uint8
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_the_lesion_stays_in_sight() -> None:
    options = Augmentation(degrade=0.0, jpeg=0.0, brightness=0.0, saturation=0.0)
    for seed in range(20):
        dark = augment(PHOTO, 64, options, np.random.default_rng(seed)).mean(axis=2) < 80
        assert dark.mean() > 0.03


def test_a_picture_is_turned_and_mirrored_without_shear_or_shift() -> None:
    options = Augmentation(min_area=1.0, max_stretch=1.0, degrade=0.0, jpeg=0.0, brightness=0.0, saturation=0.0)
    marked = np.full((65, 65, 3), 200, dtype=np.uint8)
    marked[30:35, 42:47] = (200, 0, 0)  # 12 pixels right of the centre: its reflection at the border stays out of sight
    marked[38:43, 30:35] = (0, 200, 0)  # 8 below
    turns = set()
    for seed in range(12):
        variant = augment(marked, 65, options, np.random.default_rng(seed)).astype(int)
        red = centre(variant[..., 0] - variant[..., 1])
        green = centre(variant[..., 1] - variant[..., 0])
        assert np.hypot(*red) == pytest.approx(12, abs=0.5)
        assert np.hypot(*green) == pytest.approx(8, abs=0.5)
        assert abs(red @ green) < 6, "the right angle between the marks is lost"
        turns.add(bool(red[0] * green[1] - red[1] * green[0] > 0))
    assert turns == {True, False}, "some variants are mirrored, some are not"


def centre(excess: np.ndarray) -> np.ndarray:
    """Centre of a mark, from the centre of the picture."""
    weight = excess.clip(0)
    y, x = np.indices(weight.shape)
    return np.array([(x * weight).sum(), (y * weight).sum()]) / weight.sum() - 32


def test_degrading_takes_sharpness_away() -> None:
    def sharpness(degrade: float) -> float:
        options = Augmentation(degrade=degrade, jpeg=0.0, brightness=0.0, saturation=0.0)
        variants = [augment(PHOTO, 128, options, np.random.default_rng(s)).astype(float) for s in range(24)]
        return float(np.mean([np.abs(np.diff(v, axis=1)).mean() for v in variants]))

    assert sharpness(1.0) < 0.8 * sharpness(0.0)


def samples(counts: tuple[int, ...]) -> list[Sample]:
    return [Sample(f"{label}-{i}", label, f"{label}-{i}") for label, count in enumerate(counts) for i in range(count)]


COUNTS = (64, 256, 64, 16, 16, 4, 4, 16)


@pytest.mark.parametrize(("balance", "share_of_nv"), [(0.0, 256 / 440), (1.0, 1 / 8)])
def test_balance_sets_how_often_a_class_is_drawn(balance: float, share_of_nv: float) -> None:
    population = samples(COUNTS)
    sampler = TrainingSampler(population, TrainConfig(data=".", balance=balance, samples_per_epoch=1600, batch_size=16))
    drawn = [population[d.sample].label for d in sampler]
    assert abs(drawn.count(1) / len(drawn) - share_of_nv) < 0.01


def test_processes_share_an_epoch_without_overlap_and_can_start_in_the_middle() -> None:
    population = samples(COUNTS)
    config = TrainConfig(data=".", samples_per_epoch=320, batch_size=16)
    whole = list(TrainingSampler(population, config))
    parts = [list(TrainingSampler(population, config, rank, 2)) for rank in (0, 1)]
    assert sorted(d.seed for part in parts for d in part) == sorted(d.seed for d in whole)
    later = TrainingSampler(population, config)
    later.start = 100
    assert list(later) == whole[100:]
