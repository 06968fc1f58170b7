"""How well outlines overlap with masks that people drew or checked, and what bare skin gives."""

from __future__ import annotations

import argparse
from typing import NamedTuple

import numpy as np
from PIL import Image

from change_parts.figures import dice, share_with_interval, with_interval
from lesionlens.taxonomy import CODES
from lesionlens.tracker.change import outline
from lesionlens.training.outline_examples import bare_skin, pictures_with_masks

__all__ = ["measure_outlines"]


class _Row(NamedTuple):
    label: str
    overlap: float
    confidence: float
    found: bool


def measure_outlines(options: argparse.Namespace) -> None:
    """Print the overlap of outlines with masks: of all, by diagnosis, and by the outline's own confidence.

    A lesion that was not found counts with a Dice of 0.
    """
    rng = np.random.default_rng(options.seed)
    rows: list[_Row] = []
    bare = ghosts = 0
    for sample, pixels, mask in pictures_with_masks(options.data, options.folds, options.pictures, options.seed):
        found = outline(Image.fromarray(pixels))
        rows.append(_Row(CODES[sample.label], dice(found.mask, mask), found.confidence, found.found))
        if (skin := bare_skin(pixels, mask, rng)) is not None:
            bare += 1
            ghosts += outline(Image.fromarray(skin)).found
    overlaps = np.array([r.overlap for r in rows])
    print(f"lesions: {len(rows)}; found in {share_with_interval(sum(r.found for r in rows), len(rows))}")
    print(f"Dice, mean {with_interval(overlaps, options.seed)}, median {np.median(overlaps):.3f}")
    print("Dice, percentiles 5, 10, 25:", *(f"{v:.3f}" for v in np.percentile(overlaps, [5, 10, 25])))
    print(f"Jaccard, mean {np.mean(overlaps / (2.0 - overlaps)):.3f}")
    print(f"Dice below 0.7: {share_with_interval(int((overlaps < 0.7).sum()), len(rows))}\n")
    _by_diagnosis(rows, options.seed)
    _by_confidence(rows)
    print(f"\nbare skin: a lesion is seen in {share_with_interval(ghosts, bare)} pieces")


def _by_diagnosis(rows: list[_Row], seed: int) -> None:
    print("| diagnosis | lesions | found | Dice, mean (95 %) | median |\n|---|---|---|---|---|")
    labels = sorted({r.label for r in rows}, key=lambda label: (-sum(r.label == label for r in rows), label))
    for label in labels:
        part = [r for r in rows if r.label == label]
        overlaps = np.array([r.overlap for r in part])
        figures = f"{with_interval(overlaps, seed)} | {np.median(overlaps):.3f}"
        print(f"| {label} | {len(part)} | {sum(r.found for r in part)} | {figures} |")


def _by_confidence(rows: list[_Row]) -> None:
    ordered = sorted(rows, key=lambda r: r.confidence)
    print("\n| confidence, third | mean | Dice, mean | lesions |\n|---|---|---|---|")
    for name, indices in zip(("lowest", "middle", "highest"), np.array_split(np.arange(len(ordered)), 3), strict=True):
        part = [ordered[i] for i in indices]
        sure, overlap = np.mean([r.confidence for r in part]), np.mean([r.overlap for r in part])
        print(f"| {name} | {sure:.3f} | {overlap:.3f} | {len(part)} |")
