"""How far the one-pass maps are from Grad-CAM by autograd, over networks and classes. Needs the `train` extra.

python benchmarks/exactness.py
"""

from __future__ import annotations

import argparse

import torch

from lesionlens.training.model import create_model
from lesionlens.training.one_pass import OnePass


def autograd_maps(model: torch.nn.Module, conv: str, x: torch.Tensor) -> torch.Tensor:
    """Return Grad-CAM of every class by its definition: a forward pass, then a backward pass for each class."""
    kept: dict[str, torch.Tensor] = {}
    hook = model.get_submodule(conv).register_forward_hook(lambda *args: kept.update(a=args[2]))
    logits = model(x)
    hook.remove()
    maps = []
    for index in range(logits.shape[1]):
        (gradient,) = torch.autograd.grad(logits[:, index].sum(), kept["a"], retain_graph=True)
        maps.append(torch.relu((gradient.mean((2, 3), keepdim=True) * kept["a"]).sum(1)))
    return torch.stack(maps, 1).detach()


def main() -> None:
    """Print the largest relative error over the eight classes for each network."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = ["tf_efficientnet_lite2:224", "efficientnet_b0:224", "efficientnet_b5:456", "legacy_xception:299"]
    parser.add_argument("networks", nargs="*", default=default, help="timm name:input size")
    for network in parser.parse_args().networks:
        architecture, _, size = network.partition(":")
        torch.manual_seed(0)
        model = create_model(architecture)
        model.train()
        with torch.no_grad():  # batch norms that have seen something, so that no activation is trivial
            model(torch.randn(4, 3, 128, 128))
        model.eval()
        x = torch.randn(1, 3, int(size), int(size))
        one_pass = OnePass(model, int(size))
        with torch.no_grad():
            _, maps, _ = one_pass(x)
        reference = autograd_maps(model, one_pass.last_conv, x)
        errors = [
            float((maps[:, c] - reference[:, c]).norm() / reference[:, c].norm())
            for c in range(8)
            if reference[:, c].norm() > 0
        ]
        print(f"{architecture:24} {size:>4} px  {len(errors)} maps  largest relative error {max(errors):.1e}")


if __name__ == "__main__":
    main()
