"""Mutated files raise nothing but `ImageError`."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from image_files import encode, noise, quadrants, with_orientation
from PIL import Image

from lesionlens.errors import ImageError
from lesionlens.imaging import Limits, decode

SMALL = noise(48, 32)
SEEDS = [
    encode(SMALL, "JPEG"),
    encode(SMALL, "JPEG", progressive=True),
    encode(SMALL.convert("CMYK"), "JPEG"),
    encode(SMALL, "MPO", save_all=True, append_images=[SMALL]),
    with_orientation(SMALL, "JPEG", 6),
    encode(SMALL, "PNG"),
    encode(SMALL.quantize(8), "PNG", transparency=0),
    encode(SMALL, "PNG", save_all=True, append_images=[quadrants(48, 32)]),
    encode(Image.new("I;16", (48, 32)), "PNG"),
    encode(SMALL, "WEBP"),
    encode(SMALL.convert("RGBA"), "WEBP", lossless=True),
    encode(SMALL, "WEBP", save_all=True, append_images=[quadrants(48, 32)]),
    encode(SMALL, "BMP"),
    encode(SMALL.quantize(8), "BMP"),
    encode(SMALL, "TIFF"),
    encode(SMALL, "TIFF", compression="tiff_lzw"),
    encode(SMALL, "TIFF", compression="jpeg"),
    encode(Image.new("I;16", (48, 32)), "TIFF", compression="tiff_adobe_deflate"),
]
LIMITS = Limits(max_bytes=1_000_000, max_pixels=1_000_000)

# Headers, where most damage is done, are hit as often as the rest of the file.
positions = st.one_of(st.integers(0, 300), st.integers(0, 100_000))
edits = st.lists(st.tuples(positions, st.integers(0, 255)), max_size=12)
cuts = st.one_of(st.none(), st.tuples(positions, positions))
sides = st.one_of(st.none(), st.integers(1, 64))

pytestmark = pytest.mark.filterwarnings("ignore")  # Pillow warns of odd metadata; raised, it would hide what follows


def mutate(data: bytes, edits: list[tuple[int, int]], cut: tuple[int, int] | None) -> bytes:
    mutated = bytearray(data)
    for position, value in edits:
        mutated[position % len(mutated)] = value
    if cut is not None:
        start, length = cut[0] % len(mutated), cut[1]
        del mutated[start : start + length]
    return bytes(mutated)


def decode_or_refuse(data: bytes, min_side: int | None) -> None:
    try:
        photo = decode(data, limits=LIMITS, min_side=min_side)
    except ImageError:
        return
    assert photo.image.mode == "RGB"
    assert 0 < photo.width * photo.height <= LIMITS.max_pixels
    assert photo.image.info == {}


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(SEEDS), edits, cuts, sides)
def test_mutated_files_raise_only_image_errors(
    data: bytes, edits: list[tuple[int, int]], cut: tuple[int, int] | None, min_side: int | None
) -> None:
    decode_or_refuse(mutate(data, edits, cut), min_side)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(number=st.integers(0, 7), edits=edits, cut=cuts, min_side=sides)
def test_mutated_real_photos_raise_only_image_errors(
    real_sample: dict[str, bytes],
    number: int,
    edits: list[tuple[int, int]],
    cut: tuple[int, int] | None,
    min_side: int | None,
) -> None:
    decode_or_refuse(mutate(list(real_sample.values())[number], edits, cut), min_side)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from([seed[:16] for seed in SEEDS]), st.binary(max_size=400))
def test_noise_behind_a_good_signature_raises_only_image_errors(head: bytes, tail: bytes) -> None:
    decode_or_refuse(head + tail, None)
