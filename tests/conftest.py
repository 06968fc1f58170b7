"""Fixtures that every test may use: the checkout and the real images that may lie beside it."""

from __future__ import annotations

import csv
import tarfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from chromium import browser

__all__ = ["browser"]

REPO_ROOT = Path(__file__).resolve().parents[1]
INPUT_FOLDER = "ISIC_2019_Training_Input"

# One picture of the test fold (fold 0) per diagnosis, in taxonomy order.
SAMPLE_IDS = (
    "ISIC_0000022",  # MEL, 512 px
    "ISIC_0024306",  # NV, 256 px like the rest
    "ISIC_0024331",  # BCC
    "ISIC_0024511",  # AKIEC
    "ISIC_0012117",  # BKL
    "ISIC_0024973",  # DF
    "ISIC_0024662",  # VASC
    "ISIC_0024418",  # SCC
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test that takes real images with `data`."""
    for item in items:
        if "shared_data" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.data)


@pytest.fixture(scope="session", autouse=True)
def _no_data_of_the_user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep every service that a test starts away from the records of whoever runs the tests."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("LESIONLENS_DATA_DIR", str(tmp_path_factory.mktemp("data")))
        environment.delenv("LESIONLENS_DATABASE_URL", raising=False)
        yield


@pytest.fixture(scope="session")
def repo_root() -> Path:
    """Root of the checkout."""
    return REPO_ROOT


@pytest.fixture(scope="session")
def shared_data(repo_root: Path) -> Path:
    """Folder of the real images; the test is skipped where there is none."""
    folder = repo_root.parent / "shared" / "data"
    if not (folder / "isic2019_folds.csv").is_file():
        pytest.skip("the real images are not there: ../shared/data beside the checkout is missing")
    return folder


@pytest.fixture(scope="session")
def fold_rows(shared_data: Path) -> dict[str, dict[str, str]]:
    """Rows of `isic2019_folds.csv` by image: label, source, group, fold, width, height, tar, … as text."""
    with (shared_data / "isic2019_folds.csv").open(encoding="utf-8", newline="") as file:
        return {row["image"]: row for row in csv.DictReader(file)}


@pytest.fixture(scope="session")
def real_image(shared_data: Path, fold_rows: dict[str, dict[str, str]]) -> Iterator[Callable[[str], bytes]]:
    """Function from an image id (`ISIC_0000000`) to the bytes of its JPEG."""
    archives: dict[str, tarfile.TarFile] = {}
    with ExitStack() as stack:

        def read(image_id: str) -> bytes:
            name = fold_rows[image_id]["tar"]
            if name not in archives:
                archives[name] = stack.enter_context(tarfile.open(shared_data / name))
            member = archives[name].extractfile(f"{INPUT_FOLDER}/{image_id}.jpg")
            assert member is not None
            return member.read()

        yield read


@pytest.fixture(scope="session")
def real_sample(real_image: Callable[[str], bytes]) -> dict[str, bytes]:
    """JPEG bytes by image id of eight test-fold pictures, one per diagnosis, in taxonomy order."""
    return {image_id: real_image(image_id) for image_id in SAMPLE_IDS}
