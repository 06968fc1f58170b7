"""Which folds a bundle's weights have seen, in all the trainings that they came from."""

from __future__ import annotations

from lesionlens.inference.bundle import Manifest

__all__ = ["trained_folds", "validation_folds"]


def trained_folds(manifest: Manifest) -> tuple[int, ...]:
    """Return the folds that a bundle says it was trained on, now or earlier, sorted; empty if it does not say."""
    return tuple(sorted(set(_folds(manifest, "train_folds"))))


def validation_folds(manifest: Manifest) -> tuple[int, ...]:
    """Return the folds that its trainings were validated on, that of the last training first; empty if on none."""
    return _folds(manifest, "validation_fold")


def _folds(manifest: Manifest, name: str) -> tuple[int, ...]:
    if manifest.training is None:
        return ()
    return tuple(fold for made in manifest.training.lineage() for fold in _whole_numbers(made.recipe.get(name)))


def _whole_numbers(value: object) -> tuple[int, ...]:
    values = value if isinstance(value, list | tuple) else (value,)
    return tuple(v for v in values if isinstance(v, int) and not isinstance(v, bool))
