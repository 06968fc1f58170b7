"""Lesion masks: both layouts, files and tars, and clear words where there are none."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lesionlens.datasets.masks import MaskSource
from lesionlens.errors import DataError

LESION = np.zeros((6, 8), dtype=bool)
LESION[2:4, 3:7] = True


def png(pixels: np.ndarray, mode: str = "L") -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).convert(mode).save(buffer, "PNG")
    return buffer.getvalue()


def put(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def test_both_layouts_are_read_as_files(tmp_path: Path) -> None:
    put(tmp_path / "masks" / "ISIC_0000001.png", png(LESION * 255))
    put(tmp_path / "HAM10000_segmentations_lesion_tschandl" / "ISIC_0000002_segmentation.png", png(~LESION * 255))
    masks = MaskSource(tmp_path)
    assert sorted(masks) == ["ISIC_0000001", "ISIC_0000002"]
    assert len(masks) == 2
    assert "ISIC_0000002" in masks
    assert np.array_equal(masks.read("ISIC_0000001"), LESION)
    assert np.array_equal(masks.read("ISIC_0000002"), ~LESION)


def test_masks_are_read_from_tars(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "masks_256.tar", "w") as tar:
        for name in ("masks/ISIC_0000001.png", "masks/._ISIC_0000001.png", "notes/readme.png"):
            member = tarfile.TarInfo(name)
            data = png(LESION * 255)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    masks = MaskSource(tmp_path)
    assert list(masks) == ["ISIC_0000001"]
    assert np.array_equal(masks.read("ISIC_0000001"), LESION)


def test_other_pictures_are_not_taken_for_masks(tmp_path: Path) -> None:
    put(tmp_path / "ISIC_0000001_superpixels.png", png(LESION * 255))
    put(tmp_path / "pictures" / "ISIC_0000001.png", png(LESION * 255))
    with pytest.raises(DataError, match=r"no lesion masks.*accepted: masks/ISIC_….png or ISIC_…_segmentation.png"):
        MaskSource(tmp_path)


@pytest.mark.parametrize("high", [255, 1, 128])
@pytest.mark.parametrize("mode", ["L", "P", "RGB"])
def test_any_bright_value_means_lesion(tmp_path: Path, high: int, mode: str) -> None:
    put(tmp_path / "masks" / "ISIC_0000001.png", png(LESION * high, mode))
    assert np.array_equal(MaskSource(tmp_path).read("ISIC_0000001"), LESION)


@pytest.mark.parametrize(("value", "expected"), [(0, False), (255, True)])
def test_masks_without_an_edge_are_all_or_nothing(tmp_path: Path, value: int, expected: bool) -> None:
    put(tmp_path / "masks" / "ISIC_0000001.png", png(np.full((4, 4), value)))
    assert (MaskSource(tmp_path).read("ISIC_0000001") == expected).all()


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    put(tmp_path / "masks" / "ISIC_0000001.png", b"not a picture")
    put(tmp_path / "masks" / "ISIC_0000002.png", png(LESION))
    masks = MaskSource(tmp_path)
    with pytest.raises(DataError, match=r"the mask of ISIC_0000001 .* cannot be used"):
        masks.read("ISIC_0000001")
    with pytest.raises(DataError, match="ISIC_0000003 has no lesion mask"):
        masks.read("ISIC_0000003")
    (tmp_path / "masks" / "ISIC_0000002.png").unlink()
    with pytest.raises(DataError, match="cannot read the mask of ISIC_0000002"):
        masks.read("ISIC_0000002")
    put(tmp_path / "broken.tar", b"x" * 2000)
    with pytest.raises(DataError, match=r"cannot read .*broken.tar"):
        MaskSource(tmp_path)


def test_the_real_masks(shared_data: Path) -> None:
    masks = MaskSource(shared_data)
    assert len(masks) == 10_015
    lesion = masks.read("ISIC_0024306")
    assert lesion.shape == (256, 256)
    assert 0.05 < lesion.mean() < 0.95
