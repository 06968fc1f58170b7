"""Reading the official ISIC 2019 layout: a folder or tars of JPEGs beside the official CSV files.

A data folder holds the pictures (`ISIC_2019_Training_Input/ISIC_….jpg`, unpacked or in any number of tars) and
either a folds file (`image,label,source,lesion_id,group,fold,width,height,…`) or the official
`ISIC_2019_Training_GroundTruth.csv` with, if present, `ISIC_2019_Training_Metadata.csv`.
"""

from __future__ import annotations

import csv
import os
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final, NamedTuple

from lesionlens.errors import DataError
from lesionlens.taxonomy import BY_CODE, NUM_CLASSES, canonical_code

__all__ = ["FOLDS_NAME", "GROUND_TRUTH_NAME", "METADATA_NAME", "ImageSource", "Sample", "class_counts", "read_samples"]

FOLDS_NAME: Final = "isic2019_folds.csv"
GROUND_TRUTH_NAME: Final = "ISIC_2019_Training_GroundTruth.csv"
METADATA_NAME: Final = "ISIC_2019_Training_Metadata.csv"
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


def read_samples(data: Path, folds_file: Path | None = None) -> list[Sample]:
    """Read the labelled pictures of a data folder.

    Args:
        data: Folder in the official ISIC 2019 layout.
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
    if folds_file is not None:
        return _read_folds(folds_file)
    if (data / GROUND_TRUTH_NAME).is_file():
        return _read_official(data)
    raise DataError(f"{data} holds neither {FOLDS_NAME} nor {GROUND_TRUTH_NAME}; see docs/data.md for the layout")


def _rows(path: Path, required: Iterable[str]) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            missing = [column for column in required if column not in (reader.fieldnames or ())]
            if missing:
                raise DataError(f"{path.name} lacks the column{'s' * (len(missing) > 1)} {', '.join(missing)}")
            yield from enumerate(reader, start=2)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"cannot read {path}: {error}") from error


def _read_folds(path: Path) -> list[Sample]:
    samples = []
    for line, row in _rows(path, ("image", "label", "group", "fold")):
        try:
            samples.append(
                Sample(
                    image=row["image"],
                    label=BY_CODE[canonical_code(row["label"])].index,
                    group=row["group"],
                    source=row.get("source") or "",
                    fold=int(row["fold"]),
                    width=int(row.get("width") or 0),
                    height=int(row.get("height") or 0),
                )
            )
        except (KeyError, ValueError) as error:
            raise DataError(f"{path.name}, line {line}: {error.args[0]}") from error
    return samples


def _read_official(data: Path) -> list[Sample]:
    lesions: dict[str, str] = {}
    if (data / METADATA_NAME).is_file():
        lesions = {row["image"]: row["lesion_id"] for _, row in _rows(data / METADATA_NAME, ("image", "lesion_id"))}
    samples = []
    for line, row in _rows(data / GROUND_TRUTH_NAME, ("image",)):
        marked = [column for column, value in row.items() if column != "image" and _is_one(value)]
        if len(marked) != 1:
            raise DataError(f"{GROUND_TRUTH_NAME}, line {line}: {len(marked)} classes are marked, exactly 1 must be")
        if marked == ["UNK"]:
            continue  # the official "none of the others", empty in the training set
        try:
            label = BY_CODE[canonical_code(marked[0])].index
        except KeyError as error:
            raise DataError(f"{GROUND_TRUTH_NAME}, line {line}: {error.args[0]}") from error
        samples.append(Sample(row["image"], label, group=lesions.get(row["image"]) or row["image"]))
    return samples


def _is_one(value: str | None) -> bool:
    try:
        return float(value or 0) == 1.0
    except ValueError:
        return False


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
        for suffix in _SUFFIXES:
            for path in data.rglob(f"*{suffix}"):
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
            with Path(path).open("rb", buffering=0) as file:
                return os.pread(file.fileno(), size, offset)
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
