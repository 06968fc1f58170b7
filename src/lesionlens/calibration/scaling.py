"""From logits to probabilities: temperature scaling, and the same with a shift for each class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize, minimize_scalar
from scipy.special import log_softmax

from lesionlens.taxonomy import NUM_CLASSES
from lesionlens.uncertainty import softmax

__all__ = ["Scaling", "fit_bias_corrected", "fit_temperature", "negative_log_likelihoods"]

FloatArray = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_LEAST, _MOST = 0.2, 5.0
"""The range of temperatures; a network that needs another one has a fault that no temperature mends."""

SHIFT_SPREAD: Final = 1.0
"""Standard deviation of the Gaussian prior on each class's bias, in log odds. A shift by more than e is then taken from
many pictures gladly and from the nine of a rare class hardly."""


@dataclass(frozen=True, slots=True)
class Scaling:
    """How logits become probabilities; `lesionlens.uncertainty.softmax` applies it.

    Attributes:
        temperature: The temperature, greater than 0.
        shift: Added to the logits of each class, 8 numbers; None for none.
    """

    temperature: float = 1.0
    shift: tuple[float, ...] | None = None

    def probabilities(self, logits: FloatArray) -> FloatArray:
        """Return the probabilities of logits (float32 `[N, 8]`), as the service computes them."""
        return softmax(logits, self.temperature, self.shift)


def negative_log_likelihoods(logits: FloatArray, labels: IntArray, scaling: Scaling) -> Doubles:
    """Return minus the logarithm of each picture's probability of its true class.

    Args:
        logits: float32 `[N, 8]`.
        labels: int64 `[N]`, 0–7.
        scaling: How the logits become probabilities.

    Returns:
        float64 `[N]`, nats, 0 or more.
    """
    # From the logits: the logarithm of a single-precision probability would be minus infinity for a hopeless picture.
    scaled = (logits.astype(np.float64) + np.asarray(scaling.shift or 0.0)) / scaling.temperature
    return np.asarray(-log_softmax(scaled, axis=1)[np.arange(len(labels)), labels])


def fit_temperature(logits: FloatArray, labels: IntArray) -> Scaling:
    """Find the temperature with the lowest negative log-likelihood (Guo et al. 2017), between 0.2 and 5.

    Args:
        logits: float32 `[N, 8]`, N ≥ 1.
        labels: int64 `[N]`, 0–7.
    """

    def loss(log_temperature: float) -> float:
        return float(negative_log_likelihoods(logits, labels, Scaling(float(np.exp(log_temperature)))).mean())

    found = minimize_scalar(loss, bounds=(np.log(_LEAST), np.log(_MOST)), method="bounded")
    return Scaling(float(np.exp(found.x)))


def fit_bias_corrected(logits: FloatArray, labels: IntArray) -> Scaling:
    """Find a temperature and a shift for each class: bias-corrected temperature scaling (BCTS).

    Alexandari, Kundaje & Shrikumar 2020, *Maximum Likelihood with Bias-Corrected Calibration is Hard-To-Beat at Label
    Shift Adaptation*, ICML: softmax(logits / T + b). The biases b are held towards 0 by a Gaussian prior of standard
    deviation `SHIFT_SPREAD`, so the fit minimises Σ nll + Σ b² / (2 · spread²); without it, a class with a handful of
    pictures would get whatever bias those few happen to ask for. The shift is b · T.

    Args:
        logits: float32 `[N, 8]`, N ≥ 1.
        labels: int64 `[N]`, 0–7.

    Returns:
        The temperature, between 0.2 and 5, and shifts with mean 0.
    """
    z, truth = logits.astype(np.float64), np.eye(NUM_CLASSES)[labels]

    def loss(parameters: Doubles) -> tuple[float, Doubles]:
        inverse, bias = parameters[0], parameters[1:]
        logs = log_softmax(inverse * z + bias, axis=1)
        residual = np.exp(logs) - truth
        value = -(logs * truth).sum() + (bias**2).sum() / (2.0 * SHIFT_SPREAD**2)
        gradient = np.append((residual * z).sum(), residual.sum(axis=0) + bias / SHIFT_SPREAD**2)
        return float(value) / len(z), gradient / len(z)

    # In the inverse temperature the problem is convex: where the search starts does not matter.
    bounds = [(1.0 / _MOST, 1.0 / _LEAST), *[(None, None)] * NUM_CLASSES]
    start = np.append(1.0, np.zeros(NUM_CLASSES))
    options = {"ftol": 1e-14, "gtol": 1e-9, "maxiter": 1000}
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options).x
    temperature = float(1.0 / found[0])
    return Scaling(temperature, tuple(float(b) * temperature for b in found[1:] - found[1:].mean()))
