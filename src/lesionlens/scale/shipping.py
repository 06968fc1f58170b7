"""Sending a bundle to machines that do not have it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import NamedTuple

from lesionlens.inference.bundle import Bundle

__all__ = ["ShippedBundle"]


class ShippedBundle(NamedTuple):
    """The files of a bundle, to be pickled. `Bundle.load` checks their SHA-256 where they arrive.

    Attributes:
        files: Bytes by file name.
    """

    files: dict[str, bytes]

    @classmethod
    def of(cls, bundle: Bundle) -> ShippedBundle:
        """Take the files of a bundle."""
        return cls({file.name: file.read_bytes() for file in sorted(bundle.path.iterdir()) if file.is_file()})

    def unpack(self) -> Bundle:
        """Write them to a new folder of this machine, which goes when this process ends, and load the bundle.

        Raises:
            BundleError: They arrived damaged, or are of another version.
            OSError: There is no room for them.
        """
        folder = tempfile.TemporaryDirectory(prefix="lesionlens-bundle-")
        _kept.append(folder)
        for name, data in self.files.items():
            (Path(folder.name) / os.path.basename(name)).write_bytes(data)  # noqa: PTH119
        return Bundle.load(Path(folder.name))


_kept: list[tempfile.TemporaryDirectory[str]] = []
