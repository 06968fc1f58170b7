"""From the bytes of a picture to all that is kept of it while it waits for the network: its input and a preview."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from lesionlens.attention import fit_within
from lesionlens.imaging import Limits, decode
from lesionlens.imaging.appearance import Appearance, measure
from lesionlens.imaging.preprocess import PreprocessSpec, fit_image, normalise

__all__ = ["Prepared", "prepare"]


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """What is kept of a picture: a photo of 100 megapixels takes 300 MB, this takes one or two.

    Attributes:
        tensor: float32 `[3, size, size]`, the network's input.
        look: What was measured on the same pixels as the tensor was made of.
        decoded_size: `(width, height)` of the upright picture as it was decoded, perhaps reduced.
        preview: The upright picture, shrunk; None if none was asked for.
        width: Width in pixels of the upright picture before any reduction.
        height: Height in pixels, likewise.
        format: `JPEG`, `PNG`, …
    """

    tensor: npt.NDArray[np.float32]
    look: Appearance
    decoded_size: tuple[int, int]
    preview: Image.Image | None
    width: int
    height: int
    format: str


def prepare(
    data: bytes,
    spec: PreprocessSpec,
    *,
    limits: Limits,
    preview_side: int | None = None,
    helpers: Executor | None = None,
) -> Prepared:
    """Decode a picture and prepare it for the network.

    How it is decoded depends on the model alone, so that the answer is the same with and without a preview.

    Args:
        data: The bytes of an untrusted image file.
        spec: The bundle's preprocessing.
        limits: Largest accepted file and picture.
        preview_side: Longest side in pixels, at most, of the preview; None for no preview.
        helpers: Threads that make the preview and a part of the rest meanwhile; None does one after the other. They
            must not be those that call `prepare`, which wait for them.

    Raises:
        ImageError: The picture cannot be used.
    """
    photo = decode(data, limits=limits, min_side=spec.decode_side)
    if helpers is None:
        pixels = fit_image(photo.image, spec)
        preview = None if preview_side is None else fit_within(photo.image, preview_side)
        tensor, look = normalise(pixels, spec), measure(pixels)
    else:
        shrinking = None if preview_side is None else helpers.submit(fit_within, photo.image, preview_side)
        pixels = fit_image(photo.image, spec, helpers=helpers)
        measuring = helpers.submit(measure, pixels)
        tensor, look = normalise(pixels, spec), measuring.result()
        preview = None if shrinking is None else shrinking.result()
    return Prepared(
        tensor=tensor,
        look=look,
        decoded_size=photo.image.size,
        preview=preview,
        width=photo.width,
        height=photo.height,
        format=photo.format,
    )
