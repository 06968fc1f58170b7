"""Judging weights on the validation pictures while a run goes on."""

from __future__ import annotations

import math
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import torch
from sklearn.metrics import recall_score, roc_auc_score
from torch import nn
from torch.utils.data import DataLoader

from lesionlens.taxonomy import MALIGNANT_INDEXES

__all__ = ["judge"]


@torch.inference_mode()
def judge(
    model: nn.Module, loader: DataLoader[Any], device: torch.device, autocast: AbstractContextManager[Any]
) -> dict[str, float]:
    """Measure a network on labelled pictures.

    Args:
        model: The network, in evaluation mode.
        loader: Batches of inputs float32 `[N, 3, size, size]` and labels int64 `[N]`; may be empty.
        device: Where the network is.
        autocast: Context of the forward passes, entered once.

    Returns:
        `validation_loss` (cross-entropy), `balanced_accuracy` (mean sensitivity over the classes present, 0–1) and
        `malignant_auc` (0–1; NaN without malignant or without benign pictures).
    """
    logits, labels = [], []
    with autocast:
        for images, batch_labels in loader:
            images = images.to(device, memory_format=torch.channels_last)
            logits.append(model(images).float().cpu())
            labels.append(batch_labels)
    if not logits:
        return {"validation_loss": math.nan, "balanced_accuracy": 0.0, "malignant_auc": math.nan}
    all_logits, all_labels = torch.cat(logits), torch.cat(labels)
    probabilities = all_logits.softmax(1).double().numpy()
    truth = all_labels.numpy()
    malignant = np.isin(truth, MALIGNANT_INDEXES)
    auc = math.nan
    if 0 < malignant.sum() < len(malignant):
        auc = roc_auc_score(malignant, probabilities[:, list(MALIGNANT_INDEXES)].sum(1))
    balanced = recall_score(truth, probabilities.argmax(1), labels=np.unique(truth), average="macro")
    return {
        "validation_loss": round(nn.functional.cross_entropy(all_logits, all_labels).item(), 5),
        "balanced_accuracy": round(float(balanced), 5),
        "malignant_auc": round(float(auc), 5),
    }
