"""What `metrics.json` holds of the groups."""

from __future__ import annotations

from typing import Literal

from lesionlens.evaluation.figures import Estimate, Record, Share

__all__ = ["AttributeResult", "Comparison", "GroupPoint", "GroupReport", "GroupResult", "Judgement"]


class GroupPoint(Record):
    """Malignant against benign in a group, at one of the thresholds that the bundle fixed beforehand.

    Attributes:
        name: Name of the bundle's operating point.
        sensitivity: Share of the malignant pictures at or above the threshold.
        specificity: Share of the benign pictures below it.
    """

    name: str
    sensitivity: Estimate
    specificity: Estimate


class Comparison(Record):
    """A figure of a group against the same figure of all other pictures.

    Attributes:
        figure: Which one; sensitivity and specificity are those at `Judgement.point`.
        difference: The group's figure minus that of the others; below 0 the group is served worse.
        weaker: Whether the whole interval lies below 0 and the difference is at least `Judgement.margin`.
        same_sources: The difference to the others weighted so that malignant and benign pictures come from each source
            in the same shares as the group's; not defined where the others have none from a source of the group.
        weaker_in_sources: `weaker`, and the same holds for `same_sources`.
    """

    figure: Literal["malignant_auc", "sensitivity", "specificity"]
    difference: Estimate
    weaker: bool
    same_sources: Estimate
    weaker_in_sources: bool


class GroupResult(Record):
    """The figures of the pictures that share a trait.

    Attributes:
        key: The trait, such as `female` or `under_30`; `unknown` where it is not recorded.
        title: In words.
        n: Number of pictures.
        lesions: Number of lesions.
        malignant: Number of malignant pictures.
        melanomas: Number of pictures of melanoma.
        small_share: Share of the pictures with a shorter side under 180 px, on which the model does worse anyway.
        classes: Codes of the diagnoses that balanced accuracy is over: those with `Judgement.least_per_class` pictures.
        malignant_auc: AUC of the malignant probability against benign.
        balanced_accuracy: Mean sensitivity over `classes`, by the most probable class.
        melanoma_sensitivity: Share of the melanomas whose most probable class is melanoma.
        ece: Expected calibration error, 15 equal-width bins on the highest probability.
        answered: Share of the pictures that reach the model's confidence threshold.
        operating_points: Malignant against benign at the bundle's thresholds.
        judged: Whether the group, and the other pictures, are enough for a comparison.
        comparisons: The group against the other pictures; empty if it is not judged.
    """

    key: str
    title: str
    n: int
    lesions: int
    malignant: int
    melanomas: int
    small_share: Share
    classes: tuple[str, ...]
    malignant_auc: Estimate
    balanced_accuracy: Estimate
    melanoma_sensitivity: Estimate
    ece: Estimate
    answered: Estimate
    operating_points: tuple[GroupPoint, ...]
    judged: bool
    comparisons: tuple[Comparison, ...]

    def comparison(self, figure: str) -> Comparison | None:
        """Return the comparison of a figure; None if it was not made."""
        return next((c for c in self.comparisons if c.figure == figure), None)

    @property
    def weaker(self) -> bool:
        """Whether any figure of the group is weaker than that of the other pictures."""
        return any(c.weaker for c in self.comparisons)


class AttributeResult(Record):
    """One way to divide the pictures.

    Attributes:
        key: `sex`, `age`, `sex_age`, `site`, `source` or `tone`.
        title: In words.
        note: What a reader must know of it; may be empty.
        groups: The groups in their natural order; no picture is in two of them.
    """

    key: str
    title: str
    note: str
    groups: tuple[GroupResult, ...]


class Judgement(Record):
    """What "weaker" means: the only definition of it.

    A group is weaker in a figure if the figure's difference to all other pictures is at least `margin` on the bad side
    and its 95 % bootstrap interval lies wholly on the bad side.

    Attributes:
        margin: Least difference that counts.
        least_pictures: A group with fewer pictures, or that leaves fewer others, is not judged.
        least_malignant: Likewise for malignant pictures.
        least_benign: Likewise for benign pictures.
        least_per_class: A diagnosis with fewer pictures in a group does not count in its balanced accuracy.
        point: The bundle's operating point at which sensitivity and specificity are compared; None if it has none.
        comparisons: Number of comparisons made. The intervals are not corrected for it.
    """

    margin: float
    least_pictures: int
    least_malignant: int
    least_benign: int
    least_per_class: int
    point: str | None
    comparisons: int


class GroupReport(Record):
    """Whom the model serves worse.

    Attributes:
        judgement: What "weaker" means.
        attributes: The ways to divide the pictures that could be had.
        notes: Which could not be had, and why.
    """

    judgement: Judgement
    attributes: tuple[AttributeResult, ...]
    notes: tuple[str, ...] = ()
