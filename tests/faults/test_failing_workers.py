"""Workers that cannot live: the supervisor does not spin, and says why it gives up."""

from __future__ import annotations

import shutil
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fault_tools import Workers, customised, figure, predict, workers

from lesionlens import Classifier
from lesionlens.api.workers.patience import Patience
from lesionlens.api.workers.process import describe_end
from lesionlens.api.workers.supervise import settings_of_workers
from lesionlens.inference.bundle import Bundle
from lesionlens.inference.threads import usable_cpus
from lesionlens.settings import load_settings
from serving import wait_until


def test_workers_that_die_at_once_again_and_again_end_the_service(tmp_path: Path) -> None:
    service = Workers(2, LESIONLENS_TRACKER="off", **customised(tmp_path, "import signal; signal.raise_signal(11)"))
    begun = time.monotonic()
    status = service.program.wait()
    assert status == 1
    assert time.monotonic() - begun > 0.5 + 1 + 2 + 4  # the pauses between the starts
    starts = [line for line in service.events("worker started") if line["number"] == 1]
    assert 2 <= len(starts) <= 6
    [told] = service.events("the service ends")
    assert "6 times in a row" in told["why"]
    assert "SIGSEGV" in told["why"]
    assert "Traceback" not in service.text()


def test_a_model_that_no_engine_can_run_is_told_once(classifier: Classifier, tmp_path: Path) -> None:
    folder = tmp_path / "broken"
    shutil.copytree(classifier.bundle.path, folder)
    Bundle.write(folder, b"no graph", classifier.manifest.model_copy(update={"out_of_distribution": None}), "")
    service = Workers(2, "--model", str(folder), LESIONLENS_TRACKER="off")
    assert service.program.wait() == 1
    [told] = service.events("the service ends")
    assert "cannot start" in told["why"]
    assert len(service.events("worker started")) == 2
    assert service.events("the worker cannot start")


def test_a_worker_whose_engine_hangs_is_replaced(tmp_path: Path) -> None:
    hang = tmp_path / "hang"
    environment = customised(
        tmp_path,
        f"""
import time
from lesionlens.api.batching import BatchWorker
compute = BatchWorker._compute
def hang(self, batch):
    while os.path.exists({str(hang)!r}):
        time.sleep(0.05)
    compute(self, batch)
BatchWorker._compute = hang
""",
    )
    with workers(2, LESIONLENS_TRACKER="off", LESIONLENS_STUCK_SECONDS="2", **environment) as service:
        before = service.pids()
        hang.touch()
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(predict, service.url)
            service.wait_for("worker is replaced")
            hang.unlink()
            assert asked.result().status_code == 200  # the old worker ends in good order once it can
        [told] = service.events("worker is replaced")
        assert told["why"].startswith("stuck")
        service.wait_for("worker ready", 3)
        assert service.pids() != before
        wait_until(lambda: figure(service.url, "lesionlens_worker_restarts_total", reason="stuck") == 1)
        assert predict(service.url).status_code == 200


def test_pauses_grow_and_end() -> None:
    patience = Patience(silence=0, end=1)
    pauses = [patience.before_start(failures) for failures in range(1, 12)]
    assert pauses[:5] == [0, 0.5, 1, 2, 4]
    assert pauses[-1] == patience.longest_pause == max(pauses)


@pytest.mark.parametrize(
    ("status", "told"),
    [(3, "exit status 3"), (-signal.SIGSEGV, "SIGSEGV"), (-signal.SIGKILL, "memory"), (-200, "signal 200")],
)
def test_an_end_is_told_in_words(status: int, told: str) -> None:
    assert told in describe_end(status)


def test_workers_share_the_cpus_and_one_key() -> None:
    shared = settings_of_workers(load_settings(workers=2, tracker="off"), {"workers": 2})
    assert shared["threads"] == max(1, usable_cpus() // 2)
    assert len(shared["secret_key"]) == 64
    assert settings_of_workers(load_settings(workers=3, threads=5), {}) == {}
    # Where records are kept the key lies beside them, for all workers.
    assert "secret_key" not in settings_of_workers(load_settings(workers=2, tracker="on"), {})
