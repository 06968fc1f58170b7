"""`lesionlens serve --workers 2`: what users notice when workers die, hang or are renewed."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from fault_tools import Workers, figure, predict, workers

from serving import TIMEOUT, wait_until

PASSWORD = "a password of a test"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workers]:
    """Two workers on new records, behind a password."""
    folder = tmp_path_factory.mktemp("workers")
    with workers(
        2, LESIONLENS_DATA_DIR=str(folder / "data"), LESIONLENS_PASSWORD=PASSWORD, LESIONLENS_STUCK_SECONDS="5"
    ) as service:
        yield service


def ask(service: Workers, path: str = "/health", **options: object) -> httpx.Response:
    """Over a connection of its own, so that any worker may answer."""
    return httpx.get(f"{service.url}{path}", timeout=TIMEOUT, **options)  # type: ignore[arg-type]


def answering_workers(service: Workers) -> set[int]:
    return {line["worker"] for line in service.events("answered")}


def test_workers_share_records_sessions_and_metrics(service: Workers) -> None:
    answer = httpx.post(f"{service.url}/v1/session", json={"password": PASSWORD}, timeout=TIMEOUT)
    assert answer.status_code < 300, answer.text
    cookies = dict(answer.cookies)
    with ThreadPoolExecutor(8) as pool:
        # Many at once, so that both workers get some of them; each knows the session and has the records open.
        answers = list(pool.map(lambda _: ask(service, "/v1/people", cookies=cookies), range(64)))
    assert {answer.status_code for answer in answers} == {200}
    assert ask(service, "/v1/people").status_code == 401
    wait_until(lambda: answering_workers(service) == {1, 2})
    assert "Running upgrade" in service.text()
    assert len([e for e in service.events() if e["event"].startswith("Running upgrade  ->")]) <= 1
    counted = figure(service.url, "lesionlens_requests_total", method="GET", route="/v1/people", status="200")
    assert counted == 64  # whichever worker is asked tells the sum
    assert figure(service.url, "lesionlens_workers") == 2


def test_a_killed_worker_is_replaced_and_others_answer_meanwhile(service: Workers) -> None:
    service.wait_until_ready()
    victim = service.pids()[1]
    replaced = len(service.events("worker ready"))
    died = figure(service.url, "lesionlens_worker_restarts_total", reason="died")
    ended, outcomes = False, []

    def client(_: int) -> None:
        while not ended:
            try:
                outcomes.append(predict(service.url).status_code)
            except httpx.TransportError as error:
                outcomes.append(type(error).__name__)

    clients = 6
    with ThreadPoolExecutor(clients) as pool:
        running = [pool.submit(client, number) for number in range(clients)]
        try:
            wait_until(lambda: len(outcomes) > clients)
            os.kill(victim, signal.SIGKILL)
            before = len(outcomes)
            service.wait_for("worker ready", replaced + 1)
            wait_until(lambda: len(outcomes) > before + 2 * clients)
        finally:
            ended = True
        for each in running:
            each.result()
    broken = [outcome for outcome in outcomes if outcome != 200]
    # At most one request of each client was at the worker that died; all others were answered.
    assert len(broken) <= clients, broken
    assert 503 not in broken
    assert figure(service.url, "lesionlens_worker_restarts_total", reason="died") == died + 1
    assert figure(service.url, "lesionlens_workers") == 2
    assert service.pids()[1] != victim
    [told] = [line for line in service.events("worker died") if line["pid"] == victim]
    assert "SIGKILL" in told["why"]


def test_a_worker_that_no_longer_runs_is_replaced(service: Workers) -> None:
    victim = service.pids()[2]
    replaced = len(service.events("worker ready"))
    os.kill(victim, signal.SIGSTOP)  # it takes connections no more than a process whose event loop hangs
    service.wait_for("worker ready", replaced + 1)
    [told] = [line for line in service.events("worker is replaced") if line["pid"] == victim]
    assert told["why"].startswith("silent")
    assert predict(service.url).status_code == 200
    assert figure(service.url, "lesionlens_worker_restarts_total", reason="stuck") >= 1
    with pytest.raises(ProcessLookupError):
        os.kill(victim, 0)


def test_workers_are_renewed_without_a_request_being_lost(service: Workers) -> None:
    before = service.pids()
    ended, outcomes = False, []

    def client(_: int) -> None:
        while not ended:
            outcomes.append(ask(service).status_code)
            outcomes.append(predict(service.url).status_code)

    with ThreadPoolExecutor(3) as pool:
        running = [pool.submit(client, number) for number in range(3)]
        try:
            service.program.process.send_signal(signal.SIGHUP)
            service.wait_for("all workers have been renewed")
        finally:
            ended = True
        for each in running:
            each.result()  # a connection that was reset would be raised here
    assert set(outcomes) == {200}
    after = service.pids()
    assert set(after) == set(before) == {1, 2}
    assert not set(after.values()) & set(before.values())
    wait_until(lambda: figure(service.url, "lesionlens_workers") == 2)


def test_sigterm_ends_all_in_good_order(service: Workers) -> None:
    pids = service.pids().values()
    with ThreadPoolExecutor(6) as pool:
        running = [pool.submit(predict, service.url) for _ in range(6)]
        wait_until(lambda: figure(service.url, "lesionlens_in_progress") > 0)
        assert service.program.end(signal.SIGTERM) == -signal.SIGTERM
        for each in running:
            with contextlib.suppress(httpx.ConnectError):  # came too late to be accepted, and was told so
                assert each.result().status_code == 200
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    assert "Traceback" not in service.text()


def test_workers_do_not_outlive_their_supervisor(tmp_path: Path) -> None:
    with workers(2, LESIONLENS_DATA_DIR=str(tmp_path)) as service:
        pids = list(service.pids().values())
        service.program.process.kill()
        service.program.process.wait(TIMEOUT)

        def gone(pid: int) -> bool:
            try:  # a zombie has ended; nobody may have waited for it yet
                return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
            except FileNotFoundError:
                return True

        wait_until(lambda: all(map(gone, pids)))
        with pytest.raises(httpx.ConnectError):
            ask(service)
        service.program.wait()
