"""Archives that are damaged or made to mislead: no byte is read from where no tensor lies."""

from __future__ import annotations

import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest

from lesionlens.conversion.weights_file import is_legacy
from lesionlens.errors import ConversionError
from weights_writer import Array, dictionary, pickled, read_back, save_pth, tensor, tensors, write_archive, write_pickle

RNG = np.random.default_rng(0)
WEIGHTS: dict[str, Array] = {
    "conv.weight": RNG.standard_normal((4, 3, 3, 3), dtype=np.float32),
    "bn.num_batches_tracked": np.array(7, np.int64),
    "empty": np.zeros((0, 3), np.float32),
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "model.pth"


@pytest.mark.parametrize(
    "described",
    [
        tensor("0", 4, (5,), (1,)),
        tensor("0", 4, (2, 2), (3, 1)),
        tensor("0", 4, (4,), (1,), offset=1),
        tensor("0", 4, (4,), (-1,), offset=3),
        tensor("0", 4, (-1,), (1,)),
        tensor("0", 4, (2**40,), (0,)),
        tensor("0", 4, (2**61, 2**61), (0, 0)),
        tensor("0", 4, (2**200,), (1,)),
        tensor("0", 4, (1,) * 9, (1,) * 9),
        tensor("0", 4, (2, 2), (1,)),
        tensor("0", -4, (0,), (1,)),
        tensor("0", 8, (8,), (1,)),
        tensor("0", 2, (2,), (1,)),
        tensor("0", 4, (4,), (1,), kind="DoubleStorage"),
        tensor("1", 4, (4,), (1,)),
        tensor("../data.pkl", 4, (4,), (1,)),
    ],
)
def test_a_tensor_is_never_read_from_beyond_its_values(path: Path, described: bytes) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(ConversionError, match=r"model\.pth is damaged, cut off or no PyTorch file"):
            read_back(write_pickle(path, dictionary({"a": described}), {"0": bytes(16)}))
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()


def test_compressed_entries_are_refused_unread(path: Path) -> None:
    content = pickled(dictionary({"a": tensor("0", 2**24, (2**24,), (1,))}))
    with pytest.raises(ConversionError, match="entries are larger than the file"):
        read_back(write_archive(path, content, {"0": bytes(2**26)}, zipfile.ZIP_DEFLATED))
    assert path.stat().st_size < 100_000
    small = pickled(dictionary(tensors({"a": np.zeros(64, np.float32)})))
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("m/data.pkl", small)
        file.writestr("m/data/0", bytes(256), zipfile.ZIP_DEFLATED)
        file.writestr("m/notes", bytes(1000))
    with pytest.raises(ConversionError, match="data/0 in it is compressed, which PyTorch never does"):
        read_back(path)


def test_entries_that_lie_over_each_other_are_refused(path: Path) -> None:
    save_pth(path, {"a": np.zeros(5000, np.float32), "b": np.ones(5000, np.float32)})
    data = bytearray(path.read_bytes())
    directory = data.index(b"PK\x01\x02")
    first, second = (data.index(f"archive/data/{i}".encode(), directory) - 46 for i in (0, 1))
    grown = (30_000).to_bytes(4, "little")
    for entry in (first, second):
        data[entry + 20 : entry + 28] = grown * 2  # compressed and uncompressed size
    path.write_bytes(data)
    with pytest.raises(ConversionError, match="entries are larger than the file"):
        read_back(path)


def test_two_entries_of_one_name_are_refused(path: Path) -> None:
    save_pth(path, WEIGHTS)
    with zipfile.ZipFile(path, "a") as file, pytest.warns(UserWarning, match="Duplicate"):
        file.writestr("archive/data.pkl", pickled(b"}"))
    with pytest.raises(ConversionError, match="two of its entries have the same name"):
        read_back(path)


def test_encrypted_entries_are_refused(path: Path) -> None:
    data = bytearray(save_pth(path, WEIGHTS).read_bytes())
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(ConversionError, match=r"data\.pkl in it is encrypted"):
        read_back(path)


def test_values_whose_checksum_is_wrong_are_refused(path: Path) -> None:
    data = bytearray(save_pth(path, {"a": np.ones(100, np.float32)}).read_bytes())
    data[data.index(np.ones(100, np.float32).tobytes()) + 5] ^= 4
    path.write_bytes(data)
    with pytest.raises(ConversionError, match="Bad CRC-32"):
        read_back(path)


@pytest.mark.parametrize("keep", [0, 1, 30, 100, 0.5, 0.999])
def test_a_file_that_is_cut_off_says_so(path: Path, keep: float) -> None:
    data = save_pth(path, WEIGHTS).read_bytes()
    path.write_bytes(data[: int(keep * len(data)) if isinstance(keep, float) else keep])
    with pytest.raises(ConversionError, match=r"model\.pth is damaged, cut off or no PyTorch file"):
        read_back(path)


def test_other_files_are_told_apart(tmp_path: Path) -> None:
    page = tmp_path / "page.pth"
    page.write_text("<!doctype html><html>Sign in</html>")
    with pytest.raises(ConversionError, match=r"page\.pth is damaged.*it is no zip archive"):
        read_back(page)
    with zipfile.ZipFile(tmp_path / "photos.pth", "w") as file:
        file.writestr("photo.jpg", b"x")
    with pytest.raises(ConversionError, match=r"photos\.pth is damaged.*it has no data\.pkl"):
        read_back(tmp_path / "photos.pth")
    with pytest.raises(ConversionError, match="no weights file"):
        read_back(tmp_path / "gone.pth")
    assert not is_legacy(tmp_path / "gone.pth")
