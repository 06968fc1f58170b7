"""Rate limits in a real Redis: one budget for several services, and a service that goes on when Redis does not."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lesionlens import Classifier
from lesionlens.api.limits import limiter as limiter_module
from serving import Running, running, wait_until

pytest.importorskip("redis", reason="the client of Redis is not installed: pip install 'lesionlens[redis]'")
SERVER = shutil.which("redis-server")
pytestmark = pytest.mark.skipif(SERVER is None, reason="there is no redis-server: apt-get install redis-server")
PASSWORD = "hunter2"


class Redis:
    """A server of the test's own, which it may kill."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"redis://:{PASSWORD}@127.0.0.1:{self.port}/0"
        self._folder = folder
        self._socket = folder / "redis.sock"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        assert SERVER is not None
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self._folder)]
        options += ["--unixsocket", str(self._socket)]
        self._process = subprocess.Popen([SERVER, *options, "--requirepass", PASSWORD], stdout=subprocess.DEVNULL)
        wait_until(self._accepts)

    @property
    def socket_url(self) -> str:
        return f"redis+unix://:{PASSWORD}@{self._socket}?db=0"

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(60)
            self._process = None

    def _accepts(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redis]:
    server = Redis(tmp_path)
    server.start()
    yield server
    server.kill()


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait longer than the service would: on a busy machine even a good Redis may take its time."""
    monkeypatch.setattr(limiter_module, "_PATIENCE", 40.0)


def statuses(server: Running, count: int) -> list[int]:
    return [server.post("/predict").status_code for _ in range(count)]


def test_two_services_share_one_budget(classifier: Classifier, redis: Redis) -> None:
    settings = {"tracker": "off", "rate_limit": "6/hour"}
    with (
        running(classifier, **settings, rate_limit_storage=redis.url) as one,
        running(classifier, **settings, rate_limit_storage=redis.socket_url) as other,
    ):
        assert statuses(one, 2) + statuses(other, 2) + statuses(one, 2) == [400] * 6
        assert statuses(one, 1) + statuses(other, 1) == [429, 429]
        refused = other.post("/predict")
        assert 0 < int(refused.headers["retry-after"]) <= 3601
        assert refused.headers["ratelimit"].startswith('"6-in-3600s";r=0;t=')
        assert one.metric("lesionlens_rate_limit_storage_failures_total") == 0


def test_after_the_time_to_wait_a_request_is_let_through(classifier: Classifier, redis: Redis) -> None:
    with running(classifier, tracker="off", rate_limit="2/3 second", rate_limit_storage=redis.url) as server:
        answers = (server.post("/predict") for _ in range(60))
        refused = next(answer for answer in answers if answer.status_code == 429)
        time.sleep(int(refused.headers["retry-after"]))
        assert statuses(server, 1) == [400]


def test_without_redis_the_service_goes_on_and_says_so_once(
    classifier: Classifier, redis: Redis, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limiter_module, "_AGAIN", 0.3)
    settings = {"tracker": "off", "rate_limit": "3/hour", "rate_limit_storage": redis.url}
    with running(classifier, **settings) as server:
        assert statuses(server, 4) == [400, 400, 400, 429]
        redis.kill()
        begun = time.monotonic()
        assert statuses(server, 4) == [400, 400, 400, 429]  # a budget of this process's own, and no 500
        assert time.monotonic() - begun < 20  # no request waits for long, even on a busy machine
        time.sleep(0.4)
        assert statuses(server, 1) == [429]  # asked again in vain
        assert server.metric("lesionlens_rate_limit_storage_failures_total") == 5
        log = capsys.readouterr().out
        assert log.count("Redis does not answer") == 1
        assert PASSWORD not in log
        redis.start()  # empty, so that its budget is whole
        time.sleep(0.4)
        assert statuses(server, 4) == [400, 400, 400, 429]
        assert server.metric("lesionlens_rate_limit_storage_failures_total") == 5
        assert capsys.readouterr().out.count("Redis answers again") == 1


def test_a_service_starts_without_redis(classifier: Classifier, tmp_path: Path) -> None:
    nobody = Redis(tmp_path)
    with running(classifier, tracker="off", rate_limit="2/hour", rate_limit_storage=nobody.url) as server:
        assert statuses(server, 3) == [400, 400, 429]
        assert server.metric("lesionlens_rate_limit_storage_failures_total") == 3


def test_a_redis_that_accepts_and_never_answers_holds_no_request_up(
    classifier: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()  # as in the service: after a quarter of a second it is given up
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"redis://127.0.0.1:{silent.getsockname()[1]}"
        with running(classifier, tracker="off", rate_limit="1/hour", rate_limit_storage=url) as server:
            assert statuses(server, 2) == [400, 429]
            assert server.metric("lesionlens_rate_limit_storage_failures_total") == 2


def test_a_wrong_password_is_a_failure_like_others(
    classifier: Classifier, redis: Redis, capsys: pytest.CaptureFixture[str]
) -> None:
    url = redis.url.replace(PASSWORD, "wrong-password")
    with running(classifier, tracker="off", rate_limit="1/hour", rate_limit_storage=url) as server:
        assert statuses(server, 2) == [400, 429]
    log = capsys.readouterr().out
    assert log.count("Redis does not answer") == 1
    assert "AuthenticationError" in log
    assert "wrong-password" not in log


def test_what_is_kept_there_ends_by_itself_and_names_no_more_than_it_must(classifier: Classifier, redis: Redis) -> None:
    import redis as client

    with running(classifier, tracker="off", rate_limit="3/minute", rate_limit_storage=redis.url) as server:
        statuses(server, 1)
    with client.Redis.from_url(redis.url) as looking:
        [name] = looking.keys("*")
        assert name.decode() == "lesionlens:{LIMITER/address/127.0.0.1/3/1/minute}"
        assert 60 < looking.ttl(name) <= 120
