"""Tensors in a weights file: where their values lie, checked before a byte of them is read."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from lesionlens.errors import ConversionError

__all__ = ["ITEM_SIZES", "FloatArray", "StoredTensor", "UnusableTensor", "element_count", "row_major"]

FloatArray = npt.NDArray[np.float32]

# NumPy's codes by the names that PyTorch gives its element types. bfloat16, which NumPy lacks, is the upper half of a
# float32.
_CODES: Final = {
    "float64": "f8",
    "float32": "f4",
    "float16": "f2",
    "bfloat16": "u2",
    "int64": "i8",
    "int32": "i4",
    "int16": "i2",
    "int8": "i1",
    "uint8": "u1",
    "bool": "u1",
}
ITEM_SIZES: Final = {name: int(code[1]) for name, code in _CODES.items()}
"""Bytes of an element, by the name of its type. Other types (complex, quantised, 8-bit floats) are no weights."""

_MAX_DIMENSIONS: Final = 8  # a convolution has four


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """A dense real tensor that has not been read yet.

    Attributes:
        dtype: Name of the element type, one of `ITEM_SIZES`.
        shape: Its sizes.
        strides: Steps along its dimensions, in elements.
        offset: First element in the storage.
        capacity: Elements of the storage that it lies in.
        read: Returns the bytes of the storage.
        big_endian: Byte order.

    Raises:
        ValueError: A number is no possible size, stride or offset, the tensor reaches beyond its storage, or it has
            more elements than that (by which a small file could ask for any amount of memory).
    """

    dtype: str
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    offset: int
    capacity: int
    read: Callable[[], bytes]
    big_endian: bool = False

    def __post_init__(self) -> None:
        count = element_count(self.shape)
        if len(self.shape) != len(self.strides):
            raise ValueError(f"a tensor has {len(self.shape)} dimensions and {len(self.strides)} strides")
        if not all(_is_count(n) for n in (*self.strides, self.offset, self.capacity)):
            raise ValueError("a tensor has a stride or offset that is none")
        last = self.offset + sum((size - 1) * step for size, step in zip(self.shape, self.strides, strict=True))
        if count and (last >= self.capacity or count > self.capacity):
            raise ValueError("a tensor reaches beyond the values that the file has for it")

    def floats(self, name: str) -> FloatArray:
        """Read the values.

        Args:
            name: What the tensor is called in errors.

        Returns:
            float32 of `shape`, C-contiguous, little-endian.

        Raises:
            ConversionError: A value is not finite, or is beyond the range of float32.
            ValueError: The storage has another size than the tensor says.
        """
        code = _CODES[self.dtype]
        flat = np.frombuffer(self.read(), dtype=(">" if self.big_endian else "<") + code)
        if flat.size != self.capacity:
            raise ValueError(f"the values of {name} take {flat.nbytes} bytes, not {self.capacity * flat.itemsize}")
        if not math.prod(self.shape):
            return np.zeros(self.shape, np.float32)
        steps = tuple(step * flat.itemsize for step in self.strides)
        view = np.lib.stride_tricks.as_strided(flat[self.offset :], self.shape, steps, writeable=False)
        if self.dtype == "bfloat16":
            view = (view.astype(np.uint32) << 16).view(np.float32)
        with np.errstate(over="ignore"):  # shows below
            values = np.asarray(view, dtype="<f4", order="C")
        if not np.isfinite(values).all():
            raise ConversionError(
                f"{name} holds values that are not finite; the training run that wrote the file failed"
            )
        return values


@dataclass(frozen=True, slots=True)
class UnusableTensor:
    """What stands in the place of a tensor that can be no weight, until it is known what the tensor is called.

    Attributes:
        problem: Why, as the rest of a sentence that begins with its name.
    """

    problem: str


def element_count(shape: tuple[object, ...]) -> int:
    """Return the number of elements of a tensor.

    Args:
        shape: Its sizes, as a file gives them.

    Raises:
        ValueError: They can be no tensor's.
    """
    # Before anything is multiplied: numbers of any length take any time.
    if len(shape) > _MAX_DIMENSIONS or not all(_is_count(size) for size in shape):
        raise ValueError("a tensor has sizes that are none")
    return math.prod(int(size) for size in shape)  # type: ignore[call-overload]


def _is_count(number: object) -> bool:
    return type(number) is int and 0 <= number < 2**62


def row_major(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the strides, in elements, of a tensor without gaps whose last dimension runs fastest."""
    return tuple(math.prod(shape[i + 1 :]) for i in range(len(shape)))
