"""What a load test sends."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from lesionlens.errors import DataError
from lesionlens.imaging import decode

__all__ = ["drawn_photo", "read_photos"]

_SKIN: Final = (222, 176, 150)
_LESION: Final = (112, 70, 48)


def drawn_photo(width: int = 600, height: int = 450, seed: int = 0) -> bytes:
    """Draw a brown spot on grainy skin, as large as the pictures of ISIC mostly are.

    Args:
        width: In pixels.
        height: In pixels.
        seed: Another one gives another grain and another place.

    Returns:
        A JPEG file.
    """
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    centre_x, centre_y = width * random.uniform(0.4, 0.6), height * random.uniform(0.4, 0.6)
    angle = np.arctan2(y - centre_y, x - centre_x)
    radius = min(width, height) * (0.25 + 0.03 * np.sin(3 * angle + random.uniform(0, 6)))
    inside = 1 / (1 + np.exp((np.hypot(x - centre_x, y - centre_y) - radius) / 4))
    pixels = np.array(_SKIN) + inside[..., None] * (np.array(_LESION) - np.array(_SKIN))
    pixels += random.normal(0, 6, (height, width, 1))
    stream = io.BytesIO()
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(stream, "JPEG", quality=90)
    return stream.getvalue()


def read_photos(paths: Sequence[Path], most: int = 100) -> list[bytes]:
    """Read pictures to send.

    Args:
        paths: Picture files, and folders of which the JPEG, PNG and WebP files are taken.
        most: Most pictures that are kept in memory.

    Returns:
        1–`most` files; a drawn one if no path is given.

    Raises:
        DataError: There is no picture, or one of them cannot be read.
    """
    if not paths:
        return [drawn_photo()]
    files: list[Path] = []
    for path in paths:
        found = (p for p in path.rglob("*") if p.suffix.lower() in {".jpg", ".jpeg", ".png", ".webp"})
        files += sorted(found) if path.is_dir() else [path]
    if not files:
        raise DataError(f"there is no picture (.jpg, .png or .webp) in {', '.join(map(str, paths))}")
    photos = [file.read_bytes() for file in files[:most]]
    for file, photo in zip(files, photos, strict=False):
        try:
            decode(photo)  # a file that the service refuses would measure its refusals
        except Exception as error:
            raise DataError(f"{file}: {error}") from error
    return photos
