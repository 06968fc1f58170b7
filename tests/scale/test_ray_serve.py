"""The service on a real Ray cluster: answers of the plain classifier, in batches, also while replicas die."""

from __future__ import annotations

import base64
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import yaml
from ray_processes import pids_of

from lesionlens import Classifier
from lesionlens.api.server import listen
from lesionlens.imaging import decode
from lesionlens.settings import Settings, variable_name
from serving import as_file, running, wait_until

pytestmark = [
    pytest.mark.ray,
    # What Ray's own sockets and files leave open when its processes are killed is not ours.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning"),
]
TIMEOUT = 180.0


@pytest.fixture(scope="module")
def one_thread() -> Classifier:
    """The embedded model in one thread, as replicas have it."""
    return Classifier(engine="onnxruntime", threads=1)


@pytest.fixture(scope="module")
def url(room: Any) -> Iterator[str]:
    """Where the application answers."""
    from ray import serve

    from lesionlens.scale.serve_app import app
    from lesionlens.scale.serve_args import ServeArgs

    with listen("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    serve.start(http_options={"host": "127.0.0.1", "port": port})
    args = ServeArgs(
        threads=1,
        max_replicas=1,
        front_cpus=0.1,
        batch_wait_ms=50,
        settings={"engine": "onnxruntime", "queue_size": 64},
    )
    serve.run(app(args), name="lesionlens", route_prefix="/")
    at = f"http://127.0.0.1:{port}"
    wait_until(lambda: httpx.get(f"{at}/readyz", timeout=TIMEOUT).status_code == 200, TIMEOUT)
    yield at
    serve.shutdown()


def ask(url: str, data: bytes) -> dict[str, Any]:
    response = httpx.post(f"{url}/predict", files=as_file(data), timeout=TIMEOUT)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def test_answers_are_those_of_the_plain_service(
    url: str, one_thread: Classifier, real_sample: dict[str, bytes]
) -> None:
    with running(one_thread) as plain:
        for data in real_sample.values():
            here = plain.post("/predict", files=as_file(data)).json()
            there = ask(url, data)
            np.testing.assert_allclose(there["probabilities"], here["probabilities"], atol=2e-6)
            assert there["prediction"] == here["prediction"]
            assert _pixels_apart(there["gradcam"], here["gradcam"]) <= 1
        assert httpx.get(f"{url}/health", timeout=TIMEOUT).json() == plain.get("/health").json()
        assert httpx.get(f"{url}/v1/model", timeout=TIMEOUT).json() == plain.get("/v1/model").json()
        assert set(httpx.get(f"{url}/openapi.json", timeout=TIMEOUT).json()["paths"]) == set(
            plain.get("/openapi.json").json()["paths"]
        )
        photo = next(iter(real_sample.values()))
        full = httpx.post(f"{url}/v1/analyses?maps=all&overlay=top", files=as_file(photo), timeout=TIMEOUT).json()
        local = plain.post("/v1/analyses?maps=all&overlay=top", files=as_file(photo)).json()
        assert full.keys() == local.keys()
        for name in ("model", "prediction", "confident", "most_probable", "photo", "seen_box", "quality"):
            assert full[name] == local[name], name
        assert full["maps"].keys() == local["maps"].keys()
    bad = httpx.post(f"{url}/predict", files=as_file(b"bad"), timeout=TIMEOUT)
    assert bad.status_code == 400


def test_photos_that_come_together_are_computed_together(
    url: str, one_thread: Classifier, real_sample: dict[str, bytes]
) -> None:
    photos = [*real_sample.values()] * 4
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda data: ask(url, data), photos))
    for answer, data in zip(answers, photos, strict=True):
        [expected] = one_thread.analyse([decode(data).image])
        np.testing.assert_allclose(answer["probabilities"][:8], expected.probabilities, atol=1e-4)
    metrics = dict(
        line.rsplit(" ", 1)
        for line in httpx.get(f"{url}/metrics", timeout=TIMEOUT).text.splitlines()
        if not line.startswith("#")
    )
    alone = float(metrics['lesionlens_batch_size_bucket{le="1.0"}'])
    passes, computed = float(metrics["lesionlens_batch_size_count"]), float(metrics["lesionlens_batch_size_sum"])
    assert computed >= len(photos)
    assert alone < passes  # some were computed together


def test_a_killed_replica_is_replaced_without_a_wrong_answer(
    cluster: Any, url: str, one_thread: Classifier, real_sample: dict[str, bytes]
) -> None:
    def replicas() -> set[int]:
        return pids_of(cluster, "ServeReplica:lesionlens:Model")

    photos = [*real_sample.values()] * 3
    before = replicas()
    assert before
    with ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(httpx.post, f"{url}/predict", files=as_file(data), timeout=TIMEOUT) for data in photos]
        answers[2].result()
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        statuses = [answer.result() for answer in answers]
    for response, data in zip(statuses, photos, strict=True):
        # Where the new replica takes longer to start than a photo is sent again, it says so; never anything wrong.
        assert response.status_code in {200, 503}
        if response.status_code == 200:
            [expected] = one_thread.analyse([decode(data).image])
            np.testing.assert_allclose(response.json()["probabilities"][:8], expected.probabilities, atol=1e-4)
    wait_until(lambda: bool(replicas() - before), TIMEOUT)
    assert ask(url, photos[0])["max_confidence"] > 0


def test_the_configuration_is_one_that_serve_takes(repo_root: Path) -> None:
    from ray.serve.schema import ServeDeploySchema

    from lesionlens.scale.serve_args import ServeArgs

    config = yaml.safe_load((repo_root / "deploy" / "ray" / "serve.yaml").read_text(encoding="utf-8"))
    [application] = ServeDeploySchema.model_validate(config).applications
    ServeArgs.model_validate(application.args)
    known = {variable_name(field) for field in Settings.model_fields}
    assert set(config["applications"][0]["runtime_env"]["env_vars"]) <= known
    module, _, name = application.import_path.partition(":")
    assert name in __import__(module, fromlist=["__all__"]).__all__


def _pixels_apart(one: str, other: str) -> int:
    pixels = [np.asarray(decode(base64.b64decode(png)).image, dtype=int) for png in (one, other)]
    return int(abs(pixels[0] - pixels[1]).max())
