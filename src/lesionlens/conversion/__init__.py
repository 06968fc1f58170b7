"""Weights of others to bundles, without PyTorch for EfficientNet-B5.

The modules read weights files (`archive`, `pickled`, `safetensors_file`), tell what is in them (`state_dict`,
`matching`), and put the values into a graph that ships with the package (`template`, `wire`). None of them imports
PyTorch; `convert` hands other networks to `lesionlens.training.convert` where that is installed.
"""

from lesionlens.conversion.convert import convert_weights
from lesionlens.conversion.writing import Fit

__all__ = ["Fit", "convert_weights"]
