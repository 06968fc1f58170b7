"""Opening a weights file without PyTorch: its format told by its first bytes, its tensors found and named."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from lesionlens.conversion.archive import LEGACY_MAGIC, open_archive
from lesionlens.conversion.pickled import MoreThanTensorsError
from lesionlens.conversion.safetensors_file import open_safetensors
from lesionlens.conversion.state_dict import ACCEPTED, damaged, find_state_dict, more_than_tensors, short
from lesionlens.conversion.tensors import FloatArray, StoredTensor, UnusableTensor
from lesionlens.errors import ConversionError

__all__ = ["WeightsFile", "is_legacy", "open_weights"]

_ZIP: Final = b"PK"


class WeightsFile:
    """The tensors of an open weights file.

    Args:
        name: The file's name, for errors.
        tensors: Its tensors by name.

    Attributes:
        shapes: Their shapes by name.
    """

    def __init__(self, name: str, tensors: dict[str, StoredTensor]) -> None:
        self._name, self._tensors = name, tensors
        self.shapes = {key: tensor.shape for key, tensor in tensors.items()}

    def floats(self, key: str) -> FloatArray:
        """Read the values of a tensor.

        Args:
            key: Its name, one of `shapes`.

        Returns:
            float32, C-contiguous.

        Raises:
            ConversionError: Its values are damaged or not finite.
        """
        try:
            return self._tensors[key].floats(f"{self._name}: {key}")
        except ConversionError:
            raise
        except Exception as error:
            raise _unreadable(self._name, error) from error


@contextmanager
def open_weights(path: Path) -> Iterator[WeightsFile]:
    """Open a weights file. Nothing in it is executed, and the memory that it takes is in proportion to its size.

    Args:
        path: A PyTorch file (zip, as `torch.save` writes since PyTorch 1.6) or a `.safetensors` file. Wrappers and
            prefixes are undone as `lesionlens.conversion.state_dict.find_state_dict` says.

    Yields:
        Its tensors, which can be read while the context is open.

    Raises:
        ConversionError: The file is missing, damaged, holds anything besides tensors and plain containers, or its
            tensors cannot be weights.
    """
    if not path.is_file():
        raise ConversionError(f"no weights file {path.name!r}; {ACCEPTED}")
    with ExitStack() as stack:
        content = _content(path, stack)
        tensors: dict[str, StoredTensor] = {}
        for key, tensor in find_state_dict(content, path.name, (StoredTensor, UnusableTensor)).items():
            if not isinstance(tensor, StoredTensor):
                raise ConversionError(f"{path.name}: {short(key)} {tensor.problem}")
            tensors[key] = tensor
        yield WeightsFile(path.name, tensors)


def is_legacy(path: Path) -> bool:
    """Return whether PyTorch before 1.6 wrote a file, in a format that only PyTorch reads.

    Args:
        path: The file; one that is not there is not.

    Raises:
        ConversionError: It cannot be read.
    """
    if not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            return file.read(len(LEGACY_MAGIC)) == LEGACY_MAGIC
    except OSError as error:
        raise _unreadable(path.name, error) from error


def _content(path: Path, stack: ExitStack) -> object:
    safe = path.suffix.lower() == ".safetensors"
    try:
        if safe:
            return stack.enter_context(open_safetensors(path))
        with path.open("rb") as file:
            start = file.read(2)
        if start[:1] == b"\x80":
            raise more_than_tensors(path.name, "it is a bare pickle, not what torch.save writes")
        if start != _ZIP:
            raise ValueError("it is no zip archive")
        return stack.enter_context(open_archive(path))
    except MoreThanTensorsError as error:
        raise more_than_tensors(path.name, f"it holds more than tensors ({error.what})") from error
    except ConversionError:
        raise
    except Exception as error:  # damaged files end in a dozen types: BadZipFile, KeyError, struct.error, …
        if safe and not isinstance(error, OSError):
            raise ConversionError(f"{path.name} is not a whole safetensors file: {_reason(error)}") from error
        raise _unreadable(path.name, error) from error


def _unreadable(name: str, error: Exception) -> ConversionError:
    if isinstance(error, OSError):  # the disk's or the system's fault rather than the file's
        return ConversionError(f"cannot read {name}: {error.strerror or error}")
    return damaged(name, _reason(error))


def _reason(error: Exception) -> str:
    # What this package says is in words; what lies below it may quote the file at any length.
    if isinstance(error, zipfile.BadZipFile) or type(error) is ValueError:
        return str(error)[:200]
    return type(error).__name__
