"""The bundles that ship inside the package, and how `--model` finds a bundle."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from lesionlens.errors import BundleError
from lesionlens.inference.bundle import MANIFEST_NAME, Bundle

__all__ = ["DEFAULT_MODEL", "embedded_models", "find_bundle"]

DEFAULT_MODEL: Final = "lite2"
_FOLDER: Final = Path(__file__).parent / "bundles"


def embedded_models() -> dict[str, Path]:
    """Return the folders of the embedded bundles by name."""
    return {p.parent.name: p.parent for p in sorted(_FOLDER.glob(f"*/{MANIFEST_NAME}"))}


def find_bundle(model: str | Path = DEFAULT_MODEL) -> Bundle:
    """Load a bundle by the name of an embedded one or by its folder.

    Args:
        model: A name out of `embedded_models()` or the path of a bundle folder.

    Raises:
        BundleError: There is no such bundle, or it is not valid.
    """
    embedded = embedded_models()
    if str(model) in embedded:
        return Bundle.load(embedded[str(model)])
    path = Path(model)
    if not path.exists():
        raise BundleError(
            f"no model {str(model)!r}: it is neither a bundle folder nor an embedded model "
            f"({', '.join(embedded) or 'none is installed'})"
        )
    return Bundle.load(path)
