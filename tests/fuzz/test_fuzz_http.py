"""Damaged photos and damaged forms, sent to `lesionlens serve`: never a 5xx, and memory stays bounded."""

from __future__ import annotations

import random
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from fuzz.forms import CONTENT_TYPE, make_form
from fuzz.mutate import make_case
from fuzz.seeds import drawn_seeds
from serving import TIMEOUT, Program, as_file, wait_until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is read from Linux's /proc")

PHOTOS = 200
FORMS = 300
MEBIBYTE = 1024 * 1024


class Service:
    """`lesionlens serve` as a process of its own, whose memory can be measured."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.client = httpx.Client(base_url=program.url(), timeout=TIMEOUT)
        self._status = Path(f"/proc/{program.process.pid}/status")

    def memory(self, name: str) -> int:
        """Bytes of the line of that name: `VmHWM` is the most it has had, `VmRSS` what it has."""
        lines = self._status.read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    # Pictures of a megapixel at most, so that one whose header lies about its size shows in the memory.
    program = Program(LESIONLENS_TRACKER="off", LESIONLENS_MAX_PIXELS="1000000", LESIONLENS_MAX_UPLOAD_BYTES="1000000")
    try:
        started = Service(program)
        wait_until(lambda: started.client.get("/readyz").status_code == 200)
        for data in drawn_seeds().values():
            started.client.post("/v1/analyses?maps=all&overlay=all", files=as_file(data))
        yield started
        started.client.close()
    finally:
        assert program.end() == -signal.SIGTERM  # it finishes in order, then ends as it was told
    assert "Traceback" not in "".join(program.lines)


@pytest.mark.parametrize("path", ["/predict", "/v1/analyses?maps=top&overlay=top"])
def test_damaged_photos_are_answered_without_a_fault(service: Service, path: str) -> None:
    before = service.memory("VmHWM")
    statuses: Counter[int] = Counter()
    first = 500_000 if path == "/predict" else 600_000  # others than those that are only decoded
    for number in range(first, first + PHOTOS):
        case = make_case(number)
        response = service.client.post(path, files=as_file(case.data, f"{number}.jpg"))
        assert response.status_code < 500, (case.name, number, response.text)
        statuses[response.status_code] += 1
    assert statuses[200] > PHOTOS / 10
    assert set(statuses) <= ({200, 400, 413} if path == "/predict" else {200, 400, 413, 415, 422})
    assert sum(count for status, count in statuses.items() if status >= 400) > PHOTOS / 4
    assert service.memory("VmHWM") - before < 64 * MEBIBYTE


@pytest.mark.parametrize("path", ["/predict", "/v1/analyses"])
def test_damaged_forms_are_answered_without_a_fault(service: Service, path: str) -> None:
    before = service.memory("VmHWM")
    statuses: Counter[int] = Counter()
    for number in range(FORMS):
        form = make_form(number + 1000)
        response = service.client.post(
            path, content=form.data, headers={"Content-Type": form.content_type.encode("latin-1")}
        )
        assert response.status_code < 500, (form.name, number, response.text)
        statuses[response.status_code] += 1
    assert statuses[200] > FORMS / 20
    assert statuses[400] > FORMS / 5
    assert service.memory("VmHWM") - before < 64 * MEBIBYTE


def test_bodies_of_noise_are_answered_without_a_fault(service: Service) -> None:
    rng = random.Random(0)
    for content_type in (CONTENT_TYPE, "multipart/form-data", "application/json", "text/plain", "\xff", ""):
        for length in (0, 1, 100, 5000):
            headers = {"Content-Type": content_type.encode("latin-1")}
            response = service.client.post("/v1/analyses", content=rng.randbytes(length), headers=headers)
            assert response.status_code == 400, (content_type, response.text)
            assert response.headers["content-type"] == "application/problem+json"


def test_it_still_answers_as_before(service: Service) -> None:
    response = service.client.post("/v1/analyses", files=as_file(drawn_seeds()["png"]))
    assert response.status_code == 200
    assert service.client.get("/readyz").status_code == 200
