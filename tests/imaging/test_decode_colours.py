"""Colours: whatever a file holds comes out as the sRGB that a viewer would show over white."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from image_files import encode, noise, png, png_chunk, quadrants, tiff
from PIL import Image, ImageCms

from lesionlens.errors import UnsupportedImageError
from lesionlens.imaging import decode


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(decode(data).image).astype(int)


RAMP_16 = np.linspace(0, 65535, 64 * 16).reshape(16, 64).astype(np.uint16)


@pytest.mark.parametrize("file_format", ["PNG", "TIFF"])
def test_16_bit_grey_is_scaled_and_not_clipped(file_format: str) -> None:
    seen = pixels(encode(Image.fromarray(RAMP_16), file_format))
    assert np.array_equal(seen[..., 0], RAMP_16 >> 8)
    assert (seen[..., 0] == seen[..., 1]).all()
    assert (seen[..., 0] == seen[..., 2]).all()


def test_16_bit_grey_tiff_of_the_other_byte_order() -> None:
    image = Image.frombytes("I;16B", (64, 16), RAMP_16.astype(">u2").tobytes())
    assert np.array_equal(pixels(encode(image, "TIFF"))[..., 0], RAMP_16 >> 8)


def test_16_bit_grey_tiff_where_zero_is_white() -> None:
    seen = pixels(encode(Image.fromarray(RAMP_16), "TIFF", tiffinfo={262: 0}))
    assert np.array_equal(seen[..., 0], 255 - (RAMP_16 >> 8))


def test_12_bit_grey_tiff_uses_the_whole_range() -> None:
    values = bytes.fromhex("000fff") * 8  # 4 × 4 pixels of 12 bits: 0, 4095, 0, 4095, …
    seen = pixels(tiff({258: (3, 1, 12), 273: (4, 1, 0), 279: (4, 1, 24)}, values))
    assert np.array_equal(seen[..., 0], np.tile([0, 255], (4, 2)))


def test_16_bit_colour_keeps_the_upper_bits() -> None:
    raw = struct.pack(">3H", 0x1234, 0x8001, 0xFFFF)
    assert pixels(png(1, 1, pixels=zlib.compress(b"\x00" + raw), bits=16)).tolist() == [[[0x12, 0x80, 0xFF]]]


def test_palette_and_two_tone_and_grey() -> None:
    assert np.abs(pixels(encode(quadrants().quantize(8), "PNG"))[4, 4] - [255, 0, 0]).max() < 4
    assert pixels(encode(Image.new("1", (8, 8), 1), "PNG")).min() == 255
    assert pixels(encode(Image.new("L", (8, 8), 77), "PNG")).tolist() == [[[77] * 3] * 8] * 8


@pytest.mark.parametrize(
    ("image", "options", "expected"),
    [
        (Image.new("RGBA", (4, 4), (200, 0, 0, 0)), {}, (255, 255, 255)),
        (Image.new("RGBA", (4, 4), (200, 0, 0, 128)), {}, (227, 127, 127)),
        (Image.new("RGBA", (4, 4), (200, 0, 0, 255)), {}, (200, 0, 0)),
        (Image.new("LA", (4, 4), (0, 128)), {}, (127, 127, 127)),
        (Image.new("L", (4, 4), 50), {"transparency": 50}, (255, 255, 255)),
        (Image.new("RGB", (4, 4), (1, 2, 3)), {"transparency": (1, 2, 3)}, (255, 255, 255)),
        (Image.new("RGB", (4, 4), (1, 2, 3)), {"transparency": (1, 2, 4)}, (1, 2, 3)),
        (Image.new("P", (4, 4), 0), {"transparency": 0}, (255, 255, 255)),
        (Image.new("P", (4, 4), 0), {"transparency": b"\x80"}, (127, 127, 127)),
        (Image.fromarray(np.full((4, 4), 1000, np.uint16)), {"transparency": 1000}, (255, 255, 255)),
    ],
    ids=[
        "clear",
        "half",
        "opaque",
        "grey half",
        "grey key",
        "key",
        "other key",
        "palette",
        "palette half",
        "16 bit key",
    ],
)
def test_transparent_parts_lie_over_white(
    image: Image.Image, options: dict[str, object], expected: tuple[int, int, int]
) -> None:
    seen = pixels(encode(image, "PNG", **options))
    assert np.abs(seen - expected).max() <= 1


def test_a_16_bit_see_through_colour_lies_over_white() -> None:
    key = struct.pack(">3H", 0x0100, 0x0200, 0x0300)
    data = png(1, 1, extra=png_chunk(b"tRNS", key), pixels=zlib.compress(b"\x00" + key), bits=16)
    assert pixels(data).tolist() == [[[255, 255, 255]]]


def test_a_half_clear_webp_lies_over_white() -> None:
    half = Image.new("RGBA", (4, 4), (0, 0, 0, 128))
    assert np.abs(pixels(encode(half, "WEBP", lossless=True)) - 127).max() <= 1


@pytest.mark.parametrize("image", [Image.new("LA", (4, 4), (64, 128)), Image.new("RGBA", (4, 4), (64, 64, 64, 128))])
@pytest.mark.parametrize(("extra_sample", "expected"), [(2, 159), (1, 191)], ids=["plain", "premultiplied"])
def test_both_kinds_of_tiff_transparency_lie_over_white(image: Image.Image, extra_sample: int, expected: int) -> None:
    kind_of_alpha = struct.pack("<HHL", 338, 3, 1)
    data = encode(image, "TIFF").replace(kind_of_alpha + b"\x02", kind_of_alpha + bytes([extra_sample]))
    assert np.abs(pixels(data) - expected).max() <= 1


CMYK = Image.new("CMYK", (16, 16), (0, 255, 255, 0))  # red ink


def test_cmyk_is_read_as_ink() -> None:
    assert np.abs(pixels(encode(CMYK, "TIFF")) - [255, 0, 0]).max() <= 2
    assert np.abs(pixels(encode(CMYK, "JPEG", quality=95)) - [255, 0, 0]).max() <= 4


def test_cmyk_jpeg_without_adobes_mark_is_not_inverted() -> None:
    inverted = Image.new("CMYK", (16, 16), (255, 0, 0, 255))
    data = encode(inverted, "JPEG", quality=95)  # holds 255 − value, under Adobe's mark
    start = data.index(b"\xff\xee")
    length = int.from_bytes(data[start + 2 : start + 4], "big")
    unmarked = data[:start] + data[start + 2 + length :]
    assert np.abs(pixels(unmarked) - [255, 0, 0]).max() <= 4


def test_ycbcr_tiff() -> None:
    assert np.abs(pixels(encode(quadrants().convert("YCbCr"), "TIFF"))[4, 4] - [255, 0, 0]).max() <= 3


@pytest.mark.parametrize("mode", ["I", "F", "LAB"])
def test_pixels_of_unknown_range_are_refused(mode: str) -> None:
    with pytest.raises(UnsupportedImageError, match="accepted: 8 or 16 bits per colour"):
        decode(encode(Image.new(mode, (4, 4)), "TIFF"))


def _profile(name: str = "sRGB") -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile(name)).tobytes()


def _swapped_primaries() -> bytes:
    """Return an RGB profile in which red and blue have changed places, as no sRGB profile has."""
    profile = bytearray(_profile().replace("sRGB".encode("utf-16-be"), "test".encode("utf-16-be")))
    red, blue = (profile.index(tag) for tag in (b"rXYZ", b"bXYZ"))
    profile[red : red + 4], profile[blue : blue + 4] = b"bXYZ", b"rXYZ"
    return bytes(profile)


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_an_embedded_profile_is_followed(file_format: str) -> None:
    seen = pixels(encode(Image.new("RGB", (32, 32), "red"), file_format, icc_profile=_swapped_primaries()))
    assert np.abs(seen - [0, 0, 255]).max() <= 4


def test_an_srgb_profile_changes_nothing() -> None:
    image = noise()
    assert decode(encode(image, "PNG", icc_profile=_profile())).image.tobytes() == image.tobytes()


def test_a_grey_picture_follows_an_rgb_profile() -> None:
    seen = pixels(encode(Image.new("L", (8, 8), 100), "PNG", icc_profile=_swapped_primaries()))
    assert np.abs(seen - 100).max() <= 2


@pytest.mark.parametrize(
    "profile",
    [b"garbage", _swapped_primaries()[:200], bytes(5 * 1024 * 1024), _profile("LAB")],
    ids=["garbage", "cut", "huge", "other colours"],
)
def test_a_profile_that_cannot_be_used_is_ignored(profile: bytes) -> None:
    image = noise(40, 30)
    assert decode(encode(image, "TIFF", icc_profile=profile)).image.tobytes() == image.tobytes()


def test_the_profile_does_not_stay_with_the_converted_photo() -> None:
    data = encode(Image.new("RGB", (8, 8), "red"), "PNG", icc_profile=_swapped_primaries())
    assert "icc_profile" not in decode(data).image.info
