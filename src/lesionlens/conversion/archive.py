"""PyTorch's own files: a zip archive with a pickle (`data.pkl`) and a file of raw values for each storage.

The format is that of `torch.save` since PyTorch 1.6. Entries are stored as they are, never compressed, so that nothing
in the archive takes more memory than on disk.
"""

from __future__ import annotations

import functools
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lesionlens.conversion.pickled import MAX_BYTES, unpickle
from lesionlens.conversion.tensors import ITEM_SIZES, StoredTensor, UnusableTensor

__all__ = ["LEGACY_MAGIC", "open_archive"]

LEGACY_MAGIC: Final = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."
"""First bytes of the files of PyTorch before 1.6: a pickle of a number."""

_STORAGE_DTYPES: Final = {
    "DoubleStorage": "float64",
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
    "ComplexDoubleStorage": "complex128",
    "ComplexFloatStorage": "complex64",
    "QInt8Storage": "qint8",
    "QUInt8Storage": "quint8",
    "QInt32Storage": "qint32",
}
_ENCRYPTED: Final = 0x1


@dataclass(frozen=True, slots=True)
class _ElementType:
    """What stands for `torch.FloatStorage` and its like, and for `torch.float32`."""

    name: str


@dataclass(frozen=True, slots=True)
class _Storage:
    dtype: str
    key: str
    count: int


@contextmanager
def open_archive(path: Path) -> Iterator[object]:
    """Read what a PyTorch file holds, but for the values of its tensors.

    Args:
        path: The file.

    Yields:
        Containers with a `StoredTensor` in the place of each tensor, which can be read while the context is open, and
        an `UnusableTensor` where one can be no weight.

    Raises:
        MoreThanTensorsError: It holds something besides tensors and plain containers.
        ValueError, OSError, zipfile.BadZipFile and others: It is damaged; nothing that a file does to the reader of
            its zip directory is worth telling apart.
    """
    with zipfile.ZipFile(path) as archive:
        reader = _Reader(archive, path.stat().st_size)
        yield unpickle(reader.read("data.pkl", MAX_BYTES), reader.known, reader.storage)


class _Reader:
    def __init__(self, archive: zipfile.ZipFile, size: int) -> None:
        entries = archive.infolist()
        self._archive = archive
        self._entries = {entry.filename: entry for entry in entries}
        if len(self._entries) != len(entries):
            raise ValueError("two of its entries have the same name")
        # Entries that lie over each other could claim the same bytes any number of times.
        if sum(entry.file_size for entry in entries) > size:
            raise ValueError("its entries are larger than the file")
        roots = [name.removesuffix("data.pkl") for name in self._entries if name.endswith("/data.pkl")]
        roots = [root for root in roots if root.count("/") == 1]
        if len(roots) != 1:
            raise ValueError("it has no data.pkl")
        self._root = roots[0]
        order = f"{self._root}byteorder"
        self._big_endian = order in self._entries and self.read("byteorder", 16) == b"big"
        self._kept: dict[str, bytes] = {}
        self.known: dict[str, object] = {
            "torch._utils._rebuild_tensor_v2": self._tensor,
            "torch._utils._rebuild_parameter": _parameter,
            "torch._utils._rebuild_meta_tensor_no_storage": _meta_tensor,
            **{f"torch.{name}": _ElementType(dtype) for name, dtype in _STORAGE_DTYPES.items()},
            **{f"torch.{dtype}": _ElementType(dtype) for dtype in _STORAGE_DTYPES.values()},
        }

    def read(self, name: str, limit: int | None = None) -> bytes:
        """Return the bytes of an entry; zipfile checks their CRC."""
        entry = self._entries.get(self._root + name)
        if entry is None:
            raise ValueError(f"{name} is missing in it")
        if entry.compress_type != zipfile.ZIP_STORED or entry.compress_size != entry.file_size:
            raise ValueError(f"{name} in it is compressed, which PyTorch never does")
        if entry.flag_bits & _ENCRYPTED:
            raise ValueError(f"{name} in it is encrypted")
        if limit is not None and entry.file_size > limit:
            raise ValueError(f"{name} in it is longer than {limit} bytes")
        return self._archive.read(entry)

    def storage(self, persistent_id: object) -> _Storage:
        """Return what stands for a storage; its values stay in the file."""
        if not isinstance(persistent_id, tuple) or len(persistent_id) != 5 or persistent_id[0] != "storage":
            raise ValueError("it refers to something that is no storage")
        _, kind, key, _, count = persistent_id
        if not isinstance(kind, _ElementType) or not isinstance(key, str) or type(count) is not int:
            raise ValueError("it describes a storage in a way that PyTorch does not")
        return _Storage(kind.name, key, count)

    def _tensor(self, storage: Any, offset: Any, shape: Any, strides: Any, *_: object) -> StoredTensor | UnusableTensor:
        if not (isinstance(storage, _Storage) and isinstance(shape, tuple) and isinstance(strides, tuple)):
            raise ValueError("it describes a tensor in a way that PyTorch does not")
        if storage.dtype not in ITEM_SIZES:
            return UnusableTensor("is sparse, quantised or complex; accepted are dense real tensors")
        read = functools.partial(self._values, storage.key)
        return StoredTensor(storage.dtype, shape, strides, offset, storage.count, read, self._big_endian)

    def _values(self, key: str) -> bytes:
        # Kept, for tensors may share a storage; together they are at most as large as the file.
        if key not in self._kept:
            self._kept[key] = self.read(f"data/{key}")
        return self._kept[key]


def _parameter(tensor: object, *_: object) -> object:
    if not isinstance(tensor, StoredTensor | UnusableTensor):
        raise ValueError("a parameter in it is no tensor")
    return tensor


def _meta_tensor(*_: object) -> UnusableTensor:
    return UnusableTensor("has a shape but no values (a meta tensor); save the model after loading it")
