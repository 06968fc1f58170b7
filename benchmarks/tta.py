"""What test-time augmentation gains and costs, and whether to average logits or probabilities.

Every picture is shown in all eight views, once each; the answers of 1, 2, 4 and 8 of them are averaged both ways, from
the same passes. One view is the baseline, and gains over it have 95 % bootstrap intervals over lesions. Without --fold
the pictures are those that the model's training kept out: what is chosen here must not be chosen on the test fold.

    python benchmarks/tta.py
    python benchmarks/tta.py --fold 0
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from rich.progress import track
from sklearn.metrics import roc_auc_score

from lesionlens import Bundle
from lesionlens.calibration.pictures import pictures_of
from lesionlens.datasets import ImageSource, Sample, read_samples
from lesionlens.evaluation.calibration import expected_calibration_error
from lesionlens.evaluation.run import choose
from lesionlens.imaging import decode, preprocess
from lesionlens.inference.embedded import DEFAULT_MODEL, find_bundle
from lesionlens.inference.engines import Engine, EngineInfo, Outputs, create_engine
from lesionlens.inference.views import VIEW_COUNTS, run_views
from lesionlens.taxonomy import DIAGNOSES
from lesionlens.uncertainty import malignant_probability, prediction_sets, softmax

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
MIN_SIDE = 180  # pixels; smaller pictures are reported apart, as everywhere
FIGURES = ("balanced accuracy", "malignant AUC", "log loss", "ECE", "set coverage", "set size")

Floats = npt.NDArray[np.float64]


class Recorder:
    """An engine that keeps the logits of each pass, and its time.

    Args:
        engine: The engine that computes.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.logits: list[npt.NDArray[np.float32]] = []
        self.seconds: list[float] = []

    @property
    def info(self) -> EngineInfo:
        """The engine that computes."""
        return self.engine.info

    def run(self, batch: npt.NDArray[np.float32]) -> Outputs:
        """Run one pass and keep what it gives."""
        start = time.perf_counter()
        outputs = self.engine.run(batch)
        self.seconds.append(time.perf_counter() - start)
        self.logits.append(outputs.logits)
        return outputs


class Shown(NamedTuple):
    """What the network said of the pictures.

    Attributes:
        logits: `[8, N, 8]`: views, pictures, classes.
        seconds: `[8]`, of all passes of a view.
        label: `[N]`.
        group: `[N]`, number of the lesion.
        side: `[N]`, shorter side of the picture in pixels.
    """

    logits: Floats
    seconds: Floats
    label: npt.NDArray[np.int64]
    group: npt.NDArray[np.int64]
    side: npt.NDArray[np.int64]


def show_all(bundle: Bundle, samples: list[Sample], data: Path, threads: int) -> Shown:
    """Show every picture to the network in all views."""
    engine, spec, source = (
        create_engine(bundle.graph_path, "auto", threads),
        bundle.manifest.preprocessing,
        ImageSource(data),
    )
    logits, seconds, sides = [], np.zeros(max(VIEW_COUNTS)), []
    for i, sample in enumerate(track(samples, "Looking at pictures")):
        photo = decode(source.read(sample.image), min_side=spec.decode_side)
        recorder = Recorder(engine)
        run_views(recorder, preprocess(photo.image, spec)[None], max(VIEW_COUNTS))
        logits.append(np.concatenate(recorder.logits))
        sides.append(min(photo.width, photo.height))
        if i:  # the first is the engine's warm-up
            seconds += recorder.seconds
    return Shown(
        np.stack(logits, 1).astype(np.float64),
        seconds,
        np.array([sample.label for sample in samples]),
        np.unique([sample.group for sample in samples], return_inverse=True)[1],
        np.array(sides),
    )


def averaged(logits: Floats, views: int, what: str, bundle: Bundle) -> Floats:
    """Return the probabilities `[N, 8]` of a mean over views."""
    temperature, shift = bundle.manifest.temperature, bundle.manifest.logit_shift
    if what == "logits":
        return np.asarray(softmax(logits[:views].mean(0).astype(np.float32), temperature, shift), np.float64)
    return np.mean([softmax(view.astype(np.float32), temperature, shift) for view in logits[:views]], 0)


def figures(probabilities: Floats, label: npt.NDArray[np.int64], weights: Floats, bundle: Bundle) -> Floats:
    """Return the six figures of pictures that count `weights` times."""
    top, malignant = probabilities.argmax(1), np.isin(label, [d.index for d in DIAGNOSES if d.malignant])
    true = probabilities[np.arange(len(label)), label]
    recall = [np.average(top[label == k] == k, weights=weights[label == k]) for k in np.unique(label[weights > 0])]
    score = malignant_probability(probabilities.astype(np.float32))
    rule, nan = bundle.manifest.prediction_set, float("nan")
    sets = prediction_sets(probabilities.astype(np.float32), rule) if rule else None
    return np.array(
        [
            np.mean(recall),
            roc_auc_score(malignant, score, sample_weight=weights),
            np.average(-np.log(np.maximum(true, 1e-12)), weights=weights),
            expected_calibration_error(weights[None], probabilities.max(1), top == label)[0],
            np.average([k in s for k, s in zip(label, sets, strict=True)], weights=weights) if sets else nan,
            np.average([len(s) for s in sets], weights=weights) if sets else nan,
        ]
    )


def report(shown: Shown, part: npt.NDArray[np.bool_], bundle: Bundle, resamples: int) -> None:
    """Print the table of a part of the pictures."""
    label, group = shown.label[part], shown.group[part]
    ways = [(1, "logits"), *((n, what) for n in VIEW_COUNTS[1:] for what in ("logits", "probabilities"))]
    answers = {way: averaged(shown.logits[:, part], *way, bundle) for way in ways}
    rng = np.random.default_rng(0)
    lesions = np.unique(group)
    draws = [np.bincount(rng.choice(lesions, len(lesions)), minlength=group.max() + 1)[group] for _ in range(resamples)]
    base = [figures(answers[1, "logits"], label, draw.astype(float), bundle) for draw in draws]
    print(f"\n{part.sum():,} pictures, {len(lesions):,} lesions")
    print(f"| views, mean of | {' | '.join(FIGURES)} | time |")
    print(f"|---|{'---|' * (len(FIGURES) + 1)}")
    for (views, what), probabilities in answers.items():
        cells = [f"{value:.4f}" for value in figures(probabilities, label, np.ones(len(label)), bundle)]
        if views > 1 and resamples:
            moved = np.array([figures(probabilities, label, draw.astype(float), bundle) for draw in draws]) - base
            low, high = np.quantile(moved, (0.025, 0.975), axis=0)
            cells = [f"{cell} ({a:+.4f} to {b:+.4f})" for cell, a, b in zip(cells, low, high, strict=True)]
        cost = shown.seconds[:views].sum() / shown.seconds[0]
        print(f"| {views}{f', {what}' if views > 1 else ''} | {' | '.join(cells)} | {cost:.1f}× |")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=DEFAULT_MODEL, help="embedded bundle or a bundle's folder")
    parser.add_argument("--data", type=Path, default=DATA, help="folder in the official ISIC 2019 layout")
    parser.add_argument("--fold", type=int, help="this fold instead of the pictures that training kept out")
    parser.add_argument("--limit", type=int, help="this many pictures, drawn at random")
    parser.add_argument("--threads", type=int, default=0, help="compute threads; 0 for one per CPU")
    parser.add_argument("--resamples", type=int, default=200, help="bootstrap resamples; 0 for no intervals")
    arguments = parser.parse_args()

    bundle = find_bundle(arguments.model)
    if arguments.fold is None:
        samples, of = (
            choose(pictures_of(bundle.manifest, arguments.data).held_out, None, arguments.limit),
            "kept out of training",
        )
    else:
        samples, of = choose(read_samples(arguments.data), arguments.fold, arguments.limit), f"fold {arguments.fold}"
    shown = show_all(bundle, samples, arguments.data, arguments.threads)
    print(f"{bundle.manifest.name} {bundle.manifest.version}, {len(samples):,} pictures {of}; gains in brackets")
    for part in (shown.side >= MIN_SIDE, shown.side < MIN_SIDE, shown.side > 0):
        if part.any():
            report(shown, part, bundle, arguments.resamples)


if __name__ == "__main__":
    main()
