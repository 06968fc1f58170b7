"""From a bundle to its int8 bundle: quantise, compare on pictures that it was not trained on, and write if it holds."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from lesionlens.classifier import Classifier
from lesionlens.datasets import ImageSource, Sample
from lesionlens.errors import QuantisationError
from lesionlens.imaging import Limits
from lesionlens.inference.bundle import Bundle, Manifest
from lesionlens.inference.records import QuantisationRecord
from lesionlens.inference.threads import usable_cpus
from lesionlens.prepare import prepare
from lesionlens.quantise.card import quantised_card
from lesionlens.quantise.compare import MIN_AGREEMENT, MIN_MAP_CORRELATION, Answer, Comparison, compare
from lesionlens.quantise.graph import FloatGraph, fold
from lesionlens.quantise.pictures import Pictures
from lesionlens.quantise.ranges import PERCENTILE, Layout, Ranges, measure_ranges
from lesionlens.quantise.search import Candidate, candidates, errors_by_part

__all__ = ["Quantised", "Watch", "quantise"]

FloatArray = npt.NDArray[np.float32]
Watch = Callable[[str, int], Callable[[int], object]]
"""From a step's title and its length to what is called with each advance."""

_PROBES: Final = 16  # pictures that tell the worst parts
# Asked of the pictures of training beyond what is asked of new ones, of which a model is less sure.
_MARGIN: Final = 0.005


class Quantised(NamedTuple):
    """What came of it.

    Attributes:
        bundle: The bundle, as written; None if its answers moved too far and that was not accepted.
        record: What the manifest says of it.
        comparison: How far the answers moved on new pictures.
    """

    bundle: Bundle | None
    record: QuantisationRecord
    comparison: Comparison


@dataclass(frozen=True)
class _Reader:
    """Prepares pictures as the service does."""

    source: ImageSource
    classifier: Classifier

    def tensor(self, sample: Sample) -> tuple[FloatArray, tuple[int, int]]:
        photo = prepare(self.source.read(sample.image), self.classifier.manifest.preprocessing, limits=Limits())
        return photo.tensor[None], photo.decoded_size

    def tensors(self, samples: Sequence[Sample]) -> Iterator[FloatArray]:
        return (self.tensor(sample)[0] for sample in samples)

    def answers(
        self, classifier: Classifier, samples: Sequence[Sample], progress: Callable[[int], object]
    ) -> list[Answer]:
        found = []
        for sample in samples:
            tensor, size = self.tensor(sample)
            found.append(Answer.of(classifier.analyse_tensors(tensor, [size])[0]))
            progress(1)
        return found


def quantise(
    bundle: Bundle,
    output: Path,
    pictures: Pictures,
    source: ImageSource,
    *,
    name: str,
    layout: Layout = "onnxruntime",
    threads: int = 0,
    force: bool = False,
    watch: Watch = lambda _title, _total: lambda _advance: None,
) -> Quantised:
    """Make an int8 bundle of a bundle.

    Convolutions multiply int8 numbers; the last one and all behind it stay in floating point, and so do the parts of
    the network without which the answers would move too far: the worst ones, as few as will do on pictures of the
    training. Then answers and heatmaps are compared with the float bundle's on pictures that it was not trained on.

    Args:
        bundle: A bundle in floating point.
        output: Folder to write to; what is there is replaced, once the new bundle is whole.
        pictures: What to measure ranges, choose parts and compare on.
        source: Where they lie.
        name: Name of the new bundle.
        layout: The engine that the new bundle is for; it is compared in that one.
        threads: Compute threads; 0 for one per CPU that this process may use.
        force: Write the bundle also if its answers moved too far; its manifest says so then.
        watch: Told of each step; see `Watch`.

    Raises:
        QuantisationError: The bundle is quantised already, or no choice of parts keeps its answers.
        DataError: A picture cannot be read.
        EngineError: The graph cannot be run.
    """
    threads = threads or usable_cpus()
    before = Classifier(bundle, engine=layout, threads=threads)
    reader = _Reader(source, before)
    graph = fold(bundle.graph_path)
    probes = list(reader.tensors(pictures.calibration[:_PROBES]))
    ranges = measure_ranges(
        graph,
        reader.tensors(pictures.calibration),
        watch("Measuring ranges", len(pictures.calibration)),
    )
    worst = errors_by_part(graph, ranges, probes, threads, layout, watch("Quantising part by part", len(graph.parts)))
    with tempfile.TemporaryDirectory() as folder:
        attempts = _Attempts(bundle, Path(folder), layout, threads)
        chosen = _search(graph, ranges, list(worst), attempts, reader, pictures.calibration, watch)
        comparison = compare(
            reader.answers(before, pictures.measured, watch("Asking the float network", len(pictures.measured))),
            reader.answers(
                attempts.classifier(chosen), pictures.measured, watch("Asking the int8 network", len(pictures.measured))
            ),
            [sample.label for sample in pictures.measured],
        )
    record = _record(bundle.manifest, pictures, chosen, comparison, layout)
    if comparison.failures and not force:
        return Quantised(None, record, comparison)
    manifest = bundle.manifest.model_copy(
        update={
            "name": name,
            "version": f"{bundle.manifest.version}-int8",
            "quantisation": record,
            "results": {},  # those of the float bundle are another network's
        }
    )
    return Quantised(_write(output, bundle, manifest, chosen), record, comparison)


@dataclass(frozen=True)
class _Attempts:
    """Loads candidates as bundles, so that they are asked exactly as the service will ask them."""

    bundle: Bundle
    folder: Path
    layout: Layout
    threads: int

    def classifier(self, candidate: Candidate) -> Classifier:
        written = Bundle.write(self.folder, candidate.model, self.bundle.manifest, "", self.bundle.reference)
        return Classifier(written, engine=self.layout, threads=self.threads)


def _search(
    graph: FloatGraph,
    ranges: Ranges,
    worst: Sequence[str],
    attempts: _Attempts,
    reader: _Reader,
    samples: Sequence[Sample],
    watch: Watch,
) -> Candidate:
    """Return the first candidate that keeps the answers to pictures of the training, with a margin; else the last."""
    labels = [sample.label for sample in samples]
    before = reader.answers(reader.classifier, samples, watch("Asking the float network", len(samples)))
    candidate = None
    for candidate in candidates(graph, ranges, worst, attempts.layout):
        title = f"Trying with {len(candidate.float_parts)} of {len(graph.parts)} parts in floating point"
        found = compare(
            before, reader.answers(attempts.classifier(candidate), samples, watch(title, len(samples))), labels
        )
        if found.agreement >= MIN_AGREEMENT + _MARGIN and found.map_correlation >= MIN_MAP_CORRELATION + _MARGIN:
            return candidate
    if candidate is None:  # pragma: no cover - a graph has at least one part
        raise QuantisationError("the network has no part that could be quantised")
    return candidate


def _record(
    manifest: Manifest, pictures: Pictures, chosen: Candidate, comparison: Comparison, layout: Layout
) -> QuantisationRecord:
    return QuantisationRecord(
        precision="int8",
        method=(
            "static, QDQ; weights int8 per output channel, activations uint8 per tensor, cut at the "
            f"{PERCENTILE}th percentile; pairs placed for {layout}; ONNX Runtime {ort.__version__}"
        ),
        source_name=manifest.name,
        source_version=manifest.version,
        source_sha256=manifest.graph_sha256,
        calibration_pictures=len(pictures.calibration),
        float_parts=("tail", *chosen.float_parts),
        measured_on=pictures.measured_on,
        pictures=comparison.pictures,
        agreement=comparison.agreement,
        map_correlation=comparison.map_correlation,
        probability_change=comparison.probability_change,
        balanced_accuracy_before=comparison.balanced_accuracy_before,
        balanced_accuracy=comparison.balanced_accuracy,
        accepted=not comparison.failures,
    )


def _write(output: Path, source: Bundle, manifest: Manifest, chosen: Candidate) -> Bundle:
    """Write the bundle, whole or not at all."""
    output.parent.mkdir(parents=True, exist_ok=True)
    # On the same disk as the output, so that the last step is a rename.
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=f".{output.name}-") as folder:
        new = Path(folder) / "bundle"
        card = quantised_card(manifest, source.model_card)
        Bundle.write(new, chosen.model, manifest, card, source.reference)
        if output.exists():
            output.rename(Path(folder) / "old")
        new.rename(output)
    return Bundle.load(output)
