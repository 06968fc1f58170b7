"""The eight diagnoses of ISIC 2019, and the ninth answer: not confident.

This is the only definition of the classes in the project. Their order is the order of the model's outputs, of the
`probabilities` of the SkinTracker contract and of every manifest, and must never change.

Example:
    >>> from lesionlens.taxonomy import BY_CODE, diagnosis
    >>> diagnosis(0).name
    'Melanoma'
    >>> BY_CODE["NV"].malignant
    False
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = [
    "BY_CODE",
    "CODES",
    "DIAGNOSES",
    "MALIGNANT_CODES",
    "MALIGNANT_INDEXES",
    "NOT_CONFIDENT",
    "NOT_CONFIDENT_INDEX",
    "NUM_CLASSES",
    "Diagnosis",
    "canonical_code",
    "diagnosis",
]


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One answer the service can give.

    Attributes:
        index: Position in the model's output, 0–7; 8 is "not confident".
        code: Short name used by ISIC 2019 (`MEL`, `NV`, …).
        name: Name in plain words.
        description: One sentence for a reader who is not a physician.
        malignant: Whether the diagnosis counts as malignant. `AKIEC` counts: it joins actinic keratosis, a
            precancer, with Bowen's disease, a carcinoma in situ. None for "not confident".
    """

    index: int
    code: str
    name: str
    description: str
    malignant: bool | None


DIAGNOSES: Final[tuple[Diagnosis, ...]] = (
    Diagnosis(
        0, "MEL", "Melanoma", "A cancer of the pigment cells; the most dangerous of the common skin cancers.", True
    ),
    Diagnosis(1, "NV", "Melanocytic nevus", "A common mole: a harmless cluster of pigment cells.", False),
    Diagnosis(
        2,
        "BCC",
        "Basal cell carcinoma",
        "The most common skin cancer; it grows slowly and rarely spreads, but needs treatment.",
        True,
    ),
    Diagnosis(
        3,
        "AKIEC",
        "Actinic keratosis / Bowen's disease",
        "Sun-damaged, scaly skin that is an early or superficial form of squamous cell cancer.",
        True,
    ),
    Diagnosis(
        4,
        "BKL",
        "Benign keratosis",
        "A harmless growth of the outer skin, such as a seborrhoeic keratosis or a sun spot.",
        False,
    ),
    Diagnosis(5, "DF", "Dermatofibroma", "A harmless firm nodule of fibrous tissue, often on the legs.", False),
    Diagnosis(
        6, "VASC", "Vascular lesion", "A harmless growth or widening of blood vessels, such as a cherry angioma.", False
    ),
    Diagnosis(
        7,
        "SCC",
        "Squamous cell carcinoma",
        "A common skin cancer of the outer skin that can spread if it is left untreated.",
        True,
    ),
)
"""The eight diagnoses in the order of the model's outputs."""

NOT_CONFIDENT: Final = Diagnosis(
    8,
    "NOT_CONFIDENT",
    "Not confident",
    "No diagnosis reached the confidence threshold; the model does not know.",
    None,
)
"""The ninth answer, given when the highest probability is below the bundle's threshold."""

NUM_CLASSES: Final = len(DIAGNOSES)
NOT_CONFIDENT_INDEX: Final = NOT_CONFIDENT.index
CODES: Final[tuple[str, ...]] = tuple(d.code for d in DIAGNOSES)
BY_CODE: Final[dict[str, Diagnosis]] = {d.code: d for d in (*DIAGNOSES, NOT_CONFIDENT)}
MALIGNANT_INDEXES: Final[tuple[int, ...]] = tuple(d.index for d in DIAGNOSES if d.malignant)
MALIGNANT_CODES: Final[tuple[str, ...]] = tuple(d.code for d in DIAGNOSES if d.malignant)

# The official ISIC 2019 files say AK where SkinTracker and ISIC 2018 say AKIEC.
_ALIASES: Final[dict[str, str]] = {"AK": "AKIEC"}


def diagnosis(index: int) -> Diagnosis:
    """Return the diagnosis at a model output.

    Args:
        index: 0–8; 8 is "not confident".

    Raises:
        IndexError: `index` is outside 0–8.
    """
    if index == NOT_CONFIDENT_INDEX:
        return NOT_CONFIDENT
    if not 0 <= index < NUM_CLASSES:
        raise IndexError(f"class index {index} is outside 0–{NOT_CONFIDENT_INDEX}")
    return DIAGNOSES[index]


def canonical_code(label: str) -> str:
    """Return the project's code for a label as a data set writes it.

    Args:
        label: A code of ISIC 2018 or 2019 in any case, `AK` included.

    Raises:
        KeyError: The label names none of the eight diagnoses.
    """
    code = label.strip().upper()
    code = _ALIASES.get(code, code)
    if code not in CODES:
        raise KeyError(f"unknown diagnosis {label!r}; known: {', '.join(CODES)} (and AK for AKIEC)")
    return code
