"""Samples to network inputs, repeatably: what a picture looks like depends on seed, epoch and position alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch.utils.data import Dataset, Sampler

from lesionlens.datasets.isic import ImageSource, Sample, class_counts
from lesionlens.errors import DataError, ImageError
from lesionlens.imaging import decode
from lesionlens.imaging.preprocess import normalise, preprocess
from lesionlens.training.augment import augment
from lesionlens.training.config import TrainConfig

__all__ = ["Draw", "EvaluationDataset", "TrainingDataset", "TrainingSampler"]

Item = tuple[torch.Tensor, int]


class Draw(NamedTuple):
    """One picture to draw: which sample, at what size, and the seed of its variant."""

    sample: int
    size: int
    seed: tuple[int, int, int]


class TrainingDataset(Dataset[Item]):
    """Random variants of the training pictures, float32 `[3, size, size]`, with their labels."""

    def __init__(self, samples: Sequence[Sample], source: ImageSource, config: TrainConfig) -> None:
        self._samples = samples
        self._source = source
        self._config = config

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, draw: Draw) -> Item:
        # OpenCV's own threads only get in the way of the training's.
        cv2.setNumThreads(0)
        sample = self._samples[draw.sample]
        spec = self._config.preprocessing
        image = _open(self._source, sample.image, 2 * draw.size)
        if spec.fit == "squash":  # the network will be served squashed pictures, so it learns from such
            side = min(image.size)
            image = image.resize((side, side), Image.Resampling.BILINEAR)
        pixels = np.asarray(image, dtype=np.uint8)
        rng = np.random.default_rng(draw.seed)
        variant = augment(pixels, draw.size, self._config.augmentation, rng)
        return torch.from_numpy(normalise(variant, spec)), sample.label


class EvaluationDataset(Dataset[Item]):
    """The pictures as serving prepares them, float32 `[3, size, size]`, with their labels."""

    def __init__(self, samples: Sequence[Sample], source: ImageSource, config: TrainConfig) -> None:
        self._samples = samples
        self._source = source
        self._spec = config.preprocessing

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, index: int) -> Item:
        sample = self._samples[index]
        image = _open(self._source, sample.image, self._spec.decode_side)
        return torch.from_numpy(preprocess(image, self._spec)), sample.label


class TrainingSampler(Sampler[Draw]):
    """The order of an epoch: classes balanced, every process its share, able to start in the middle.

    Args:
        samples: The training samples.
        config: The run's settings.
        rank: This process's number.
        world: Number of processes.
    """

    def __init__(self, samples: Sequence[Sample], config: TrainConfig, rank: int = 0, world: int = 1) -> None:
        counts = np.array(class_counts(samples), dtype=np.float64)
        labels = np.array([s.label for s in samples])
        chances = np.where([s.is_small for s in samples], config.small_weight, 1.0)
        # Within a class the small ones give way; the share of the class stays what `balance` says.
        sums = np.bincount(labels, weights=chances, minlength=len(counts))
        weights = chances * counts[labels] ** (1.0 - config.balance) / sums[labels]
        self._shares = weights / weights.sum()
        self._config = config
        self._rank, self._world = rank, world
        self.epoch = 0
        self.start = 0
        total = config.samples_per_epoch or len(samples)
        step = config.batch_size * world
        self._total = max(step, total // step * step)

    def __len__(self) -> int:
        return self._total // self._world

    def __iter__(self) -> Iterator[Draw]:
        order = _systematic(self._shares, self._total, np.random.default_rng((self._config.seed, self.epoch)))
        size = self._config.size_at(self.epoch)
        mine = range(self._rank, self._total, self._world)
        for position in mine[self.start :]:
            yield Draw(int(order[position]), size, (self._config.seed, self.epoch, position))


def _systematic(shares: npt.NDArray[np.float64], total: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Draw indexes in proportion to their shares by systematic sampling, then shuffle.

    Each index comes up its expected number of times to within one: far more even than drawing with replacement, which
    would leave a third of the pictures out of every epoch.
    """
    shuffle = rng.permutation(len(shares))
    edges = np.cumsum(shares[shuffle])
    points = (np.arange(total) + rng.random()) / total * edges[-1]
    return rng.permutation(shuffle[np.searchsorted(edges, points, side="right").clip(0, len(shares) - 1)])


def _open(source: ImageSource, name: str, min_side: int) -> Image.Image:
    try:
        return decode(source.read(name), min_side=min_side).image
    except ImageError as error:
        raise DataError(f"picture {name} cannot be used: {error}") from error
