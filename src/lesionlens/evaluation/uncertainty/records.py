"""What `metrics.json` holds of doubt."""

from __future__ import annotations

from typing import Literal

from lesionlens.evaluation.figures import Estimate, Record, Share

__all__ = ["ClassCoverage", "RuleResult", "ScoreResult", "SetResult", "Uncertainty", "UncertaintySlice"]


class ScoreResult(Record):
    """How well a score of confidence puts right answers before wrong ones.

    Attributes:
        score: `max_probability`: the highest probability; `margin`: by how much it is above the second; `entropy`:
            minus the entropy of all eight; `set_size`: minus the number of diagnoses in the prediction set; `answered`:
            1 where the service answers, 0 where it says "not confident".
        augrc: Area under the generalised risk–coverage curve, 0–0.5, lower is better: the mean, over all shares
            answered, of how many of all pictures get a wrong answer (Traub et al. 2024).
        aurc: Area under the risk–coverage curve (Geifman, Uziel & El-Yaniv 2019), for comparison with other papers; it
            weighs mistakes among the very surest answers many times over.
    """

    score: Literal["max_probability", "margin", "entropy", "set_size", "answered"]
    augrc: Estimate
    aurc: Estimate


class RuleResult(Record):
    """A rule for answering: a point of the risk–coverage curve.

    Attributes:
        rule: `confident`: the highest probability reaches the model's threshold (the contract's 50 %); `single`: the
            prediction set holds a single diagnosis.
        coverage: Share of pictures that get an answer.
        selective_risk: Share of wrong answers among those; None if none is answered.
        generalised_risk: Share of all pictures that get a wrong answer: coverage · selective risk.
    """

    rule: Literal["confident", "single"]
    coverage: Estimate
    selective_risk: Estimate
    generalised_risk: Estimate


class ClassCoverage(Record):
    """Whether the prediction sets hold a diagnosis when it is the true one.

    Attributes:
        code: The diagnosis.
        support: Number of pictures of it.
        coverage: Share of them whose set holds it; None without pictures.
    """

    code: str
    support: int
    coverage: Estimate


class SetResult(Record):
    """How the prediction sets did.

    Attributes:
        target: The coverage that they were built for.
        coverage: Share of pictures whose set holds the true diagnosis.
        lesion_coverage: The same where every lesion counts once, however many pictures it has.
        classes: Coverage of each diagnosis, in taxonomy order.
        size: Mean number of diagnoses in a set, 1–8.
        singletons: Share of sets that hold a single diagnosis.
        sizes: Number of sets that hold 1, 2, … 8 diagnoses.
    """

    target: Share
    coverage: Estimate
    lesion_coverage: Estimate
    classes: tuple[ClassCoverage, ...]
    size: Estimate
    singletons: Estimate
    sizes: tuple[int, ...]


class UncertaintySlice(Record):
    """The figures on one part of the pictures.

    Attributes:
        key: Key of the part, as in `SliceResult`.
        title: In words.
        n: Number of pictures.
        augrc_best: The AUGRC of a score that puts every right answer before every wrong one: risk² / 2.
        augrc_random: That of a score that says nothing: risk / 2, with risk = 1 − accuracy.
        scores: One result per score; `set_size` only where the model has prediction sets.
        rules: One result per rule; `single` likewise.
        sets: The prediction sets; None where the model has none.
    """

    key: str
    title: str
    n: int
    augrc_best: float
    augrc_random: float
    scores: tuple[ScoreResult, ...]
    rules: tuple[RuleResult, ...]
    sets: SetResult | None


class Uncertainty(Record):
    """Whether doubt is told where there is reason to.

    Attributes:
        slices: Results on all pictures, and by resolution.
    """

    slices: tuple[UncertaintySlice, ...]
