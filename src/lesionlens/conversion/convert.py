"""Turning weights that somebody else trained into a bundle that LesionLens serves."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from lesionlens.conversion.matching import misfits, other_class_count, require_match
from lesionlens.conversion.template import ARCHITECTURE, INPUT_SIZE, shapes, weights_to_graph
from lesionlens.conversion.weights_file import is_legacy, open_weights
from lesionlens.conversion.writing import Fit, describe, require_room, write
from lesionlens.errors import ConversionError
from lesionlens.inference.bundle import Bundle

__all__ = ["convert_weights"]

_INSTALL: Final = "To convert it, install PyTorch: pip install 'lesionlens[train]'"


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
    """Make a bundle out of the weights of a network with the eight ISIC 2019 classes.

    EfficientNet-B5 at 456 px needs nothing but the serving install: its graph ships with the package. Other networks
    and sizes, and files of PyTorch before 1.6, go to `lesionlens.training.convert`, which needs the `train` extra; of
    a file that both take, both make the same bundle. No code in the file is ever run, and the bundle appears whole or
    not at all.

    Args:
        path: `.pth` or `.pt` as `torch.save` writes them, or `.safetensors`; wrapper dictionaries and `module.`
            prefixes are undone.
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
            the network gives no finite answers, or PyTorch is needed and not installed.

    Example:
        ```python
        bundle = convert_weights("model.pth", "my-bundle", fit="squash")
        Classifier(bundle).analyse([photo])
        ```
    """
    path, output = Path(path), Path(output)
    require_room(output, overwrite)
    reason = _why_not_here(path, architecture, input_size)
    if reason is not None:
        return _with_pytorch(
            reason,
            path,
            output,
            name=name,
            architecture=architecture,
            fit=fit,
            input_size=input_size,
            overwrite=overwrite,
        )
    manifest = describe(path, output, name, ARCHITECTURE, INPUT_SIZE, fit)
    with open_weights(path) as weights:
        graph = weights_to_graph(weights.floats)
    return write(output, graph, manifest, path)


def _why_not_here(path: Path, architecture: str | None, input_size: int | None) -> str | None:
    """Return why PyTorch has to convert a file; None if it need not.

    Raises:
        ConversionError: The file is no weights file, whoever reads it, or fits but for its number of classes.
    """
    if is_legacy(path):
        return f"{path.name} is in the format of PyTorch before 1.6"
    with open_weights(path) as weights:
        found = weights.shapes
    if architecture not in (None, ARCHITECTURE):
        return f"{path.name} is said to be {architecture}, and only {ARCHITECTURE} is converted without PyTorch"
    if architecture is not None or other_class_count(shapes(), found) is not None:
        require_match(shapes(), found, ARCHITECTURE)
    if problems := misfits(shapes(), found):
        return f"{path.name} is not {ARCHITECTURE} ({'; '.join(problems[:2])}), the one that needs no PyTorch"
    if input_size not in (None, INPUT_SIZE):
        return f"{ARCHITECTURE} is converted without PyTorch at {INPUT_SIZE} pixels only, not at {input_size}"
    return None


def _with_pytorch(reason: str, path: Path, output: Path, **options: object) -> Bundle:
    try:
        from lesionlens.training.convert import convert_weights as convert
    except ImportError as error:
        raise ConversionError(f"{reason}. {_INSTALL} ({error})") from error
    return convert(path, output, **options)  # type: ignore[arg-type]
