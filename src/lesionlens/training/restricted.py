"""Reading weights that somebody else made, without ever running code that the file may hold.

A PyTorch file is a pickle, and a pickle can call anything. `torch.load(weights_only=True)` uses an unpickler that knows
tensors and plain containers and refuses everything else; safetensors files hold no code to begin with.
"""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from lesionlens.errors import ConversionError

__all__ = ["load_weights"]

_WRAPPERS: Final = ("state_dict", "model_state_dict", "model", "net", "weights")
_MAX_WRAPPERS: Final = 3  # more than any training loop nests, and an end to a dictionary that holds itself
_PREFIXES: Final = ("module.", "_orig_mod.", "model.", "net.")
_ACCEPTED: Final = "accepted is a PyTorch state_dict (.pth, .pt; tensors only) or .safetensors"


def load_weights(path: Path) -> dict[str, torch.Tensor]:
    """Read the tensors of a weights file.

    Checkpoints that wrap the state dict (`state_dict`, `model_state_dict`, `model`, `net`, `weights`; up to three
    inside each other) are unwrapped, and the prefixes that data parallelism, `torch.compile` or a wrapper class puts
    before every key (`module.`, `_orig_mod.`, `model.`, `net.`) are taken off.

    Args:
        path: A PyTorch file, zip or legacy, or a `.safetensors` file.

    Returns:
        Tensors on the CPU by name; floating-point ones as float32.

    Raises:
        ConversionError: The file is missing, damaged, holds anything besides tensors and plain containers, or its
            tensors cannot be weights.
    """
    if not path.is_file():
        raise ConversionError(f"no weights file {path.name!r}; {_ACCEPTED}")
    content = _read_safetensors(path) if path.suffix == ".safetensors" else _read_pytorch(path)
    weights = _without_prefix(_state_dict(content, path.name))
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
        culprit = _culprit(str(error))
        raise ConversionError(
            f"{path.name} was not opened, because {culprit}. A pickle can run code when it is loaded, so only tensors "
            f"are read; {_ACCEPTED}. Whoever made the file can save model.state_dict() alone"
        ) from error
    except Exception as error:  # damaged files end in a dozen types: RuntimeError, EOFError, KeyError, struct.error, …
        reason = str(error).split(". ")[0].splitlines()[0] if str(error) else type(error).__name__
        raise ConversionError(f"{path.name} is damaged, cut off or no PyTorch file ({reason}); {_ACCEPTED}") from error


def _culprit(message: str) -> str:
    for marker in ("Unsupported global: GLOBAL ", "Trying to call reduce for unrecognized function ", "GLOBAL "):
        _, found, rest = message.partition(marker)
        if found and rest.split():
            return f"it holds more than tensors ({rest.split()[0].rstrip('.,')})"
    return "it is not a pickle of tensors"


def _state_dict(content: object, name: str) -> dict[str, torch.Tensor]:
    for _ in range(_MAX_WRAPPERS):
        inner = _wrapped(content)
        content = content if inner is None else inner
    if _wrapped(content) is not None:
        raise ConversionError(f"{name} wraps its weights in more than {_MAX_WRAPPERS} dictionaries; {_ACCEPTED}")
    if isinstance(content, Mapping):
        others = [str(key) for key, value in content.items() if not isinstance(value, torch.Tensor)]
        if content and not others:
            return {str(key): value for key, value in content.items()}
        found = f"a dictionary whose {', '.join(others[:3])} are no tensors" if others else "an empty dictionary"
    else:
        found = f"a {type(content).__name__}"
    raise ConversionError(f"{name} holds {found}, not a state_dict; {_ACCEPTED}")


def _wrapped(content: object) -> Mapping[Any, object] | None:
    if not isinstance(content, Mapping):
        return None
    return next((content[w] for w in _WRAPPERS if isinstance(content.get(w), Mapping)), None)


def _without_prefix(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    while prefix := next((p for p in _PREFIXES if all(key.startswith(p) for key in weights)), ""):
        weights = {key.removeprefix(prefix): tensor for key, tensor in weights.items()}
    return weights


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
