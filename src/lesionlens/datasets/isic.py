"""Reading the official ISIC layouts: a folder or tars of JPEGs beside the official CSV files.

A data folder holds the pictures (`ISIC_2019_Training_Input/ISIC_….jpg`, unpacked or in any number of tars) and
either a folds file (`image,label,source,lesion_id,group,fold,width,height,…`) or an official ground truth
(`ISIC_2019_Training_GroundTruth.csv`, or that of ISIC 2018) with, if present, the official file of lesions
(`ISIC_2019_Training_Metadata.csv`, `ISIC2018_Task3_Training_LesionGroupings.csv`).
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final, NamedTuple, NoReturn

from lesionlens.datasets.labels import Fault, read_folds, read_official
from lesionlens.datasets.layout import FOLDS_NAME
from lesionlens.errors import DataError
from lesionlens.taxonomy import NUM_CLASSES

__all__ = ["SMALL_SIDE", "ImageSource", "Sample", "class_counts", "read_samples"]

SMALL_SIDE: Final = 180  # px; BCN20000 as it is spread for teaching has 84, the other collections 256 and more
_SUFFIXES: Final = (".jpg", ".jpeg")


@dataclass(frozen=True, slots=True)
class Sample:
    """One labelled picture.

    Attributes:
        image: ISIC identifier, the file's name without its ending.
        label: Class 0–7 in the order of `lesionlens.taxonomy`.
        group: Pictures of one lesion (and copies of one picture) share it; splits never divide a group.
        source: Collection the picture comes from, such as `HAM`, `BCN` or `MSK`; empty if unknown.
        fold: Fold of the folds file; None without one.
        width: Width of the stored file in pixels; 0 if unknown.
        height: Height of the stored file in pixels; 0 if unknown.
    """

    image: str
    label: int
    group: str
    source: str = ""
    fold: int | None = None
    width: int = 0
    height: int = 0

    @property
    def short_side(self) -> int:
        """Length of the shorter side in pixels; 0 if unknown."""
        return min(self.width, self.height)

    @property
    def is_small(self) -> bool:
        """Whether the shorter side is known and under `SMALL_SIDE`."""
        return 0 < self.short_side < SMALL_SIDE


def read_samples(data: Path, folds_file: Path | None = None) -> list[Sample]:
    """Read the labelled pictures of a data folder.

    Args:
        data: Folder in the official layout of ISIC 2019 or ISIC 2018.
        folds_file: CSV with at least the columns `image`, `label`, `group` and `fold`; by default
            `isic2019_folds.csv` in the data folder. Without one the official ground truth is read and no sample has
            a fold (`assign_folds` gives them).

    Returns:
        The samples in the order of the file.

    Raises:
        DataError: A file is missing, lacks a column, or has a value that is not accepted.
    """
    if not data.is_dir():
        raise DataError(f"no such data folder: {data}")
    if folds_file is None and (data / FOLDS_NAME).is_file():
        folds_file = data / FOLDS_NAME
    rows = read_official(data, _refuse)[1] if folds_file is None else read_folds(folds_file, _refuse)
    return [
        Sample(row.image, row.label, row.group, row.source, row.fold, row.width, row.height)
        for row in rows
        if row.label is not None  # the official "none of the others", empty in the training set
    ]


def _refuse(fault: Fault) -> NoReturn:
    raise DataError(f"{fault.where}: {fault.detail}")


class _Location(NamedTuple):
    path: str
    offset: int
    size: int


class ImageSource:
    """The pictures of a data folder by identifier, unpacked or in tars.

    Reading takes no lock and shares no file position, so that threads and loader processes can read side by side.

    Args:
        data: The data folder.

    Raises:
        DataError: The folder holds no picture, or a tar cannot be read.
    """

    def __init__(self, data: Path) -> None:
        self._index: dict[str, _Location] = {}
        for tar in sorted(data.glob("*.tar")):
            self._index.update(_index_tar(tar))
        for path in sorted(data.rglob("*")):
            if path.suffix.lower() in _SUFFIXES and path.is_file():
                self._index[path.stem] = _Location(str(path), 0, path.stat().st_size)
        if not self._index:
            raise DataError(f"{data} holds no pictures, neither as files nor in a .tar")

    def __contains__(self, image: object) -> bool:
        return image in self._index

    def __len__(self) -> int:
        return len(self._index)

    def __iter__(self) -> Iterator[str]:
        return iter(self._index)

    def read(self, image: str) -> bytes:
        """Return the bytes of a picture's file.

        Args:
            image: Its identifier, such as `ISIC_0000000`.

        Raises:
            DataError: There is no such picture, or it cannot be read.
        """
        try:
            path, offset, size = self._index[image]
        except KeyError:
            raise DataError(f"picture {image} is in no folder or tar of the data folder") from None
        try:
            with Path(path).open("rb") as file:
                file.seek(offset)
                return file.read(size)
        except OSError as error:
            raise DataError(f"cannot read {image} from {path}: {error}") from error


def _index_tar(path: Path) -> dict[str, _Location]:
    try:
        with tarfile.open(path, "r:") as tar:
            return {
                PurePosixPath(member.name).stem: _Location(str(path), member.offset_data, member.size)
                for member in tar
                if member.isfile() and member.name.lower().endswith(_SUFFIXES)
            }
    except (OSError, tarfile.TarError) as error:
        raise DataError(f"cannot read {path}: {error}") from error


def class_counts(samples: Iterable[Sample]) -> list[int]:
    """Return the number of samples of each class, in model order."""
    counts = [0] * NUM_CLASSES
    for sample in samples:
        counts[sample.label] += 1
    return counts
