"""What a run starts from, kept with the run, so that a bundle can tell the whole story of its weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, ValidationError

from lesionlens.errors import DataError
from lesionlens.inference.bundle import Bundle, TrainingRecord
from lesionlens.training.config import TrainConfig

__all__ = ["HELD_OUT", "StartRecord", "require_same_held_out", "start_record"]

HELD_OUT: Final = ("train_folds", "validation_fold", "validation_share", "seed")
"""The settings that say which pictures a run keeps out of training."""


class StartRecord(BaseModel):
    """The bundle that a run goes on from.

    Attributes:
        name: Its name.
        version: Version of its weights.
        graph_sha256: SHA-256 of its graph.
        training: How those weights were made; None if it does not say.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    version: str
    graph_sha256: str
    training: TrainingRecord | None

    @property
    def title(self) -> str:
        """The bundle in words, for a card."""
        return f"bundle {self.name} {self.version} (SHA-256 of its graph {self.graph_sha256})"

    def write(self, path: Path) -> None:
        """Keep the record as JSON."""
        path.write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> StartRecord | None:
        """Return the record in a file; None if there is no such file.

        Raises:
            DataError: The file is not such a record.
        """
        if not path.is_file():
            return None
        try:
            return cls.model_validate_json(path.read_bytes())
        except ValidationError as error:
            raise DataError(f"{path} is not the record of a run's start: {error}") from error


def start_record(start: Path | None) -> StartRecord | None:
    """Return the record of a start; None unless it is a bundle's folder.

    Raises:
        BundleError: The folder holds no valid bundle.
    """
    if start is None or not start.is_dir():
        return None
    manifest = Bundle.load(start).manifest
    return StartRecord(
        name=manifest.name,
        version=manifest.version,
        graph_sha256=manifest.graph_sha256,
        training=manifest.training,
    )


def require_same_held_out(config: TrainConfig, record: StartRecord) -> None:
    """Refuse a run that would be judged, or calibrated, on pictures which its start was trained on.

    Raises:
        DataError: The two do not keep the same pictures out of training.
    """
    earlier = record.training.recipe if record.training else {}
    if not earlier:
        return
    ours: dict[str, Any] = config.model_dump(mode="json", include=set(HELD_OUT))
    differing = [name for name in HELD_OUT if name in earlier and earlier[name] != ours[name]]
    if differing:
        settings = ", ".join(f"{name} {earlier[name]!r}" for name in differing)
        raise DataError(
            f"the bundle {record.name} {record.version} kept other pictures out of its training, so this run would be "
            f"judged on pictures that it has learnt already: use its {settings}"
        )
