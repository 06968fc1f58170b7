"""Turning PyTorch weights that somebody else trained into a bundle, with PyTorch and timm.

`lesionlens.conversion.convert_weights` is the way in: it needs PyTorch only for networks whose graph does not ship
with the package.
"""

from __future__ import annotations

from pathlib import Path

from lesionlens.conversion.writing import Fit, describe, require_room, write
from lesionlens.errors import ConversionError, LesionLensError
from lesionlens.inference.bundle import Bundle
from lesionlens.training.efficientnet import INPUT_SIZES, recognise, require_match
from lesionlens.training.export import export_graph
from lesionlens.training.model import create_model
from lesionlens.training.restricted import load_weights

__all__ = ["convert_weights"]


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
    require_room(output, overwrite)
    weights = load_weights(path)
    if architecture is None:
        architecture = recognise(weights)
    else:
        require_match(weights, architecture)
    size = input_size or INPUT_SIZES.get(architecture.removeprefix("tf_"))
    if size is None:
        raise ConversionError(f"the input size of {architecture} is not known here; give it")
    manifest = describe(path, output, name, architecture, size, fit)
    model = create_model(architecture)
    model.load_state_dict(weights, strict=False)  # all but the batch counters was matched above
    model.eval()
    try:
        graph = export_graph(model, size, half=False)  # what was trained is what is served
    except LesionLensError as error:
        raise ConversionError(str(error)) from error
    return write(output, graph, manifest, path)
