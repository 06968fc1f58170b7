"""Bulk runs on a real Ray cluster: the results of a local run, whatever dies on the way."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ray_processes import pids_of
from typer.testing import CliRunner

from lesionlens import Classifier
from lesionlens.bulk import Job, Options, Result, Target, entries_of, find_pictures, run_here
from lesionlens.cli import app
from lesionlens.errors import BulkError
from serving import wait_until, with_manifest

pytestmark = [
    pytest.mark.ray,
    # What Ray's own sockets and files leave open when its processes are killed is not ours.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning"),
]


@pytest.fixture(scope="module")
def one_thread() -> Classifier:
    """The embedded model in one thread, as workers have it."""
    return Classifier(engine="onnxruntime", threads=1)


def run(classifier: Classifier, folder: Path, output: Path, runner: Any) -> bytes:
    job = Job(Target(output, "file", "csv"), {})
    entries = job.earlier or entries_of(find_pictures([folder]), None)
    job.begin(classifier.description, entries, batch_size=8)
    try:
        job.run(runner)
        job.finish()
    finally:
        job.close()
    return output.read_bytes()


def on_ray(classifier: Classifier, seen: Callable[[Result], object] = lambda _: None, **options: Any) -> Any:
    import ray

    from lesionlens.scale.bulk import run_on_ray

    return run_on_ray(ray, classifier, Options(), seen, **options)


def here(classifier: Classifier, folder: Path, output: Path) -> bytes:
    return run(classifier, folder, output, run_here(classifier, Options(), lambda _: None))


def test_the_command_gives_the_file_of_a_local_run(cluster: Any, many: Path, tmp_path: Path) -> None:
    files = {}
    for on in ("local", "ray"):
        files[on] = tmp_path / f"{on}.csv"
        arguments = ["classify", str(many), "-o", str(files[on]), "--on", on, "--threads", "1"]
        result = CliRunner().invoke(app, [*arguments, "--overlays", str(tmp_path / on)])
        assert result.exit_code == 1, result.stderr  # for the bad one
        assert "200 pictures, 1 without an answer" in " ".join(result.stderr.split())
        assert "(raylet" not in result.stderr
    local, ray = files["local"].read_text(), files["ray"].read_text()
    assert ray.replace(f"{tmp_path / 'ray'}/", "") == local.replace(f"{tmp_path / 'local'}/", "")
    drawn = {p.name: p.read_bytes() for p in (tmp_path / "ray").iterdir()}
    assert drawn == {p.name: p.read_bytes() for p in (tmp_path / "local").iterdir()}
    assert len(drawn) == 199


def test_a_killed_worker_changes_nothing(cluster: Any, one_thread: Classifier, many: Path, tmp_path: Path) -> None:
    killed: list[int] = []

    def seen(_: Result) -> None:
        if not killed:  # the first part is done; the worker is at the second
            killed.extend(pids_of(cluster, "PartWorker"))
            for pid in killed:
                os.kill(pid, signal.SIGKILL)

    ray = run(one_thread, many, tmp_path / "ray.csv", on_ray(one_thread, seen))
    assert killed
    assert ray == here(one_thread, many, tmp_path / "here.csv")


def test_a_lost_node_changes_nothing(
    cluster: Any, second_node: Any, one_thread: Classifier, many: Path, tmp_path: Path
) -> None:
    seen: list[Result] = []
    lost: list[threading.Thread] = []

    def lose(result: Result) -> None:
        seen.append(result)
        if not lost:
            wait_until(lambda: len(pids_of(cluster, "PartWorker")) == 2, 120)
            lost.append(
                threading.Thread(target=cluster.remove_node, args=(second_node,), kwargs={"allow_graceful": False})
            )
            lost[0].start()

    ray = run(one_thread, many, tmp_path / "ray.csv", on_ray(one_thread, lose, workers=2))
    lost[0].join()
    assert len(seen) == 200  # each told once
    assert ray == here(one_thread, many, tmp_path / "here.csv")


def test_a_stopped_driver_goes_on_here_or_there(
    cluster: Any, one_thread: Classifier, many: Path, tmp_path: Path
) -> None:
    counts: list[int] = []
    output = tmp_path / "ray.csv"

    def stop(_: Result) -> None:
        counts.append(1)
        if len(counts) == 130:  # in the third part that comes
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(one_thread, many, output, on_ray(one_thread, stop))
    kept = list((tmp_path / "ray.csv.parts").glob("part-*"))
    assert kept
    asked: list[Result] = []
    whole = run(one_thread, many, output, run_here(one_thread, Options(), asked.append))
    assert len(asked) == 200 - sum(8 if part.stem == "part-000003" else 64 for part in kept)
    assert whole == here(one_thread, many, tmp_path / "here.csv")


def test_workers_that_would_answer_otherwise_are_refused(
    cluster: Any, one_thread: Classifier, many: Path, tmp_path: Path
) -> None:
    other = with_manifest(one_thread, version="9.9")  # its folder, which is sent, says another version
    with pytest.raises(BulkError, match=r"version is .*, the driver's 9\.9; install the same on all machines"):
        run(other, many, tmp_path / "ray.csv", on_ray(other))
