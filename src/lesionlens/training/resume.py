"""What may differ when a run goes on, and what may not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from lesionlens.errors import DataError
from lesionlens.training.config import TrainConfig

__all__ = ["require_same_run"]

# Where the files lie and what computes do not change what is computed.
_MAY_CHANGE: Final = frozenset({"data", "folds_file", "start", "teachers", "workers", "device", "compile"})


def require_same_run(state: Mapping[str, Any], config: TrainConfig, world: int, folder: Path) -> None:
    """Refuse to go on from a checkpoint in another way than the run began.

    Args:
        state: The checkpoint.
        config: The settings to go on with.
        world: Number of processes to go on with.
        folder: The run's folder, for the message.

    Raises:
        DataError: The settings or the number of processes differ.
    """
    began_with = TrainConfig.model_validate_json(state["config"])
    changed = [
        name
        for name in TrainConfig.model_fields
        if name not in _MAY_CHANGE and getattr(began_with, name) != getattr(config, name)
    ]
    if changed:
        raise DataError(f"the run in {folder} began with other settings: {', '.join(changed)} differ")
    if len(state["processes"]) != world:
        raise DataError(f"the run began with {len(state['processes'])} processes, not {world}")
