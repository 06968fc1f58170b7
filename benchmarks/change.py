"""What is known of the change between two visits: outlines, registration, repeatability and growth, on real pictures.

Needs the data folder with masks (`ham10000_masks_256.tar`) and the `evaluate` extra.

    python benchmarks/change.py outline --folds 0 --pictures 300
    python benchmarks/change.py registration --folds 0 --pictures 100
    python benchmarks/change.py pairs --folds 0 --pictures 200
    python benchmarks/change.py repeatability --folds 1 --pictures 800
    python benchmarks/change.py growth --folds 0 --pictures 100
"""

from __future__ import annotations

import argparse
import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from lesionlens.datasets.isic import ImageSource, read_samples
from lesionlens.datasets.masks import MaskSource
from lesionlens.imaging import decode
from lesionlens.tracker.change import Outline, compare, outline, register
from lesionlens.tracker.change.affine import warp
from lesionlens.tracker.change.difference import Difference
from lesionlens.tracker.change.growth import grow
from lesionlens.tracker.change.quantities import QUANTITIES
from lesionlens.tracker.change.repeatability import FACTOR, REPEATABILITY, is_clear
from lesionlens.tracker.change.rephotograph import Ranges, Shot, draw_shot, misplacement, rephotograph
from lesionlens.tracker.change.working import to_working
from lesionlens.training.outline_examples import bare_skin, pictures_with_masks

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

ONLY = Ranges(turn=0.0, zoom=0.0, shift=0.0, light=0.0, tint=0.0, gamma=0.0, blur=0.0, quality=95)


def dice(first: Bools, second: Bools) -> float:
    """Return the Dice coefficient of two masks; 1 if both are empty."""
    total = int(first.sum() + second.sum())
    return 2.0 * float((first & second).sum()) / total if total else 1.0


def with_interval(values: Sequence[float], seed: int) -> str:
    """Return a mean with its 95 % bootstrap interval."""
    drawn = np.asarray(values)[np.random.default_rng(seed).integers(len(values), size=(2000, len(values)))].mean(axis=1)
    low, high = np.percentile(drawn, [2.5, 97.5])
    return f"{np.mean(values):.3f} ({low:.3f}–{high:.3f})"


def measure_outlines(options: argparse.Namespace) -> None:
    """Print the overlap of outlines with masks drawn or checked by people, and what bare skin gives."""
    rng = np.random.default_rng(options.seed)
    overlaps, confidences, missed, bare, ghosts = [], [], 0, 0, 0
    for _, pixels, mask in pictures_with_masks(options.data, options.folds, options.pictures, options.seed):
        found = outline(Image.fromarray(pixels))
        missed += not found.found
        overlaps.append(dice(found.mask, mask))
        confidences.append(found.confidence)
        if (skin := bare_skin(pixels, mask, rng)) is not None:
            bare += 1
            ghosts += outline(Image.fromarray(skin)).found
    values, sure = np.asarray(overlaps), np.asarray(confidences)
    print(f"Dice, mean {with_interval(overlaps, options.seed)}, median {np.median(values):.3f}")
    print("Dice, percentiles 5, 10, 25:", *(f"{v:.3f}" for v in np.percentile(values, [5, 10, 25])))
    print(f"Jaccard, mean {np.mean(values / (2.0 - values)):.3f}; no lesion found in {missed} of {len(values)}")
    order = np.argsort(sure)
    for name, part in zip(("low", "middle", "high"), np.array_split(order, 3), strict=True):
        print(f"confidence {name:6} {sure[part].mean():.3f}: Dice {values[part].mean():.3f} (n = {len(part)})")
    print(f"bare skin: a lesion is seen in {ghosts} of {bare} pieces")


def conditions(rng: np.random.Generator) -> dict[str, Callable[[], Shot]]:
    """Return how second photographs are made, by name."""

    def drawn(**changed: float) -> Callable[[], Shot]:
        ranges = Ranges(**{name: changed.get(name, getattr(ONLY, name)) for name in Ranges.__slots__})
        return lambda: draw_shot(rng, ranges)

    every = Ranges()
    return {
        "turned by up to 180°": drawn(turn=every.turn),
        "shifted by up to 8 %": drawn(shift=every.shift),
        "zoomed by up to 1.25": drawn(zoom=every.zoom),
        "zoomed by up to 1.6": drawn(zoom=math.log(1.6)),
        "recoloured": drawn(light=every.light, tint=every.tint, gamma=every.gamma),
        "blurred, 1.5 px": lambda: Shot(blur=1.5, quality=95),
        "JPEG quality 40": lambda: Shot(quality=40),
        "all, as in rephotograph.Ranges": lambda: draw_shot(rng, every),
        "all, and a crop of 80 %": lambda: draw_shot(rng, every),
    }


def cropped(image: Image.Image) -> tuple[Image.Image, Floats]:
    """Return the upper left 80 % of a picture, at its old size, and where points of the picture lie in it."""
    side = round(0.8 * image.width)
    part = image.crop((0, 0, side, side)).resize(image.size, Image.Resampling.BICUBIC)
    zoom = image.width / side
    return part, np.array([[zoom, 0.0, 0.0], [0.0, zoom, 0.0]])


def measure_registration(options: argparse.Namespace) -> None:
    """Print how often and how well second photographs are laid on the first, and on those of other lesions."""
    rng = np.random.default_rng(options.seed)
    cases = conditions(rng)
    errors: dict[str, list[float]] = {name: [] for name in cases}
    methods: dict[str, int] = {}
    others = trusted = 0
    previous: tuple[Image.Image, Outline] | None = None
    for _, pixels, _ in pictures_with_masks(options.data, options.folds, options.pictures, options.seed):
        before = Image.fromarray(pixels)
        first = outline(before)
        for name, shot in cases.items():
            after, truth = rephotograph(before, shot())
            if "crop" in name:
                after, part = cropped(after)
                truth = np.column_stack([part[:, :2] @ truth[:, :2], part[:, :2] @ truth[:, 2] + part[:, 2]])
            found = register(before, after, before_outline=first)
            methods[found.method] = methods.get(found.method, 0) + 1
            errors[name].append(misplacement(found.matrix, truth, before.size) if found.success else math.nan)
        if previous is not None:
            others += 1
            trusted += register(previous[0], before, before_outline=previous[1], after_outline=first).success
        previous = before, first
    print("| second photograph | success | median error, px | 95 % | worst |\n|---|---|---|---|---|")
    for name, values in errors.items():
        good = np.asarray([v for v in values if not math.isnan(v)])
        figures = (f"{v:.2f}" for v in (np.median(good), np.percentile(good, 95), good.max())) if len(good) else "–––"
        print(f"| {name} | {len(good)} of {len(values)} | {' | '.join(figures)} |")
    print("methods:", ", ".join(f"{name} {count}" for name, count in sorted(methods.items())))
    print(f"another lesion: taken for the same in {trusted} of {others}")


def real_pairs(data: Path, folds: Sequence[int]) -> Iterator[tuple[list[npt.NDArray[np.uint8]], list[Bools]]]:
    """Yield two real photographs of each lesion that has several, with their masks."""
    masks, images = MaskSource(data), ImageSource(data)
    samples = [s for s in read_samples(data) if s.fold in folds and s.image in masks]
    for _, group in itertools.groupby(sorted(samples, key=lambda s: (s.group, s.image)), key=lambda s: s.group):
        two = list(group)[:2]
        if len(two) == 2:
            pixels = [to_working(decode(images.read(s.image)).image) for s in two]
            yield pixels, [masks.read(s.image) for s in two]


def measure_pairs(options: argparse.Namespace) -> None:
    """Print how real second photographs are registered, by how well the masks then lie on each other; and others'."""
    rows: dict[str, list[tuple[float, float]]] = {}
    others = trusted = 0
    previous: Image.Image | None = None
    for pixels, masks in itertools.islice(real_pairs(options.data, options.folds), options.pictures):
        before, after = (Image.fromarray(p) for p in pixels)
        found = register(before, after)
        moved = warp(masks[1].astype(np.float32), found.matrix, before.size) > 0.5
        rows.setdefault(found.method, []).append((dice(masks[0], masks[1]), dice(masks[0], moved)))
        if previous is not None:
            others += 1
            trusted += register(previous, before).success
        previous = before
    print("| method | pairs | Dice of the masks as they are | registered | registered, 5th percentile |")
    print("|---|---|---|---|---|")
    for method, values in sorted(rows.items()):
        raw, laid = np.asarray(values).T
        print(f"| {method} | {len(values)} | {raw.mean():.3f} | {laid.mean():.3f} | {np.percentile(laid, 5):.3f} |")
    print(f"photographs of two lesions: taken for one in {trusted} of {others}")


def measure_repeatability(options: argparse.Namespace) -> None:
    """Print how much unchanged lesions seem to change, and how often a change is claimed."""
    rng = np.random.default_rng(options.seed)
    pairs: dict[bool, list[tuple[Difference, ...]]] = {True: [], False: []}
    left_out, overlaps = 0, []
    for _, pixels, _ in pictures_with_masks(options.data, options.folds, options.pictures, options.seed):
        before = Image.fromarray(pixels)
        after, _ = rephotograph(before, draw_shot(rng, Ranges()))
        change = compare(before, after)
        if len(change.differences) < len(QUANTITIES) or not all(d.comparable for d in change.differences):
            left_out += 1
            continue
        clear = is_clear(change.before_outline.confidence, change.after_outline.confidence)
        pairs[clear].append(change.differences)
        moved = warp(change.after_outline.mask.astype(np.float32), change.registration.matrix, before.size) > 0.5
        overlaps.append(dice(change.before_outline.mask, moved))
    print(f"not comparable, mostly cut off by the picture's edge: {left_out}")
    print(f"outlines of both photographs laid on each other: Dice {np.mean(overlaps):.3f}")
    for clear, found in pairs.items():
        print(f"border {'clear' if clear else 'not clear'}, n = {len(found)}")
        print("| measure | median | 95 % | kept in repeatability.py |\n|---|---|---|---|")
        for i, quantity in enumerate(QUANTITIES):
            middle, high = np.percentile([abs(p[i].change) for p in found], [50, 95])
            print(f"| {quantity.name} | {middle:.4f} | {high:.4f} | {REPEATABILITY[quantity.name].of(clear)} |")
        largest = [max(abs(d.change) / REPEATABILITY[d.name].of(clear) for d in p) for p in found]
        claims = sum(any(d.changed for d in p) for p in found)
        print(
            f"factor for all together: {np.percentile(largest, 95):.2f} of the kept values ({FACTOR.of(clear)} is kept)"
        )
        print(f"a change is claimed in {claims} of {len(found)} pairs\n")


def measure_growth(options: argparse.Namespace) -> None:
    """Print how lesions that grew by a known factor are measured."""
    rng = np.random.default_rng(options.seed)
    print("| diameter × | area × | measured, median (quartiles) | claimed larger | claimed smaller | n |")
    print("|---|---|---|---|---|---|")
    for factor in (0.8, 1.0, 1.1, 1.2, 1.3):
        measured, larger, smaller = [], 0, 0
        for _, pixels, mask in pictures_with_masks(options.data, options.folds, options.pictures, options.seed):
            before = Image.fromarray(pixels)
            after, _ = rephotograph(grow(before, mask, factor), draw_shot(rng, Ranges()))
            for difference in compare(before, after).differences:
                if difference.name == "area" and difference.comparable:
                    measured.append(math.exp(difference.change))
                    larger += difference.changed and difference.change > 0
                    smaller += difference.changed and difference.change < 0
        low, middle, high = np.percentile(measured, [25, 50, 75])
        found = f"{middle:.2f} ({low:.2f}–{high:.2f})"
        print(f"| {factor} | {factor**2:.2f} | {found} | {larger} | {smaller} | {len(measured)} |")


PARTS: dict[str, Callable[[argparse.Namespace], None]] = {
    "outline": measure_outlines,
    "registration": measure_registration,
    "pairs": measure_pairs,
    "repeatability": measure_repeatability,
    "growth": measure_growth,
}


def main() -> None:
    """Measure one part and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--folds", type=int, nargs="+", default=[0])
    parser.add_argument("--pictures", type=int, default=100, help="most pictures, or pairs")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print(f"{options.part}: folds {options.folds}, at most {options.pictures} pictures, seed {options.seed}")
    PARTS[options.part](options)


if __name__ == "__main__":
    main()
