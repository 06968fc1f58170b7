"""LesionLens: a research tool that classifies photographs of skin lesions and shows what it looked at.

Not a medical device: its answers are no diagnosis and must not decide anybody's care.
"""

from lesionlens.classifier import Analysis, Classifier
from lesionlens.errors import LesionLensError
from lesionlens.inference.bundle import Bundle, Manifest
from lesionlens.taxonomy import CODES, DIAGNOSES, Diagnosis
from lesionlens.version import __version__

__all__ = [
    "CODES",
    "DIAGNOSES",
    "DISCLAIMER",
    "Analysis",
    "Bundle",
    "Classifier",
    "Diagnosis",
    "LesionLensError",
    "Manifest",
    "__version__",
]

DISCLAIMER = (
    "LesionLens is a research tool, not a medical device. Its answer is not a diagnosis. "
    "If a mole worries you, show it to a dermatologist."
)
"""Shown wherever a person reads a result."""
