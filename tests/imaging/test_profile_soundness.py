"""Colour profiles that claim more than they hold never reach Little CMS."""

from __future__ import annotations

import struct
import subprocess
import sys
import textwrap
from importlib.resources import files
from pathlib import Path

import pytest
from image_files import encode, noise
from PIL import ImageCms

from lesionlens.imaging.profile import is_sound


def profile_of(*elements: bytes) -> bytes:
    """A profile with such elements, each under a tag of its own."""
    position = 128 + 4 + 12 * len(elements)
    table = b""
    for number, element in enumerate(elements):
        table += struct.pack(">4sLL", b"tag%d" % number, position, len(element))
        position += len(element)
    body = struct.pack(">L", len(elements)) + table + b"".join(elements)
    return struct.pack(">L", 128 + len(body)) + bytes(124) + body


def curve(count: int, entries: int) -> bytes:
    return b"curv" + bytes(4) + struct.pack(">L", count) + bytes(2 * entries)


def text(count: int, records: int) -> bytes:
    return b"mluc" + bytes(4) + struct.pack(">LL", count, 12) + bytes(12 * records)


def table_8(grid: int, size: int) -> bytes:
    return b"mft1" + bytes(4) + bytes((4, 3, grid, 0)) + bytes(36 + size)


def table_16(grid: int, entries: int, size: int) -> bytes:
    return b"mft2" + bytes(4) + bytes((4, 3, grid, 0)) + bytes(36) + struct.pack(">HH", entries, entries) + bytes(size)


def pipeline(grid: int, size: int, curves: bytes = b"") -> bytes:
    """From three channels to three, with a table of `size` bytes after whatever curves there are."""
    start = 32 + len(curves)
    head = b"mAB " + bytes(4) + bytes((3, 3, 0, 0)) + struct.pack(">5L", 32 if curves else 0, 0, 0, start, 0)
    return head + curves + bytes((grid,) * 3) + bytes(13) + bytes((2, 0, 0, 0)) + bytes(size)


@pytest.mark.parametrize("name", ["sRGB", "LAB", "XYZ"])
def test_made_profiles_are_sound(name: str) -> None:
    assert is_sound(ImageCms.ImageCmsProfile(ImageCms.createProfile(name)).tobytes())


def test_a_profile_that_is_in_use_is_sound() -> None:
    """The one that PDF files are given."""
    assert is_sound((files("fpdf") / "data" / "color_profiles" / "sRGB2014.icc").read_bytes())


@pytest.mark.parametrize(
    ("whole", "short"),
    [
        (curve(3, 3), curve(4, 3)),
        (text(2, 2), text(3, 2)),
        (b"desc" + bytes(4) + struct.pack(">L", 5) + b"five\0", b"desc" + bytes(4) + struct.pack(">L", 6) + b"five\0"),
        (table_8(5, 256 * 7 + 3 * 5**4), table_8(5, 256 * 7 + 3 * 5**4 - 1)),
        (table_16(5, 2, 2 * (14 + 3 * 5**4)), table_16(5, 2, 2 * (14 + 3 * 5**4) - 1)),
        (pipeline(9, 2 * 3 * 9**3), pipeline(9, 2 * 3 * 9**3 - 1)),
        (pipeline(2, 48, curve(2, 2) * 3), pipeline(2, 48, curve(2, 2) * 2 + curve(9999, 2))),
    ],
    ids=["curve", "texts", "text", "8-bit table", "16-bit table", "table", "curves"],
)
def test_what_is_claimed_must_be_there(whole: bytes, short: bytes) -> None:
    assert is_sound(profile_of(curve(0, 0), whole))
    assert not is_sound(profile_of(curve(0, 0), short))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        bytes(131),
        bytes(128) + struct.pack(">L", 1),
        bytes(128) + struct.pack(">L", 101) + bytes(12 * 101),
        profile_of(curve(1, 1))[:-1],
        profile_of(b"mft2" + bytes(8)),
        profile_of(b"mft1" + bytes(4)),
        profile_of(b"mpet" + bytes(40)),
    ],
    ids=[
        "nothing",
        "a header cut short",
        "no table",
        "too many tags",
        "cut short",
        "half a table",
        "no table at all",
        "mpet",
    ],
)
def test_what_is_cut_short_or_strange_is_not_sound(data: bytes) -> None:
    assert not is_sound(data)


@pytest.mark.skipif(sys.platform != "linux", reason="the peak memory of one program alone is read from Linux's /proc")
def test_a_small_profile_cannot_take_much_memory(tmp_path: Path) -> None:
    """The input that fuzzing found: texts without end in the profile's description."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    start = profile.index(b"mluc")
    profile[start + 8 : start + 12] = struct.pack(">L", 40_000_000)
    (tmp_path / "photo.png").write_bytes(encode(noise(64, 64), "PNG", icc_profile=bytes(profile)))
    program = textwrap.dedent("""
        import io, sys
        from pathlib import Path
        from PIL import Image, ImageCms
        from lesionlens.imaging import decode
        def peak():
            lines = Path("/proc/self/status").read_text().splitlines()
            return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))
        data = Path(sys.argv[1]).read_bytes()
        before = peak()
        assert decode(data).format == "PNG"
        print(peak() - before)
        with Image.open(io.BytesIO(data)) as image:
            profile = image.info["icc_profile"]
        ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(profile)))
        print(peak() - before)
    """)
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "photo.png"], capture_output=True, text=True, check=True
    )
    taken, unguarded = map(int, done.stdout.split())
    assert taken < 20_000_000
    assert unguarded > 400_000_000, "Little CMS guards itself now: this check may go"
