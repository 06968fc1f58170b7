"""What every inference engine does."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

__all__ = ["Engine", "EngineInfo", "Outputs"]

FloatArray = npt.NDArray[np.float32]


class Outputs(NamedTuple):
    """What one forward pass of a bundle's graph gives.

    Attributes:
        logits: float32 `[N, 8]`, before temperature and softmax.
        maps: float32 `[N, 8, h, w]`, Grad-CAM of every class after the ReLU, not scaled.
        features: float32 `[N, K]`, the pooled features before the linear layer.
    """

    logits: FloatArray
    maps: FloatArray
    features: FloatArray


class EngineInfo(NamedTuple):
    """Which engine runs a bundle.

    Attributes:
        name: `onnxruntime` or `openvino`.
        version: Version of the engine's package.
        device: Where it computes, such as `cpu` or `cuda`.
        precision: Arithmetic of the matrix products that the graph leaves in floating point: `fp32` or `bf16`. Those
            of a quantised bundle are int8 whatever this says.
        threads: Number of compute threads.
    """

    name: str
    version: str
    device: str
    precision: str
    threads: int

    @property
    def label(self) -> str:
        """What an answer must be kept with: the engine's name, and its arithmetic unless that is fp32."""
        return self.name if self.precision == "fp32" else f"{self.name}, {self.precision}"


class Engine(Protocol):
    """Runs a bundle's graph. `run` may be called from several threads at once."""

    @property
    def info(self) -> EngineInfo:
        """Which engine this is."""
        ...

    def run(self, batch: FloatArray) -> Outputs:
        """Run one forward pass.

        Args:
            batch: float32 `[N, 3, size, size]`, N ≥ 1.

        Raises:
            EngineError: The engine failed.
        """
        ...
