"""What a model said of a photo, on its way into the store."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Final

import numpy as np
import numpy.typing as npt
from pydantic import AfterValidator, AwareDatetime, Field

from lesionlens.taxonomy import NOT_CONFIDENT_INDEX, NUM_CLASSES
from lesionlens.tracker.fields import Checked

if TYPE_CHECKING:
    from lesionlens.classifier import Analysis, Classifier

__all__ = ["MAP_DTYPE", "NewAnalysis"]

MAP_DTYPE: Final = np.dtype("<f4")
"""How maps lie in the database: little-endian float32 in C order, whatever machine wrote them."""

_NAME: Final[dict[str, Any]] = {"accepted": "a text of 1–200 characters"}
_SHARES: Final[dict[str, Any]] = {
    "accepted": "left, top, right, bottom as shares of the photo's sides, 0–1, or nothing"
}
_OBJECT: Final[dict[str, Any]] = {"accepted": "an object of JSON values (finite numbers only), or nothing"}

Name = Annotated[str, Field(min_length=1, max_length=200, json_schema_extra=_NAME)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]


def _plain(value: dict[str, Any]) -> dict[str, Any]:
    try:
        json.dumps(value, allow_nan=False)
    except TypeError as error:
        raise ValueError(str(error)) from error
    return value


def _as_class_maps(maps: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    if maps.dtype != np.float32 or maps.ndim != 3 or len(maps) != NUM_CLASSES or not maps.size:
        raise ValueError("wrong type or shape")
    return maps


Plain = Annotated[dict[str, Any], AfterValidator(_plain)]


class NewAnalysis(Checked):
    """What a model said of a photo; make one from a classifier's answer with `NewAnalysis.of`.

    Attributes:
        model: Name of the model.
        version: Its version.
        graph_sha256: SHA-256 of its graph, lower-case hexadecimal: what tells one model from another.
        engine: What ran it, such as `onnxruntime`.
        prediction: 0–7, or 8 for "not confident".
        probabilities: 8 calibrated probabilities in the order of `lesionlens.taxonomy.DIAGNOSES`.
        logits: 8 numbers, before temperature and softmax.
        malignant_probability: 0–1.
        seen_box: The part of the photo that the network saw: left, top, right, bottom as shares of its sides.
        prediction_set: Class indexes 0–7 by falling probability; None without a rule.
        suitability: Whether the photo may be judged, as `lesionlens.doubt.as_suitability` gives it.
        quality: How good the photo is, as `lesionlens.doubt.as_quality` gives it.
        maps: float32 `[8, h, w]`, Grad-CAM of every class; None to keep none.
        created_at: When the analysis was made; None for now.

    Raises:
        InvalidRecordError: A value is not accepted.
    """

    model: Name
    version: Name
    graph_sha256: str = Field(
        pattern=r"^[0-9a-f]{64}$", json_schema_extra={"accepted": "64 lower-case hexadecimal digits"}
    )
    engine: Name
    prediction: int = Field(
        ge=0, le=NOT_CONFIDENT_INDEX, json_schema_extra={"accepted": f"a class index, 0–{NOT_CONFIDENT_INDEX}"}
    )
    probabilities: tuple[Share, ...] = Field(
        min_length=NUM_CLASSES, max_length=NUM_CLASSES, json_schema_extra={"accepted": "a tuple of 8 numbers, 0–1"}
    )
    logits: tuple[float, ...] = Field(
        min_length=NUM_CLASSES, max_length=NUM_CLASSES, json_schema_extra={"accepted": "a tuple of 8 finite numbers"}
    )
    malignant_probability: float = Field(ge=0.0, le=1.0, json_schema_extra={"accepted": "a number, 0–1"})
    seen_box: tuple[Share, Share, Share, Share] | None = Field(default=None, json_schema_extra=_SHARES)
    prediction_set: tuple[Annotated[int, Field(ge=0, lt=NUM_CLASSES)], ...] | None = Field(
        default=None, json_schema_extra={"accepted": "a tuple of class indexes, 0–7, or nothing"}
    )
    suitability: Plain | None = Field(default=None, json_schema_extra=_OBJECT)
    quality: Plain | None = Field(default=None, json_schema_extra=_OBJECT)
    maps: Annotated[npt.NDArray[np.float32], AfterValidator(_as_class_maps)] | None = Field(
        default=None, repr=False, json_schema_extra={"accepted": "a float32 array [8, h, w], or nothing"}
    )
    created_at: AwareDatetime | None = Field(
        default=None, json_schema_extra={"accepted": "a time with a UTC offset, or nothing for now"}
    )

    @classmethod
    def of(cls, classifier: Classifier, analysis: Analysis, *, created_at: datetime | None = None) -> NewAnalysis:
        """Make one from a classifier's answer.

        Args:
            classifier: The classifier that gave it.
            analysis: Its answer to the photo.
            created_at: When it was made; None for now.
        """
        # Imported here: the store by itself must not load what runs models.
        from lesionlens.doubt import as_quality, as_suitability

        description = classifier.description
        return cls(
            model=description["name"],
            version=description["version"],
            graph_sha256=description["sha256"],
            engine=description["engine"],
            prediction=analysis.prediction,
            probabilities=tuple(float(p) for p in analysis.probabilities),
            logits=tuple(float(v) for v in analysis.logits),
            malignant_probability=analysis.malignant_probability,
            seen_box=analysis.seen_box,
            prediction_set=analysis.prediction_set,
            suitability=as_suitability(analysis.suitability),
            quality=as_quality(analysis.quality),
            maps=analysis.maps,
            created_at=created_at,
        )
