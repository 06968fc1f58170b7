"""What a model is named by: an embedded model's name, a bundle's folder, or a file of weights."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Final

from lesionlens.errors import BundleError
from lesionlens.inference.bundle import Bundle
from lesionlens.inference.embedded import find_bundle

__all__ = ["WEIGHTS_SUFFIXES", "find_model"]

WEIGHTS_SUFFIXES: Final = (".pth", ".pt", ".safetensors")


def find_model(model: str, cache_dir: Path | None = None) -> Bundle:
    """Load a model; a file of weights is converted once and its bundle kept.

    Args:
        model: Name of an embedded model, folder of a bundle, or a file that `lesionlens convert` takes. Weights are
            converted with that command's defaults; run it yourself to choose otherwise.
        cache_dir: Where bundles made from weights are kept; None for the folder of the settings.

    Raises:
        BundleError: There is no such model, or it is not valid.
        ConversionError: The weights cannot be converted, perhaps because their network needs PyTorch.
    """
    path = Path(model)
    if path.suffix.lower() not in WEIGHTS_SUFFIXES or path.is_dir():
        return find_bundle(model)
    if not path.is_file():
        raise BundleError(f"there is no weights file {model!r}")
    if cache_dir is None:
        from lesionlens.settings import load_settings

        cache_dir = load_settings().cache_dir
    try:
        cache_dir = cache_dir.expanduser()
    except RuntimeError as error:
        raise BundleError(
            f"there is no home directory to keep what is made of {path.name} in; name a folder in LESIONLENS_CACHE_DIR"
        ) from error
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    name = re.sub(r"[^a-z0-9._-]+", "-", path.stem.lower()).strip("-._") or "model"
    folder = cache_dir / f"{name}-{digest[:16]}"
    try:
        return Bundle.load(folder)
    except BundleError:
        pass  # not converted yet, or damaged since
    from lesionlens.conversion import convert_weights  # which itself needs bundles

    return convert_weights(path, folder, name=name, overwrite=True)
