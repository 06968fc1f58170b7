"""Networks that a new one learns from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

from lesionlens.errors import BundleError, DataError
from lesionlens.imaging.preprocess import PreprocessSpec
from lesionlens.inference.bundle import Bundle
from lesionlens.training.config import TrainConfig
from lesionlens.training.model import create_model, load_start
from lesionlens.training.provenance import require_same_held_out, start_record
from lesionlens.training.run_folder import RunFolder

__all__ = ["Teachers"]


class Teachers:
    """The networks of `TrainConfig.teachers`, asked together.

    Every teacher sees the very pictures that the learner sees, cropped, turned and mixed alike (Beyer et al. 2022,
    *Knowledge distillation: A good teacher is patient and consistent*), brought to its own size and scale.

    Args:
        config: The settings of the run that learns.
        place: Moves a network to where it computes.

    Raises:
        DataError: A teacher is neither a run folder nor a bundle, or was trained on pictures that this run is judged
            on.
    """

    def __init__(self, config: TrainConfig, place: Callable[[nn.Module], nn.Module]) -> None:
        self._spec = config.preprocessing
        self._teachers: list[tuple[nn.Module, PreprocessSpec]] = []
        for path in config.teachers:
            network, spec = _load(path, config)
            self._teachers.append((place(network).eval().requires_grad_(False), spec))

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self._teachers)

    @torch.no_grad()
    def probabilities(self, images: torch.Tensor, temperature: float) -> torch.Tensor:
        """Return the mean of what the teachers answer.

        Args:
            images: `[N, 3, H, W]`, as the learner gets them.
            temperature: Divides each teacher's logits.

        Returns:
            float32 `[N, 8]`, rows sum to 1.
        """
        answers = [
            torch.softmax(network(_seen_by(images, self._spec, spec)).float() / temperature, dim=1)
            for network, spec in self._teachers
        ]
        return torch.stack(answers).mean(dim=0)


def _load(path: Path, config: TrainConfig) -> tuple[nn.Module, PreprocessSpec]:
    if (path / "config.json").is_file():
        folder = RunFolder(path)
        own = folder.read_config()
        _require_alike_held_out(own, config, path)
        network = create_model(own.architecture)
        network.load_state_dict(folder.load(folder.weights))
        return network, own.preprocessing
    try:
        record = start_record(path)
        if record is None:
            raise DataError(f"the teacher {path} is neither a run folder nor a bundle's folder")
        require_same_held_out(config, record)
        manifest = Bundle.load(path).manifest
    except BundleError as error:
        raise DataError(f"the teacher {path} is neither a run folder nor a bundle's folder: {error}") from error
    network = create_model(manifest.architecture)
    load_start(network, path)
    return network, manifest.preprocessing


def _require_alike_held_out(own: TrainConfig, config: TrainConfig, path: Path) -> None:
    names = ("train_folds", "validation_fold", "validation_share", "seed")
    differing = [name for name in names if getattr(own, name) != getattr(config, name)]
    if differing:
        settings = ", ".join(f"{name} {getattr(own, name)!r}" for name in differing)
        raise DataError(
            f"the teacher {path.name} kept other pictures out of its training, and would whisper the answers: use its "
            f"{settings}"
        )


def _seen_by(images: torch.Tensor, given: PreprocessSpec, wanted: PreprocessSpec) -> torch.Tensor:
    if images.shape[-1] != wanted.size:
        images = F.interpolate(images, size=(wanted.size, wanted.size), mode="bilinear", antialias=True)
    if (given.mean, given.std) == (wanted.mean, wanted.std):
        return images
    old_mean, old_std, mean, std = (
        _channels(values, images) for values in (given.mean, given.std, wanted.mean, wanted.std)
    )
    return (images * old_std + old_mean - mean) / std


def _channels(values: Sequence[float], like: torch.Tensor) -> torch.Tensor:
    return torch.tensor(values, dtype=like.dtype, device=like.device)[:, None, None]
