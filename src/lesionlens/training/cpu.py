"""What makes training on a CPU quick."""

from __future__ import annotations

import ctypes
import sys
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from lesionlens.training.torchvision_ops import declare_torchvision_ops

declare_torchvision_ops()
from timm.layers import Conv2dSame, pad_same  # noqa: E402  (timm imports torchvision)

__all__ = ["keep_freed_memory", "quicken_depthwise"]


def keep_freed_memory() -> bool:
    """Make glibc keep freed memory instead of giving it back to the kernel.

    Every step frees and allocates the same gigabytes of activations; by default each goes through `mmap`, and the
    kernel clears every page anew. `benchmarks/cpu_training.py` measures what it brings.

    Returns:
        Whether it worked; False where the C library is not glibc.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):
        return False
    m_trim_threshold, m_mmap_max, m_arena_max = -1, -4, -8  # malloc.h
    return bool(mallopt(m_mmap_max, 0) and mallopt(m_trim_threshold, 2**31 - 1) and mallopt(m_arena_max, 1))


class _DepthwiseConv(torch.autograd.Function):
    """A depthwise convolution whose backward computes in single precision."""

    @staticmethod
    def forward(
        ctx: Any, x: torch.Tensor, weight: torch.Tensor, conv: nn.Conv2d, padding: tuple[int, ...]
    ) -> torch.Tensor:
        ctx.save_for_backward(x, weight)
        ctx.conv, ctx.padding = conv, padding
        return F.conv2d(x, weight, None, conv.stride, padding, conv.dilation, conv.groups)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor | None, torch.Tensor, None, None]:
        x, weight = ctx.saved_tensors
        conv = ctx.conv
        grad_x, grad_weight, _ = torch.ops.aten.convolution_backward(
            grads[0].float(),
            x.float(),
            weight.float(),
            None,
            conv.stride,
            ctx.padding,
            conv.dilation,
            False,
            [0, 0],
            conv.groups,
            [ctx.needs_input_grad[0], True, False],
        )
        return grad_x.to(x.dtype) if grad_x is not None else None, grad_weight.to(weight.dtype), None, None


def quicken_depthwise(model: nn.Module) -> int:
    """Let the depthwise convolutions of a network compute their bf16 gradients in single precision, in place.

    oneDNN has quick bf16 kernels for their forward pass but none for the backward, where its fp32 kernel is quicker
    (`benchmarks/cpu_training.py`). Meant for training under bf16 autocast on a CPU; the forward pass is unchanged.

    Returns:
        The number of convolutions changed.
    """
    changed = 0
    for module in model.modules():
        if isinstance(module, nn.Conv2d) and module.groups == module.in_channels > 1 and module.bias is None:
            _wrap(module)
            changed += 1
    return changed


def _wrap(conv: nn.Conv2d) -> None:
    original = conv.forward
    same = isinstance(conv, Conv2dSame)

    def forward(x: torch.Tensor) -> torch.Tensor:
        if not (conv.training and torch.is_autocast_enabled("cpu") and conv.weight.requires_grad):
            return original(x)
        padding = conv.padding
        if same:  # TensorFlow's padding, which depends on the size of the input
            x, padding = pad_same(x, conv.kernel_size, conv.stride, conv.dilation), (0, 0)
        dtype = torch.get_autocast_dtype("cpu")
        result: torch.Tensor = _DepthwiseConv.apply(  # type: ignore[no-untyped-call]
            x.to(dtype), conv.weight.to(dtype), conv, padding
        )
        return result

    conv.forward = forward  # type: ignore[method-assign, assignment]
