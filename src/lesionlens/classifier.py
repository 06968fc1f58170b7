"""The heart: pictures in, analyses out. Everything else calls `Classifier.analyse`."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

from lesionlens.attention import overlay_png
from lesionlens.imaging.appearance import Appearance, measure
from lesionlens.imaging.preprocess import crop_box, denormalise, preprocess
from lesionlens.imaging.quality import Quality, judge
from lesionlens.inference.bundle import Bundle, Manifest
from lesionlens.inference.embedded import DEFAULT_MODEL, find_bundle
from lesionlens.inference.engines import Engine, EngineInfo, create_engine
from lesionlens.inference.views import VIEW_COUNTS, run_views
from lesionlens.suitability import Reference, Suitability
from lesionlens.taxonomy import CODES, NOT_CONFIDENT_INDEX, Diagnosis, diagnosis
from lesionlens.uncertainty import decide, malignant_probability, prediction_sets, softmax

__all__ = ["Analysis", "Classifier"]

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Analysis:
    """What the model says of one picture.

    Attributes:
        logits: float32 `[8]`, before temperature and softmax; with test-time augmentation the mean over the views.
        probabilities: float32 `[8]`, calibrated, summing to 1, in the order of `lesionlens.taxonomy.DIAGNOSES`.
        prediction: 0–7, or 8 when the highest probability is below the bundle's threshold.
        malignant_probability: 0–1, summed over MEL, BCC, AKIEC and SCC.
        prediction_set: The diagnoses that stay possible at the coverage of the bundle's rule: class indexes 0–7 by
            falling probability, never empty. None when the bundle has no rule.
        maps: float32 `[8, h, w]`, exact Grad-CAM of every class after the ReLU, not scaled.
        features: float32 `[K]`, pooled features.
        seen_box: The part of the picture that the network saw: left, top, right, bottom as shares of its sides.
        appearance: What was measured on the network's input; the next two are made of it.
        quality: How good the photo is, and advice for a better one.
        suitability: Whether the picture is one that the network may judge; None when the bundle has no reference
            statistics.
    """

    logits: FloatArray
    probabilities: FloatArray
    prediction: int
    malignant_probability: float
    prediction_set: tuple[int, ...] | None
    maps: FloatArray
    features: FloatArray
    seen_box: tuple[float, float, float, float]
    appearance: Appearance
    quality: Quality
    suitability: Suitability | None

    @property
    def top(self) -> int:
        """Index 0–7 of the most probable diagnosis, also when the answer is "not confident"."""
        return int(self.probabilities.argmax())

    @property
    def max_confidence(self) -> float:
        """The highest of the eight probabilities."""
        return float(self.probabilities.max())

    @property
    def decided_by(self) -> Literal["max_probability", "suitability"]:
        """The rule behind `confident`: `suitability` when the picture is not suitable, else `max_probability`."""
        return "max_probability" if self.suitability is None or self.suitability.suitable else "suitability"

    @property
    def confident(self) -> bool:
        """Whether the answer may be relied on as far as the model can tell.

        The highest probability reached the bundle's threshold, and the picture is not one that the network should not
        judge. `prediction` and `diagnosis` follow the threshold alone.
        """
        return self.prediction != NOT_CONFIDENT_INDEX and self.decided_by != "suitability"

    @property
    def diagnosis(self) -> Diagnosis:
        """The answer, which may be "not confident"."""
        return diagnosis(self.prediction)

    @property
    def probabilities_by_code(self) -> dict[str, float]:
        """Probabilities by diagnosis code, in model order."""
        return {code: float(p) for code, p in zip(CODES, self.probabilities, strict=True)}

    def overlay_png(
        self,
        photo: Image.Image,
        index: int | None = None,
        max_side: int | None = None,
        *,
        helpers: Executor | None = None,
    ) -> bytes:
        """Draw the heatmap of a class over the photo.

        Args:
            photo: The upright RGB photo that was analysed, at any scale.
            index: Class 0–7; None for the most probable one.
            max_side: Longest side of the result in pixels; None keeps the photo's size.
            helpers: Threads that help to compress it; the bytes are the same without.

        Returns:
            The bytes of a PNG file.
        """
        shown = self.maps[self.top if index is None else index]
        return overlay_png(photo, shown, box=self.seen_box, max_side=max_side, helpers=helpers)


class Classifier:
    """A bundle loaded into an engine.

    `analyse` is pure: its result depends on the pictures alone. It may be called from several threads at once.

    Args:
        model: Name of an embedded bundle, a bundle's folder, or a loaded `Bundle`.
        engine: `auto`, `onnxruntime`, `openvino`, or a loaded engine.
        threads: Number of compute threads; 0 for one per CPU that this process may use.
        precision: `auto`, `fp32` or `bf16`; `auto` is `fp32` on every machine. With a loaded engine it says nothing.
        cache_dir: Folder where an engine that compiles may keep what it compiled, to start sooner; None for none.
        tta: Test-time augmentation: how many views of a picture are averaged. 1 shows it as it is; 2 mirrors it, too;
            4 turns both by half, too; 8 turns them by quarters. It takes as many times longer. Logits and maps are the
            means, features and what is made of them (`Analysis.suitability`) those of the picture as it is.
            Temperature, thresholds and prediction sets are the bundle's, which were fitted for 1.

    Raises:
        BundleError: There is no such bundle or it is not valid.
        EngineError: No engine can run it.
        ValueError: `tta` is none of 1, 2, 4 and 8.

    Example:
        >>> from PIL import Image
        >>> from lesionlens import Classifier
        >>> [analysis] = Classifier().analyse([Image.new("RGB", (300, 200), "tan")])
        >>> round(float(analysis.probabilities.sum()), 3)
        1.0
    """

    def __init__(
        self,
        model: str | Path | Bundle = DEFAULT_MODEL,
        *,
        engine: str | Engine = "auto",
        threads: int = 0,
        precision: str = "auto",
        cache_dir: Path | None = None,
        tta: int = 1,
    ) -> None:
        if tta not in VIEW_COUNTS:
            raise ValueError(f"tta is {tta!r}; accepted: {', '.join(map(str, VIEW_COUNTS))}")
        self._tta = tta
        self._bundle = model if isinstance(model, Bundle) else find_bundle(model)
        self._engine = (
            create_engine(self._bundle.graph_path, engine, threads, precision, cache_dir)
            if isinstance(engine, str)
            else engine
        )
        rule, statistics = self.manifest.out_of_distribution, self._bundle.reference
        self._reference = Reference.from_bytes(statistics, rule) if rule and statistics else None

    @property
    def bundle(self) -> Bundle:
        """The bundle in use."""
        return self._bundle

    @property
    def manifest(self) -> Manifest:
        """The bundle's manifest."""
        return self._bundle.manifest

    @property
    def reference(self) -> Reference | None:
        """Statistics of the pictures that the network may judge; None when the bundle has none."""
        return self._reference

    @property
    def tta(self) -> int:
        """How many views of each picture are averaged."""
        return self._tta

    @property
    def engine_info(self) -> EngineInfo:
        """The engine in use."""
        return self._engine.info

    @property
    def description(self) -> dict[str, Any]:
        """Name, version and hash of the model, and the engine: what a result must be kept with.

        With another arithmetic than fp32, or test-time augmentation, the engine's name says so, for the answers are
        others.
        """
        manifest, engine = self.manifest, self.engine_info.label
        return {
            "name": manifest.name,
            "version": manifest.version,
            "architecture": manifest.architecture,
            "sha256": manifest.graph_sha256,
            "engine": engine if self._tta == 1 else f"{engine}, tta {self._tta}",
        }

    def analyse(self, images: Sequence[Image.Image]) -> list[Analysis]:
        """Analyse a batch of pictures in one engine call.

        Args:
            images: Upright RGB pictures of any size (`lesionlens.imaging.decode` makes them from untrusted bytes).

        Returns:
            One analysis per picture, in order; an empty list for an empty batch.

        Raises:
            ValueError: A picture is not in RGB mode.
            EngineError: The engine failed.
        """
        if not images:
            return []
        spec = self.manifest.preprocessing
        return self.analyse_tensors(
            np.stack([preprocess(image, spec) for image in images]), [image.size for image in images]
        )

    def analyse_tensors(
        self, batch: FloatArray, sizes: Sequence[tuple[int, int]], looks: Sequence[Appearance | None] | None = None
    ) -> list[Analysis]:
        """Analyse pictures that `preprocess` has already prepared, for callers that prepare them elsewhere.

        Args:
            batch: float32 `[N, 3, size, size]`, N ≥ 1.
            sizes: `(width, height)` in pixels of each upright picture.
            looks: What was measured on each picture's pixels (`lesionlens.prepare`); None where it was not yet, which
                then is done here.

        Returns:
            One analysis per picture, in order.

        Raises:
            EngineError: The engine failed.
        """
        logits, maps, features = run_views(self._engine, batch, self._tta)
        probabilities = softmax(logits, self.manifest.temperature, self.manifest.logit_shift)
        predictions = decide(probabilities, self.manifest.confidence_threshold)
        malignant = malignant_probability(probabilities)
        rule = self.manifest.prediction_set
        sets = prediction_sets(probabilities, rule) if rule else None
        spec = self.manifest.preprocessing
        appearances = [
            measure(denormalise(tensor, spec)) if look is None else look
            for tensor, look in zip(batch, looks or [None] * len(batch), strict=True)
        ]
        return [
            Analysis(
                logits=logits[i],
                probabilities=probabilities[i],
                prediction=int(predictions[i]),
                malignant_probability=float(malignant[i]),
                prediction_set=sets[i] if sets else None,
                maps=maps[i],
                features=features[i],
                seen_box=_shares(crop_box(width, height, spec), width, height),
                appearance=appearances[i],
                quality=judge(appearances[i], min(width, height)),
                suitability=self._reference.judge(features[i], appearances[i]) if self._reference else None,
            )
            for i, (width, height) in enumerate(sizes)
        ]

    def probabilities(self, batch: FloatArray) -> FloatArray:
        """Return the probabilities of prepared pictures and nothing else, for callers that change a picture many times.

        Args:
            batch: float32 `[N, 3, size, size]`, N ≥ 1, as `preprocess` makes it.

        Returns:
            float32 `[N, 8]`, calibrated: those of `analyse_tensors`.

        Raises:
            EngineError: The engine failed.
        """
        logits = run_views(self._engine, batch, self._tta).logits
        return softmax(logits, self.manifest.temperature, self.manifest.logit_shift)


def _shares(box: tuple[int, int, int, int], width: int, height: int) -> tuple[float, float, float, float]:
    left, top, right, bottom = box
    return (left / width, top / height, right / width, bottom / height)
