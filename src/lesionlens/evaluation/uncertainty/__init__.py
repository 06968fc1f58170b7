"""Whether doubt is told where there is reason to: selective risk and the coverage of prediction sets."""

from __future__ import annotations

from lesionlens.evaluation.uncertainty.records import (
    ClassCoverage,
    RuleResult,
    ScoreResult,
    SetResult,
    Uncertainty,
    UncertaintySlice,
)

__all__ = ["ClassCoverage", "RuleResult", "ScoreResult", "SetResult", "Uncertainty", "UncertaintySlice"]
