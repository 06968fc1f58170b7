"""What `metrics.json` holds of pictures that the model should not judge."""

from __future__ import annotations

from typing import Literal

from lesionlens.evaluation.figures import Estimate, Record, Share

__all__ = ["AlarmResult", "FamilyResult", "SuitabilityReport"]


class AlarmResult(Record):
    """False alarms on dermoscopic pictures.

    Attributes:
        key: `all`, `source:<name>` or `diagnosis:<code>`.
        title: In words.
        n: Number of pictures.
        groups: Number of lesions.
        share: Share of them that were called not suitable.
    """

    key: str
    title: str
    n: int
    groups: int
    share: Estimate


class FamilyResult(Record):
    """Pictures of one kind that the model should not judge, against the dermoscopic pictures of the evaluation.

    Attributes:
        key: Name of the family.
        title: In words.
        kind: `not_skin`: photos and drawings of anything else; `altered`: dermoscopic pictures spoilt on purpose.
        target: Least AUROC asked for; None where none was.
        n: Number of pictures.
        groups: Number of scenes or lesions; pictures of one are not independent.
        left_out: Number of pictures that could not be made (too little skin around the lesion).
        auroc: Area under the ROC curve of the score, these pictures against the dermoscopic ones.
        detected: Share of them that were called not suitable.
        by_part: AUROC of each detector alone, by its name in `lesionlens.suitability.PARTS`.
        reasons: How often each reason was the strongest, by its code, most frequent first.
    """

    key: str
    title: str
    kind: Literal["not_skin", "altered"]
    target: Share | None = None
    n: int
    groups: int
    left_out: int = 0
    auroc: Estimate
    detected: Estimate
    by_part: dict[str, float]
    reasons: dict[str, int]


class SuitabilityReport(Record):
    """How well the model tells pictures that it should not judge from dermoscopic ones.

    Attributes:
        method: Method of the bundle's rule.
        threshold: Its threshold on the score.
        set_for: Share of dermoscopic pictures above the threshold where it was set.
        measured_on: Those pictures, in words.
        asked_false_alarms: Largest share of false alarms asked for.
        alarms: False alarms on the evaluated pictures; `all` comes first.
        families: What they were compared with.
        hints: Share of the evaluated pictures with each hint on photo quality, by its code.
        packages: Versions of the packages whose pictures were taken.
        bootstrap_resamples: Number of resamples of lesions and of scenes behind the intervals; 0 for none.
    """

    method: str
    threshold: float
    set_for: Share
    measured_on: str
    asked_false_alarms: Share
    alarms: tuple[AlarmResult, ...]
    families: tuple[FamilyResult, ...]
    hints: dict[str, Share]
    packages: dict[str, str]
    bootstrap_resamples: int
