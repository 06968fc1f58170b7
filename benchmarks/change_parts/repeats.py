"""How much unchanged lesions seem to change, and whether lesions that grew are seen to have grown."""

from __future__ import annotations

import argparse
import itertools
import math
import sys

import numpy as np
import numpy.typing as npt
from PIL import Image

from change_parts.figures import dice, share_with_interval
from lesionlens.tracker.change import compare
from lesionlens.tracker.change.affine import warp
from lesionlens.tracker.change.difference import Difference
from lesionlens.tracker.change.growth import grow
from lesionlens.tracker.change.quantities import QUANTITIES
from lesionlens.tracker.change.repeatability import FACTOR, REPEATABILITY, is_clear
from lesionlens.tracker.change.rephotograph import Ranges, draw_shot, rephotograph
from lesionlens.training.outline_examples import pictures_with_masks

__all__ = ["measure_growth", "measure_repeatability"]

FACTORS = (0.8, 1.0, 1.1, 1.2, 1.3)
"""Of a lesion's diameter."""
ROOM = 0.24
"""Share of the picture's side: how far from its middle a lesion may reach, to be seen whole once it grew."""

Differences = tuple[Difference, ...]


def measure_repeatability(options: argparse.Namespace) -> None:
    """Print how much unchanged lesions seem to change, and how often a change is claimed."""
    rng = np.random.default_rng(options.seed)
    pairs: dict[bool, list[Differences]] = {True: [], False: []}
    others: list[Differences] = []
    overlaps = []
    for _, pixels, _ in pictures_with_masks(options.data, options.folds, options.pictures, options.seed):
        before = Image.fromarray(pixels)
        after, _ = rephotograph(before, draw_shot(rng, Ranges()))
        change = compare(before, after)
        if len(change.differences) < len(QUANTITIES) or not all(d.comparable for d in change.differences):
            others.append(change.differences)
            continue
        clear = is_clear(change.before_outline.confidence, change.after_outline.confidence)
        pairs[clear].append(change.differences)
        moved = warp(change.after_outline.mask.astype(np.float32), change.registration.matrix, before.size) > 0.5
        overlaps.append(dice(change.before_outline.mask, moved))
    print(f"outlines of both photographs laid on each other: Dice {np.mean(overlaps):.3f}")
    for clear, found in pairs.items():
        if found:
            _print_group(clear, found)
    whole = [p for found in pairs.values() for p in found]
    print(f"a change is claimed in {share_with_interval(_claims(whole), len(whole))} pairs compared in full")
    print(f"and in {share_with_interval(_claims(others), len(others))} others, mostly cut off by the picture's edge")


def _claims(pairs: list[Differences]) -> int:
    return sum(any(d.changed for d in p) for p in pairs)


def _print_group(clear: bool, found: list[Differences]) -> None:
    print(f"\nborder {'clear' if clear else 'not clear'}, n = {len(found)}")
    print("| measure | median | 95 % | kept in repeatability.py |\n|---|---|---|---|")
    for i, quantity in enumerate(QUANTITIES):
        middle, high = np.percentile([abs(p[i].change) for p in found], [50, 95])
        print(f"| {quantity.name} | {middle:.4f} | {high:.4f} | {REPEATABILITY[quantity.name].of(clear)} |")
    largest = [max(abs(d.change) / REPEATABILITY[d.name].of(clear) for d in p) for p in found]
    print(f"factor for all together: {np.percentile(largest, 95):.2f} of the kept values ({FACTOR.of(clear)} is kept)")
    print(f"a change is claimed in {share_with_interval(_claims(found), len(found))} pairs\n")


def _has_room(mask: npt.NDArray[np.bool_]) -> bool:
    rows, columns = np.nonzero(mask)
    middle = np.asarray(mask.shape)[:, None] / 2.0
    return len(rows) > 0 and float(np.linalg.norm([rows, columns] - middle, axis=0).max()) <= ROOM * max(mask.shape)


def measure_growth(options: argparse.Namespace) -> None:
    """Print how lesions that grew by a known factor are measured."""
    rng = np.random.default_rng(options.seed)
    every = pictures_with_masks(options.data, options.folds, sys.maxsize, options.seed)
    lesions = list(itertools.islice((one for one in every if _has_room(one[2])), options.pictures))
    print(f"lesions that reach no further than {ROOM} of the picture's side from its middle: {len(lesions)}\n")
    print("| diameter × | area × | measured, median (quartiles) | claimed larger | claimed smaller | compared |")
    print("|---|---|---|---|---|---|")
    for factor in FACTORS:
        measured: list[float] = []
        larger = smaller = 0
        for _, pixels, mask in lesions:
            before = Image.fromarray(pixels)
            after, _ = rephotograph(grow(before, mask, factor), draw_shot(rng, Ranges()))
            for difference in compare(before, after).differences:
                if difference.name == "area" and difference.comparable:
                    measured.append(math.exp(difference.change))
                    larger += difference.changed and difference.change > 0
                    smaller += difference.changed and difference.change < 0
        low, middle, high = np.percentile(measured, [25, 50, 75])
        shown = f"{middle:.2f} ({low:.2f}–{high:.2f})"
        print(f"| {factor} | {factor**2:.2f} | {shown} | {larger} | {smaller} | {len(measured)} of {len(lesions)} |")
