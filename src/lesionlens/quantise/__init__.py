"""Quantising a bundle: int8 products in place of floating-point ones, accepted only if the answers stay.

`graph` prepares and builds the graphs, `ranges` measures what values occur in them, `search` decides which parts stay
in floating point, `compare` tells how far answers moved, and `run.quantise` puts it together. Needs the `quantise`
extra (`pip install "lesionlens[quantise]"`); torch is not needed, and the bundle that comes of it needs nothing.
"""

from __future__ import annotations

from lesionlens.quantise.compare import Comparison
from lesionlens.quantise.run import Quantised, quantise

__all__ = ["Comparison", "Quantised", "quantise"]
