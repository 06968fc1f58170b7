"""The one preprocessing function: an upright RGB picture to the tensor that the network takes.

Training, evaluation and serving all call it, driven by the `PreprocessSpec` in the bundle's manifest, so that a
network is never served pictures prepared otherwise than those it learned from.

Example:
    >>> from PIL import Image
    >>> spec = PreprocessSpec(size=64)
    >>> preprocess(Image.new("RGB", (100, 80)), spec).shape
    (3, 64, 64)
"""

from __future__ import annotations

from concurrent.futures import Executor
from typing import Annotated, Final, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field

__all__ = ["PreprocessSpec", "crop_box", "denormalise", "fit_image", "normalise", "preprocess"]

Unit = Annotated[float, Field(ge=0.0, le=1.0)]
Positive = Annotated[float, Field(gt=0.0)]

_SMALLEST_DECODE_SIDE: Final = 512
_WORTH_HALVING: Final = 1_000_000  # pixels; smaller pictures take a few milliseconds
_RESAMPLING = {
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}


class PreprocessSpec(BaseModel):
    """How a picture becomes a network's input.

    Attributes:
        size: Side of the square input in pixels.
        fit: `center_crop` takes the largest centred square; `squash` takes the whole picture and gives up its aspect.
        interpolation: Resampling filter; all are antialiased when shrinking (Pillow's definition).
        mean: Per-channel mean on the 0–1 scale, RGB.
        std: Per-channel standard deviation on the 0–1 scale, RGB.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    size: Annotated[int, Field(ge=32, le=2048)]
    fit: Literal["center_crop", "squash"] = "center_crop"
    interpolation: Literal["bilinear", "bicubic", "lanczos"] = "bilinear"
    mean: tuple[Unit, Unit, Unit] = (0.485, 0.456, 0.406)
    std: tuple[Positive, Positive, Positive] = (0.229, 0.224, 0.225)

    @property
    def decode_side(self) -> int:
        """Shorter side in pixels to which a large JPEG may be reduced while it is decoded (`decode(min_side=…)`).

        At three times the network's input the answer moves about as much as saving as JPEG moves it: docs/imaging.md.
        Never below 512, so that heatmaps of the usual size need not be drawn over a smaller picture.
        """
        return max(3 * self.size, _SMALLEST_DECODE_SIDE)


def crop_box(width: int, height: int, spec: PreprocessSpec) -> tuple[int, int, int, int]:
    """Return the part of a picture that the network sees.

    Args:
        width: Picture width in pixels.
        height: Picture height in pixels.
        spec: The bundle's preprocessing.

    Returns:
        `(left, top, right, bottom)` in pixels of the picture; heatmaps are drawn back into this box.
    """
    if spec.fit == "squash":
        return (0, 0, width, height)
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    return (left, top, left + side, top + side)


def fit_image(image: Image.Image, spec: PreprocessSpec, *, helpers: Executor | None = None) -> npt.NDArray[np.uint8]:
    """Crop and resize to the network's square.

    Args:
        image: Upright RGB picture.
        spec: The bundle's preprocessing.
        helpers: Threads, one of which makes the lower half of a large picture meanwhile. The pixels are the same:
            filters reach over the line between the halves.

    Returns:
        uint8 `[size, size, 3]`, RGB.

    Raises:
        ValueError: The picture is not in RGB mode.
    """
    if image.mode != "RGB":
        raise ValueError(f"expected an RGB picture, got mode {image.mode!r}; decode it with lesionlens.imaging")
    left, top, right, bottom = crop_box(image.width, image.height, spec)
    # Halves of an odd number of rows would begin at a fraction that is rounded, and some pixels with it.
    if helpers is None or spec.size % 2 or (right - left) * (bottom - top) < _WORTH_HALVING:
        return _resized(image, spec, spec.size, (left, top, right, bottom))
    middle = (top + bottom) / 2
    lower = helpers.submit(_resized, image, spec, spec.size // 2, (left, middle, right, bottom))
    upper = _resized(image, spec, spec.size // 2, (left, top, right, middle))
    return np.concatenate([upper, lower.result()])


def _resized(
    image: Image.Image, spec: PreprocessSpec, rows: int, box: tuple[float, float, float, float]
) -> npt.NDArray[np.uint8]:
    resized = image.resize((spec.size, rows), resample=_RESAMPLING[spec.interpolation], box=box)
    return np.asarray(resized, dtype=np.uint8)


def normalise(pixels: npt.NDArray[np.uint8], spec: PreprocessSpec) -> npt.NDArray[np.float32]:
    """Scale pixels to the range that the network was trained on.

    Args:
        pixels: uint8 `[..., H, W, 3]`, RGB.
        spec: The bundle's preprocessing.

    Returns:
        float32 `[..., 3, H, W]`, contiguous: `(pixels / 255 − mean) / std`.
    """
    scale = (1.0 / (255.0 * np.asarray(spec.std, dtype=np.float64))).astype(np.float32)
    shift = (-np.asarray(spec.mean, dtype=np.float64) / np.asarray(spec.std, dtype=np.float64)).astype(np.float32)
    planes = np.moveaxis(pixels, -1, -3)
    # Plane by plane into the result: no intermediate picture, and a third of the time.
    result = np.empty(planes.shape, dtype=np.float32)
    for i in range(len(scale)):
        plane = result[..., i, :, :]
        np.multiply(planes[..., i, :, :], scale[i], out=plane)
        plane += shift[i]
    return result


def denormalise(tensors: npt.NDArray[np.float32], spec: PreprocessSpec) -> npt.NDArray[np.uint8]:
    """Return the pixels that `normalise` made tensors of.

    Args:
        tensors: float32 `[..., 3, H, W]`.
        spec: The bundle's preprocessing.

    Returns:
        uint8 `[..., H, W, 3]`, RGB, contiguous; values outside 0–255 are clipped.
    """
    scale = (255.0 * np.asarray(spec.std, dtype=np.float64)).astype(np.float32)
    shift = (255.0 * np.asarray(spec.mean, dtype=np.float64)).astype(np.float32)
    pixels = np.rint(np.moveaxis(tensors, -3, -1) * scale + shift)
    return np.ascontiguousarray(np.clip(pixels, 0.0, 255.0).astype(np.uint8))


def preprocess(image: Image.Image, spec: PreprocessSpec) -> npt.NDArray[np.float32]:
    """Turn an upright RGB picture into one network input.

    Args:
        image: Upright RGB picture of any size.
        spec: The bundle's preprocessing.

    Returns:
        float32 `[3, size, size]`.

    Raises:
        ValueError: The picture is not in RGB mode.
    """
    return normalise(fit_image(image, spec), spec)
