"""Good files: every accepted format becomes an upright RGB photo."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from image_files import encode, noise, quadrants, with_orientation
from PIL import Image, ImageOps

from lesionlens.imaging import Photo, decode

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF")
EXIF_FORMATS = ("JPEG", "PNG", "WEBP", "TIFF")


def pixels(photo: Photo) -> np.ndarray:
    return np.asarray(photo.image).astype(int)


@pytest.mark.parametrize("file_format", FORMATS)
def test_every_accepted_format_is_read(file_format: str) -> None:
    photo = decode(encode(quadrants(), file_format))
    assert (photo.format, photo.width, photo.height) == (file_format, 64, 32)
    assert photo.image.mode == "RGB"
    assert photo.image.size == (64, 32)
    assert np.abs(pixels(photo)[4, 4] - [255, 0, 0]).max() < 8


def test_real_photos_are_read_pixel_for_pixel(real_sample: dict[str, bytes]) -> None:
    for data in real_sample.values():
        photo = decode(data)
        with Image.open(io.BytesIO(data)) as expected:
            assert photo.format == "JPEG"
            assert (photo.width, photo.height) == expected.size
            assert np.array_equal(np.asarray(photo.image), np.asarray(expected.convert("RGB")))


@pytest.mark.parametrize("file_format", EXIF_FORMATS)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_photos_are_turned_upright(file_format: str, orientation: int) -> None:
    upright = quadrants()
    # What a camera held that way stores: the picture that Pillow's own reader of the tag turns back.
    stored = next(
        s
        for s in [upright, *(upright.transpose(t) for t in Image.Transpose)]
        if _turned(s, orientation) == (upright.size, upright.tobytes())
    )
    photo = decode(with_orientation(stored, file_format, orientation))
    assert (photo.width, photo.height) == photo.image.size == (64, 32)
    for (x, y), colour in {(8, 4): (255, 0, 0), (56, 4): (0, 255, 0), (8, 28): (0, 0, 255)}.items():
        assert np.abs(pixels(photo)[y, x] - colour).max() < 12


def _turned(image: Image.Image, orientation: int) -> tuple[tuple[int, int], bytes]:
    with Image.open(io.BytesIO(with_orientation(image, "PNG", orientation))) as file:
        turned = ImageOps.exif_transpose(file)
    return turned.size, turned.tobytes()


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_impossible_orientation_is_ignored(orientation: int) -> None:
    assert decode(with_orientation(quadrants(), "JPEG", orientation)).image.size == (64, 32)


@pytest.mark.filterwarnings("ignore:.*EXIF:UserWarning")
@pytest.mark.parametrize(
    "exif", [b"Exif\x00\x00", b"Exif\x00\x00garbage", b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\xff\xff"]
)
def test_damaged_exif_does_not_cost_the_photo(exif: bytes) -> None:
    assert decode(encode(quadrants(), "JPEG", exif=exif)).image.size == (64, 32)


def test_the_photo_carries_no_metadata_of_the_file() -> None:
    exif = Image.Exif()
    exif[0x010E] = "where I live"
    photo = decode(encode(quadrants(), "JPEG", exif=exif, comment=b"secret", dpi=(300, 300)))
    assert photo.image.info == {}
    assert dict(photo.image.getexif()) == {}


def test_a_multi_picture_jpeg_of_a_phone_is_a_jpeg() -> None:
    first, second = Image.new("RGB", (640, 480), "red"), Image.new("RGB", (640, 480), "blue")
    data = encode(first, "MPO", save_all=True, append_images=[second])
    for min_side, size in [(None, (640, 480)), (100, (160, 120))]:
        photo = decode(data, min_side=min_side)
        assert photo.format == "JPEG"
        assert photo.image.size == size
        assert np.abs(pixels(photo) - [255, 0, 0]).max() < 4


@pytest.mark.parametrize("file_format", ["PNG", "WEBP", "TIFF"])
def test_of_an_animation_or_many_pages_the_first_is_taken(file_format: str) -> None:
    first, second = Image.new("RGB", (40, 30), "red"), Image.new("RGB", (40, 30), "blue")
    photo = decode(encode(first, file_format, save_all=True, append_images=[second]))
    assert np.abs(pixels(photo) - [255, 0, 0]).max() < 4


@pytest.mark.parametrize("compression", ["raw", "packbits", "tiff_lzw", "tiff_adobe_deflate", "tiff_deflate"])
def test_lossless_tiff_compressions(compression: str) -> None:
    expected = noise()
    assert decode(encode(expected, "TIFF", compression=compression)).image.tobytes() == expected.tobytes()


@pytest.mark.parametrize(
    ("min_side", "reduced"),
    [
        (None, (1600, 1200)),
        (1200, (1600, 1200)),
        (601, (1600, 1200)),
        (600, (800, 600)),
        (300, (400, 300)),
        (1, (200, 150)),
    ],
)
@pytest.mark.parametrize("progressive", [False, True])
def test_a_large_jpeg_is_reduced_but_not_below_min_side(
    min_side: int | None, reduced: tuple[int, int], progressive: bool
) -> None:
    data = encode(noise(1600, 1200), "JPEG", progressive=progressive)
    photo = decode(data, min_side=min_side)
    assert photo.image.size == reduced
    assert (photo.width, photo.height) == (1600, 1200)


def test_a_reduced_photo_held_sideways_is_upright_with_its_full_size() -> None:
    photo = decode(with_orientation(quadrants(1600, 1200), "JPEG", 6), min_side=300)
    assert photo.image.size == (300, 400)
    assert (photo.width, photo.height) == (1200, 1600)


def test_odd_sides_are_never_reduced_below_min_side() -> None:
    for width, height in [(801, 399), (399, 801), (1023, 1025)]:
        for min_side in (50, 99, 100, 101, 199, 200, 399):
            photo = decode(encode(Image.new("L", (width, height)), "JPEG"), min_side=min_side)
            assert min(photo.image.size) >= min(min_side, width, height)


@pytest.mark.parametrize("file_format", ["PNG", "WEBP", "BMP", "TIFF"])
def test_other_formats_are_not_reduced(file_format: str) -> None:
    assert decode(encode(quadrants(320, 160), file_format), min_side=10).image.size == (320, 160)


@pytest.mark.parametrize("min_side", [0, -5])
def test_min_side_must_be_positive(min_side: int) -> None:
    with pytest.raises(ValueError, match="min_side must be at least 1 pixel"):
        decode(encode(quadrants(), "JPEG"), min_side=min_side)


def test_a_picture_of_one_pixel_is_a_picture() -> None:
    assert decode(encode(Image.new("RGB", (1, 1), "red"), "PNG")).image.getpixel((0, 0)) == (255, 0, 0)


def test_many_threads_get_what_one_thread_gets(real_sample: dict[str, bytes]) -> None:
    files = list(real_sample.values()) * 5
    alone = [decode(data).image.tobytes() for data in files]
    with ThreadPoolExecutor(8) as pool:
        assert [photo.image.tobytes() for photo in pool.map(decode, files)] == alone
