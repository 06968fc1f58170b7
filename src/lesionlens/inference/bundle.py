"""A bundle: the folder that holds a trained model and everything that serving it needs.

A bundle has three files: `model.onnx` (outputs `logits`, `maps` and `features`), `manifest.json` (a `Manifest`) and
`MODEL_CARD.md`. Nothing in it is ever executed; the graph's SHA-256 is checked when the bundle is loaded.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from lesionlens.errors import BundleError
from lesionlens.imaging.preprocess import PreprocessSpec
from lesionlens.taxonomy import CODES

__all__ = ["SCHEMA_VERSION", "Bundle", "Manifest", "OperatingPoint", "PredictionSetRule", "TrainingRecord", "slug"]

SCHEMA_VERSION: Final = 1
GRAPH_NAME: Final = "model.onnx"
MANIFEST_NAME: Final = "manifest.json"
CARD_NAME: Final = "MODEL_CARD.md"

Probability = Annotated[float, Field(ge=0.0, le=1.0)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class OperatingPoint(_Strict):
    """A threshold on the malignant probability, and what it achieved where it was measured.

    Attributes:
        name: What the point is for, such as `sensitivity_90`.
        threshold: Malignant probability (MEL + BCC + AKIEC + SCC) at or above which a lesion counts as suspicious.
        sensitivity: Share of malignant lesions at or above the threshold.
        specificity: Share of benign lesions below it.
        measured_on: The pictures it was chosen and measured on, in words.
    """

    name: str
    threshold: Probability
    sensitivity: Probability
    specificity: Probability
    measured_on: str


class PredictionSetRule(_Strict):
    """A conformal rule: the set of diagnoses whose nonconformity is at most `threshold`.

    Attributes:
        coverage: Share of lesions whose true diagnosis the set was built to hold.
        threshold: Largest nonconformity score (one minus the probability) that stays in the set.
    """

    coverage: Probability
    threshold: float


class TrainingRecord(_Strict):
    """Where the weights come from.

    Attributes:
        data: The pictures trained on, in words.
        licence: Licence that the data puts on the model.
        citations: How to cite the data.
        recipe: The settings of the training run.
        starting_weights: What training started from.
    """

    data: str
    licence: str
    citations: tuple[str, ...] = ()
    recipe: dict[str, Any] = Field(default_factory=dict)
    starting_weights: str = "random"


class Manifest(_Strict):
    """All that serving needs to know of a model.

    Attributes:
        schema_version: Version of this schema.
        name: Name by which `--model` finds an embedded bundle.
        version: Version of the weights.
        architecture: timm name of the network.
        classes: Codes in the order of the outputs; always those of `lesionlens.taxonomy`.
        preprocessing: How pictures become inputs.
        temperature: Logits are divided by it before the softmax (Guo et al. 2017).
        confidence_threshold: Below this highest probability the answer is "not confident".
        prediction_set: Conformal rule; None unless one was fitted. Reserved: no command fits one yet.
        out_of_distribution: Statistics of the features on training pictures; None unless they were taken. Reserved
            likewise.
        operating_points: Thresholds on the malignant probability.
        training: Where the weights come from; None for weights of unknown origin.
        results: Measured figures, as `lesionlens evaluate` wrote them.
        graph_sha256: SHA-256 of `model.onnx`, lower-case hexadecimal.
    """

    schema_version: Literal[1] = 1
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")]
    version: str
    architecture: str
    classes: tuple[str, ...] = CODES
    preprocessing: PreprocessSpec
    temperature: Annotated[float, Field(gt=0.0)] = 1.0
    confidence_threshold: Probability = 0.5
    prediction_set: PredictionSetRule | None = None
    out_of_distribution: dict[str, Any] | None = None
    operating_points: tuple[OperatingPoint, ...] = ()
    training: TrainingRecord | None = None
    results: dict[str, Any] = Field(default_factory=dict)
    graph_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]

    @field_validator("classes")
    @classmethod
    def _classes_are_the_taxonomy(cls, classes: tuple[str, ...]) -> tuple[str, ...]:
        if classes != CODES:
            raise ValueError(f"classes must be {', '.join(CODES)} in this order, not {', '.join(classes)}")
        return classes


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle on disk whose graph has been checked against its manifest.

    Attributes:
        path: The bundle's folder.
        manifest: Its validated manifest.
    """

    path: Path
    manifest: Manifest

    @property
    def graph_path(self) -> Path:
        """Path of the ONNX graph."""
        return self.path / GRAPH_NAME

    @property
    def model_card(self) -> str:
        """Text of the model card (Markdown); empty if the bundle has none."""
        card = self.path / CARD_NAME
        return card.read_text(encoding="utf-8") if card.is_file() else ""

    @classmethod
    def load(cls, path: Path | str) -> Bundle:
        """Read and verify a bundle.

        Args:
            path: The bundle's folder.

        Raises:
            BundleError: A file is missing, the manifest is invalid or from another schema version, or the graph's
                SHA-256 is not the manifest's.
        """
        path = Path(path)
        for name in (MANIFEST_NAME, GRAPH_NAME):
            if not (path / name).is_file():
                raise BundleError(
                    f"{path} is not a bundle: {name} is missing. A bundle is a folder with "
                    f"{GRAPH_NAME}, {MANIFEST_NAME} and {CARD_NAME}"
                )
        manifest = _read_manifest(path / MANIFEST_NAME)
        digest = sha256_of((path / GRAPH_NAME).read_bytes())
        if digest != manifest.graph_sha256:
            raise BundleError(
                f"{path / GRAPH_NAME} is damaged or was exchanged: its SHA-256 is {digest}, "
                f"the manifest says {manifest.graph_sha256}"
            )
        return cls(path, manifest)

    @classmethod
    def write(cls, path: Path | str, graph: bytes, manifest: Manifest, card: str) -> Bundle:
        """Write a bundle, taking the graph's SHA-256 from `graph`.

        Args:
            path: Folder to write to; made if it is missing, its bundle files replaced if not.
            graph: Serialized ONNX model.
            manifest: The manifest; its `graph_sha256` is replaced.
            card: Model card, Markdown.
        """
        path = Path(path)
        path.mkdir(parents=True, exist_ok=True)
        manifest = manifest.model_copy(update={"graph_sha256": sha256_of(graph)})
        (path / GRAPH_NAME).write_bytes(graph)
        (path / MANIFEST_NAME).write_text(manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")
        (path / CARD_NAME).write_text(card, encoding="utf-8")
        return cls(path, manifest)


def slug(folder: Path) -> str:
    """Return a name that a manifest accepts, made from a folder's own."""
    return re.sub(r"[^a-z0-9._-]+", "-", folder.resolve().name.lower()).strip("-._") or "model"


def sha256_of(data: bytes) -> str:
    """Return the SHA-256 of some bytes as lower-case hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def _read_manifest(path: Path) -> Manifest:
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise BundleError(f"{path} is not valid JSON: {error}") from error
    version = raw.get("schema_version") if isinstance(raw, dict) else None
    if version != SCHEMA_VERSION:
        raise BundleError(f"{path} has schema version {version!r}; this LesionLens reads version {SCHEMA_VERSION}")
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise BundleError(f"{path} is not a valid manifest: {problems}") from error
