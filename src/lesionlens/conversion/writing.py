"""Writing the bundle of converted weights, whole or not at all; the same whoever converted them."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from lesionlens.errors import ConversionError
from lesionlens.imaging.preprocess import PreprocessSpec
from lesionlens.inference.bundle import MANIFEST_NAME, Bundle, Manifest, slug
from lesionlens.taxonomy import DIAGNOSES

__all__ = ["Fit", "describe", "require_room", "write"]

Fit = Literal["squash", "center_crop"]
"""How pictures become square: the whole one without its aspect, or its largest centred square."""


def require_room(output: Path, overwrite: bool) -> None:
    """Check that a bundle may be written to a folder.

    Args:
        output: The folder.
        overwrite: Whether a bundle in it may be replaced.

    Raises:
        ConversionError: Something is in the way.
    """
    if output.is_dir() and not any(output.iterdir()):
        return
    if output.exists() and not (overwrite and (output / MANIFEST_NAME).is_file()):
        remedy = " and is not a bundle" if overwrite else "; name another folder or allow overwriting a bundle"
        raise ConversionError(f"{output} exists already{remedy}")


def describe(path: Path, output: Path, name: str | None, architecture: str, size: int, fit: Fit) -> Manifest:
    """Make the manifest of converted weights; the hash of the graph is filled in when the bundle is written.

    Args:
        path: The weights file; its hash becomes the version.
        output: Folder of the bundle.
        name: Name of the model; None for the folder's, in lower case.
        architecture: timm name.
        size: Side of the square input in pixels.
        fit: How pictures become square.

    Raises:
        ConversionError: The name is not accepted.
    """
    try:
        return Manifest(
            name=name or slug(output),
            version=f"sha256-{_digest(path)[:12]}",
            architecture=architecture,
            preprocessing=PreprocessSpec(size=size, fit=fit, interpolation="bilinear"),
            results={},
            graph_sha256="0" * 64,
        )
    except ValidationError as error:
        problem = error.errors()[0]
        raise ConversionError(f"{problem['loc'][-1]} {problem['input']!r} is not accepted: {problem['msg']}") from error


def write(output: Path, graph: bytes, manifest: Manifest, source: Path) -> Bundle:
    """Write a bundle; it appears whole or not at all.

    Args:
        output: Its folder; what is there is replaced (`require_room` says whether it may be).
        graph: Serialised ONNX model.
        manifest: The manifest.
        source: The weights file, which the model card names.

    Raises:
        ConversionError: It cannot be written.
    """
    card = _card(manifest, source.name, _digest(source))
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        # On the same disk as the output, so that the last step is a rename.
        with tempfile.TemporaryDirectory(dir=output.parent, prefix=f".{output.name}-") as folder:
            new = Path(folder) / "bundle"
            bundle = Bundle.write(new, graph, manifest, card)
            if output.exists():
                output.rename(Path(folder) / "old")
            new.rename(output)
    except OSError as error:
        raise ConversionError(f"cannot write {output}: {error.strerror}") from error
    return Bundle(output, bundle.manifest)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


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
