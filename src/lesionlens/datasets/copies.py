"""Finding byte-identical copies, so that a split cannot put them on both sides."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from lesionlens.datasets.isic import ImageSource, Sample
from lesionlens.datasets.progress import Progress, silent
from lesionlens.inference.threads import usable_cpus

__all__ = ["join_copies"]


def join_copies(samples: Sequence[Sample], source: ImageSource, progress: Progress = silent) -> list[Sample]:
    """Give groups one name where a file of one has the same bytes (by SHA-256) as a file of the other.

    Args:
        samples: The samples. Those without a picture keep their groups.
        source: Where their pictures are.
        progress: Told how many pictures were read.

    Returns:
        The samples in their order; groups that were joined have the name of the first of them.

    Raises:
        DataError: A picture cannot be read.
    """
    parent = {sample.group: sample.group for sample in samples}
    rank = {group: i for i, group in enumerate(parent)}

    def root(group: str) -> str:
        while parent[group] != group:
            parent[group] = parent[parent[group]]  # shortens the way for the next time
            group = parent[group]
        return group

    there = [sample for sample in samples if sample.image in source]
    group_of: dict[bytes, str] = {}
    with ThreadPoolExecutor(usable_cpus()) as pool:
        digests = pool.map(lambda s: hashlib.sha256(source.read(s.image)).digest(), there)
        for done, (sample, digest) in enumerate(zip(there, digests, strict=True), start=1):
            first, later = sorted(
                (root(group_of.setdefault(digest, sample.group)), root(sample.group)), key=rank.__getitem__
            )
            parent[later] = first
            progress("comparing pictures", done, len(there))
    return [replace(sample, group=root(sample.group)) for sample in samples]
