"""Every choice of a training run, in one typed record that is kept with the run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from lesionlens.imaging.preprocess import PreprocessSpec

__all__ = ["Augmentation", "Stage", "TrainConfig"]

Share = Annotated[float, Field(ge=0.0, le=1.0)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Augmentation(_Strict):
    """How training pictures are varied; see `lesionlens.training.augment`.

    Attributes:
        min_area: Smallest share of the picture's square that a random crop keeps.
        max_stretch: Largest ratio of the crop's sides.
        brightness: Largest relative change of brightness, contrast and each channel's gain.
        saturation: Largest relative change of saturation.
        degrade: Share of pictures whose resolution is lowered.
        min_resolution: Lowest resolution in pixels of the square; drawn log-uniformly up to the input size.
        jpeg: Share of pictures that go through JPEG once more.
        min_quality: Lowest JPEG quality.
    """

    min_area: Annotated[float, Field(gt=0.0, le=1.0)] = 0.5
    max_stretch: Annotated[float, Field(ge=1.0, le=2.0)] = 1.15
    brightness: Share = 0.2
    saturation: Share = 0.2
    degrade: Share = 0.6
    min_resolution: Annotated[int, Field(ge=16)] = 56
    jpeg: Share = 0.5
    min_quality: Annotated[int, Field(ge=1, le=95)] = 40


class Stage(_Strict):
    """A part of a run at one input size (progressive resizing).

    Attributes:
        epochs: Its number of epochs.
        size: Side of the square input in pixels.
    """

    epochs: Annotated[int, Field(ge=1)]
    size: Annotated[int, Field(ge=32)]


class TrainConfig(_Strict):
    """The settings of a training run.

    Attributes:
        data: Data folder in the official ISIC 2019 layout.
        folds_file: Folds file; None for the one in the data folder.
        train_folds: Folds to train on.
        validation_fold: Fold for early stopping and calibration; None takes `validation_share` instead.
        validation_share: Share of the training folds' lesions held out for it when there is no validation fold.
        architecture: timm name of the network.
        start: File of starting weights (safetensors, or a state dict of tensors alone); None for random ones.
        stages: Input sizes in order.
        preprocessing: How pictures are prepared for validation, and what the bundle's manifest will say.
        batch_size: Pictures a step and process.
        samples_per_epoch: Pictures drawn an epoch over all processes; None for the size of the training set.
        learning_rate: Peak learning rate of AdamW.
        weight_decay: Decoupled weight decay of matrices and kernels.
        warmup: Share of the steps in which the learning rate rises to its peak; it then falls along a cosine.
        loss: `cross_entropy` (with label smoothing) or `focal` (Lin et al. 2017).
        label_smoothing: Probability mass spread over all classes (Szegedy et al. 2016).
        focal_gamma: Focusing parameter of the focal loss.
        mixup: Both parameters of the Beta distribution that weighs two mixed pictures (Zhang et al. 2018); 0 for none.
        teachers: Run folders or bundles whose answers the network learns too; they must have kept the same pictures out
            of their training.
        distill: Share of the loss that is the teachers' (the rest is that of the labels).
        distill_temperature: Divides the logits of both when they are compared; more tells more of what is unlikely.
        balance: Classes are drawn in proportion to `n ** (1 - balance)`: 0 as they come, 1 all alike.
        small_weight: How often a picture whose shorter side is under 180 px is drawn, against a larger one of its
            class: such pictures show less of what a user's photo shows.
        dropout: Dropout before the linear layer.
        drop_path: Stochastic depth.
        freeze: Number of leading stages (the stem first) whose weights stay as they are.
        average_decay: Decay per step of the exponential moving average of the weights; 0 for none.
        patience: Epochs without a better validation score until the run stops; 0 never stops early.
        augmentation: How training pictures are varied.
        seed: Seed of every random choice.
        workers: Loader processes.
        compile: Whether PyTorch compiles the network first: minutes at the start, quicker steps on a GPU.
        precision: `bf16` (autocast) or `fp32`.
        device: `auto`, `cpu` or `cuda`.
    """

    data: Path
    folds_file: Path | None = None
    train_folds: tuple[int, ...] = (1, 2, 3, 4)
    validation_fold: int | None = None
    validation_share: Annotated[float, Field(ge=0.0, le=0.5)] = 0.05
    architecture: str = "tf_efficientnet_lite2"
    start: Path | None = None
    stages: tuple[Stage, ...] = (Stage(epochs=6, size=192),)
    preprocessing: PreprocessSpec = PreprocessSpec(size=224, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
    batch_size: Annotated[int, Field(ge=2)] = 32
    samples_per_epoch: Annotated[int, Field(ge=1)] | None = None
    learning_rate: Annotated[float, Field(gt=0.0)] = 5e-4
    weight_decay: Annotated[float, Field(ge=0.0)] = 0.02
    warmup: Share = 0.05
    loss: Literal["cross_entropy", "focal"] = "cross_entropy"
    label_smoothing: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.05
    focal_gamma: Annotated[float, Field(ge=0.0)] = 2.0
    mixup: Annotated[float, Field(ge=0.0, le=10.0)] = 0.0
    teachers: tuple[Path, ...] = ()
    distill: Share = 0.5
    distill_temperature: Annotated[float, Field(gt=0.0, le=20.0)] = 2.0
    balance: Share = 0.5
    small_weight: Annotated[float, Field(gt=0.0, le=1.0)] = 1.0
    dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.2
    drop_path: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0
    freeze: Annotated[int, Field(ge=0)] = 0
    average_decay: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.998
    patience: Annotated[int, Field(ge=0)] = 0
    augmentation: Augmentation = Augmentation()
    seed: int = 0
    workers: Annotated[int, Field(ge=0)] = 1
    compile: bool = False
    precision: Literal["bf16", "fp32"] = "bf16"
    device: Literal["auto", "cpu", "cuda"] = "auto"

    @model_validator(mode="after")
    def _validation_is_not_trained_on(self) -> TrainConfig:
        if self.validation_fold in self.train_folds:
            raise ValueError(f"fold {self.validation_fold} is both trained on and validated on")
        if self.patience and self.validation_fold is None and not self.validation_share:
            raise ValueError("patience needs validation pictures: set validation_fold or validation_share")
        if not self.train_folds:
            raise ValueError("train_folds is empty; name at least one fold to train on")
        return self

    @property
    def epochs(self) -> int:
        """Number of epochs over all stages."""
        return sum(stage.epochs for stage in self.stages)

    def size_at(self, epoch: int) -> int:
        """Return the input size in pixels at an epoch (0-based)."""
        for stage in self.stages:
            if epoch < stage.epochs:
                return stage.size
            epoch -= stage.epochs
        return self.stages[-1].size
