"""The two networks that are measured, in floating point and in int8, and photos for them."""

from __future__ import annotations

import io
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final, get_args

import numpy as np
import numpy.typing as npt
from PIL import Image

from lesionlens import Bundle
from lesionlens.datasets import ImageSource, read_samples
from lesionlens.imaging import Limits
from lesionlens.inference.bundle import Manifest
from lesionlens.inference.embedded import find_bundle
from lesionlens.loadtest.photos import drawn_photo
from lesionlens.prepare import prepare
from lesionlens.quantise.graph import fold
from lesionlens.quantise.ranges import Layout, measure_ranges, quantised_graph

__all__ = ["NETWORKS", "Network", "load_network"]

NETWORKS: Final = ("lite2", "b5")
DATA: Final = Path(__file__).resolve().parents[3] / "shared" / "data"
_WEIGHTS: Final = Path(__file__).resolve().parents[1] / "speed" / "weights.py"
# What `lesionlens quantise lite2` leaves in floating point; of B5 the like, for speed alone.
_FLOAT_PARTS: Final = frozenset({"stem", "blocks.0.0"})
_CALIBRATION: Final = {"lite2": 32, "b5": 4}


@dataclass(frozen=True)
class Network:
    """A network to measure.

    Attributes:
        name: Out of `NETWORKS`.
        manifest: Of its bundle.
        graph: Its ONNX graph in floating point.
        int8: The same, quantised, by the engine that it was quantised for.
        float_nodes: Names of the nodes of the folded graph that stay in floating point in `int8`.
        photos: float32 `[N, 3, size, size]`.
        labels: The true diagnoses of the photos, 0–7; empty where they are not known.
        trained: Whether its answers mean something.
    """

    name: str
    manifest: Manifest
    graph: Path
    int8: dict[str, Path]
    float_nodes: frozenset[str]
    photos: npt.NDArray[np.float32]
    labels: tuple[int, ...]
    trained: bool


def load_network(name: str, folder: Path, pictures: int, quantised: Path | None = None) -> Network:
    """Make a network ready.

    Args:
        name: Out of `NETWORKS`.
        folder: Where to write what is made.
        pictures: How many photos to prepare; 8 at least, so that every batch can be filled, and 8 of B5.
        quantised: An int8 bundle of lite2; None makes one whose ranges come from a few photos.
    """
    if name == "lite2":
        bundle = find_bundle("lite2")
    else:
        subprocess.run([sys.executable, str(_WEIGHTS), str(folder / name)], check=True)
        bundle = Bundle.load(folder / name / "bundle")
    photos, labels = _photos(bundle.manifest, max(8, pictures) if name == "lite2" else 8, fold_zero=True)
    graph = fold(bundle.graph_path)
    int8: dict[str, Path] = {}
    if name == "lite2" and quantised is not None:
        made = Bundle.load(quantised)
        record = made.manifest.quantisation
        int8 = dict.fromkeys(get_args(Layout), made.graph_path)
        outside = graph.nodes_outside(set(graph.parts) - set(record.float_parts if record else graph.parts))
    else:
        outside = graph.nodes_outside(set(graph.parts) - _FLOAT_PARTS)
        seen, _ = _photos(bundle.manifest, _CALIBRATION[name], fold_zero=False)
        ranges = measure_ranges(graph, (photo[None] for photo in seen))
        for layout in get_args(Layout):
            int8[layout] = folder / f"{name}-int8-{layout}.onnx"
            int8[layout].write_bytes(quantised_graph(graph, ranges, outside, layout).SerializeToString())
    return Network(name, bundle.manifest, bundle.graph_path, int8, frozenset(outside), photos, labels, name == "lite2")


def _photos(manifest: Manifest, count: int, *, fold_zero: bool) -> tuple[npt.NDArray[np.float32], tuple[int, ...]]:
    """Return photos of the test fold, or of the others, prepared as the service does; drawn ones without data."""
    labels: tuple[int, ...] = ()
    if (DATA / "isic2019_folds.csv").is_file():
        samples = [sample for sample in read_samples(DATA) if (sample.fold == 0) is fold_zero]
        source = ImageSource(DATA)
        drawn = np.random.default_rng(0).choice(len(samples), min(count, len(samples)), replace=False)
        chosen = [samples[i] for i in sorted(drawn)]
        files, labels = [source.read(sample.image) for sample in chosen], tuple(sample.label for sample in chosen)
    else:
        files = [_turned(drawn_photo(), 7.0 * i) for i in range(count)]
    return np.stack([prepare(file, manifest.preprocessing, limits=Limits()).tensor for file in files]), labels


def _turned(file: bytes, degrees: float) -> bytes:
    out = io.BytesIO()
    Image.open(io.BytesIO(file)).convert("RGB").rotate(degrees).save(out, "JPEG", quality=92)
    return out.getvalue()
