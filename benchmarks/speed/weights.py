"""An EfficientNet-B5 to measure: the same weights for every contender.

No trained B5 ships with this package, and none is needed: how long a network takes does not depend on what it learned.
It must only be a sane one, for numbers that overflow or underflow do take longer. So the weights are those that the
training code starts from, with a fixed seed, and the statistics of the batch norms are taken over photos. Two things
make the comparison of the contenders' answers worth something. The branches beside the shortcuts are damped: without
that, a network that has learned nothing answers otherwise as soon as the last bit of a pixel changes (probabilities
move by 0.16 when the 12-megapixel photo is decoded at half its sides, and by 0.004 with it; a trained one's by 0.008).
And the last layer is scaled until the classes are as far apart as a trained network has them.

    python benchmarks/speed/weights.py FOLDER
"""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Final

import torch
from photos import make_photos
from PIL import Image
from torch import nn

from lesionlens.conversion import convert_weights
from lesionlens.imaging.preprocess import PreprocessSpec, preprocess
from lesionlens.training.model import create_model

__all__ = ["ARCHITECTURE", "SIZE", "make_network", "write_bundle"]

ARCHITECTURE: Final = "efficientnet_b5"
SIZE: Final = 456
_SEED: Final = 0
_BRANCH_GAIN: Final = 0.1
_LOGIT_SPREAD: Final = 2.5  # standard deviation over the classes, about that of a trained classifier


def make_network(architecture: str = ARCHITECTURE, size: int = SIZE) -> nn.Module:
    """Make the network, in evaluation mode; the same weights on every call with the same version of PyTorch.

    Args:
        architecture: timm name.
        size: Side of its input in pixels.
    """
    torch.manual_seed(_SEED)
    model = create_model(architecture)
    spec = PreprocessSpec(size=size, fit="squash")
    pictures = [Image.open(io.BytesIO(file)).convert("RGB") for file in make_photos().small]
    batch = torch.stack([torch.from_numpy(preprocess(picture, spec)) for picture in pictures])
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None  # the plain mean over all that is shown
        if getattr(module, "has_skip", False):
            last = module.bn3 if hasattr(module, "bn3") else module.bn2
            nn.init.constant_(last.weight, _BRANCH_GAIN)
    with torch.no_grad():
        model.train()
        model(batch)
        model.eval()
        linear = model.get_classifier()
        logits = model(batch)
        # Every class at 0 on the average, apart as far as wanted: the photos then get different answers.
        scale = _LOGIT_SPREAD / float((logits - logits.mean(0)).std())
        linear.bias.copy_(scale * (linear.bias - logits.mean(0)))
        linear.weight.mul_(scale)
    return model


def write_bundle(folder: Path) -> None:
    """Write `model.pth`, and beside it the bundle that `lesionlens convert` makes of it without PyTorch.

    Args:
        folder: Where to write; made if it is missing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(make_network().state_dict(), folder / "model.pth")
    convert_weights(folder / "model.pth", folder / "bundle", name="b5-untrained", overwrite=True)


if __name__ == "__main__":
    write_bundle(Path(sys.argv[1]))
