"""The bundles that ship inside the package, and how `--model` finds a bundle."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from lesionlens.errors import BundleError
from lesionlens.inference.bundle import MANIFEST_NAME, Bundle

__all__ = ["ALIASES", "DEFAULT_MODEL", "embedded_models", "find_bundle", "locate"]

DEFAULT_MODEL: Final = "lite2"
ALIASES: Final = {"fast": "lite2"}
"""Names for what an embedded bundle is there for: `fast` answers several times as quickly as the default one."""
_FOLDER: Final = Path(__file__).parent / "bundles"


def embedded_models() -> dict[str, Path]:
    """Return the folders of the embedded bundles by name."""
    return {p.parent.name: p.parent for p in sorted(_FOLDER.glob(f"*/{MANIFEST_NAME}"))}


def locate(model: str | Path) -> Path:
    """Return the folder of an embedded bundle by its name or alias; anything else is taken for a path."""
    return embedded_models().get(ALIASES.get(str(model), str(model)), Path(model))


def find_bundle(model: str | Path = DEFAULT_MODEL) -> Bundle:
    """Load a bundle by the name of an embedded one or by its folder.

    Args:
        model: A name out of `embedded_models()` or `ALIASES`, or the path of a bundle folder.

    Raises:
        BundleError: There is no such bundle, or it is not valid.
    """
    path = locate(model)
    if not path.exists():
        names = ", ".join([*embedded, *ALIASES]) if (embedded := embedded_models()) else "none is installed"
        raise BundleError(f"no model {str(model)!r}: it is neither a bundle folder nor an embedded model ({names})")
    return Bundle.load(path)
