"""Which pictures to look at closely: evenly over kinds, one per lesion, the same ones every time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence

import numpy as np

__all__ = ["draw_evenly"]


def draw_evenly(kinds: Sequence[Hashable], groups: Sequence[str], number: int, seed: int) -> list[int]:
    """Draw pictures at random, as many of each kind as there can be.

    The kinds take turns until the number is reached, so a rare kind gives all it has and the common ones share what is
    left. Of a lesion with several photos one is drawn, unless the photos are of different kinds.

    Args:
        kinds: Kind of each picture, N long; they take turns in the order of their text.
        groups: Lesion of each picture, N long.
        number: Number of pictures to draw, 0 or more.
        seed: Of the draw.

    Returns:
        Row numbers by kind and then row, `number` of them, or fewer if there are not so many.
    """
    shuffled = np.random.default_rng(seed).permutation(len(kinds)).tolist()
    waiting: dict[Hashable, list[int]] = defaultdict(list)
    seen: set[tuple[Hashable, str]] = set()
    for row in shuffled:
        kind = kinds[row]
        if (kind, groups[row]) not in seen:
            seen.add((kind, groups[row]))
            waiting[kind].append(row)
    drawn: list[int] = []
    turn = 0
    order = sorted(waiting, key=str)
    while len(drawn) < number and any(len(rows) > turn for rows in waiting.values()):
        drawn += [waiting[kind][turn] for kind in order if turn < len(waiting[kind])][: number - len(drawn)]
        turn += 1
    return sorted(drawn, key=lambda row: (str(kinds[row]), row))
