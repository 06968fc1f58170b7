"""Lesion masks: where in a picture the lesion lies, drawn by people or checked by them.

Two layouts are read, unpacked anywhere in the data folder or in the tars that lie in it: `masks/ISIC_….png`, and the
official `ISIC_…_segmentation.png` (HAM10000_segmentations of Tschandl et al. 2020, *Nature Medicine* 26, 1229–1234;
ISIC 2016–2018, task 1).
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from lesionlens.errors import DataError, ImageError
from lesionlens.imaging import decode

__all__ = ["MaskSource"]

_FOLDER: Final = "masks"
_ENDING: Final = "_segmentation"
_ACCEPTED: Final = f"{_FOLDER}/ISIC_….png or ISIC_…{_ENDING}.png"


class _Location(NamedTuple):
    path: str
    offset: int
    size: int


class MaskSource:
    """The lesion masks of a data folder by the identifier of their picture.

    Args:
        data: The data folder.

    Raises:
        DataError: The folder holds no mask, or a tar cannot be read.
    """

    def __init__(self, data: Path) -> None:
        self._index: dict[str, _Location] = {}
        for tar in sorted(data.glob("*.tar")):
            self._index.update(_in_tar(tar))
        for path in sorted(data.rglob("*.png")):
            if image := _image_of(PurePosixPath(path.as_posix())):
                self._index[image] = _Location(str(path), 0, path.stat().st_size)
        if not self._index:
            raise DataError(
                f"{data} holds no lesion masks, neither as files nor in a .tar; accepted: {_ACCEPTED}; "
                "see docs/attention.md"
            )

    def __contains__(self, image: object) -> bool:
        return image in self._index

    def __len__(self) -> int:
        return len(self._index)

    def __iter__(self) -> Iterator[str]:
        return iter(self._index)

    def read(self, image: str) -> npt.NDArray[np.bool_]:
        """Return the mask of a picture.

        Args:
            image: The picture's identifier, such as `ISIC_0024306`.

        Returns:
            bool `[H, W]`, true on the lesion: pixels above half of the brightest one, so that masks drawn in 0 and
            255, in 0 and 1, and with smoothed edges mean the same. No pixel is true if the mask is all black.

        Raises:
            DataError: The picture has no mask, or its mask cannot be read.
        """
        try:
            path, offset, size = self._index[image]
        except KeyError:
            raise DataError(f"picture {image} has no lesion mask in the data folder; accepted: {_ACCEPTED}") from None
        try:
            with Path(path).open("rb") as file:
                file.seek(offset)
                pixels = np.asarray(decode(file.read(size)).image.convert("L"), dtype=np.int64)
        except OSError as error:
            raise DataError(f"cannot read the mask of {image} from {path}: {error}") from error
        except ImageError as error:
            raise DataError(f"the mask of {image} in {path} cannot be used: {error}") from error
        return np.asarray(2 * pixels > pixels.max())


def _image_of(path: PurePosixPath) -> str | None:
    """Return the picture that a mask file belongs to; None for a file that is no mask."""
    if path.suffix.lower() != ".png" or path.name.startswith("."):
        return None
    if path.stem.endswith(_ENDING):
        return path.stem.removesuffix(_ENDING)
    return path.stem if path.parent.name == _FOLDER else None


def _in_tar(path: Path) -> dict[str, _Location]:
    try:
        with tarfile.open(path, "r:") as tar:
            return {
                image: _Location(str(path), member.offset_data, member.size)
                for member in tar
                if member.isfile() and (image := _image_of(PurePosixPath(member.name)))
            }
    except (OSError, tarfile.TarError) as error:
        raise DataError(f"cannot read {path}: {error}") from error
