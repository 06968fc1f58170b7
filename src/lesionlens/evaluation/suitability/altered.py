"""Dermoscopic pictures spoilt as clinical photos are: blurred, in coloured light, or without the lesion.

Each alteration takes and gives an upright RGB picture, so that it passes through decoding size and preprocessing like
any photo.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

__all__ = ["BLURS", "CASTS", "MOST_LESION", "blurred", "in_coloured_light", "without_lesion"]

Floats = npt.NDArray[np.float32]

_IMAGENET_SIDE: Final = 224
BLURS: Final = {3: 3.0 / _IMAGENET_SIDE, 4: 4.0 / _IMAGENET_SIDE, 5: 6.0 / _IMAGENET_SIDE}
"""Standard deviation of a Gaussian blur as a share of the shorter side, by severity.

Those of ImageNet-C (Hendrycks & Dietterich 2019, *Benchmarking Neural Network Robustness to Common Corruptions and
Perturbations*, ICLR; `gaussian_blur`), which are in pixels of a 224 px picture.
"""

CASTS: Final = {
    "tungsten": (1.0, 0.76, 0.46),
    "shade": (0.62, 0.80, 1.0),
    "green": (0.66, 1.0, 0.66),
    "violet": (0.85, 0.60, 1.0),
}
"""Factors on red, green and blue (of sRGB values) of unbalanced light.

Tungsten and shade stand for bulbs and open sky seen by a camera set for daylight; green is light of old fluorescent
tubes or through leaves, violet that of a Wood's lamp.
"""

MOST_LESION: Final = 0.5
"""Largest share of the picture that may have to be filled: beyond it too little skin is left to fill it from."""

_DILATION: Final = 0.06
_TEXTURE: Final = 0.03


def blurred(image: Image.Image, severity: int) -> Image.Image:
    """Blur a picture.

    Args:
        image: RGB.
        severity: A key of `BLURS`.
    """
    return image.filter(ImageFilter.GaussianBlur(BLURS[severity] * min(image.size)))


def in_coloured_light(image: Image.Image, cast: str) -> Image.Image:
    """Give a picture a colour cast.

    Args:
        image: RGB.
        cast: A key of `CASTS`.
    """
    factors = CASTS[cast]
    table = [min(255, round(value * factor)) for factor in factors for value in range(256)]
    return image.point(table)


def without_lesion(image: Image.Image, mask: npt.NDArray[np.bool_], rng: np.random.Generator) -> Image.Image | None:
    """Replace the lesion by skin: the colour goes on from around it, the texture is taken from elsewhere.

    Args:
        image: RGB.
        mask: bool `[h, w]`, where the lesion is, of the same aspect; it is widened by 6 % of the side, since outlines
            are drawn tightly and a lesion's halo would give it away.
        rng: Chooses where texture is taken from.

    Returns:
        RGB of the same size; None where more than `MOST_LESION` of the picture would have to be filled.
    """
    reach = 2 * round(_DILATION * min(image.size)) + 1
    lesion = Image.fromarray(np.where(mask, 255, 0).astype(np.uint8))
    wide = lesion.resize(image.size, Image.Resampling.NEAREST).filter(ImageFilter.MaxFilter(reach))
    hole = np.asarray(wide) > 127
    if hole.mean() > MOST_LESION:
        return None
    pixels = np.asarray(image, dtype=np.float32)
    kept = (~hole).astype(np.float32)[..., None]
    filled = _continue_colours(pixels * kept, kept)
    smooth = _smooth(np.where(hole[..., None], filled, pixels), _TEXTURE * min(image.size))
    texture = _cover(pixels - smooth, hole, rng)
    result = np.where(hole[..., None], filled + texture, pixels)
    return Image.fromarray(np.clip(np.rint(result), 0, 255).astype(np.uint8))


def _continue_colours(weighted: Floats, weight: Floats) -> Floats:
    """Fill what has no weight smoothly from what surrounds it (pull-push, Gortler et al. 1996, *The Lumigraph*).

    Args:
        weighted: float32 `[h, w, 3]`, colours times their weight.
        weight: float32 `[h, w, 1]`, 0–1.

    Returns:
        float32 `[h, w, 3]`.
    """
    height, width = weight.shape[:2]
    if min(height, width) < 2:
        total = weight.sum()
        mean = weighted.sum(axis=(0, 1)) / max(float(total), 1e-6)
        return np.broadcast_to(mean, weighted.shape).astype(np.float32)
    even = ((0, height % 2), (0, width % 2), (0, 0))
    colours, share = (np.pad(a, even, mode="edge") for a in (weighted, weight))
    coarse_colours, coarse_share = (
        a.reshape(a.shape[0] // 2, 2, a.shape[1] // 2, 2, -1).sum(axis=(1, 3)) for a in (colours, share)
    )
    scale = np.where(coarse_share > 1.0, 1.0 / np.maximum(coarse_share, 1e-6), 1.0)
    coarse = _continue_colours(coarse_colours * scale, coarse_share * scale)
    around = _enlarge(coarse, (width, height))
    return weighted + (1.0 - weight) * around


def _enlarge(colours: Floats, size: tuple[int, int]) -> Floats:
    bands = (Image.fromarray(np.ascontiguousarray(colours[..., k])) for k in range(3))
    return np.stack([np.asarray(band.resize(size, Image.Resampling.BILINEAR)) for band in bands], axis=-1)


def _smooth(colours: Floats, sigma: float) -> Floats:
    picture = Image.fromarray(np.clip(np.rint(colours), 0, 255).astype(np.uint8))
    return np.asarray(picture.filter(ImageFilter.GaussianBlur(sigma)), dtype=np.float32)


def _cover(texture: Floats, hole: npt.NDArray[np.bool_], rng: np.random.Generator) -> Floats:
    """Cover a hole in a texture with shifted copies of the rest of it."""
    height, width = hole.shape
    result = np.where(hole[..., None], 0.0, texture).astype(np.float32)
    missing = hole.copy()
    for _ in range(40):
        if not missing.any():
            break
        shift = (int(rng.integers(height)), int(rng.integers(width)))
        found = missing & ~np.roll(hole, shift, axis=(0, 1))
        result[found] = np.roll(texture, shift, axis=(0, 1))[found]
        missing &= ~found
    return result
