"""How far decoding large JPEGs at reduced scale moves the network's input and its answer.

Each real test-fold photo is enlarged to a phone photo's size, given a sensor's noise and saved as JPEG; it is then
decoded in full (the baseline) and at reduced scale, such that the reduced side is exactly the stated multiple of the
network's input: the least that `decode(…, min_side=multiple × size)` ever gives.

    python benchmarks/reduced_decoding.py --images 120
"""

from __future__ import annotations

import argparse
import csv
import io
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from lesionlens import Classifier
from lesionlens.imaging import Limits, decode, preprocess
from lesionlens.inference.embedded import DEFAULT_MODEL
from lesionlens.taxonomy import CODES, canonical_code

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
CASES = ((1.0, 8), (1.5, 8), (2.0, 8), (3.0, 4), (4.0, 4))  # side left over input size, and the reduction
QUALITY = 92
LIMITS = Limits(max_bytes=200 * 1024 * 1024)
MIN_SIDE = 180  # pixels of the original; smaller ones are too blurred to stand for a photo


@dataclass
class Moves:
    """What one case did to every photo: levels of 0–255 in the input, and probabilities."""

    input_mean: list[float] = field(default_factory=list)
    input_max: list[float] = field(default_factory=list)
    probability: list[float] = field(default_factory=list)
    answers_changed: int = 0

    def row(self, name: str) -> str:
        """Return the case as a row of the table."""
        return (
            f"| {name} | {np.mean(self.input_mean):.2f} | {np.max(self.input_max):.0f} "
            f"| {np.mean(self.probability):.4f} | {np.quantile(self.probability, 0.95):.4f} "
            f"| {np.max(self.probability):.4f} | {self.answers_changed} of {len(self.probability)} |"
        )


def photos(count: int) -> Iterator[Image.Image]:
    """Yield test-fold photos, the same number of each diagnosis."""
    with (DATA / "isic2019_folds.csv").open(encoding="utf-8", newline="") as file:
        rows = [r for r in csv.DictReader(file) if r["fold"] == "0" and int(r["width"]) >= MIN_SIDE]
    for code in CODES:
        for row in [r for r in rows if canonical_code(r["label"]) == code][: count // len(CODES)]:
            with tarfile.open(DATA / row["tar"]) as tar:
                member = tar.extractfile(f"ISIC_2019_Training_Input/{row['image']}.jpg")
                assert member is not None
                yield decode(member.read()).image


def enlarge(photo: Image.Image, side: int, noise: float, rng: np.random.Generator) -> Image.Image:
    """Return the photo with its shorter side enlarged to `side` pixels, with Gaussian noise of `noise` levels."""
    scale = side / min(photo.size)
    large = photo.resize((round(photo.width * scale), round(photo.height * scale)), Image.Resampling.LANCZOS)
    # One tile of noise is laid over the whole photo: drawing 12 million numbers per photo would take most of the time.
    tile = rng.normal(0.0, noise, (512, 512, 3)).astype(np.float32)
    repeats = (-(-large.height // 512), -(-large.width // 512), 1)
    noisy = np.asarray(large) + np.tile(tile, repeats)[: large.height, : large.width]
    return Image.fromarray(np.clip(np.rint(noisy), 0, 255).astype(np.uint8))


def compare(
    moves: Moves, classifier: Classifier, before: Image.Image, after: Image.Image, std: npt.NDArray[np.float64]
) -> None:
    """Add what replacing one picture by another does."""
    spec = classifier.manifest.preprocessing
    tensors = np.stack([preprocess(before, spec), preprocess(after, spec)])
    levels = np.abs(tensors[0] - tensors[1]) * std[:, None, None] * 255.0
    first, second = classifier.analyse_tensors(tensors, [before.size, after.size])
    moves.input_mean.append(float(levels.mean()))
    moves.input_max.append(float(levels.max()))
    moves.probability.append(float(np.abs(first.probabilities - second.probabilities).max()))
    moves.answers_changed += first.prediction != second.prediction


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=DEFAULT_MODEL, help="embedded bundle or a bundle's folder")
    parser.add_argument("--images", type=int, default=120, help="number of photos, a multiple of 8")
    parser.add_argument("--noise", type=float, default=4.0, help="sensor noise, standard deviation in levels of 0–255")
    arguments = parser.parse_args()

    classifier = Classifier(arguments.model, threads=1)
    size, std = classifier.manifest.preprocessing.size, np.asarray(classifier.manifest.preprocessing.std)
    rng = np.random.default_rng(0)
    saving = Moves()
    table = {case: Moves() for case in CASES}
    for photo in photos(arguments.images):
        for side in sorted({round(multiple * size) * scale for multiple, scale in CASES}):
            large = enlarge(photo, side, arguments.noise, rng)
            file = io.BytesIO()
            large.save(file, "JPEG", quality=QUALITY)
            full = decode(file.getvalue(), limits=LIMITS).image
            if side == max(round(multiple * size) * scale for multiple, scale in CASES):
                compare(saving, classifier, large, full, std)
            for (multiple, scale), moves in table.items():
                if round(multiple * size) * scale != side:
                    continue
                reduced = decode(file.getvalue(), limits=LIMITS, min_side=round(multiple * size)).image
                if min(reduced.size) != round(multiple * size):
                    raise SystemExit(f"expected a side of {round(multiple * size)} px, got {reduced.size}")
                compare(moves, classifier, full, reduced, std)
    print(
        f"{classifier.manifest.name} {classifier.manifest.version}, input {size} px, {len(saving.probability)} photos, "
        f"JPEG quality {QUALITY}, noise {arguments.noise:g} levels; baseline: the same file decoded in full"
    )
    print("| decoded at | input: mean move (0–255) | max | probability: mean move | 95 % | max | answers changed |")
    print("|---|---|---|---|---|---|---|")
    print(saving.row("full size (against the photo before it was saved)"))
    for (multiple, scale), moves in table.items():
        print(moves.row(f"1/{scale}, side left {multiple:g} × input"))


if __name__ == "__main__":
    main()
