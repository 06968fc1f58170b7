"""The speed benchmark measures a real service: its clients, processes, stages and comparison of answers."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from lesionlens import Classifier
from lesionlens.attention import overlay_png
from lesionlens.imaging import decode
from serving import Running, draw_lesion, encode

Speed = Callable[[str], ModuleType]

PHOTO = encode(draw_lesion(600, 450), "JPEG", quality=92)
BENCHMARK = Path(__file__).resolve().parents[2] / "benchmarks" / "speed"


def test_clients_look_at_their_watch(speed: Speed, server: Running) -> None:
    client = speed("client")
    seconds = client.latencies(server.url, [PHOTO], 3)
    assert len(seconds) == 3
    assert all(0.001 < s < 60 for s in seconds)
    rate = client.throughput(server.url, [PHOTO], clients=3, each=2)
    assert 0 < rate < 1000


def test_a_service_that_refuses_is_not_measured(speed: Speed, server: Running) -> None:
    client = speed("client")
    with pytest.raises(client.MeasuringError, match="answered 400"):
        client.latencies(server.url, [b"no photo"], 1)
    with pytest.raises(client.MeasuringError, match="answered 400"):
        client.throughput(server.url, [b"no photo"], clients=2, each=1)
    with pytest.raises(client.MeasuringError, match="gave no answer"):
        client.latencies("http://127.0.0.1:9", [PHOTO], 1)


def test_the_stages_are_those_of_the_photos_sent_meanwhile(speed: Speed, server: Running) -> None:
    speed("client").latencies(server.url, [PHOTO], 1)
    stages = speed("stages").StageTimes(server.url)
    assert stages.means() == {}
    seconds = speed("client").latencies(server.url, [PHOTO], 2)
    means = stages.means()
    assert {"decode", "queue", "inference", "overlay"} <= set(means)
    assert 0 < means["inference"] < 1000 * max(seconds)


def test_a_process_is_started_measured_and_ended(speed: Speed, tmp_path: Path) -> None:
    processes = speed("processes")
    with processes.running(processes.our_command("lite2", "onnxruntime"), tmp_path, "ours") as service:
        assert 0.2 < service.first_answer(PHOTO) < 180
        memory = service.memory()
        assert 50 < memory.pss <= memory.rss < 2000
        assert service.processor_seconds() > 0.2
    assert "LesionLens" in (tmp_path / "ours.log").read_text()
    with pytest.raises(speed("client").MeasuringError, match="gave no answer"):
        speed("client").latencies(service.url, [PHOTO], 1)


def test_a_process_that_ends_by_itself_is_no_service(speed: Speed, tmp_path: Path) -> None:
    processes = speed("processes")
    command = processes.our_command("no-such-model", "auto")
    with (
        processes.running(command, tmp_path, "ours") as service,
        pytest.raises(speed("client").MeasuringError, match="no-such-model"),
    ):
        service.first_answer(PHOTO)


def test_the_network_alone_is_measured_in_a_process_of_its_own(
    speed: Speed, tmp_path: Path, classifier: Classifier
) -> None:
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(PHOTO)
    network = speed("processes").BareNetwork(classifier.bundle.path, photo, "onnxruntime", "fp32")
    try:
        assert len(network.run(2)) == 2
        [seconds] = network.run(1)
        assert 0.001 < seconds < 60
        assert network.processor_seconds() > 0.1
    finally:
        network.end()


def _answer(probabilities: list[float], overlay: bytes) -> bytes:
    return json.dumps(
        {"prediction": 1, "probabilities": probabilities, "gradcam": base64.b64encode(overlay).decode()}
    ).encode()


def test_answers_are_compared_by_probability_class_and_heat(speed: Speed, classifier: Classifier) -> None:
    compare = speed("answers").compare
    image = decode(PHOTO).image
    [analysis] = classifier.analyse([image])
    one = _answer([0.2] * 9, analysis.overlay_png(image, 1, 512))
    same = compare(PHOTO, one, one)
    assert (same.probability, same.same_class) == (0.0, True)
    assert same.heat == pytest.approx(1.0)
    turned = np.ascontiguousarray(analysis.maps[1][::-1, ::-1])
    other = _answer([0.2] * 8 + [0.25], overlay_png(image, turned, box=analysis.seen_box, max_side=512))
    apart = compare(PHOTO, one, other)
    assert apart.probability == pytest.approx(0.05)
    assert apart.heat < 0.9


def test_photos_are_of_the_stated_sizes_and_always_the_same(speed: Speed, tmp_path: Path) -> None:
    photos = speed("photos").make_photos(tmp_path, count=2)
    assert "drawn" in photos.source
    assert [decode(file).image.size for file in photos.small] == [(600, 450)] * 2
    assert decode(photos.large).image.size == (4000, 3000)
    assert 1_000_000 < len(photos.large) < 20_000_000
    assert speed("photos").make_photos(tmp_path, count=2) == photos


def test_the_machine_is_described_and_watched(speed: Speed) -> None:
    machine = speed("machine")
    described = machine.describe()
    assert {"processor", "cores", "memory", "python", "onnxruntime"} <= set(described)
    assert all(described.values())
    watch = machine.Watch()
    until = time.process_time() + 0.3
    while time.process_time() < until:
        pass
    assert watch.foreign_share(own_seconds=0.0) > 0.0  # this process's own work, which was not told
    assert 0.0 <= machine.busy_share(0.05) <= 1.0


def test_a_busy_machine_is_refused(speed: Speed, tmp_path: Path) -> None:
    burning = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(os.cpu_count() or 1)]
    try:
        run = subprocess.run(
            [sys.executable, str(BENCHMARK), "--smoke", "--folder", str(tmp_path)],
            capture_output=True,
            text=True,
            timeout=120,
        )
    finally:
        for process in burning:
            process.kill()
            process.wait()
    assert run.returncode == 2, run.stderr
    assert "Nothing was measured" in run.stderr
    assert not any(tmp_path.iterdir())
