"""Everything that is fitted after training, in one go: `lesionlens calibrate` and `lesionlens export` both call it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from lesionlens.calibration.conformal import SetFigures, crossfitted_sets, fit_rule
from lesionlens.calibration.crossfit import Held, crossfit, folds_of, gain, reliability
from lesionlens.calibration.operating import operating_points
from lesionlens.calibration.pictures import Pictures
from lesionlens.calibration.scaling import Scaling, fit_bias_corrected, fit_temperature, negative_log_likelihoods
from lesionlens.classifier import Classifier
from lesionlens.datasets import ImageSource, Sample
from lesionlens.evaluation.run import predict
from lesionlens.inference.bundle import Manifest
from lesionlens.inference.records import CalibrationRecord, OperatingPoint, PredictionSetRule

__all__ = ["Calibration", "Fitted", "calibrate", "fit", "look", "looks"]

if TYPE_CHECKING:
    from lesionlens.calibration.reference import FittedReference

REFERENCE_PICTURES: Final = 4000
"""Training pictures that the reference statistics are taken of, at most: more would change them by little."""

_FITS: Final = {"temperature": fit_temperature, "bias_corrected_temperature": fit_bias_corrected}


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was fitted, and how well it does on lesions that it was not fitted on.

    Attributes:
        scaling: How logits become probabilities.
        rule: How probabilities become prediction sets; None for too few lesions.
        points: Thresholds on the malignant probability.
        record: How all that came about.
        sets: Cross-fitted figures of the sets; None for too few lesions.
        sets_of_one_threshold: The same if all classes shared one threshold, for comparison.
    """

    scaling: Scaling
    rule: PredictionSetRule | None
    points: tuple[OperatingPoint, ...]
    record: CalibrationRecord
    sets: SetFigures | None
    sets_of_one_threshold: SetFigures | None

    def apply(self, manifest: Manifest) -> Manifest:
        """Return a manifest with what was fitted.

        Measured results stay only if they are those of the same probabilities, sets and thresholds.
        """
        fitted = {
            "temperature": self.scaling.temperature,
            "logit_shift": self.scaling.shift,
            "prediction_set": self.rule,
            "operating_points": self.points,
        }
        same = all(getattr(manifest, name) == value for name, value in fitted.items())
        results = manifest.results if same else {}
        return manifest.model_copy(update={**fitted, "calibration": self.record, "results": results})


class Fitted(NamedTuple):
    """Everything that is fitted after training.

    Attributes:
        calibration: Probabilities, prediction sets and operating points.
        reference: What pictures that the network may judge look like; None for too few pictures.
    """

    calibration: Calibration
    reference: FittedReference | None

    @property
    def data(self) -> bytes | None:
        """The bundle's file of reference statistics, which the manifest of `apply` names; None if there is none."""
        return self.reference.data if self.reference else None

    def apply(self, manifest: Manifest) -> Manifest:
        """Return a manifest with everything that was fitted."""
        rule = self.reference.rule if self.reference else None
        return self.calibration.apply(manifest).model_copy(update={"out_of_distribution": rule})


def calibrate(
    classifier: Classifier,
    pictures: Pictures,
    source: ImageSource,
    progress: Callable[[int], object] = lambda _: None,
) -> Fitted:
    """Fit everything that is fitted after training.

    Args:
        classifier: The model; what was fitted before has no influence.
        pictures: The pictures.
        source: Where their bytes are.
        progress: Called with the number of pictures of each finished batch; about `looks(pictures)` in all.

    Raises:
        DataError: A picture is missing or cannot be read.
        EngineError: The engine failed.
    """
    from lesionlens.calibration.reference import LEAST_HELD_OUT, LEAST_TRAINING, fit_reference

    training, held_out = pictures.training, pictures.held_out
    calibration = fit(look(classifier, held_out, source, progress), pictures.measured_on, pictures.fold)
    if len(training) < LEAST_TRAINING or len(held_out) < LEAST_HELD_OUT:
        return Fitted(calibration, None)
    reference = fit_reference(classifier, training, held_out, source, limit=REFERENCE_PICTURES, progress=progress)
    return Fitted(calibration, reference)


def looks(pictures: Pictures) -> int:
    """Return about how many pictures `calibrate` looks at."""
    return 2 * len(pictures.held_out) + min(len(pictures.training), REFERENCE_PICTURES)


def look(
    classifier: Classifier,
    samples: Sequence[Sample],
    source: ImageSource,
    progress: Callable[[int], object] = lambda _: None,
) -> Held:
    """Run the network over pictures that it was not trained on; see `calibrate` for the arguments and errors."""
    answers = predict(classifier, samples, source, progress=progress)
    return Held(answers.logits, answers.label, answers.group)


def fit(held: Held, measured_on: str, fold: int | None = None) -> Calibration:
    """Fit probabilities, prediction sets and operating points. Equal input gives an equal result.

    Between one temperature and one with a shift for each class, the simpler stays unless, on lesions that neither was
    fitted on, the other's negative log-likelihood is lower by more than the standard error of the difference and its
    balanced accuracy is not lower. A temperature never changes which diagnosis is the most probable; shifts do, towards
    those that are common among the pictures fitted on. How common a diagnosis is in a collection is chance, and
    overlooking rare ones, most of them malignant, is too high a price for a better likelihood there.

    Args:
        held: What the network says of pictures that it was not trained on, at least one.
        measured_on: The pictures, in words.
        fold: The fold that they are, if they are one.
    """
    as_they_are = Scaling()
    uncalibrated = reliability(
        as_they_are.probabilities(held.logits),
        held.labels,
        negative_log_likelihoods(held.logits, held.labels, as_they_are),
    )
    record = CalibrationRecord(
        method="temperature",
        pictures=len(held),
        lesions=held.lesions,
        measured_on=measured_on,
        fold=fold,
        uncalibrated=uncalibrated,
    )
    by_class: SetFigures | None = None
    single: SetFigures | None = None
    if (folds := folds_of(held)) is not None:
        judged = {name: crossfit(held, folds, how) for name, how in _FITS.items()}
        simple, corrected = judged.values()
        better, error = gain(simple.nll, corrected.nll, held.groups)
        figures = {name: reliability(j.probabilities, held.labels, j.nll) for name, j in judged.items()}
        recognised = [f.balanced_accuracy or 0.0 for f in figures.values()]
        method = "bias_corrected_temperature" if better > error and recognised[1] >= recognised[0] else "temperature"
        by_class, single = (
            crossfitted_sets(judged[method].probabilities, held, folds, by_class=choice) for choice in (True, False)
        )
        record = record.model_copy(
            update={
                "method": method,
                **figures,
                "gain": better,
                "gain_error": error,
            }
        )
    if by_class is not None:
        record = record.model_copy(
            update={
                "set_coverage": by_class.coverage,
                "set_size": by_class.size,
                "set_singletons": by_class.singletons,
            }
        )
    scaling = _FITS[record.method](held.logits, held.labels)
    probabilities = scaling.probabilities(held.logits)
    return Calibration(
        scaling=scaling,
        rule=fit_rule(probabilities, held.labels, held.groups),
        points=operating_points(probabilities, held.labels, measured_on),
        record=record,
        sets=by_class,
        sets_of_one_threshold=single,
    )
