"""Logits and the exact Grad-CAM of every class in one forward pass, without a backward pass.

For a network that ends in convolution A → batch norm → activation → global average pool → linear W, Grad-CAM at A
(Selvaraju et al. 2017) has a closed form. With z = γ'·A + β' (the batch norm in inference, γ' = γ/√(σ² + ε)), act' the
activation's derivative and HW positions:

    α[c,k] = W[c,k] · γ'[k] · mean_xy(act'(z[k])) / HW          map[c] = ReLU( Σ_k α[c,k] · A[k] )
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Final, NamedTuple

import torch
from torch import nn

from lesionlens.errors import ExportError

__all__ = ["OnePass", "Tail", "find_tail"]

Derivative = Callable[[torch.Tensor], torch.Tensor]


def _silu(z: torch.Tensor) -> torch.Tensor:
    s = torch.sigmoid(z)
    return s * (1.0 + z * (1.0 - s))


def _relu(z: torch.Tensor) -> torch.Tensor:
    return (z > 0).to(z.dtype)


def _relu6(z: torch.Tensor) -> torch.Tensor:
    return ((z > 0) & (z < 6)).to(z.dtype)


def _one(z: torch.Tensor) -> torch.Tensor:
    return torch.ones_like(z)


# By class name, because timm has classes of its own for the same functions.
_DERIVATIVES: Final[dict[str, Derivative]] = {
    "SiLU": _silu,
    "Swish": _silu,
    "ReLU": _relu,
    "ReLU6": _relu6,
    "Identity": _one,
}


class Tail(NamedTuple):
    """The modules at the end of a network, by their names in it.

    Attributes:
        conv: Last convolution, whose output is A.
        norm: Batch norm after it.
        activation: Activation after that; None where the batch norm holds it (timm's `BatchNormAct2d`).
        linear: The classifier.
    """

    conv: str
    norm: str
    activation: str | None
    linear: str


def find_tail(model: nn.Module, size: int) -> Tail:
    """Find the last convolution, batch norm, activation and linear layer in the order in which they run.

    Args:
        model: The network, in evaluation mode.
        size: Side of its square input in pixels.

    Raises:
        ExportError: The network does not end in convolution → batch norm → activation → global pool → linear.
    """
    order: list[tuple[str, nn.Module]] = []
    hooks = [
        module.register_forward_hook(lambda m, *_, name=name: order.append((name, m)))
        for name, module in model.named_modules()
        if not list(module.children()) or isinstance(module, nn.BatchNorm2d)
    ]
    try:
        with torch.no_grad():
            model(torch.zeros(1, 3, size, size))
    finally:
        for hook in hooks:
            hook.remove()
    convolutions = [i for i, (_, m) in enumerate(order) if isinstance(m, nn.Conv2d)]
    if not convolutions:
        raise _not_exportable("it has no convolution")
    conv = order[convolutions[-1]]
    rest = order[convolutions[-1] + 1 :]
    norms = [(n, m) for n, m in rest if isinstance(m, nn.BatchNorm2d)]
    linears = [(n, m) for n, m in rest if isinstance(m, nn.Linear)]
    if len(norms) != 1:
        raise _not_exportable(f"{len(norms)} batch norms follow its last convolution, exactly 1 must")
    if len(linears) != 1:
        raise _not_exportable(f"{len(linears)} linear layers follow its last convolution, exactly 1 must")
    norm_name = norms[0][0]
    activations = [n for n, m in rest if type(m).__name__ in _DERIVATIVES and not n.startswith(f"{norm_name}.")]
    return Tail(conv[0], norm_name, activations[0] if activations else None, linears[0][0])


class OnePass(nn.Module):
    """A network that returns logits, the Grad-CAM map of every class, and the pooled features.

    Args:
        model: The network; it is copied.
        size: Side of its square input in pixels.

    Raises:
        ExportError: The network's end has no closed form here, or the closed form does not give its own logits.
    """

    def __init__(self, model: nn.Module, size: int) -> None:
        super().__init__()
        trunk = copy.deepcopy(model).eval()
        tail = find_tail(trunk, size)
        norm, linear = trunk.get_submodule(tail.norm), trunk.get_submodule(tail.linear)
        if not (isinstance(norm, nn.BatchNorm2d) and isinstance(linear, nn.Linear)):
            raise _not_exportable("its last batch norm or linear layer is of an unknown kind")
        activation = trunk.get_submodule(tail.activation) if tail.activation else getattr(norm, "act", nn.Identity())
        try:
            self.derivative = _DERIVATIVES[type(activation).__name__]
        except KeyError:
            raise _not_exportable(
                f"the derivative of its last activation {type(activation).__name__} is not known"
            ) from None
        gamma, beta, mean, variance = _statistics(norm)
        # timm's own kind holds its activation; the plain one keeps all four of its vectors in the graph.
        self.norm = nn.BatchNorm2d(norm.num_features, eps=norm.eps).eval()
        self.norm.load_state_dict({"weight": gamma, "bias": beta, "running_mean": mean, "running_var": variance}, False)
        # In double precision, for PyTorch's square root of a float is not always the nearest float.
        scale = gamma.double() / torch.sqrt(variance.double() + norm.eps)
        self.register_buffer("scale", scale.detach().float())
        self.activation = copy.deepcopy(activation)
        if hasattr(self.activation, "inplace"):
            self.activation.inplace = False  # the derivative is taken at z, which must survive
        self.linear = copy.deepcopy(linear)
        # Without norm and activation the trunk ends at the convolution: its features are A.
        trunk.set_submodule(tail.norm, nn.Identity())
        if tail.activation:
            trunk.set_submodule(tail.activation, nn.Identity())
        self.trunk = trunk
        self.last_conv = tail.conv
        self.tail = tail
        self._check(model, size)

    scale: torch.Tensor

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Run one forward pass.

        Args:
            x: float32 `[N, 3, size, size]`.

        Returns:
            logits `[N, C]`, maps `[N, C, h, w]` (Grad-CAM after the ReLU, not scaled) and features `[N, K]`.
        """
        a: torch.Tensor = self.trunk.forward_features(x)  # type: ignore[operator]
        z = self.norm(a)
        features = self.activation(z).mean((2, 3))
        logits = self.linear(features)
        share = self.derivative(z).mean((2, 3)) * self.scale / (a.shape[2] * a.shape[3])
        alpha = self.linear.weight.unsqueeze(0) * share.unsqueeze(1)
        maps = torch.relu(torch.matmul(alpha, a.flatten(2)))
        return logits, maps.reshape(-1, maps.shape[1], a.shape[2], a.shape[3]), features

    def _check(self, model: nn.Module, size: int) -> None:
        """Compare with the network itself: its logits, and the maps of all classes by autograd."""
        x = torch.randn(1, 3, size, size, generator=torch.Generator().manual_seed(0))
        kept: dict[str, torch.Tensor] = {}
        hook = model.get_submodule(self.last_conv).register_forward_hook(lambda *args: kept.update(a=args[2]))
        try:
            with torch.no_grad():
                logits, maps, _ = self(x)
            with torch.enable_grad():
                expected = model.eval()(x.requires_grad_())
                expected_maps = torch.stack([_grad_cam(score, kept["a"]) for score in expected[0]], 1)
        except (AttributeError, RuntimeError, TypeError, ValueError) as error:
            raise _not_exportable(f"its end cannot be taken apart ({error})") from error
        finally:
            hook.remove()
        for what, ours, reference in (("logits", logits, expected.detach()), ("maps", maps, expected_maps)):
            if not (ours - reference).norm() <= 1e-3 * reference.norm() + 1e-6:
                raise _not_exportable(f"the closed form's {what} differ from its own")


def _grad_cam(score: torch.Tensor, a: torch.Tensor) -> torch.Tensor:
    """Grad-CAM of one score by its definition."""
    (gradient,) = torch.autograd.grad(score, a, retain_graph=True)
    return torch.relu((gradient.mean((2, 3), keepdim=True) * a).sum(1)).detach()


def _statistics(norm: nn.BatchNorm2d) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    if norm.running_mean is None or norm.running_var is None:
        raise _not_exportable("its last batch norm keeps no running statistics")
    return norm.weight, norm.bias, norm.running_mean, norm.running_var


def _not_exportable(why: str) -> ExportError:
    return ExportError(
        f"this network cannot be exported with exact Grad-CAM: {why}. Accepted are networks that end in convolution → "
        "batch norm → activation → global average pool → linear, such as EfficientNet and Xception"
    )
