"""Risk and coverage of answering only where the model is sure, for many weightings of the same pictures at once.

With a confidence g(x), a threshold τ and wrong answers e(x) ∈ {0, 1}:

    coverage           c(τ) = P(g ≥ τ)
    selective risk     r(τ) = P(e = 1 | g ≥ τ)          El-Yaniv & Wiener 2010
    generalised risk   ρ(τ) = P(e = 1, g ≥ τ)           Traub et al. 2024

    AURC  = ∫ r dc                                      Geifman, Uziel & El-Yaniv 2019, arXiv:1805.08206
    AUGRC = ∫ ρ dc = (1 − AUROC_f) · a · (1 − a) + (1 − a)² / 2

where a is the accuracy and AUROC_f the chance that a right answer has a higher confidence than a wrong one (ties count
half): Traub, Bungert, Lüth, Baumgartner, Maier-Hein, Maier-Hein & Jäger 2024, *Overcoming Common Flaws in the
Evaluation of Selective Classification Systems*, NeurIPS, arXiv:2407.01032.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import entr

from lesionlens.evaluation.predictions import Predictions
from lesionlens.evaluation.weighted import Ranking, ratio

__all__ = ["RiskCoverage", "Selection", "confidence_scores"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


class RiskCoverage:
    """Answers in order of confidence.

    Args:
        wrong: bool `[N]`, whether the answer is wrong.
        confidence: `[N]`; higher means surer. Equal ones pass a threshold together.
    """

    def __init__(self, wrong: Bools, confidence: npt.NDArray[np.floating]) -> None:
        self._ranking = Ranking(wrong, confidence)

    def curve(self, weights: Floats) -> tuple[Floats, Floats]:
        """Return coverage and generalised risk at each distinct threshold, from the highest down.

        Args:
            weights: float64 `[B, N]`.

        Returns:
            float64 `[B, T]` each, 0–1, without the point (0, 0) where nothing is answered.
        """
        wrong, right = self._ranking.curves(weights)
        total = wrong[:, -1:] + right[:, -1:]
        return (wrong + right) / total, wrong / total

    def areas(self, weights: Floats) -> tuple[Floats, Floats]:
        """Return AUGRC and AURC of each weighting.

        The generalised risk is joined by straight lines, which is exact: pictures of equal confidence come in random
        order on average. AURC is, as in its definition, the mean over all pictures of the risk of answering those that
        are as sure or surer.

        Args:
            weights: float64 `[B, N]`.

        Returns:
            float64 `[B]` each.
        """
        coverage, risk = self.curve(weights)
        steps = np.diff(coverage, axis=1, prepend=0.0)
        middle = (risk + np.pad(risk[:, :-1], ((0, 0), (1, 0)))) / 2.0
        # Where a weighting has answered nothing yet, the step is 0 and so is its part of the area.
        selective = np.nan_to_num(ratio(risk, coverage))
        return (steps * middle).sum(axis=1), (steps * selective).sum(axis=1)


class Selection(NamedTuple):
    """What a rule for answering comes to.

    Attributes:
        coverage: float64 `[B]`, share answered.
        selective_risk: float64 `[B]`, share of wrong answers among them; NaN where nothing is answered.
        generalised_risk: float64 `[B]`, share of all pictures that get a wrong answer.
    """

    coverage: Floats
    selective_risk: Floats
    generalised_risk: Floats

    @classmethod
    def of(cls, weights: Floats, wrong: Bools, answered: Bools) -> Selection:
        """Measure a rule.

        Args:
            weights: float64 `[B, N]`.
            wrong: bool `[N]`, whether the answer is wrong.
            answered: bool `[N]`, whether it is given.
        """
        total, given, mistaken = weights.sum(axis=1), weights @ answered, weights @ (answered & wrong)
        return cls(ratio(given, total), ratio(mistaken, given), ratio(mistaken, total))


def confidence_scores(predictions: Predictions) -> dict[str, Floats]:
    """Return the scores of confidence that need nothing but the probabilities, by their names in `ScoreResult`.

    Args:
        predictions: Truth and answers.

    Returns:
        float64 `[N]` each; higher means surer.
    """
    p = predictions.probabilities.astype(np.float64)
    second, first = np.partition(p, -2, axis=1)[:, -2:].T
    return {"max_probability": first, "margin": first - second, "entropy": -entr(p).sum(axis=1)}
