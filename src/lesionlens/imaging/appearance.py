"""Numbers that say how a picture looks, measured on the network's own input in about a millisecond.

They are taken at one working size whatever the network's, and no finer detail is used than the coarsest training
pictures hold (those of BCN20000 as they are spread for teaching have 84 px), so that a picture is not odd for having
come from a good camera or a poor one.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view
from PIL import Image

from lesionlens.imaging.cielab import to_cielab

__all__ = ["BANDS", "STATISTICS", "SURROUND", "Appearance", "measure"]

Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]

STATISTICS: Final = (
    *("power_1", "power_2", "power_4", "power_8", "power_16", "power_32"),
    *("surround_l", "surround_a", "surround_b"),
    *("centre_l", "centre_a", "centre_b"),
    *("median_l", "median_a", "median_b"),
    *("spread_l", "spread_a", "spread_b"),
    *("contrast_50", "contrast_95", "contrast_border"),
    *("axis_a", "axis_b", "second_axis", "third_axis"),
    *("skewness", "radial", "edges"),
)
"""Names of `Appearance.statistics`, in order.

- `power_f`: log10 of the power of the lightness in the octave from f to 2f cycles per picture side (Hann window).
- `surround_*`: median CIELAB colour of the border, which shows skin in most dermoscopic pictures; `centre_*`: that of
  the middle less that of the border.
- `median_*`, `spread_*`: median and standard deviation of each CIELAB channel.
- `contrast_50`, `contrast_95`, `contrast_border`: percentiles of the colour difference ΔE to the border's median colour
  over the picture, and its median within the border.
- `axis_a`, `axis_b`: a* and b* of the unit vector along which colours vary most (pigment darkens skin in a set way);
  `second_axis`, `third_axis`: log10 of the variances across it.
- `skewness`: of the lightness; `radial`: correlation of ΔE with the distance from the middle; `edges`: log10 of the
  mean squared over the squared mean step between neighbouring pixels, high where there are few but strong edges.
"""

BANDS: Final = slice(0, 6)
SURROUND: Final = slice(6, 9)

_SIDE: Final = 128
_CELL: Final = 4  # px of the working size; colours are taken on a grid of such cells
_GRID: Final = _SIDE // _CELL
_DARK: Final = 15.0  # L*; what a tube or a vignette leaves of the skin
_WHITE: Final = 250  # of 255, in all three channels
_LINE: Final = 20  # of 255; a line that a closing fills must be this much darker than what is beside it
_LINE_WIDTH: Final = 5  # px, odd; wider lines are not hair
_LEAST_CELLS: Final = 30
# Variance (CIELAB²) and power about as small as 8-bit rounding makes them: logarithms of flat pictures stay finite.
_TINY_VARIANCE: Final = 1e-2
_TINY_POWER: Final = 1e-8


@dataclass(frozen=True, slots=True, eq=False)
class Appearance:
    """What was measured on one picture.

    Attributes:
        statistics: float32 `[28]`, named by `STATISTICS`.
        overexposed: Share of the picture that is white or all but white, 0–1.
        dark_corners: Share of the picture that is all but black around its middle, 0–0.8.
        thin_lines: Share of the picture under thin dark lines, 0–1.
    """

    statistics: Floats
    overexposed: float
    dark_corners: float
    thin_lines: float

    def __getitem__(self, name: str) -> float:
        """Return a statistic by name."""
        return float(self.statistics[STATISTICS.index(name)])


def _octaves() -> npt.NDArray[np.int64]:
    """Return the octave of each cell of the half spectrum: 1 for 1–2 cycles per side to 6 for 32–64; 0, 7: outside."""
    rows, columns = np.fft.fftfreq(_SIDE)[:, None] * _SIDE, np.fft.rfftfreq(_SIDE)[None] * _SIDE
    frequency = np.maximum(np.hypot(rows, columns), 0.5)
    octaves: npt.NDArray[np.int64] = np.floor(np.log2(frequency)).astype(np.int64) + 1
    return octaves.ravel()


_WINDOW: Final = np.outer(np.hanning(_SIDE + 2)[1:-1], np.hanning(_SIDE + 2)[1:-1]).astype(np.float32)
_OCTAVE: Final = _octaves()
_OFFSET: Final = (np.arange(_GRID) - (_GRID - 1) / 2) / (_GRID / 2)  # −1 to 1
_RADIUS: Final = np.hypot(_OFFSET[:, None], _OFFSET[None])
_FAR: Final = _RADIUS > 0.5
_MIDDLE: Final = _RADIUS < 0.5
_BORDER: Final = np.maximum(np.abs(_OFFSET[:, None]), np.abs(_OFFSET[None])) > 0.75


def measure(pixels: npt.NDArray[np.uint8]) -> Appearance:
    """Measure a picture.

    Args:
        pixels: uint8 `[S, S, 3]`, RGB, as the network sees them.

    Returns:
        The numbers; all are finite for any picture.
    """
    picture = Image.fromarray(pixels).resize((_SIDE, _SIDE), Image.Resampling.BILINEAR)
    grey = picture.convert("L")
    lightness = np.asarray(grey, dtype=np.float32) / 255.0
    colours = to_cielab(np.asarray(picture.reduce(_CELL)))
    corners = _FAR & (colours[..., 0] < _DARK)
    statistics = np.concatenate([_powers(lightness), _colour_statistics(colours, ~corners), [_edges(lightness)]])
    return Appearance(
        statistics=statistics.astype(np.float32),
        overexposed=_white_share(np.asarray(picture)),
        dark_corners=float(corners.mean()),
        thin_lines=_thin_lines(np.asarray(grey)),
    )


def _powers(lightness: Floats) -> Floats:
    centred = lightness - (lightness * _WINDOW).sum() / _WINDOW.sum()
    power = np.abs(np.fft.rfft2(centred * _WINDOW)) ** 2 / ((_WINDOW**2).sum() * lightness.size)
    return np.asarray(np.log10(np.bincount(_OCTAVE, power.ravel(), 8)[1:7] + _TINY_POWER), dtype=np.float32)


def _colour_statistics(colours: Floats, seen: Bools) -> Floats:
    """Return all statistics between the powers and the edges.

    Args:
        colours: float32 `[32, 32, 3]`, CIELAB.
        seen: bool `[32, 32]`, where no dark corner is.
    """
    border = _BORDER & seen
    if border.sum() < _LEAST_CELLS:  # a round field of view: the outermost quarter of what it shows
        border = seen & (np.quantile(_RADIUS[seen], 0.75) <= _RADIUS)
    surround = np.median(colours[border], axis=0)
    difference = np.linalg.norm(colours - surround, axis=-1)
    shown = colours[seen]
    spread = shown.std(axis=0)
    centred = shown - shown.mean(axis=0)
    variances, axes = np.linalg.eigh(centred.T @ centred / len(centred) + _TINY_VARIANCE * np.eye(3))
    axis = axes[:, 2] * (1.0 if axes[0, 2] >= 0 else -1.0)  # towards lighter
    return np.concatenate(
        [
            surround,
            np.median(colours[_MIDDLE], axis=0) - surround,
            np.median(shown, axis=0),
            spread,
            np.percentile(difference[seen], (50, 95)),
            [np.median(difference[border])],
            axis[1:],
            np.log10(variances[1::-1]),
            [(centred[:, 0] ** 3).mean() / (spread[0] + 0.5) ** 3, _correlation(difference[seen], _RADIUS[seen])],
        ]
    )


def _correlation(values: Floats, others: npt.NDArray[np.float64]) -> float:
    """Return Pearson's correlation; 0 where the values hardly vary."""
    a, b = values - values.mean(), others - others.mean()
    return float((a * b).mean() / (np.sqrt((a * a).mean() * (b * b).mean()) + 1e-3))


def _edges(lightness: Floats) -> float:
    steps = np.abs(np.concatenate([np.diff(lightness, axis=0).ravel(), np.diff(lightness, axis=1).ravel()]))
    return float(np.log10((np.mean(steps**2) + 1e-9) / (np.mean(steps) + 1e-5) ** 2))


def _white_share(pixels: npt.NDArray[np.uint8]) -> float:
    white = pixels >= _WHITE
    return float((white[..., 0] & white[..., 1] & white[..., 2]).mean())


def _thin_lines(grey: npt.NDArray[np.uint8]) -> float:
    """Return the share that a morphological closing lightens: the hair detector of DullRazor.

    Lee, Ng, Gallagher, Coldman & McLean 1997, *DullRazor: A software approach to hair removal from images*, Computers
    in Biology and Medicine 27; here with a square for all directions at once.
    """
    closed = grey
    picks: tuple[np.ufunc, ...] = (np.maximum, np.minimum)
    for pick in picks:  # dilation, then erosion; each along columns, then rows
        for axis in (0, 1):
            reach = [(_LINE_WIDTH // 2,) * 2 if a == axis else (0, 0) for a in (0, 1)]
            windows = sliding_window_view(np.pad(closed, reach, mode="edge"), _LINE_WIDTH, axis=axis)
            closed = functools.reduce(pick, (windows[..., i] for i in range(_LINE_WIDTH)))
    return float((closed.astype(np.int16) - grey > _LINE).mean())
