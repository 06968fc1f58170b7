"""Where the label tables of a data folder lie."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from lesionlens.errors import DataError

__all__ = ["FOLDS_NAME", "GROUND_TRUTH_NAME", "find_ground_truth", "find_ground_truths", "find_lesion_table"]

FOLDS_NAME: Final = "isic2019_folds.csv"
GROUND_TRUTH_NAME: Final = "ISIC_2019_Training_GroundTruth.csv"
_GROUND_TRUTH_ENDING: Final = "_GroundTruth.csv"
_LESION_ENDINGS: Final = ("_Metadata.csv", "_LesionGroupings.csv")  # of ISIC 2019 and of ISIC 2018


def find_ground_truths(folder: Path) -> list[Path]:
    """Return every official ground truth in a folder and its direct subfolders (ISIC 2018 has one of its own)."""
    pattern = f"*{_GROUND_TRUTH_ENDING}"
    return [*sorted(folder.glob(pattern)), *sorted(folder.glob(f"*/{pattern}"))]


def find_ground_truth(folder: Path) -> Path:
    """Return the official ground truth that holds where a data folder has no folds file.

    That is the one of the ISIC 2019 training set, or else the only `*_GroundTruth.csv` there is.

    Raises:
        DataError: There is none, or it is not clear which one is meant.
    """
    official = folder / GROUND_TRUTH_NAME
    if official.is_file():
        return official
    found = find_ground_truths(folder)
    if not found:
        raise DataError(f"{folder} holds neither {FOLDS_NAME} nor {GROUND_TRUTH_NAME} or the like; see docs/data.md")
    if len(found) > 1:
        names = ", ".join(path.relative_to(folder).as_posix() for path in found)
        raise DataError(f"{folder} holds several ground truths ({names}); leave one of them there")
    return found[0]


def find_lesion_table(folder: Path, ground_truth: Path) -> Path | None:
    """Return the official file that says which pictures show one lesion; None without one.

    Args:
        folder: The data folder.
        ground_truth: The ground truth in it; the file belongs to the same collection.
    """
    collection = ground_truth.name.removesuffix(_GROUND_TRUTH_ENDING)
    candidates = (
        place / f"{collection}{ending}" for place in (folder, ground_truth.parent) for ending in _LESION_ENDINGS
    )
    return next((path for path in candidates if path.is_file()), None)
