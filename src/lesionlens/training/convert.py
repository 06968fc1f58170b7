"""Turning PyTorch weights that somebody else trained into a bundle that LesionLens serves."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from lesionlens.errors import ConversionError, LesionLensError
from lesionlens.imaging.preprocess import PreprocessSpec
from lesionlens.inference.bundle import MANIFEST_NAME, Bundle, Manifest, slug
from lesionlens.taxonomy import DIAGNOSES
from lesionlens.training.efficientnet import INPUT_SIZES, recognise, require_match
from lesionlens.training.export import export_graph
from lesionlens.training.model import create_model
from lesionlens.training.restricted import load_weights

__all__ = ["Fit", "convert_weights"]

Fit = Literal["squash", "center_crop"]


def convert_weights(
    path: Path | str,
    output: Path | str,
    *,
    name: str | None = None,
    architecture: str | None = None,
    fit: Fit = "squash",
    input_size: int | None = None,
    overwrite: bool = False,
) -> Bundle:
    """Make a bundle out of a PyTorch state dict of a network with the eight ISIC 2019 classes.

    No code in the file is ever run (`lesionlens.training.restricted`). The graph is compared with PyTorch before
    anything is written, and the bundle appears whole or not at all.

    Args:
        path: `.pth` or `.pt` (zip or legacy) or `.safetensors`; wrapper dictionaries and `module.` prefixes are undone.
        output: Folder for the bundle.
        name: Name in the manifest; by default the output folder's, in lower case.
        architecture: timm name; None recognises EfficientNet B0–B7 by its tensors.
        fit: `squash` resizes the whole picture to the square, `center_crop` takes the largest centred square. It must
            be what the weights were trained with, or are to be served with.
        input_size: Side of the square input in pixels; None for the size at which the architecture was published.
        overwrite: Whether a bundle that is at `output` may be replaced.

    Returns:
        The bundle, as written.

    Raises:
        ConversionError: The weights cannot be read or do not fit, the name is not accepted, the output is in the way,
            or the graph does not agree with PyTorch.

    Example:
        ```python
        bundle = convert_weights("model.pth", "my-bundle", fit="squash")
        Classifier(bundle).analyse([photo])
        ```
    """
    path, output = Path(path), Path(output)
    _require_room(output, overwrite)
    weights = load_weights(path)
    if architecture is None:
        architecture = recognise(weights)
    else:
        require_match(weights, architecture)
    size = input_size or INPUT_SIZES.get(architecture.removeprefix("tf_"))
    if size is None:
        raise ConversionError(f"the input size of {architecture} is not known here; give it")
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    try:
        manifest = Manifest(
            name=name or slug(output),
            version=f"sha256-{digest[:12]}",
            architecture=architecture,
            preprocessing=PreprocessSpec(size=size, fit=fit, interpolation="bilinear"),
            results={},
            graph_sha256="0" * 64,
        )
    except ValidationError as error:
        problem = error.errors()[0]
        raise ConversionError(f"{problem['loc'][-1]} {problem['input']!r} is not accepted: {problem['msg']}") from error
    model = create_model(architecture)
    model.load_state_dict(weights, strict=False)  # all but the batch counters was matched above
    model.eval()
    try:
        graph = export_graph(model, size, half=False)  # what was trained is what is served
        return _write(output, graph, manifest, _card(manifest, path.name, digest))
    except LesionLensError as error:
        raise ConversionError(str(error)) from error
    except OSError as error:
        raise ConversionError(f"cannot write {output}: {error.strerror}") from error


def _require_room(output: Path, overwrite: bool) -> None:
    if output.is_dir() and not any(output.iterdir()):
        return
    if output.exists() and not (overwrite and (output / MANIFEST_NAME).is_file()):
        remedy = " and is not a bundle" if overwrite else "; name another folder or allow overwriting a bundle"
        raise ConversionError(f"{output} exists already{remedy}")


def _write(output: Path, graph: bytes, manifest: Manifest, card: str) -> Bundle:
    output.parent.mkdir(parents=True, exist_ok=True)
    # On the same disk as the output, so that the last step is a rename.
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=f".{output.name}-") as folder:
        new = Path(folder) / "bundle"
        bundle = Bundle.write(new, graph, manifest, card)
        if output.exists():
            output.rename(Path(folder) / "old")
        new.rename(output)
    return Bundle(output, bundle.manifest)


def _card(manifest: Manifest, source: str, digest: str) -> str:
    spec = manifest.preprocessing
    seen = "whole picture, its aspect given up" if spec.fit == "squash" else "largest centred square"
    classes = "\n".join(f"| {d.index} | {d.code} | {d.name} |" for d in DIAGNOSES)
    return f"""# {manifest.name}

**A research tool, not a medical device.** Its answers are no diagnosis and must not decide anybody's care.

Converted by LesionLens from weights that were trained elsewhere. LesionLens knows neither the pictures they were
trained on nor their licence, and has measured nothing: ask whoever made them, and run `lesionlens evaluate`.

| | |
|---|---|
| Architecture | {manifest.architecture} (timm) |
| Weights | `{source}`, SHA-256 `{digest}` |
| Input | {spec.size} × {spec.size} pixels, {seen}; {spec.interpolation}, mean {spec.mean}, std {spec.std} |
| Probabilities | softmax as the network gives it (temperature 1), not calibrated |
| Not confident | highest probability below {manifest.confidence_threshold} |
| Heatmap | exact Grad-CAM at the last convolution |

| Output | Code | Diagnosis |
|---|---|---|
{classes}

The order of the outputs is assumed, for a state dict does not hold the names of its classes.
"""
