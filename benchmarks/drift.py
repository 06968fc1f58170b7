"""What the input drift gives for real photos: as they are, of single collections, and altered.

Prints the table of docs/observability.md. Needs the data folder; takes about a minute and a half on two free cores.

    python benchmarks/drift.py
    python benchmarks/drift.py --photos 40       # a quick look
"""

from __future__ import annotations

import argparse
import io
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

from lesionlens import Classifier
from lesionlens.classifier import Analysis
from lesionlens.datasets import ImageSource, Sample, read_samples
from lesionlens.drift import DriftMonitor

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
FOLD = 0  # kept out of training
BATCH = 8
ALL_ALIKE = 10**9  # a window so long that all photos weigh the same

Change = Callable[[Image.Image], Image.Image]


def as_it_is(picture: Image.Image) -> Image.Image:
    """Change nothing."""
    return picture


def compressed(picture: Image.Image) -> Image.Image:
    """Save as a poor JPEG."""
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=15)
    return Image.open(buffer).convert("RGB")


def darker(picture: Image.Image) -> Image.Image:
    """Take away 30 % of the light."""
    return ImageEnhance.Brightness(picture).enhance(0.7)


def bluish(picture: Image.Image) -> Image.Image:
    """Set a wrong white balance: red 15 % down, blue 15 % up."""
    red, green, blue = picture.split()
    return Image.merge(
        "RGB", (red.point(lambda v: int(0.85 * v)), green, blue.point(lambda v: min(255, int(1.15 * v))))
    )


def blurred(picture: Image.Image) -> Image.Image:
    """Put it out of focus, by a sixtieth of its width."""
    return picture.filter(ImageFilter.GaussianBlur(picture.width / 60))


def swapped(picture: Image.Image) -> Image.Image:
    """Exchange red and blue, as a wrongly written client does."""
    red, green, blue = picture.split()
    return Image.merge("RGB", (blue, green, red))


ALTERED: dict[str, Change] = {
    "the first, saved as JPEG of quality 15": compressed,
    "the first, 30 % darker": darker,
    "the first, with a bluish white balance": bluish,
    "the first, out of focus": blurred,
    "the first, with red and blue exchanged": swapped,
}


class Pictures:
    """Analyses of photos, each made once."""

    def __init__(self, classifier: Classifier, source: ImageSource) -> None:
        self._classifier = classifier
        self._source = source
        self._known: dict[tuple[str, str], Analysis] = {}

    def analyse(self, samples: Sequence[Sample], change: Change) -> list[Analysis]:
        """Return the analyses in the photos' order."""
        new = [sample for sample in samples if (sample.image, change.__name__) not in self._known]
        for start in range(0, len(new), BATCH):
            batch = new[start : start + BATCH]
            pictures = [change(Image.open(io.BytesIO(self._source.read(s.image))).convert("RGB")) for s in batch]
            for sample, analysis in zip(batch, self._classifier.analyse(pictures), strict=True):
                self._known[sample.image, change.__name__] = analysis
        return [self._known[sample.image, change.__name__] for sample in samples]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--photos", type=int, default=200, help="photos in each row, at least 20")
    options = parser.parse_args()
    classifier = Classifier(engine="onnxruntime")
    pictures = Pictures(classifier, ImageSource(options.data))
    fold = [sample for sample in read_samples(options.data) if sample.fold == FOLD]
    sources = sorted({sample.source for sample in fold})
    equal = [sample for source in sources for sample in draw(of(fold, source), options.photos // len(sources))]
    rows: list[tuple[str, list[Sample], Change]] = [("as many of each collection", equal, as_it_is)]
    rows.append(("drawn from all of the fold", draw(fold, options.photos), as_it_is))
    rows += [(f"of {source} only", draw(of(fold, source), options.photos), as_it_is) for source in sources]
    rows += [(name, equal, change) for name, change in ALTERED.items()]
    print("| photos | appearance | features |\n|---|---:|---:|")
    for name, samples, change in rows:
        appearance, features = ratios(classifier, pictures.analyse(samples, change))
        print(f"| {name} | {appearance:.1f} | {features:.1f} |", flush=True)


def of(samples: Sequence[Sample], source: str) -> list[Sample]:
    """Return those of one collection."""
    return [sample for sample in samples if sample.source == source]


def draw(samples: Sequence[Sample], count: int) -> list[Sample]:
    """Draw photos, the same ones each time."""
    return sorted(samples, key=lambda sample: zlib.crc32(sample.image.encode()))[:count]


def ratios(classifier: Classifier, analyses: Sequence[Analysis]) -> tuple[float, float]:
    """Return the drift of appearance and of features."""
    if classifier.reference is None:
        raise SystemExit("the model has no reference statistics; run lesionlens calibrate")
    monitor = DriftMonitor(classifier.reference, ALL_ALIKE)
    for analysis in analyses:
        monitor.add(analysis.features, analysis.appearance)
    return monitor.appearance or np.nan, monitor.features or np.nan


if __name__ == "__main__":
    main()
