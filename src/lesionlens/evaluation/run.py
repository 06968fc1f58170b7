"""Running a bundle over labelled pictures, prepared exactly as the service prepares them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from lesionlens.classifier import Analysis, Classifier
from lesionlens.datasets import ImageSource, Sample
from lesionlens.errors import DataError, ImageError
from lesionlens.evaluation.groups.metadata import Person
from lesionlens.evaluation.groups.tone import typology_angle
from lesionlens.evaluation.predictions import Predictions
from lesionlens.evaluation.schema import FixedThreshold, ModelInfo
from lesionlens.evaluation.traits import Traits
from lesionlens.imaging import Photo, decode
from lesionlens.imaging.preprocess import preprocess
from lesionlens.inference.lineage import trained_folds, validation_folds
from lesionlens.inference.threads import usable_cpus
from lesionlens.taxonomy import NUM_CLASSES

__all__ = ["Finding", "choose", "find", "look", "model_info", "predict"]


class Finding(NamedTuple):
    """A picture, looked at again.

    Attributes:
        sample: Which picture it is.
        photo: The upright photo.
        analysis: What the model says of it.
    """

    sample: Sample
    photo: Image.Image
    analysis: Analysis


def choose(samples: Sequence[Sample], fold: int | None = None, limit: int | None = None, seed: int = 0) -> list[Sample]:
    """Choose the pictures to evaluate.

    Args:
        samples: All samples of a data folder.
        fold: Take this fold alone; None for all pictures.
        limit: Draw this many at random; None for all. Files are often sorted by collection, so the first ones
            would not stand for the rest.
        seed: Of the draw.

    Returns:
        The chosen samples in their order.

    Raises:
        DataError: No sample is in the fold, or the limit is below 1.
    """
    chosen = [s for s in samples if fold is None or s.fold == fold]
    if not chosen:
        folds = sorted({s.fold for s in samples if s.fold is not None})
        known = f"there are the folds {', '.join(map(str, folds))}" if folds else "the data has no folds file"
        raise DataError(f"no picture is in fold {fold}: {known}; fold `all` takes every picture")
    if limit is None or limit >= len(chosen):
        return chosen
    if limit < 1:
        raise DataError(f"the number of pictures must be 1 or more, not {limit}")
    drawn = np.random.default_rng(seed).choice(len(chosen), size=limit, replace=False)
    return [chosen[i] for i in sorted(drawn)]


def model_info(classifier: Classifier) -> ModelInfo:
    """Describe the model and the engine for `metrics.json`."""
    manifest, engine = classifier.manifest, classifier.engine_info
    views = "" if classifier.tta == 1 else f", tta {classifier.tta}"
    return ModelInfo(
        name=manifest.name,
        version=manifest.version,
        architecture=manifest.architecture,
        sha256=manifest.graph_sha256,
        engine=f"{engine.name} {engine.version} on {engine.device} in {engine.precision}{views}",
        confidence_threshold=manifest.confidence_threshold,
        operating_points=tuple(FixedThreshold(name=p.name, threshold=p.threshold) for p in manifest.operating_points),
        prediction_set=manifest.prediction_set,
        train_folds=trained_folds(manifest),
        validation_fold=next(iter(validation_folds(manifest)), None),
        calibration_fold=manifest.calibration.fold if manifest.calibration else None,
    )


def predict(
    classifier: Classifier,
    samples: Sequence[Sample],
    source: ImageSource,
    *,
    batch_size: int = 16,
    people: Mapping[str, Person] | None = None,
    progress: Callable[[int], object] = lambda _: None,
) -> Predictions:
    """Run the model over pictures.

    Args:
        classifier: The model.
        samples: The pictures, at least one.
        source: Where their bytes are.
        batch_size: Pictures per forward pass, 1 or more; changes the results by no more than rounding.
        people: Who is in the pictures, as far as it is known (`groups.metadata.read_people`): the predictions then have
            traits, skin tone included. None looks up none.
        progress: Called with the number of pictures of each finished batch.

    Raises:
        DataError: A picture is missing or cannot be read, or the batch size is below 1.
        EngineError: The engine failed.
    """
    if batch_size < 1:
        raise DataError(f"the batch size must be 1 or more, not {batch_size}")
    logits, probabilities = (np.empty((len(samples), NUM_CLASSES), dtype=np.float32) for _ in range(2))
    prediction, width, height = (np.empty(len(samples), dtype=np.int64) for _ in range(3))
    tones: list[float] = []
    row = 0
    with ThreadPoolExecutor(usable_cpus(), thread_name_prefix="lesionlens-tone") as pool:
        for photos, analyses in _analysed(classifier, samples, source, batch_size):
            if people is not None:
                tones += pool.map(typology_angle, [photo.image for photo in photos])
            # Row by row into arrays: keeping the analyses would keep the maps of every picture in memory.
            for photo, analysis in zip(photos, analyses, strict=True):
                logits[row], probabilities[row] = analysis.logits, analysis.probabilities
                prediction[row], width[row], height[row] = analysis.prediction, photo.width, photo.height
                row += 1
            progress(len(photos))
    return Predictions(
        image=np.array([s.image for s in samples], dtype=np.str_),
        label=np.array([s.label for s in samples], dtype=np.int64),
        source=np.array([s.source for s in samples], dtype=np.str_),
        group=np.array([s.group for s in samples], dtype=np.str_),
        fold=np.array([-1 if s.fold is None else s.fold for s in samples], dtype=np.int64),
        width=width,
        height=height,
        logits=logits,
        probabilities=probabilities,
        prediction=prediction,
        traits=None if people is None else _traits([people.get(s.image, Person()) for s in samples], tones),
    )


def _traits(people: Sequence[Person], tones: Sequence[float]) -> Traits:
    return Traits(
        sex=np.array([person.sex for person in people], dtype=np.str_),
        age=np.array([person.age for person in people], dtype=np.int64),
        site=np.array([person.site for person in people], dtype=np.str_),
        ita=np.array(tones, dtype=np.float32),
    )


def find(classifier: Classifier, samples: Sequence[Sample], source: ImageSource) -> list[Finding]:
    """Look at a few pictures again, one at a time, and keep photo and heatmaps.

    Raises:
        DataError: A picture is missing or cannot be read.
        EngineError: The engine failed.
    """
    return list(look(classifier, samples, source, batch_size=1))


def look(
    classifier: Classifier, samples: Sequence[Sample], source: ImageSource, *, batch_size: int = 16
) -> Iterator[Finding]:
    """Look at pictures one after the other with their heatmaps, however many: one batch is in memory at a time.

    Raises:
        DataError: A picture is missing or cannot be read.
        EngineError: The engine failed.
    """
    waiting = iter(samples)
    for photos, analyses in _analysed(classifier, samples, source, batch_size):
        for photo, analysis in zip(photos, analyses, strict=True):
            yield Finding(next(waiting), photo.image, analysis)


def _analysed(
    classifier: Classifier, samples: Sequence[Sample], source: ImageSource, batch_size: int
) -> Iterator[tuple[list[Photo], list[Analysis]]]:
    spec = classifier.manifest.preprocessing

    def prepare(sample: Sample) -> tuple[Photo, npt.NDArray[np.float32]]:
        try:
            photo = decode(source.read(sample.image), min_side=spec.decode_side)  # as the service does
        except ImageError as error:
            raise DataError(f"picture {sample.image} cannot be used: {error}") from error
        return photo, preprocess(photo.image, spec)

    with ThreadPoolExecutor(usable_cpus(), thread_name_prefix="lesionlens-prepare") as pool:
        for start in range(0, len(samples), batch_size):
            photos, tensors = zip(*pool.map(prepare, samples[start : start + batch_size]), strict=True)
            yield list(photos), classifier.analyse_tensors(np.stack(tensors), [p.image.size for p in photos])
