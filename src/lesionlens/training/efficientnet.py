"""Telling which EfficientNet a state dict belongs to, from the names and shapes of its tensors."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Final

import torch

from lesionlens.errors import ConversionError, DataError
from lesionlens.taxonomy import CODES, NUM_CLASSES
from lesionlens.training.model import create_model

__all__ = ["INPUT_SIZES", "recognise", "require_match"]

INPUT_SIZES: Final[dict[str, int]] = {
    "efficientnet_b0": 224,
    "efficientnet_b1": 240,
    "efficientnet_b2": 260,
    "efficientnet_b3": 300,
    "efficientnet_b4": 380,
    "efficientnet_b5": 456,
    "efficientnet_b6": 528,
    "efficientnet_b7": 600,
}
"""Side of the square input in pixels at which each network was published (Tan & Le 2019, arXiv:1905.11946)."""

Shapes = dict[str, tuple[int, ...]]


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
        expected = _shapes(name)
        if head is not None and expected["conv_head.weight"] != tuple(head.shape):
            continue
        misfits = _misfits(expected, weights)
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
    expected = _shapes(architecture)
    misfits = _misfits(expected, weights)
    if not misfits:
        return
    heads = [key for key in ("classifier.weight", "fc.weight", "head.fc.weight") if key in expected]
    classes = {weights[key].shape[0] for key in heads if key in weights and weights[key].ndim >= 1}
    if classes and classes != {NUM_CLASSES} and all(m.split()[0].startswith(heads[0].split(".")[0]) for m in misfits):
        raise ConversionError(
            f"the weights tell {classes.pop()} classes apart; accepted are {NUM_CLASSES}: {', '.join(CODES)}"
        )
    what = otherwise or f"not {architecture}"
    raise ConversionError(
        f"these weights are {what}: {len(misfits)} of {len(expected)} tensors do not match {architecture}, "
        f"such as {'; '.join(misfits[:3])}"
    )


@functools.cache
def _shapes(architecture: str) -> Shapes:
    try:
        with torch.device("meta"):  # shapes alone: no memory, no random numbers
            model = create_model(architecture)
    except DataError as error:
        raise ConversionError(str(error)) from error
    return {key: tuple(tensor.shape) for key, tensor in model.state_dict().items()}


def _misfits(expected: Shapes, weights: Mapping[str, torch.Tensor]) -> list[str]:
    # The batch counter came with PyTorch 0.4 and is of no use once training is over.
    needed = {key: shape for key, shape in expected.items() if not key.endswith("num_batches_tracked")}
    missing = [f"{key} is missing" for key in needed if key not in weights]
    wrong = [
        f"{key} is {_text(weights[key].shape)} instead of {_text(shape)}"
        for key, shape in needed.items()
        if key in weights and tuple(weights[key].shape) != shape
    ]
    extra = [f"{key} is not part of it" for key in weights if key not in expected]
    return wrong + missing + extra


def _text(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) or "a single number"
