"""The PNG writer gives files that hold exactly the picture, and are no larger than Pillow's quick ones."""

from __future__ import annotations

import io
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from lesionlens.imaging.png import encode_png
from serving import draw_lesion, encode


def read(data: bytes) -> Image.Image:
    """Read a file; Pillow checks every chunk's CRC."""
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (9, 1), (2, 3), (64, 48), (513, 385)])
def test_the_file_holds_the_picture(size: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    image = read(encode_png(Image.fromarray(noise)))
    assert (image.format, image.mode, image.size) == ("PNG", "RGB", size)
    assert np.array_equal(np.asarray(image), noise)


def test_steps_that_wrap_around_are_restored() -> None:
    image = Image.fromarray(np.array([[[0, 255, 7], [255, 0, 8], [1, 254, 6]]], dtype=np.uint8))
    assert np.array_equal(np.asarray(read(encode_png(image))), np.asarray(image))


def test_a_photo_takes_no_more_bytes_than_with_pillows_quickest_level() -> None:
    photo = draw_lesion(512, 384)
    assert len(encode_png(photo)) <= len(encode(photo, "PNG", compress_level=1))


def test_a_picture_of_one_colour_takes_next_to_nothing() -> None:
    assert len(encode_png(Image.new("RGB", (512, 384), "tan"))) < 6000


def test_a_damaged_file_is_noticed() -> None:
    data = bytearray(encode_png(draw_lesion(64, 48)))
    data[60] ^= 0xFF
    with pytest.raises((OSError, SyntaxError, zlib.error)):
        read(bytes(data))


def test_other_modes_are_refused() -> None:
    with pytest.raises(ValueError, match="mode 'L'"):
        encode_png(Image.new("L", (4, 4)))


@pytest.mark.parametrize("size", [(1, 1), (5, 2), (64, 49), (512, 384)])
def test_two_threads_write_the_same_bytes_as_one(size: tuple[int, int]) -> None:
    image = draw_lesion(512, 384).resize(size)
    with ThreadPoolExecutor(1) as helpers:
        data = encode_png(image, helpers=helpers)
    assert data == encode_png(image)
    assert np.array_equal(np.asarray(read(data)), np.asarray(image))
