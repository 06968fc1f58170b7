"""The official scorer of the ISIC challenges, asked for the figure that ranked ISIC 2019."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from isic_challenge_scoring import metrics as isic

from lesionlens.taxonomy import CODES, NUM_CLASSES

__all__ = ["balanced_accuracy"]

# ISIC 2019 writes AK where this project writes AKIEC, and scored a ninth class of unknown diagnoses.
_COLUMNS = (*("AK" if code == "AKIEC" else code for code in CODES), "UNK")


def balanced_accuracy(labels: npt.NDArray[np.int64], probabilities: npt.NDArray[np.floating]) -> float:
    """Return the balanced multi-class accuracy of `isic-challenge-scoring`, the headline of ISIC 2019.

    The nine columns of the challenge are given to it, UNK always 0: no picture of the training set is of an unknown
    class and no network here answers it; the scorer leaves out classes without pictures. Rows whose highest
    probability is shared by two classes count as wrong.

    Args:
        labels: int64 `[N]`, 0–7.
        probabilities: `[N, 8]`.

    Returns:
        0–1; the mean sensitivity over the classes that occur.
    """
    unknown = np.zeros((len(labels), 1))
    truth = pd.DataFrame(np.hstack([np.eye(NUM_CLASSES)[labels], unknown]), columns=_COLUMNS)
    predicted = pd.DataFrame(np.hstack([probabilities.astype(np.float64), unknown]), columns=_COLUMNS)
    return float(isic.balanced_multiclass_accuracy(truth, predicted, pd.Series(np.ones(len(labels)))))
