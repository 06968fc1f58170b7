"""A finished run to a bundle: weights, export, and all that is fitted on the run's validation pictures."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from pydantic import ValidationError
from torch import nn

from lesionlens import DISCLAIMER
from lesionlens.calibration.fit import Fitted, calibrate
from lesionlens.calibration.pictures import Pictures, words
from lesionlens.classifier import Classifier
from lesionlens.datasets import ImageSource
from lesionlens.datasets.isic import class_counts
from lesionlens.errors import ExportError
from lesionlens.inference.bundle import Bundle, Manifest, slug
from lesionlens.training.export import export_graph
from lesionlens.training.model import create_model
from lesionlens.training.prior import prior_shift
from lesionlens.training.record import training_record
from lesionlens.training.run_folder import RunFolder
from lesionlens.training.splits import split

FloatArray = npt.NDArray[np.float32]

__all__ = ["package_run"]


def package_run(
    run: Path,
    output: Path,
    *,
    name: str | None = None,
    version: str = "1.0.0",
    size: int | None = None,
    balance: float = 0.0,
    half: bool = True,
) -> Bundle:
    """Export a run's averaged weights and fit all that is fitted afterwards on its validation pictures, if it has any.

    Args:
        run: The run's folder.
        output: Folder of the bundle.
        name: The bundle's name; None makes it from the output folder's.
        version: Version of the weights.
        size: Side of the network's input in pixels; None for the run's own.
        balance: Share of the preference for common classes that is taken off the logits (`prior_shift`).
        half: Store large weights in half precision.

    Raises:
        DataError: The folder holds no finished run, or the data cannot be read.
        ExportError: The name is not accepted, or the network cannot be exported with exact Grad-CAM.
    """
    folder = RunFolder(run)
    config = folder.read_config()
    training, validation = split(config)
    spec = config.preprocessing if size is None else config.preprocessing.model_copy(update={"size": size})
    try:
        manifest = Manifest(
            name=name or slug(output),
            version=version,
            architecture=config.architecture,
            preprocessing=spec,
            training=training_record(folder, training, validation, balance=balance),
            graph_sha256="0" * 64,
        )
    except ValidationError as error:
        problem = error.errors()[0]
        raise ExportError(f"{problem['loc'][-1]} {problem['input']!r} is not accepted: {problem['msg']}") from error
    model = create_model(config.architecture)
    model.load_state_dict(folder.load(folder.weights))
    _shift_bias(model, prior_shift(class_counts(training), config.balance, balance))
    graph = export_graph(model, spec.size, half=half)
    reference = None
    if validation:
        pictures = Pictures(training, validation, words(config, validation), config.validation_fold)
        fitted = _fit(graph, manifest, pictures, ImageSource(config.data))
        manifest, reference = fitted.apply(manifest), fitted.data
    card = f"# {manifest.name}\n\n{DISCLAIMER}\n\nRun `lesionlens evaluate --card` to fill in this card.\n"
    return Bundle.write(output, graph, manifest, card, reference)


def _shift_bias(model: nn.Module, shift: FloatArray) -> None:
    linear = model.get_classifier()  # type: ignore[operator]
    with torch.no_grad():
        linear.bias.add_(torch.from_numpy(shift))


def _fit(graph: bytes, manifest: Manifest, pictures: Pictures, source: ImageSource) -> Fitted:
    with tempfile.TemporaryDirectory() as temporary:
        return calibrate(Classifier(Bundle.write(temporary, graph, manifest, "")), pictures, source)
