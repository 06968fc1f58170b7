"""Two visits compared."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import ConfigDict, Field

from lesionlens import DISCLAIMER
from lesionlens.api.schemas.base import Response, Share
from lesionlens.api.schemas.tracker.base import Id

__all__ = [
    "Comparison",
    "ComparisonPictures",
    "DifferenceInfo",
    "OutlineInfo",
    "OutlinePair",
    "RegistrationInfo",
]

_BEFORE: Final = "0199c2f5-8d21-7c04-b3aa-91d2e3f4a5b6"
_AFTER: Final = "019d1e6a-52c7-7a90-8f04-b6d5c4e3f2a1"
_PICTURE: Final = f"/v1/comparisons/picture?before={_BEFORE}&after={_AFTER}&which="
# Of photos ISIC_0024312 and ISIC_0028628 of HAM10000, the same lesion; shortened.
_EXAMPLE: Final[dict[str, Any]] = {
    "before": _BEFORE,
    "after": _AFTER,
    "statements": ["The longest diameter is longer by 8%; photographs of an unchanged lesion may differ by 6%."],
    "registration": {
        "success": True,
        "method": "skin",
        "reason": None,
        "inliers": 13,
        "correlation": 0.686,
        "zoom": 1.001,
        "turn_degrees": -5.5,
    },
    "outlines": {
        "before": {
            "found": True,
            "reason": None,
            "confidence": 0.951,
            "polygon": [[0.64588, 0.07002], [0.64083, 0.07289]],
        },
        "after": {
            "found": True,
            "reason": None,
            "confidence": 0.953,
            "polygon": [[0.26118, 0.04048], [0.25551, 0.04195]],
        },
    },
    "differences": [
        {
            "name": "longest_diameter",
            "label": "The longest diameter",
            "unit": "of the longer side",
            "before": 0.9392,
            "after": 1.0179,
            "difference": 0.0787,
            "relative": 0.0838,
            "change": 0.0805,
            "threshold": 0.0544,
            "comparable": True,
            "changed": True,
            "verdict": "longer",
        }
    ],
    "pictures": {name: f"{_PICTURE}{name}" for name in ("before", "after", "aligned", "blended")},
    "disclaimer": DISCLAIMER,
}


class RegistrationInfo(Response):
    """How the later photo lies on the earlier one."""

    success: bool = Field(description="Whether the same details were found in both; false: sizes cannot be compared.")
    method: Literal["skin", "details", "outline", "none"] = Field(
        description="`skin`: by the skin around the lesion; `details`: by skin and lesion together; `outline`: by "
        "place and size of the outlines alone, approximate; `none`: not at all."
    )
    reason: str | None = Field(description="Why it failed; null after success.")
    inliers: int = Field(description="Matching details that agree.")
    correlation: float = Field(description="How alike the details are once they lie on each other, −1 to 1.")
    zoom: float = Field(description="Factor by which the later photo is enlarged, both at their working size.")
    turn_degrees: float = Field(description="Clockwise turn of the later photo, −180 to 180.")


class OutlineInfo(Response):
    """Where the lesion lies in a photo."""

    found: bool
    reason: str | None = Field(description="Why none was found; null if one was.")
    confidence: Share = Field(description="Expected overlap (Dice) with an outline that a person would draw.")
    polygon: list[Annotated[list[float], Field(min_length=2, max_length=2)]] = Field(
        description="Once around: x and y as shares of the photo's sides; empty if none was found."
    )


class OutlinePair(Response):
    """The outlines of both photos."""

    before: OutlineInfo
    after: OutlineInfo


class DifferenceInfo(Response):
    """One measure, side by side."""

    model_config = ConfigDict(frozen=True)

    name: str = Field(description="Stays the same when the words change.")
    label: str
    unit: str = Field(description="Empty for plain numbers.")
    before: float
    after: float = Field(description="At the scale of the earlier photo.")
    difference: float = Field(description="`after` minus `before`.")
    relative: float | None = Field(description="`after` over `before`, less 1, where that makes sense; else null.")
    change: float = Field(description="What is held against `threshold`: a logarithm of the ratio, or the difference.")
    threshold: float = Field(description="Of `change`: photos of an unchanged lesion may differ by as much.")
    comparable: bool = Field(description="Whether the two values mean the same thing.")
    changed: bool = Field(description="Whether a change may be claimed.")
    verdict: str = Field(description="That in words, such as `larger`, `no clear change` or `cannot be compared`.")


class ComparisonPictures(Response):
    """Paths of JPEG files; `before` and `aligned` have the same shape."""

    before: str
    after: str
    aligned: str = Field(description="The later photo laid on the earlier one, grey where it shows nothing.")
    blended: str = Field(description="Both, half and half.")


class Comparison(Response):
    """What changed between two visits."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"examples": [_EXAMPLE]})

    before: Id
    after: Id
    statements: list[str] = Field(description="What follows, in plain words, for a person to read in full.")
    registration: RegistrationInfo
    outlines: OutlinePair
    differences: list[DifferenceInfo] = Field(description="Empty if a lesion was not found.")
    pictures: ComparisonPictures
    disclaimer: str
