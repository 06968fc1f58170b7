"""Measuring a model: metrics with bootstrap intervals, a report that a person can read, and the model card.

Needs the `evaluate` extra (`pip install "lesionlens[evaluate]"`); torch is not needed. `run.predict` runs a bundle over
pictures, `measure.evaluate` turns its `Predictions` into `Metrics`, and `report`, `terminal` and `card` show those.
"""

from __future__ import annotations

from lesionlens.evaluation.card import render_model_card, results_for_manifest
from lesionlens.evaluation.measure import evaluate
from lesionlens.evaluation.predictions import Predictions
from lesionlens.evaluation.schema import Estimate, Metrics

__all__ = ["Estimate", "Metrics", "Predictions", "evaluate", "render_model_card", "results_for_manifest"]
