"""Comparing the tensors of a weights file with those of a network, by name and shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from lesionlens.conversion.state_dict import short
from lesionlens.errors import ConversionError
from lesionlens.taxonomy import CODES, NUM_CLASSES

__all__ = ["INPUT_SIZES", "Shapes", "misfits", "other_class_count", "require_match"]

Shapes = Mapping[str, tuple[int, ...]]

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

_HEADS: Final = ("classifier.weight", "fc.weight", "head.fc.weight")


def misfits(expected: Shapes, found: Shapes) -> list[str]:
    """Return what does not match, a phrase for each tensor; empty if all do.

    Args:
        expected: Shapes of the network's tensors by name.
        found: Shapes of the file's.
    """
    # The batch counter came with PyTorch 0.4 and is of no use once training is over.
    needed = {key: shape for key, shape in expected.items() if not key.endswith("num_batches_tracked")}
    missing = [f"{key} is missing" for key in needed if key not in found]
    wrong = [
        f"{key} is {_text(found[key])} instead of {_text(shape)}"
        for key, shape in needed.items()
        if key in found and tuple(found[key]) != shape
    ]
    extra = [f"{short(key)} is not part of it" for key in found if key not in expected]
    return wrong + missing + extra


def require_match(expected: Shapes, found: Shapes, architecture: str, otherwise: str = "") -> None:
    """Check that weights fit a network with eight classes.

    Args:
        expected: Shapes of the network's tensors by name.
        found: Shapes of the file's.
        architecture: timm name of the network.
        otherwise: What the weights are called in the error; by default not that architecture.

    Raises:
        ConversionError: They do not fit.
    """
    problems = misfits(expected, found)
    if not problems:
        return
    if (classes := other_class_count(expected, found)) is not None:
        raise ConversionError(
            f"the weights tell {classes} classes apart; accepted are {NUM_CLASSES}: {', '.join(CODES)}"
        )
    what = otherwise or f"not {architecture}"
    raise ConversionError(
        f"these weights are {what}: {len(problems)} of {len(expected)} tensors do not match {architecture}, "
        f"such as {'; '.join(problems[:3])}"
    )


def other_class_count(expected: Shapes, found: Shapes) -> int | None:
    """Return how many classes weights tell apart that fit a network but for that number; None of all others.

    Args:
        expected: Shapes of the network's tensors by name.
        found: Shapes of the file's.
    """
    head = next((key for key in _HEADS if key in expected), None)
    if head is None or not found.get(head) or found[head][0] == NUM_CLASSES:
        return None
    layer = head.split(".")[0]
    return found[head][0] if all(p.startswith(f"{layer}.") for p in misfits(expected, found)) else None


def _text(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) or "a single number"
