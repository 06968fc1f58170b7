"""Reading weights that somebody else made, without ever running code that the file may hold.

A PyTorch file is a pickle, and a pickle can call anything. `torch.load(weights_only=True)` uses an unpickler that knows
tensors and plain containers and refuses everything else; safetensors files hold no code to begin with.
"""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from lesionlens.conversion.state_dict import ACCEPTED, damaged, find_state_dict, more_than_tensors
from lesionlens.errors import ConversionError

__all__ = ["load_weights"]


def load_weights(path: Path) -> dict[str, torch.Tensor]:
    """Read the tensors of a weights file.

    Wrappers and prefixes are undone as `lesionlens.conversion.state_dict.find_state_dict` says.

    Args:
        path: A PyTorch file, zip or legacy, or a `.safetensors` file.

    Returns:
        Tensors on the CPU by name; floating-point ones as float32.

    Raises:
        ConversionError: The file is missing, damaged, holds anything besides tensors and plain containers, or its
            tensors cannot be weights.
    """
    if not path.is_file():
        raise ConversionError(f"no weights file {path.name!r}; {ACCEPTED}")
    content = _read_safetensors(path) if path.suffix == ".safetensors" else _read_pytorch(path)
    weights = find_state_dict(content, path.name, (torch.Tensor, torch.nn.Parameter))
    return {key: _usable(key, tensor, path.name) for key, tensor in weights.items()}


def _read_safetensors(path: Path) -> Mapping[str, Any]:
    try:
        tensors: Mapping[str, Any] = load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise ConversionError(f"{path.name} is not a whole safetensors file: {error}") from error
    return tensors


def _read_pytorch(path: Path) -> object:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about pickle protocols: what cannot be read raises anyway
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        # PyTorch's message explains how to switch the protection off, which is no advice to pass on.
        raise more_than_tensors(path.name, _culprit(str(error))) from error
    except Exception as error:  # damaged files end in a dozen types: RuntimeError, EOFError, KeyError, struct.error, …
        reason = str(error).split(". ")[0].splitlines()[0] if str(error) else type(error).__name__
        raise damaged(path.name, reason) from error


def _culprit(message: str) -> str:
    for marker in ("Unsupported global: GLOBAL ", "Trying to call reduce for unrecognized function ", "GLOBAL "):
        _, found, rest = message.partition(marker)
        if found and rest.split():
            return f"it holds more than tensors ({rest.split()[0].rstrip('.,')})"
    return "it is not a pickle of tensors"


def _usable(key: str, tensor: torch.Tensor, name: str) -> torch.Tensor:
    if tensor.is_meta:
        raise ConversionError(
            f"{name}: {key} has a shape but no values (a meta tensor); save the model after loading it"
        )
    if tensor.layout != torch.strided or tensor.is_quantized or tensor.is_complex():
        raise ConversionError(f"{name}: {key} is sparse, quantised or complex; accepted are dense real tensors")
    if not tensor.is_floating_point():
        return tensor
    if not torch.isfinite(tensor).all():
        raise ConversionError(f"{name}: {key} holds values that are not finite; the training run that wrote it failed")
    return tensor.detach().float()
