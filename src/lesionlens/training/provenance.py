"""What a run starts from, kept with the run, so that a bundle can tell the whole story of its weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Final

from lesionlens.errors import DataError
from lesionlens.inference.bundle import Bundle, TrainingRecord
from lesionlens.training.config import TrainConfig
from lesionlens.training.kept_record import KeptRecord

__all__ = ["HELD_OUT", "StartRecord", "require_same_held_out", "start_record"]

HELD_OUT: Final = ("train_folds", "validation_fold", "validation_share", "seed")
"""The settings that say which pictures a run keeps out of training."""


class StartRecord(KeptRecord):
    """The bundle that a run goes on from.

    Attributes:
        name: Its name.
        version: Version of its weights.
        graph_sha256: SHA-256 of its graph.
        training: How those weights were made; None if it does not say.
    """

    about: ClassVar[str] = "a run's start"

    name: str
    version: str
    graph_sha256: str
    training: TrainingRecord | None

    @property
    def title(self) -> str:
        """The bundle in words, for a card."""
        return f"bundle {self.name} {self.version} (SHA-256 of its graph {self.graph_sha256})"


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
