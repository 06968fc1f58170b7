"""How probable it is that each pixel of a picture lies on the lesion: two small networks, one upon the other.

Each is a multilayer perceptron over the features of one pixel (`lesionlens.tracker.change.features`), fitted by
`python -m lesionlens.training.outline` and kept in `outline.npz` beside this file, which says what it was fitted on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from lesionlens.imaging.cielab import to_cielab
from lesionlens.tracker.change.features import appearance, context

__all__ = ["FITTED_FILE", "Stage", "Stages", "half_lab", "lesion_probability", "load_stages"]

Floats = npt.NDArray[np.float32]

FITTED_FILE: Final = "outline.npz"
_CLIP: Final = 6.0  # standard deviations; a feature beyond them is an accident that must not drown the others


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """A multilayer perceptron with rectified hidden layers and one logistic output.

    Attributes:
        mean: float32 `[F]`, subtracted from the features.
        scale: float32 `[F]`, that they are then divided by.
        weights: float32 `[F, A]`, `[A, B]`, …, `[Z, 1]`.
        biases: float32 `[A]`, `[B]`, …, `[1]`.
    """

    mean: Floats
    scale: Floats
    weights: tuple[Floats, ...]
    biases: tuple[Floats, ...]

    def standardise(self, features: Floats) -> Floats:
        """Return features as the first layer takes them, float32 `[..., F]`."""
        return np.asarray(np.clip((features - self.mean) / self.scale, -_CLIP, _CLIP), dtype=np.float32)

    def __call__(self, features: Floats) -> Floats:
        """Return the probability of lesion.

        Args:
            features: float32 `[..., F]`.

        Returns:
            float32 `[...]`, 0–1.
        """
        values = self.standardise(features).reshape(-1, features.shape[-1])
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            values = np.maximum(values @ weight + bias, 0.0)
        logit = (values @ self.weights[-1] + self.biases[-1]).reshape(features.shape[:-1])
        return np.asarray(1.0 / (1.0 + np.exp(-np.clip(logit, -30.0, 30.0))), dtype=np.float32)

    def arrays(self, prefix: str) -> dict[str, npt.NDArray[np.generic]]:
        """Return what `from_arrays` makes the stage of again; layers in half precision, which moves no outline."""
        kept: dict[str, npt.NDArray[np.generic]] = {f"{prefix}_mean": self.mean, f"{prefix}_scale": self.scale}
        for i, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            kept[f"{prefix}_weight_{i}"] = weight.astype(np.float16)
            kept[f"{prefix}_bias_{i}"] = bias.astype(np.float16)
        return kept

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[np.generic]], prefix: str) -> Stage:
        """Return the stage that `arrays` was called on."""

        def read(name: str) -> Floats:
            return arrays[f"{prefix}_{name}"].astype(np.float32)

        layers = sum(name.startswith(f"{prefix}_weight_") for name in arrays)
        return cls(
            mean=read("mean"),
            scale=read("scale"),
            weights=tuple(read(f"weight_{i}") for i in range(layers)),
            biases=tuple(read(f"bias_{i}") for i in range(layers)),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Stages:
    """The two stages.

    Attributes:
        first: Sees the picture.
        second: Sees the picture and the first one's answer.
        about: What they were fitted on, with which numbers, and under which licence; JSON.
    """

    first: Stage
    second: Stage
    about: str

    def probability(self, lab: Floats) -> Floats:
        """Return the probability of lesion of each pixel.

        Args:
            lab: float32 `[H, W, 3]`, CIELAB, at half the working size.

        Returns:
            float32 `[H, W]`, 0–1.
        """
        features = appearance(lab)
        return self.second(context(features, lab, self.first(features)))


@cache
def load_stages() -> Stages:
    """Return the stages that the package holds; read once."""
    with as_file(files("lesionlens.tracker.change") / FITTED_FILE) as path, np.load(path, allow_pickle=False) as kept:
        arrays = {name: kept[name] for name in kept.files}
    return Stages(
        first=Stage.from_arrays(arrays, "first"),
        second=Stage.from_arrays(arrays, "second"),
        about=str(arrays["about"]),
    )


def half_lab(pixels: npt.NDArray[np.uint8]) -> Floats:
    """Return a picture at half its size in CIELAB.

    Args:
        pixels: uint8 `[H, W, 3]`, RGB, at the working size.

    Returns:
        float32 `[H // 2, W // 2, 3]`.
    """
    height, width = pixels.shape[:2]
    return to_cielab(np.asarray(cv2.resize(pixels, (width // 2, height // 2), interpolation=cv2.INTER_AREA)))


def lesion_probability(pixels: npt.NDArray[np.uint8], stages: Stages | None = None) -> Floats:
    """Return the probability of lesion of each pixel.

    Args:
        pixels: uint8 `[H, W, 3]`, RGB, at the working size.
        stages: The fitted stages; None for those that the package holds.

    Returns:
        float32 `[H, W]`, 0–1.
    """
    half = (stages or load_stages()).probability(half_lab(pixels))
    enlarged = cv2.resize(half, (pixels.shape[1], pixels.shape[0]), interpolation=cv2.INTER_CUBIC)
    return np.clip(np.asarray(enlarged, dtype=np.float32), 0.0, 1.0)
