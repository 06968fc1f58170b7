"""How far an answer can be relied on."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from lesionlens.api.schemas.base import Probability, Response, Share

__all__ = ["Confidence", "HintInfo", "PredictionSet", "QualityInfo", "SuitabilityInfo", "SuitabilityRule"]


class Confidence(Response):
    """Why the answer may be relied on, or may not."""

    rule: Literal["max_probability", "suitability"] = Field(
        description="Which rule decided `confident`. `suitability`: the photo is not suitable, whatever the "
        "probabilities are. `max_probability`: the highest probability against `threshold`."
    )
    threshold: Probability = Field(description="A highest probability below it makes the prediction NOT_CONFIDENT.")
    max_probability: Probability
    message: str = Field(description="What decided, in words for a person.")


class HintInfo(Response):
    """A remark on a photo."""

    code: str = Field(description="Stays the same when the words change.")
    message: str = Field(description="One sentence for a person.")


class PredictionSet(Response):
    """The diagnoses that a conformal rule cannot rule out."""

    coverage: Probability = Field(
        description="Share of photos, like those that the rule was fitted on, whose true diagnosis such sets hold. "
        "It is no probability for this photo, and holds for none that is not suitable."
    )
    codes: Annotated[list[str], Field(min_length=1)] = Field(description="By falling probability; never empty.")


class SuitabilityInfo(Response):
    """Whether the photo looks like the dermoscopic pictures that the network was trained on."""

    suitable: bool = Field(description="false: do not rely on anything else in this answer.")
    score: float = Field(
        description="Higher is less like them; about −log10 of the share of dermoscopic pictures that are as odd."
    )
    threshold: float = Field(description="A score above it is not suitable.")
    message: str | None = Field(description="What to tell a person; null when the photo is suitable.")
    reasons: list[HintInfo] = Field(description="What speaks against the photo; empty when it is suitable.")


class QualityInfo(Response):
    """What was measured on the photo, at the size that the network sees, and what would make the next one better."""

    short_side: int = Field(description="Shorter side in pixels.")
    sharpness: float = Field(description="log10 of the power of fine details over that of coarse ones.")
    brightness: float = Field(description="Median CIELAB lightness, 0–100, dark corners left out.")
    overexposed: Share = Field(description="Share that is white or all but white.")
    colour_cast: float = Field(
        description="By how much, in CIELAB units, the border's colour lies outside the range of skin; 0 within it."
    )
    dark_corners: Share = Field(description="Share that a tube or vignette blackens around the middle.")
    thin_lines: Share = Field(description="Share under thin dark lines, such as hair and ruler marks.")
    hints: list[HintInfo] = Field(description="Empty for a photo without fault.")


class SuitabilityRule(Response):
    """How photos are recognised that the model should not judge."""

    method: str
    threshold: float = Field(description="A score above it is not suitable.")
    false_alarms: Share = Field(description="Share of dermoscopic pictures above the threshold that it was set for.")
    measured_on: str = Field(description="The pictures that it was set on.")
    sha256: str = Field(description="SHA-256 of the statistics, which are not given here.")
