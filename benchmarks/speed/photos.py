"""The photos that are sent: ISIC's usual 600 × 450 pixels, and a phone's 12 megapixels."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from PIL import Image

from lesionlens.datasets import ImageSource, read_samples
from lesionlens.imaging import decode
from lesionlens.loadtest.photos import drawn_photo

__all__ = ["DATA", "LARGE", "SMALL", "Photos", "make_photos"]

DATA: Final = Path(__file__).resolve().parents[3] / "shared" / "data"
SMALL: Final = (600, 450)
LARGE: Final = (4000, 3000)

_MIN_SIDE: Final = 400  # pixels; a smaller picture enlarged to 12 megapixels is all blur, and decodes too quickly
_QUALITY: Final = 92  # as phones and dermatoscopes save
_NOISE: Final = 4.0  # levels of 0–255; an enlarged picture has no sensor noise, of which most bytes of a photo are made
_TILE: Final = 500  # pixels; divides both sides of both sizes but 450


class Photos(NamedTuple):
    """What is sent.

    Attributes:
        small: JPEG files of 600 × 450 pixels.
        large: One JPEG file of 4000 × 3000 pixels.
        source: Where the pictures come from, in words.
    """

    small: list[bytes]
    large: bytes
    source: str


def make_photos(data: Path = DATA, count: int = 4) -> Photos:
    """Make the photos, the same ones on every call: of real ones where there are any, drawn ones elsewhere.

    Args:
        data: Folder of ISIC 2019 pictures; it need not exist.
        count: How many small photos.
    """
    rng = np.random.default_rng(0)
    if (data / "isic2019_folds.csv").is_file():
        source = ImageSource(data)
        usable = [sample for sample in read_samples(data) if sample.fold == 0 and sample.short_side >= _MIN_SIDE]
        originals = [decode(source.read(sample.image)).image for sample in usable[:count]]
        words = "real test-fold photos of ISIC 2019, brought to these sizes with a sensor's noise"
    else:
        originals = [decode(drawn_photo(seed=seed)).image for seed in range(count)]
        words = "drawn lesions, since no real photos lie beside the checkout"
    small = [_file(original, SMALL, rng) for original in originals]
    return Photos(small, _file(originals[0], LARGE, np.random.default_rng(1)), words)


def _file(original: Image.Image, size: tuple[int, int], rng: np.random.Generator) -> bytes:
    pixels = np.asarray(original.resize(size, Image.Resampling.LANCZOS), dtype=np.float32)
    # One tile of noise all over: drawing 36 million numbers would take longer than most measurements.
    tile = rng.normal(0.0, _NOISE, (_TILE, _TILE, 3)).astype(np.float32)
    repeats = (-(-size[1] // _TILE), -(-size[0] // _TILE), 1)
    noisy = pixels + np.tile(tile, repeats)[: size[1], : size[0]]
    stream = io.BytesIO()
    Image.fromarray(np.clip(np.rint(noisy), 0, 255).astype(np.uint8)).save(stream, "JPEG", quality=_QUALITY)
    return stream.getvalue()
