"""The compute thread on its own."""

from __future__ import annotations

import numpy as np
import pytest

from lesionlens import Classifier
from lesionlens.api.batching import BatchWorker
from lesionlens.api.metrics import Metrics
from serving import GatedEngine, behind


def test_closing_finishes_what_was_submitted_and_takes_no_more(classifier: Classifier) -> None:
    model, engine = behind(GatedEngine, classifier)
    worker = BatchWorker(model, Metrics(), max_batch=2)
    side = model.manifest.preprocessing.size
    blank = np.zeros((3, side, side), dtype=np.float32)
    futures = [worker.submit(blank, (side, side)) for _ in range(5)]
    futures[1].cancel()
    assert worker.depth == 4
    worker.start()
    worker.close()
    assert [future.done() for future in futures] == [True] * 5
    assert futures[1].cancelled()
    done = [future.result() for future in futures if not future.cancelled()]
    assert [item.batch_size for item in done] == [2, 2, 2, 2]
    assert engine.batches == [2, 2]
    assert worker.seconds_per_photo > 0
    with pytest.raises(RuntimeError, match="closed"):
        worker.submit(blank, (side, side))


def test_closing_what_was_never_started(classifier: Classifier) -> None:
    BatchWorker(classifier, Metrics(), max_batch=1).close()
