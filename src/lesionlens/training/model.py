"""Networks by their timm names, with starting weights from a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from torch import nn

from lesionlens.errors import BundleError, ConversionError, DataError, ExportError
from lesionlens.taxonomy import NUM_CLASSES
from lesionlens.training.bundle_weights import bundle_weights
from lesionlens.training.restricted import load_weights
from lesionlens.training.torchvision_ops import declare_torchvision_ops

declare_torchvision_ops()
import timm  # noqa: E402  (it imports torchvision, which needs the declaration)
from timm.layers import create_pool2d  # noqa: E402
from timm.models.xception import Xception  # noqa: E402

__all__ = ["create_model", "freeze_stages", "load_start"]

_XCEPTION: Final = "legacy_xception"
# Its modules before the middle flow, grouped where the resolution halves.
_XCEPTION_STAGES: Final = (("conv1", "bn1", "conv2", "bn2"), ("block1",), ("block2",), ("block3",))


def create_model(
    architecture: str, *, num_classes: int = NUM_CLASSES, dropout: float = 0.0, drop_path: float = 0.0
) -> nn.Module:
    """Make a network with random weights.

    Args:
        architecture: timm name.
        num_classes: Number of outputs.
        dropout: Dropout before the linear layer.
        drop_path: Stochastic depth, for the architectures that have it.

    Raises:
        DataError: timm knows no such architecture.
    """
    options: dict[str, Any] = {"num_classes": num_classes, "drop_rate": dropout}
    if drop_path > 0.0:
        options["drop_path_rate"] = drop_path
    if not timm.is_model(architecture):
        raise DataError(f"timm knows no architecture {architecture!r}; `timm.list_models()` lists them")
    model: nn.Module = timm.create_model(architecture, pretrained=False, **options)
    if architecture == _XCEPTION:
        _pool_as_keras(model)
    return model


def _pool_as_keras(model: nn.Module) -> None:
    """Pad Xception's max-pools as TensorFlow's "SAME" does, for the published weights were trained so.

    With timm's own padding the features of an even-sized input are off by half a stride at each of the four pools.
    """
    for name, module in list(model.named_modules()):
        if isinstance(module, nn.MaxPool2d):
            model.set_submodule(name, create_pool2d("max", 3, 2, padding="same"))


def load_start(model: nn.Module, path: Path) -> None:
    """Load starting weights in place; the last linear layer starts from zero where its shape differs.

    Args:
        model: The network.
        path: The folder of a bundle, or anything that `lesionlens.training.restricted.load_weights` reads; no code in
            it is ever run.

    Raises:
        DataError: The file cannot be read, or does not fit the network.
    """
    try:
        weights = bundle_weights(path, model) if path.is_dir() else load_weights(path)
    except (BundleError, ConversionError, ExportError) as error:
        raise DataError(f"starting weights: {error}") from error
    own = model.state_dict()
    head = {name for name in own if name.split(".")[0] in {"classifier", "fc", "head"}}
    fitting = {k: v.to(own[k].dtype) for k, v in weights.items() if k in own and v.shape == own[k].shape}
    misfits = [k for k in weights if k not in fitting and k not in head and not k.startswith(("classifier", "fc"))]
    missing = [k for k in own if k not in fitting and k not in head and not k.endswith("num_batches_tracked")]
    if misfits or missing:
        raise DataError(
            f"{path.name} does not fit this network: {len(missing)} tensors are missing "
            f"({', '.join(missing[:3]) or 'none'}), {len(misfits)} do not belong ({', '.join(misfits[:3]) or 'none'})"
        )
    model.load_state_dict(fitting, strict=False)
    if not head <= set(fitting):
        # A random last layer would send large random gradients through weights that are good already.
        for parameter in model.get_classifier().parameters():  # type: ignore[operator]
            nn.init.zeros_(parameter)


def freeze_stages(model: nn.Module, stages: int) -> list[nn.Module]:
    """Stop the training of the leading stages: their weights, and the statistics of their batch norms.

    Early filters are alike for all photographs, and their high resolution makes them the costliest to train.

    Args:
        model: A network of the EfficientNet family, or Xception.
        stages: 0 for none, 1 for the stem, 1 + n for the stem and n stages of blocks (of Xception: blocks of the entry
            flow, of which there are three).

    Returns:
        The frozen modules, which must stay in evaluation mode.

    Raises:
        DataError: The network has no such stages.
    """
    if stages == 0:
        return []
    groups = _leading_stages(model)
    if stages > len(groups):
        raise DataError(f"freeze is {stages}, but this network has {len(groups)} leading stages")
    frozen = [module for group in groups[:stages] for module in group]
    for module in frozen:
        module.requires_grad_(False)
    return frozen


def _leading_stages(model: nn.Module) -> list[list[nn.Module]]:
    if isinstance(model, Xception):
        return [[model.get_submodule(name) for name in group] for group in _XCEPTION_STAGES]
    stem = [getattr(model, name, None) for name in ("conv_stem", "bn1")]
    blocks = getattr(model, "blocks", None)
    if None in stem or not isinstance(blocks, nn.Sequential):
        raise DataError("freeze works for the EfficientNet family and Xception only")
    return [[module for module in stem if module is not None], *([block] for block in blocks.children())]
