"""Finding a lost photo again by what it holds, wherever it lies and whatever it is called."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

__all__ = ["Sources"]


class Sources:
    """Files among which a photo may be found.

    Args:
        folders: Searched to the bottom; one that does not exist is left out.
    """

    def __init__(self, folders: Iterable[Path]) -> None:
        self._by_size: dict[int, list[Path]] = defaultdict(list)
        for folder in folders:
            for path in folder.rglob("*"):
                with suppress(FileNotFoundError):  # gone since it was listed
                    if path.is_file():
                        self._by_size[path.stat().st_size].append(path)

    def find(self, sha256: str, byte_size: int) -> bytes | None:
        """Return the bytes of a photo; None if no file holds them.

        Args:
            sha256: Names the photo.
            byte_size: Its length, so that few files have to be read.
        """
        for path in self._by_size[byte_size]:
            try:
                data = path.read_bytes()
            except OSError:  # a file that is gone or forbidden is only one place less to look
                continue
            if hashlib.sha256(data).hexdigest() == sha256:
                return data
        return None
