"""What of scaling needs no cluster: room for workers, bundles on their way, photos whose replica dies."""

from __future__ import annotations

import asyncio
import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lesionlens import Classifier
from lesionlens.api.metrics import Metrics
from lesionlens.bulk import Entry
from lesionlens.errors import BundleError, EngineError, SettingsError
from lesionlens.scale.cluster import slots
from lesionlens.scale.remote_worker import Answer, ElsewhereEngine, ReplicaWorker
from lesionlens.scale.serve_args import ServeArgs
from lesionlens.scale.shipping import ShippedBundle
from lesionlens.scale.workers import as_row


@pytest.mark.parametrize(
    ("resources", "threads", "gpu", "expected"),
    [
        ({"CPU": 8.0}, 1, False, 8),
        ({"CPU": 8.0}, 3, False, 2),
        ({"CPU": 8.0, "GPU": 4.0}, 1, False, 8),
        ({"CPU": 8.0, "GPU": 4.0}, 1, True, 4),
        ({"CPU": 2.0, "GPU": 4.0}, 1, True, 2),
        ({"CPU": 1.0}, 4, False, 1),
        ({}, 1, True, 1),
    ],
)
def test_workers_fill_the_cluster(resources: dict[str, float], threads: int, gpu: bool, expected: int) -> None:
    assert slots(resources, threads, gpu) == expected


def test_a_bundle_arrives_whole_or_not_at_all(classifier: Classifier) -> None:
    shipped: ShippedBundle = pickle.loads(pickle.dumps(ShippedBundle.of(classifier.bundle)))
    bundle = shipped.unpack()
    assert bundle.manifest == classifier.manifest
    assert bundle.path != classifier.bundle.path
    graph = next(name for name in shipped.files if name.endswith(".onnx"))
    with pytest.raises(BundleError, match="damaged"):
        ShippedBundle({**shipped.files, graph: shipped.files[graph][:-1] + b"\0"}).unpack()


def test_parts_travel_as_text() -> None:
    entries = [Entry(Path("a.jpg"), heatmap="s3://b/h.png"), Entry("s3://b/c.jpg", error="gone")]
    row = as_row(3, entries)
    assert row["index"] == 3
    assert json.loads(row["entries"]) == [["a.jpg", "s3://b/h.png", ""], ["s3://b/c.jpg", None, "gone"]]


def test_without_ray_the_extra_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"x")
    program = (
        "import sys; sys.modules.update(dict.fromkeys(['ray']))\n"
        "from lesionlens.cli import app; app(['classify', sys.argv[1], '--on', 'ray'])"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=False)
    assert "pip install 'lesionlens[ray]'" in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_the_application_keeps_no_records_unless_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ServeArgs().load_settings().tracker == "off"
    assert ServeArgs(settings={"tracker": "on"}).load_settings().tracker == "on"
    monkeypatch.setenv("LESIONLENS_MAX_BATCH", "7")
    assert ServeArgs(settings={"queue_size": 99}).load_settings().max_batch == 7
    with pytest.raises(SettingsError, match="LESIONLENS_QUEUE_SIZE"):
        ServeArgs(settings={"queue_size": 0}).load_settings()
    with pytest.raises(ValueError, match="threds"):
        ServeArgs.model_validate({"threds": 2})


class LostError(Exception):
    """A replica died."""


class Replicas:
    """The real model behind a handle that loses some calls, as a dying replica does."""

    def __init__(self, classifier: Classifier, losses: int) -> None:
        self._classifier = classifier
        self.losses = losses
        self.analyse = self

    async def remote(self, tensor: Any, size: tuple[int, int], look: Any) -> Answer:
        if self.losses:
            self.losses -= 1
            raise LostError("it was killed")
        [analysis] = await asyncio.to_thread(self._classifier.analyse_tensors, tensor[None], [size], [look])
        return Answer(analysis, 0.25, 1, first=True)


def worker_of(classifier: Classifier, losses: int) -> tuple[ReplicaWorker, Metrics]:
    metrics = Metrics()
    return ReplicaWorker(classifier, metrics, Replicas(classifier, losses), (LostError,)), metrics


@pytest.fixture
def tensor(classifier: Classifier) -> Any:
    side = classifier.manifest.preprocessing.size
    return np.random.default_rng(0).normal(size=(3, side, side)).astype(np.float32)


@pytest.mark.parametrize("losses", [0, 2])
def test_a_photo_whose_replica_died_is_sent_again(classifier: Classifier, tensor: Any, losses: int) -> None:
    worker, metrics = worker_of(classifier, losses)
    worker.start()

    async def ask() -> Any:
        waiting = worker.submit(tensor, (300, 200))
        assert worker.depth == 1
        return await asyncio.wrap_future(waiting)

    computed = asyncio.run(ask())
    worker.close()
    [expected] = classifier.analyse_tensors(tensor[None], [(300, 200)])
    assert np.array_equal(computed.analysis.logits, expected.logits)
    assert np.array_equal(computed.analysis.maps, expected.maps)
    assert (computed.inference_seconds, computed.batch_size) == (0.25, 1)
    assert worker.seconds_per_photo == 0.25
    assert worker.depth == 0
    assert not worker.is_stuck(0.001)
    assert metrics.registry.get_sample_value("lesionlens_batch_size_count") == 1


def test_a_photo_that_nobody_computes_is_an_error(
    classifier: Classifier, tensor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lesionlens.scale.remote_worker._PAUSE", 0.001)
    worker, _ = worker_of(classifier, 99)

    async def ask() -> Any:
        return await asyncio.wrap_future(worker.submit(tensor, (300, 200)))

    with pytest.raises(EngineError, match="no replica answered in 5 attempts: it was killed"):
        asyncio.run(ask())


def test_whoever_leaves_takes_the_photo_along(classifier: Classifier, tensor: Any) -> None:
    worker, _ = worker_of(classifier, 4)

    async def leave() -> None:
        waiting = asyncio.ensure_future(asyncio.wrap_future(worker.submit(tensor, (300, 200))))
        await asyncio.sleep(0.05)
        waiting.cancel()
        await asyncio.sleep(0.05)
        assert worker.depth == 0

    asyncio.run(leave())


def test_the_front_computes_nothing(classifier: Classifier) -> None:
    elsewhere = ElsewhereEngine(classifier.engine_info)
    front = Classifier(classifier.bundle, engine=elsewhere)
    assert front.description == classifier.description
    with pytest.raises(EngineError, match="replicas"):
        elsewhere.run(np.zeros((1, 3, 8, 8), dtype=np.float32))
