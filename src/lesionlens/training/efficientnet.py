"""Telling which EfficientNet a state dict belongs to, from the names and shapes of its tensors."""

from __future__ import annotations

import functools
from collections.abc import Mapping

import torch

from lesionlens.conversion import matching
from lesionlens.conversion.matching import INPUT_SIZES, Shapes
from lesionlens.errors import ConversionError, DataError
from lesionlens.training.model import create_model

__all__ = ["INPUT_SIZES", "recognise", "require_match"]


def recognise(weights: Mapping[str, torch.Tensor]) -> str:
    """Return the timm name of the EfficientNet that a state dict fits.

    TensorFlow's variants (`tf_efficientnet_…`) have the same tensors but pad otherwise; they cannot be told apart
    from the weights and must be named.

    Args:
        weights: Tensors by name.

    Raises:
        ConversionError: It fits none of B0–B7, or has another number of classes.
    """
    head = weights.get("conv_head.weight")
    best, fewest = "efficientnet_b5", None
    for name in INPUT_SIZES:
        expected = _expected(name)
        if head is not None and expected["conv_head.weight"] != tuple(head.shape):
            continue
        misfits = matching.misfits(expected, _shapes(weights))
        if not misfits:
            return name
        if fewest is None or len(misfits) < fewest:
            best, fewest = name, len(misfits)
    # Compared with the nearest one, the message names what to look at.
    require_match(weights, best, "no EfficientNet B0–B7")
    return best


def require_match(weights: Mapping[str, torch.Tensor], architecture: str, otherwise: str = "") -> None:
    """Check that a state dict fits a network with eight classes.

    Args:
        weights: Tensors by name.
        architecture: timm name.
        otherwise: What the weights are called in the error; by default not that architecture.

    Raises:
        ConversionError: It does not fit, or timm knows no such architecture.
    """
    matching.require_match(_expected(architecture), _shapes(weights), architecture, otherwise)


@functools.cache
def _expected(architecture: str) -> Shapes:
    try:
        with torch.device("meta"):  # shapes alone: no memory, no random numbers
            model = create_model(architecture)
    except DataError as error:
        raise ConversionError(str(error)) from error
    return _shapes(model.state_dict())


def _shapes(weights: Mapping[str, torch.Tensor]) -> Shapes:
    return {key: tuple(tensor.shape) for key, tensor in weights.items()}
