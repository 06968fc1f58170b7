"""A bundle: the folder that holds a trained model and everything that serving it needs.

A bundle has three files: `model.onnx` (outputs `logits`, `maps` and `features`), `manifest.json` (a `Manifest`) and
`MODEL_CARD.md`; a fourth one holds the statistics behind `lesionlens.suitability`, if they were taken. Nothing in it is
ever executed; the SHA-256 of the graph and of the statistics are checked when the bundle is loaded.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Field, ValidationError, field_validator

from lesionlens.errors import BundleError
from lesionlens.imaging.preprocess import PreprocessSpec
from lesionlens.inference.records import (
    CalibrationRecord,
    OperatingPoint,
    PerClass,
    PredictionSetRule,
    Probability,
    QuantisationRecord,
    ReferenceRule,
    StrictRecord,
    TrainingRecord,
)
from lesionlens.taxonomy import CODES

__all__ = ["SCHEMA_VERSION", "Bundle", "Manifest", "OperatingPoint", "PredictionSetRule", "TrainingRecord", "slug"]

SCHEMA_VERSION: Final = 1
GRAPH_NAME: Final = "model.onnx"
MANIFEST_NAME: Final = "manifest.json"
CARD_NAME: Final = "MODEL_CARD.md"
REFERENCE_NAMES: Final = "reference-*.npz"


class Manifest(StrictRecord):
    """All that serving needs to know of a model.

    Attributes:
        schema_version: Version of this schema.
        name: Name by which `--model` finds an embedded bundle.
        version: Version of the weights.
        architecture: timm name of the network.
        classes: Codes in the order of the outputs; always those of `lesionlens.taxonomy`.
        preprocessing: How pictures become inputs.
        temperature: Logits are divided by it before the softmax (Guo et al. 2017).
        logit_shift: Added to the logits before they are divided by the temperature, a number for each class; None adds
            nothing (`lesionlens.uncertainty.softmax`).
        confidence_threshold: Below this highest probability the answer is "not confident".
        prediction_set: Conformal rule; None unless one was fitted.
        out_of_distribution: Which pictures the network should not judge, and the file with the statistics that say
            so; None unless they were taken.
        operating_points: Thresholds on the malignant probability.
        calibration: How temperature, shift, sets and points were fitted; None if it is not recorded.
        training: Where the weights come from; None for weights of unknown origin.
        quantisation: How the network was quantised; None for one in floating point.
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
    logit_shift: PerClass | None = None
    confidence_threshold: Probability = 0.5
    prediction_set: PredictionSetRule | None = None
    out_of_distribution: ReferenceRule | None = None
    operating_points: tuple[OperatingPoint, ...] = ()
    calibration: CalibrationRecord | None = None
    training: TrainingRecord | None = None
    quantisation: QuantisationRecord | None = None
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
    def reference(self) -> bytes | None:
        """The file of reference statistics (`lesionlens.suitability.Reference` reads it); None if there is none."""
        rule = self.manifest.out_of_distribution
        return (self.path / rule.file).read_bytes() if rule else None

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
            BundleError: A file is missing, the manifest is invalid or from another schema version, or the SHA-256 of
                the graph or of the reference statistics is not the manifest's.
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
        if manifest.out_of_distribution:
            _check_reference(path, manifest.out_of_distribution)
        return cls(path, manifest)

    @classmethod
    def write(
        cls, path: Path | str, graph: bytes, manifest: Manifest, card: str, reference: bytes | None = None
    ) -> Bundle:
        """Write a bundle, taking the graph's SHA-256 from `graph`.

        Args:
            path: Folder to write to; made if it is missing, its bundle files replaced if not.
            graph: Serialized ONNX model.
            manifest: The manifest; its `graph_sha256` is replaced.
            card: Model card, Markdown.
            reference: The file that `manifest.out_of_distribution` names, if it does; None if it lies there already.

        Raises:
            BundleError: The reference statistics are missing or not those of the manifest.
        """
        path = Path(path)
        path.mkdir(parents=True, exist_ok=True)
        _place_reference(path, manifest, reference)
        manifest = manifest.model_copy(update={"graph_sha256": sha256_of(graph)})
        (path / GRAPH_NAME).write_bytes(graph)
        (path / MANIFEST_NAME).write_text(manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")
        (path / CARD_NAME).write_text(card, encoding="utf-8")
        _remove_other_references(path, manifest)
        return cls(path, manifest)

    def with_manifest(self, manifest: Manifest, reference: bytes | None = None) -> Bundle:
        """Replace the manifest on disk; a kill in the middle leaves either the old one or the new one.

        Args:
            manifest: The new manifest, of the same graph.
            reference: The file that `manifest.out_of_distribution` names, if it does; None if it lies there already.

        Raises:
            BundleError: The manifest belongs to another graph, or the reference statistics are missing or not those
                of the manifest.
        """
        if manifest.graph_sha256 != self.manifest.graph_sha256:
            raise BundleError(f"the manifest of another graph ({manifest.graph_sha256}) cannot go into {self.path}")
        _place_reference(self.path, manifest, reference)
        target = self.path / MANIFEST_NAME
        temporary = target.with_name(f"{MANIFEST_NAME}.tmp")
        try:
            with temporary.open("w", encoding="utf-8") as file:
                file.write(manifest.model_dump_json(indent=2) + "\n")
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
        _remove_other_references(self.path, manifest)
        return Bundle(self.path, manifest)


def slug(folder: Path) -> str:
    """Return a name that a manifest accepts, made from a folder's own."""
    return re.sub(r"[^a-z0-9._-]+", "-", folder.resolve().name.lower()).strip("-._") or "model"


def sha256_of(data: bytes) -> str:
    """Return the SHA-256 of some bytes as lower-case hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def _check_reference(path: Path, rule: ReferenceRule) -> None:
    file = path / rule.file
    if not file.is_file():
        raise BundleError(f"{path} is not a whole bundle: {rule.file} is missing, which its manifest names")
    if (digest := sha256_of(file.read_bytes())) != rule.sha256:
        raise BundleError(
            f"{file} is damaged or was exchanged: its SHA-256 is {digest}, the manifest says {rule.sha256}"
        )


def _place_reference(path: Path, manifest: Manifest, reference: bytes | None) -> None:
    """Write the reference statistics ahead of the manifest that names them, and make sure that they are its own.

    Their name holds their SHA-256 (`ReferenceRule.file`), so an earlier manifest's file is never overwritten.
    """
    rule = manifest.out_of_distribution
    if rule is None:
        return
    if reference is not None:
        if sha256_of(reference) != rule.sha256:
            raise BundleError(f"the reference statistics given for {path} are not those that its manifest names")
        (path / rule.file).write_bytes(reference)
    _check_reference(path, rule)


def _remove_other_references(path: Path, manifest: Manifest) -> None:
    """Remove the reference statistics of earlier manifests."""
    rule = manifest.out_of_distribution
    for file in path.glob(REFERENCE_NAMES):
        if rule is None or file.name != rule.file:
            file.unlink()


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
