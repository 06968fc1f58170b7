"""Letting timm import a torchvision that was built for another variant of torch."""

from __future__ import annotations

import torch

__all__ = ["declare_torchvision_ops"]

_kept: list[torch.library.Library] = []


def declare_torchvision_ops() -> None:
    """Declare the two operators without which torchvision fails at import beside another build of torch.

    torchvision from PyPI is built for CUDA. Beside a CPU build of torch its compiled operators do not load, and its
    import fails with "operator torchvision::nms does not exist", although timm uses none of them. Declaring
    their signatures lets the import pass; calling them would still fail. Where torchvision's own operators load,
    nothing is changed.
    """
    if _kept:
        return
    try:
        import torchvision  # noqa: F401
    except RuntimeError:
        library = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")  # type: ignore[no-untyped-call]
        _kept.append(library)  # the declaration lives as long as the object
