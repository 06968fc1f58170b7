"""Hostile and broken files: a typed error that helps, quickly, in little memory."""

from __future__ import annotations

import struct
import subprocess
import sys
import textwrap
import time
import warnings
import zlib
from pathlib import Path

import pytest
from image_files import encode, noise, png, png_chunk, quadrants, tiff
from PIL import Image, ImageFile

from lesionlens.errors import (
    CorruptImageError,
    EmptyImageError,
    ImageError,
    ImageTooLargeError,
    TooManyPixelsError,
    UnsupportedImageError,
)
from lesionlens.imaging import Limits, decode

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF")
ACCEPTED = "accepted: JPEG, PNG, WebP, BMP, TIFF"


def test_an_empty_file() -> None:
    with pytest.raises(EmptyImageError, match="the file is empty"):
        decode(b"")


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (b"<html>not a picture</html>", "the file is not a picture"),
        (b"\xff", "the file is not a picture"),
        (b"\x00\x00\x00\x18ftypheic" + bytes(100), "HEIC files are not accepted"),
        (b"\x00\x00\x00\x18ftypavif" + bytes(100), "AVIF files are not accepted"),
        (b"\x00\x00\x00\x18ftypmp42" + bytes(100), "the file is not a picture"),
        (bytes(128) + b"DICM" + bytes(100), "DICOM files are not accepted"),
        (b"%PDF-1.7", "PDF files are not accepted"),
        (b"II+\x00\x08\x00\x00\x00" + bytes(100), "the file is not a picture"),
        (encode(quadrants(), "GIF"), "GIF files are not accepted"),
        (encode(quadrants(), "PPM"), "the file is not a picture"),
    ],
)
def test_other_files_are_named_and_what_is_accepted_is_said(data: bytes, named: str) -> None:
    with pytest.raises(UnsupportedImageError, match=f"{named}.*{ACCEPTED}"):
        decode(data)


def test_the_byte_limit_is_exact() -> None:
    data = encode(noise(), "PNG")
    assert decode(data, limits=Limits(max_bytes=len(data))).format == "PNG"
    with pytest.raises(ImageTooLargeError, match=r"has \d+\.\d MiB; at most .* MiB are accepted"):
        decode(data, limits=Limits(max_bytes=len(data) - 1))


@pytest.mark.parametrize("file_format", FORMATS)
def test_the_pixel_limit_is_exact_in_every_format(file_format: str) -> None:
    data = encode(quadrants(64, 32), file_format)
    assert decode(data, limits=Limits(max_pixels=64 * 32)).width == 64
    with pytest.raises(TooManyPixelsError, match="64 × 32 pixels; at most 2,047 pixels"):
        decode(data, limits=Limits(max_pixels=64 * 32 - 1))


@pytest.mark.parametrize("options", [{"lossless": True}, {"lossless": False}, {"exif": b"Exif\x00\x00"}])
def test_the_pixel_limit_holds_for_every_kind_of_webp(options: dict[str, object]) -> None:
    with pytest.raises(TooManyPixelsError):
        decode(encode(quadrants(), "WEBP", **options), limits=Limits(max_pixels=100))


def test_limits_must_be_positive() -> None:
    with pytest.raises(ValueError, match="max_bytes must be at least 1, not 0"):
        Limits(max_bytes=0)
    with pytest.raises(ValueError, match="max_pixels must be at least 1, not -1"):
        Limits(max_pixels=-1)


@pytest.mark.parametrize("file_format", FORMATS)
@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 0.97])
def test_truncated_files_are_refused(file_format: str, share: float) -> None:
    data = encode(noise(), file_format)
    with pytest.raises(CorruptImageError, match=r"cut short|damaged"):
        decode(data[: max(12, int(len(data) * share))])


def test_truncated_real_photos_are_refused(real_sample: dict[str, bytes]) -> None:
    for data in real_sample.values():
        with pytest.raises(CorruptImageError, match="JPEG file is cut short"):
            decode(data[: len(data) * 2 // 3])


@pytest.mark.parametrize(("width", "height"), [(0, 0), (0, 5), (5, 0)])
def test_pictures_without_pixels_are_refused(width: int, height: int) -> None:
    for data in (
        png(width, height),
        _bmp(width, height),
        tiff({256: (4, 1, width), 257: (4, 1, height), 273: (4, 1, 0)}, b""),
    ):
        with pytest.raises(CorruptImageError):
            decode(data)


def _bmp(width: int, height: int) -> bytes:
    return (
        b"BM"
        + struct.pack("<LHHL", 54, 0, 0, 54)
        + struct.pack("<LllHHLLllLL", 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)
    )


def test_an_unknown_kind_of_webp() -> None:
    with pytest.raises(UnsupportedImageError, match="unknown kind"):
        decode(b"RIFF" + struct.pack("<I", 100) + b"WEBPXXXX" + bytes(100))


@pytest.mark.parametrize("compression", ["group4", "lzma", "zstd"])
def test_rare_tiff_compressions_are_refused(compression: str) -> None:
    image = Image.new("1", (16, 16)) if compression == "group4" else quadrants()
    with pytest.raises(UnsupportedImageError, match="accepted: none, PackBits, LZW, Deflate, JPEG"):
        decode(encode(image, "TIFF", compression=compression))


ZEROS_200_MB = zlib.compress(bytes(200_000_000), 9)
BLACK_4X4 = encode(Image.new("RGB", (4, 4)), "JPEG")
PROGRESSIVE = encode(noise(64, 64), "JPEG", progressive=True)
LAST_SCAN = PROGRESSIVE[PROGRESSIVE.rindex(b"\xff\xda") : -2]

BOMBS = {
    "pixels in a PNG": png(2**31 - 1, 2**31 - 1, pixels=b""),
    "pixels in a BMP": _bmp(2**30, 2**30),
    "pixels in a TIFF": tiff({256: (4, 1, 2**31), 257: (4, 1, 2**31), 273: (4, 1, 0)}, bytes(16)),
    "canvas of a WebP": b"RIFF\x64\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00" + bytes(4) + b"\x80\x3e\x00" * 2 + bytes(80),
    "profile in a PNG": png(4, 4, extra=png_chunk(b"iCCP", b"x\x00\x00" + ZEROS_200_MB)),
    "text in a PNG": png(4, 4, extra=png_chunk(b"zTXt", b"x\x00\x00" + ZEROS_200_MB)),
    "international text in a PNG": png(4, 4, extra=png_chunk(b"iTXt", b"x\x00\x01\x00\x00\x00" + ZEROS_200_MB)),
    "chunks in a PNG": png(4, 4, extra=png_chunk(b"abCd", b"") * 1_000_000),
    "segments in a JPEG": BLACK_4X4[:2] + b"\xff\xe3\x00\x02" * 4_000_000 + BLACK_4X4[2:],
    "growing EXIF in a JPEG": BLACK_4X4[:2] + b"\xff\xe1\x00\x09Exif\x00\x00x" * 400_000 + BLACK_4X4[2:],
    "junk in a JPEG": BLACK_4X4[:2] + b"\xff\xe3\x00\x02" + bytes(15_000_000) + BLACK_4X4[2:],
    "scans in a JPEG": PROGRESSIVE[:-2] + LAST_SCAN * 5000 + PROGRESSIVE[-2:],
    "strips in a TIFF": tiff({273: (4, 4_000_000, 0), 278: (4, 1, 1), 279: (4, 1, 16)}, bytes(16_000_000)),
    "a tile in a TIFF": tiff(
        {259: (3, 1, 8), 322: (4, 1, 20_000), 323: (4, 1, 20_000), 324: (4, 1, 0), 325: (4, 1, len(ZEROS_200_MB))},
        ZEROS_200_MB,
    ),
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused_quickly(name: str) -> None:
    start = time.process_time()
    with pytest.raises((CorruptImageError, TooManyPixelsError)):
        decode(BOMBS[name])
    assert time.process_time() - start < 2.0  # each takes minutes or gigabytes where it is not refused


@pytest.mark.skipif(sys.platform != "linux", reason="the peak memory of one program alone is read from Linux's /proc")
def test_bombs_do_not_fill_the_memory(tmp_path: Path) -> None:
    files = []
    for number, data in enumerate(BOMBS.values()):
        files.append(tmp_path / str(number))
        files[-1].write_bytes(data)
    program = textwrap.dedent("""
        import sys
        from pathlib import Path
        from lesionlens.errors import ImageError
        from lesionlens.imaging import decode
        def peak():
            lines = Path("/proc/self/status").read_text().splitlines()
            return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))
        before = peak()
        for path in sys.argv[1:]:
            try:
                decode(Path(path).read_bytes())
            except ImageError:
                continue
            sys.exit(f"{path} was accepted")
        print(peak() - before)
    """)
    result = subprocess.run([sys.executable, "-c", program, *files], capture_output=True, text=True, check=True)
    assert int(result.stdout) < 50_000_000  # of which the largest file is 16 MB


def test_a_deflated_stream_longer_than_the_picture_is_cut_off() -> None:
    assert decode(png(4, 4, pixels=ZEROS_200_MB)).image.size == (4, 4)
    rows = {259: (3, 1, 8), 278: (4, 1, 2**31 - 1), 273: (4, 1, 0), 279: (4, 1, len(ZEROS_200_MB))}
    assert decode(tiff(rows, ZEROS_200_MB)).image.size == (4, 4)


def test_unusual_but_honest_jpegs_pass() -> None:
    many_profile_parts = BLACK_4X4[:2] + b"\xff\xe2\x00\x10ICC_PROFILE\x00\x01\x01" * 255 + BLACK_4X4[2:]
    scan_bytes_in_a_trailer = PROGRESSIVE + b"\xff\xda" * 500  # a phone's film after the picture, say
    thumbnail = BLACK_4X4[:2] + b"\xff\xe5\x04\x02" + b"\xff\xda" * 512 + BLACK_4X4[2:]
    fill_bytes = BLACK_4X4[:2] + b"\xff" * 50 + BLACK_4X4[2:]
    for data in (many_profile_parts, scan_bytes_in_a_trailer, thumbnail, fill_bytes):
        assert decode(data).format == "JPEG"


@pytest.mark.filterwarnings("always")
def test_pillows_size_warning_does_not_leak(recwarn: pytest.WarningsRecorder) -> None:
    assert Image.MAX_IMAGE_PIXELS is not None
    side = int(Image.MAX_IMAGE_PIXELS**0.5) + 100
    assert side * side < Limits().max_pixels
    pixels = tiff({256: (4, 1, side), 257: (4, 1, side), 273: (4, 1, 0)}, bytes(16))
    for data in (png(side, side, pixels=b""), pixels, _bmp(side, side)):
        with pytest.raises(ImageError):
            decode(data)
    assert not recwarn.list


def test_no_state_of_pillow_or_python_is_changed() -> None:
    def state() -> tuple[object, ...]:
        return Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, list(warnings.filters)

    before = state()
    decode(encode(quadrants(), "TIFF"))
    with pytest.raises(ImageError):
        decode(BOMBS["pixels in a PNG"])
    assert state() == before


def test_messages_hold_no_paths_and_no_parts_of_the_file() -> None:
    secret = b"patient-name-123"
    for data in [
        secret * 10,
        *BOMBS.values(),
        png(4, 4, extra=png_chunk(b"iCCP", secret + b"\x00\x00" + ZEROS_200_MB)),
    ]:
        with pytest.raises(ImageError) as caught:
            decode(data)
        assert "/" not in str(caught.value)
        assert "patient" not in str(caught.value)
