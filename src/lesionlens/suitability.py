"""Whether a picture looks like the dermoscopic pictures that the network was trained on.

Five simple detectors look at it, each with its own question and its own words for a person. Each gives a number that
rises as the picture gets less like the reference pictures. The 90th and the 99th percentile of that number on
dermoscopic pictures kept out of training are known, and between and beyond them it is read as a tail probability: 1
means that one dermoscopic picture in ten is as odd, 2 one in a hundred, 3 one in a thousand. The score is the highest
of the five, so that whatever raises an alarm also names the reason. `lesionlens calibrate` fits all of it
(`lesionlens.calibration.reference`); docs/suitability.md tells how the detectors were chosen and how well they do.

Nothing but numpy is needed, and the statistics are read without ever executing anything that they hold.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
import numpy.typing as npt

from lesionlens.errors import BundleError
from lesionlens.imaging.appearance import BANDS, STATISTICS, SURROUND, Appearance
from lesionlens.imaging.quality import Hint
from lesionlens.inference.records import ReferenceRule

__all__ = ["PARTS", "Mixture", "Reference", "Suitability"]

Floats = npt.NDArray[np.floating]
Doubles = npt.NDArray[np.float64]

PARTS: Final = ("detail", "colour", "lesion", "appearance", "features")
"""The detectors, in the order of `Reference.tails`.

- `detail`: how power is shared among six octaves of detail, by a Gaussian mixture;
- `colour`: the colour of the border, in CIELAB, by a Gaussian mixture;
- `lesion`: the power in shapes of 2–8 cycles per side; low where nothing stands out;
- `appearance`: distance to the nearest reference pictures in all statistics of `lesionlens.imaging.appearance`;
- `features`: the part of the network's features that lies outside the subspace of the reference pictures' features.
"""

_NEIGHBOUR: Final = 5
_FINE, _COARSE = ("power_16", "power_32"), ("power_2", "power_4")

_BLURRED: Final = Hint("blurred", "It is far too blurred.")
_DETAIL: Final = Hint("detail", "Its shapes and fine detail are not those of skin under a dermatoscope.")
_REASONS: Final = {
    "colour": Hint("colour", "The skin, or what is in its place, has a colour that no dermatoscope gives."),
    "lesion": Hint("no_lesion", "No lesion stands out from the skin."),
    "appearance": Hint(
        "appearance", "Its colours, contrast and shapes together are unlike those of dermoscopic pictures."
    ),
    "features": Hint("features", "The model finds hardly anything in it that it knows from dermoscopic pictures."),
}


@dataclass(frozen=True, slots=True)
class Suitability:
    """Whether a picture is one that the network may judge.

    Attributes:
        score: Higher means less like the dermoscopic pictures that the network was trained on; about −log10 of the
            share of dermoscopic pictures that are as odd.
        threshold: A picture whose score is above it is not suitable.
        suitable: Whether the score is at most the threshold.
        reasons: What speaks against the picture, the strongest first; empty when it is suitable, never empty when it is
            not.
    """

    score: float
    threshold: float
    suitable: bool
    reasons: tuple[Hint, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Mixture:
    """A Gaussian mixture.

    Attributes:
        weights: `[M]`, summing to 1.
        means: `[M, D]`.
        roots: `[M, D, D]`, upper triangular: precision = root · rootᵀ (scikit-learn's `precisions_cholesky_`).
    """

    weights: Floats
    means: Floats
    roots: Floats

    def surprise(self, values: Floats) -> Doubles:
        """Return −log of the density, without the constant, at each row of `[N, D]`: float64 `[N]`."""
        offsets = np.einsum("nmd,mde->nme", values[:, None] - self.means, self.roots)
        scales = np.log(np.diagonal(self.roots, axis1=1, axis2=2)).sum(axis=1)
        logs = np.log(self.weights) + scales - 0.5 * (offsets**2).sum(axis=2)
        highest = logs.max(axis=1, keepdims=True)
        return np.asarray(-(highest[:, 0] + np.log(np.exp(logs - highest).sum(axis=1))), dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """Statistics of dermoscopic pictures, and what is odd among them.

    All arrays are kept in single precision; a bundle's file holds the large ones in half precision.

    Attributes:
        centre: `[28]`, mean of each statistic of `lesionlens.imaging.appearance`.
        scale: `[28]`, its standard deviation.
        detail: Mixture of the standardised octave powers.
        colour: Mixture of the standardised colour of the border.
        neighbours: `[R, 28]`, standardised statistics of reference pictures, at least five.
        feature_mean: `[K]`, mean features of the reference pictures.
        feature_axes: `[P, K]`, principal axes of their features.
        tails: `[5, 2]`, 90th and 99th percentile of each detector (in the order of `PARTS`) on held-out pictures.
        threshold: A picture whose score is above it is not suitable.
    """

    centre: Floats
    scale: Floats
    detail: Mixture
    colour: Mixture
    neighbours: Floats
    feature_mean: Floats
    feature_axes: Floats
    tails: Floats
    threshold: float

    def distances(self, features: Floats, looks: Sequence[Appearance]) -> Doubles:
        """Return what each detector measures, on its own scale.

        Args:
            features: `[N, K]`, the network's pooled features.
            looks: What was measured on the same N pictures.

        Returns:
            float64 `[N, 5]`, in the order of `PARTS`.
        """
        statistics = (np.array([look.statistics for look in looks]) - self.centre) / self.scale
        coarse = np.array([[look[name] for name in _COARSE] for look in looks])
        offset = features - self.feature_mean
        inside = offset @ self.feature_axes.T
        # Pythagoras: the axes are orthonormal, so what they do not explain needs no second product.
        outside = np.maximum((offset**2).sum(axis=1) - (inside**2).sum(axis=1), 0.0)
        parts = {
            "detail": self.detail.surprise(statistics[:, BANDS]),
            "colour": self.colour.surprise(statistics[:, SURROUND]),
            "lesion": -coarse.sum(axis=1),
            "appearance": _nearest(statistics, self.neighbours),
            "features": np.sqrt(outside),
        }
        return np.stack([parts[name] for name in PARTS], axis=1).astype(np.float64)

    def scores(self, features: Floats, looks: Sequence[Appearance]) -> Doubles:
        """Return each detector's tail score, about −log10 of the share of dermoscopic pictures that are as odd.

        Args:
            features: `[N, K]`, the network's pooled features.
            looks: What was measured on the same N pictures.

        Returns:
            float64 `[N, 5]`, in the order of `PARTS`; 1 at the 90th and 2 at the 99th percentile of the held-out
            pictures, a straight line through both elsewhere (an exponential tail).
        """
        often, seldom = self.tails[:, 0], self.tails[:, 1]
        return 1.0 + (self.distances(features, looks) - often) / (seldom - often)

    def judge(self, features: Floats, look: Appearance) -> Suitability:
        """Say whether one picture may be judged.

        Args:
            features: `[K]`, the network's pooled features.
            look: What was measured on the picture.
        """
        [scores] = self.scores(features[None], [look])
        score = float(scores.max())
        raised = [PARTS[i] for i in np.argsort(-scores, kind="stable") if scores[i] > self.threshold]
        return Suitability(
            score=score,
            threshold=self.threshold,
            suitable=score <= self.threshold,
            reasons=tuple(self._reason(part, look) for part in raised),
        )

    def _reason(self, part: str, look: Appearance) -> Hint:
        if part != "detail":
            return _REASONS[part]
        fine = [(look[name] - self.centre[i]) / self.scale[i] for name in _FINE for i in [STATISTICS.index(name)]]
        return _BLURRED if np.mean(fine) < -1.0 else _DETAIL

    def to_bytes(self) -> bytes:
        """Return the statistics as a bundle keeps them: an `.npz` file of plain arrays, without the threshold."""
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        for name in _MIXTURES:
            arrays |= {f"{name}_{field.name}": getattr(getattr(self, name), field.name) for field in fields(Mixture)}
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, array in arrays.items():  # by hand: `np.savez` stamps the time, so no two files were equal
                data = io.BytesIO()
                np.save(data, array.astype(np.float16 if name in _HALF else np.float32), allow_pickle=False)
                archive.writestr(zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0)), data.getvalue())
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes, rule: ReferenceRule) -> Reference:
        """Read the statistics of a bundle.

        Args:
            data: The file that `to_bytes` made.
            rule: The manifest's rule.

        Raises:
            BundleError: The file is not one of these statistics.
        """
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as file:
                arrays = {name: file[name].astype(np.float32) for name in file.files}
            mixtures = {
                name: Mixture(**{field.name: arrays.pop(f"{name}_{field.name}") for field in fields(Mixture)})
                for name in _MIXTURES
            }
            reference = cls(**arrays, **mixtures, threshold=rule.threshold)  # type: ignore[arg-type]
        except (ValueError, KeyError, TypeError, EOFError, OSError, zipfile.BadZipFile) as error:
            raise BundleError(f"{rule.file} holds no reference statistics of method {rule.method}: {error}") from error
        if reference.centre.shape != (len(STATISTICS),) or reference.tails.shape != (len(PARTS), 2):
            raise BundleError(f"{rule.file} holds the statistics of another LesionLens; run lesionlens calibrate again")
        return reference


_MIXTURES: Final = ("detail", "colour")
_HALF: Final = ("neighbours", "feature_axes")
_ARRAYS: Final = tuple(f.name for f in fields(Reference) if f.name not in (*_MIXTURES, "threshold"))


def _nearest(values: Floats, others: Floats) -> Doubles:
    """Return the distance of each row of `[N, D]` to its fifth nearest among `[R, D]`: float64 `[N]`."""
    squares = (values**2).sum(axis=1)[:, None] - 2.0 * values @ others.T + (others**2).sum(axis=1)
    nth = np.partition(squares, _NEIGHBOUR - 1, axis=1)[:, _NEIGHBOUR - 1]
    return np.asarray(np.sqrt(np.maximum(nth, 0.0)), dtype=np.float64)
