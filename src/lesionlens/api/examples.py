"""Real answers, shown in the API reference: photo ISIC_0024306 of HAM10000, a nevus, and a file that is no photo.

Shortened: of the map only the first row is left, of the picture only the beginning. A test compares them with what the
service answers today, and writes them anew when it is told to (CONTRIBUTING.md).
"""

from __future__ import annotations

import json
from importlib import resources
from typing import Any, Final

__all__ = ["ANALYSIS", "PREDICTION", "PROBLEM"]

_EXAMPLES: Final[dict[str, dict[str, Any]]] = json.loads(
    resources.files("lesionlens.api").joinpath("examples.json").read_text(encoding="utf-8")
)

ANALYSIS: Final = _EXAMPLES["analysis"]
"""Of `POST /v1/analyses?maps=top`."""
PREDICTION: Final = _EXAMPLES["prediction"]
"""Of `POST /predict`."""
PROBLEM: Final = _EXAMPLES["problem"]
"""Of `POST /v1/analyses` with a GIF file."""
