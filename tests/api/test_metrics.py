"""What `/metrics` tells is what happened, in names and numbers that Prometheus' users expect."""

from __future__ import annotations

import asyncio
import gc
import itertools
import re
import shutil
import subprocess
import time

import httpx
import pytest
from fastapi import FastAPI

from lesionlens import Classifier
from lesionlens.api.metrics import OTHER_REASONS, SECONDS, Metrics
from lesionlens.api.problems import PROBLEMS
from serving import (
    FailingEngine,
    GatedEngine,
    Running,
    as_file,
    behind,
    classifier,
    draw_lesion,
    encode,
    running,
    server,
    wait_until,
    with_manifest,
)

__all__ = ["classifier", "server"]

PHOTO = encode(draw_lesion())


def rejected(server: Running, reason: str) -> float:
    return server.metric("lesionlens_rejected_total", reason=reason)


def test_names_and_units_are_those_of_the_conventions(server: Running) -> None:
    families = list(server.state.metrics.registry.collect())
    assert len(families) > 25
    for family in families:
        assert re.fullmatch(r"(lesionlens|process|python_gc)_[a-z_]+", family.name), family.name
        assert len(family.documentation) > 10, family.name
        for sample in family.samples:
            assert set(sample.labels) <= {
                *("method", "route", "status", "reason", "stage", "code", "le", "of", "generation"),
                *("name", "version", "sha256", "engine", "device", "precision", "threads", "python"),
            }, family.name
        assert not re.search(r"_(ms|minutes|hours|kb|percent|total|count|sum|bucket)$", family.name), family.name


def test_promtool_finds_nothing_to_complain_of(server: Running) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool (Debian package prometheus) is not installed")
    server.post("/v1/analyses", files=as_file(PHOTO))
    text = server.get("/metrics").text
    # The time at which a counter was made is told as OpenMetrics wants it, which promtool takes for a gauge's fault.
    lines = [line for line in text.splitlines(keepends=True) if "_created" not in line]
    check = [promtool, "check", "metrics"]
    result = subprocess.run(check, input="".join(lines), capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    faulty = "# HELP bad_counter x\n# TYPE bad_counter counter\nbad_counter 1\n"
    assert subprocess.run(check, input=faulty, capture_output=True, text=True, check=False).returncode != 0


def test_buckets_resolve_what_people_wait_for() -> None:
    inside = [end for end in SECONDS if 0.005 <= end <= 5.0]
    assert (inside[0], inside[-1]) == (0.005, 5.0)
    assert all(b / a < 1.7 for a, b in itertools.pairwise(inside))


def test_each_stage_of_a_photo_is_timed(classifier: Classifier) -> None:
    with running(classifier) as server:
        timings = server.post("/v1/analyses?overlay=top", files=as_file(PHOTO)).json()["timings_ms"]
        for stage in ("decode", "queue", "inference", "overlay"):
            assert server.metric("lesionlens_stage_seconds_count", stage=stage) == 1
            told = server.metric("lesionlens_stage_seconds_sum", stage=stage)
            assert told == pytest.approx(timings[stage] / 1000, abs=1e-4)


@pytest.mark.parametrize(
    ("reason", "photo"),
    [
        ("unsupported-image", b"nonsense"),
        ("corrupt-image", encode(draw_lesion())[:2000]),
        ("empty-image", b""),
        ("image-too-large", b"x" * 3_000_000),
        ("too-many-pixels", encode(draw_lesion(1400, 1000), "JPEG")),
    ],
)
@pytest.mark.parametrize("path", ["/predict", "/v1/analyses"])
def test_photos_that_cannot_be_used_are_counted_by_reason(
    limited: Running, path: str, reason: str, photo: bytes
) -> None:
    before = {name: rejected(limited, name) for name in PROBLEMS}
    assert limited.post(path, files=as_file(photo)).status_code >= 400
    after = {name: rejected(limited, name) for name in PROBLEMS}
    assert {name: after[name] - before[name] for name in PROBLEMS if after[name] != before[name]} == {reason: 1}


@pytest.fixture(scope="module")
def limited(classifier: Classifier) -> object:
    """A server with low limits."""
    with running(classifier, max_upload_bytes=1_500_000, max_pixels=1_000_000) as server:
        yield server


def test_a_full_queue_and_clients_that_left_are_counted(classifier: Classifier) -> None:
    model, engine = behind(GatedEngine, classifier)
    with running(model, queue_size=1) as server:
        wait_until(lambda: server.state.warm)
        engine.gate.clear()
        with pytest.raises(httpx.ReadTimeout):
            server.post("/predict", files=as_file(PHOTO), timeout=0.5)
        wait_until(lambda: rejected(server, "disconnected") == 1)
        with pytest.raises(httpx.ReadTimeout):  # this one holds the queue's only place for a while
            asyncio.run(_two_at_once(server.url))
        wait_until(lambda: rejected(server, "overloaded") == 1)
        engine.gate.set()


async def _two_at_once(url: str) -> None:
    async with httpx.AsyncClient(base_url=url, timeout=1.0) as client:
        first = asyncio.create_task(client.post("/predict", files=as_file(PHOTO)))
        await asyncio.sleep(0.4)
        assert (await client.post("/predict", files=as_file(PHOTO))).status_code == 503
        await first


def test_a_fault_of_the_service_is_no_rejection(classifier: Classifier) -> None:
    model, engine = behind(FailingEngine, classifier)
    with running(model) as server:
        wait_until(lambda: server.state.warm)
        engine.gate.clear()
        assert server.post("/predict", files=as_file(PHOTO)).status_code == 500
        assert all(rejected(server, reason) == 0 for reason in {*PROBLEMS, *OTHER_REASONS})


def test_nothing_that_a_client_sends_becomes_a_label(classifier: Classifier) -> None:
    with running(classifier) as server:
        server.get("/metrics")
        before = _series(server)
        for i in range(20):
            server.get(f"/no/such/{i}")
            server.client.request(f"BREW{i}", "/predict")
            server.get("/health", headers={"X-Request-ID": f"r{i}", "User-Agent": f"u{i}"})
        new = _series(server) - before
    families = {name.partition("{")[0].removeprefix("lesionlens_") for name in new}
    kinds = {f"request_seconds_{suffix}" for suffix in ("bucket", "sum", "count", "created")}
    assert families <= {"requests_total", "requests_created"} | kinds
    assert len({re.search('route="[^"]*"', name).group() for name in new}) <= 3  # type: ignore[union-attr]


def _series(server: Running) -> set[str]:
    return {line.rpartition(" ")[0] for line in server.get("/metrics").text.splitlines() if line[0] != "#"}


def test_unknown_reasons_are_counted_together() -> None:
    metrics = Metrics()
    metrics.rejected("slow-request")
    metrics.rejected("made-up")
    value = metrics.registry.get_sample_value
    assert value("lesionlens_rejected_total", {"reason": "slow-request"}) == 1
    assert value("lesionlens_rejected_total", {"reason": "other"}) == 1
    assert value("lesionlens_rejected_total", {"reason": "made-up"}) is None


def test_doubt_is_counted(classifier: Classifier) -> None:
    unsure = with_manifest(classifier, confidence_threshold=1.0)
    with running(unsure) as server:
        answer = server.post("/v1/analyses", files=as_file(PHOTO)).json()
        assert not answer["confident"]
        assert server.metric("lesionlens_not_confident_total") == 1
        suitable = answer["suitability"]["suitable"]
        assert server.metric("lesionlens_not_suitable_total") == (0 if suitable else 1)
        assert server.metric("lesionlens_suitability_score_count") == 1
        assert server.metric("lesionlens_suitability_score_sum") == pytest.approx(
            answer["suitability"]["score"], abs=1e-3
        )


def test_model_engine_and_program_are_told(classifier: Classifier) -> None:
    with running(classifier) as server:
        text = server.get("/metrics").text
    assert f'sha256="{classifier.manifest.graph_sha256}"' in text
    info = classifier.engine_info
    assert re.search(rf'^lesionlens_engine_info{{.*engine="{info.name}".*}} 1\.0$', text, re.MULTILINE)
    assert f'threads="{info.threads}"' in text
    assert re.search(r'^lesionlens_build_info{python="3\.\d+\.\d+",version="[^"]+"} 1\.0$', text, re.MULTILINE)


def test_readiness_is_told(classifier: Classifier) -> None:
    model, engine = behind(GatedEngine, classifier)
    engine.gate.clear()
    with running(model) as server:
        assert server.metric("lesionlens_ready") == 0
        engine.gate.set()
        wait_until(lambda: server.metric("lesionlens_ready") == 1)
        assert server.metric("lesionlens_workers") == 1


def test_the_process_is_told(server: Running) -> None:
    wait_until(lambda: server.state.warm)
    assert 20e6 < server.metric("process_resident_memory_bytes") < 20e9
    before = server.metric("process_cpu_seconds_total")
    server.post("/predict", files=as_file(PHOTO))
    wait_until(lambda: server.metric("process_cpu_seconds_total") > before)
    assert abs(time.time() - server.metric("process_start_time_seconds")) < 100_000


def test_garbage_collections_are_counted(server: Running) -> None:
    server.get("/metrics")
    before = server.metric("python_gc_collections_total", generation="2")
    gc.collect()
    server.get("/metrics")
    assert server.metric("python_gc_collections_total", generation="2") > before


def test_a_blocked_event_loop_shows(classifier: Classifier) -> None:
    def extend(app: FastAPI) -> None:
        @app.get("/block")
        async def block() -> None:
            time.sleep(1.5)  # the fault that is to be seen

    def late(server: Running) -> float:
        """Wake-ups that were later than a second."""
        name = "lesionlens_event_loop_lag_seconds"
        return server.metric(f"{name}_count") - server.metric(f"{name}_bucket", le="1.0")

    with running(classifier, extend=extend) as server:
        wait_until(lambda: server.state.warm)
        wait_until(lambda: server.metric("lesionlens_event_loop_lag_seconds_count") >= 2)
        assert late(server) == 0
        server.get("/block")
        wait_until(lambda: late(server) == 1)
