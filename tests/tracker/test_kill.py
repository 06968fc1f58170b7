"""Killed at any moment, the store keeps every visit that it acknowledged, and none by halves.

`LESIONLENS_TEST_KILLS` says how often to kill; the thorough run takes 200.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from places import Place, analysis, photo

from lesionlens.tracker import Tracker, Visit
from lesionlens.tracker.doctor import examine

KILLS = int(os.environ.get("LESIONLENS_TEST_KILLS", "20"))
KILLS_OF_A_STORE = 5

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has neither fork nor SIGKILL")


class Writer:
    """The writing process, and what it told."""

    def __init__(self) -> None:
        here = Path(__file__).parent
        path = os.pathsep.join([str(here), str(here.parent), *filter(None, [os.environ.get("PYTHONPATH")])])
        self._process = subprocess.Popen(
            [sys.executable, str(here / "writer.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": path},
        )
        self.added: dict[str, str] = {}
        self.erasing: set[str] = set()
        self.erased: set[str] = set()
        assert self._next() == ["ready"]

    def begin(self, place: Place, seed: int) -> int:
        """Fork a child that writes; returns its process id."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"data_dir": str(place.data_dir), "url": place.url, "seed": seed}) + "\n")
        self._process.stdin.flush()
        word, pid = self._next()
        assert word == "started"
        return int(pid)

    def take(self) -> str:
        """Wait for one event and note it; returns its first word."""
        word, *rest = self._next()
        match word:
            case "added":
                self.added[rest[0]] = rest[1]
            case "erasing":
                self.erasing.add(rest[0])
            case "erased":
                self.erased.add(rest[0])
        return word

    def forget(self) -> None:
        """Begin the notes anew, for a new store."""
        self.added, self.erasing, self.erased = {}, set(), set()

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def _next(self) -> list[str]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the writing process has ended by itself"
        return line.split()


@pytest.fixture
def writer() -> Iterator[Writer]:
    running = Writer()
    yield running
    running.close()


def test_no_acknowledged_visit_is_lost_and_none_is_half_there(
    new_place: Callable[[], Place], writer: Writer, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = random.Random(20)
    place = new_place()
    acknowledged = stores = 0
    early = 0  # killed before anything was acknowledged: while the store was being opened or made
    for kill in range(KILLS):
        fresh = kill % KILLS_OF_A_STORE == 0
        if fresh:
            place = new_place()
            stores += 1
            writer.forget()
        before = len(writer.added)
        child = writer.begin(place, seed=kill)
        # Half of the moments are spread over the start of the process, which makes or opens the store, and half over
        # its writing; the latter are counted from an acknowledgement, so that on a slow machine too it writes by then.
        if fresh or rng.random() < 0.4:
            time.sleep(rng.uniform(0.0, 0.4))
        else:
            for _ in range(rng.randrange(1, 8)):
                assert writer.take() != "dead", "the child ended by itself"
            time.sleep(rng.uniform(0.0, 0.05))
        os.kill(child, signal.SIGKILL)
        while writer.take() != "dead":
            pass
        place.settle()
        early += len(writer.added) == before
        acknowledged += len(writer.added) - before
        check(place, writer, thoroughly=kill % KILLS_OF_A_STORE == KILLS_OF_A_STORE - 1 or kill == KILLS - 1)
    with capsys.disabled():
        print(f"\n{KILLS} kills over {stores} stores, {early} of them before anything was acknowledged: "
              f"{acknowledged} visits acknowledged, none lost, none half there")  # fmt: skip
    assert acknowledged > 0


def check(place: Place, writer: Writer, *, thoroughly: bool) -> None:
    if not (place.data_dir / "photos").exists():
        assert not writer.added
        return
    # Before anything is opened and put in order: nothing worse than what an interrupted writer may leave.
    report = examine(place.data_dir, place.url)
    wrong = {finding.check for finding in report.findings if finding.state == "wrong"}
    untouched = {"tables"} if not writer.added else set()
    assert wrong <= {"erased photos"} | untouched, report

    given = analysis()
    assert given.maps is not None
    with Tracker(place.data_dir, place.url) as tracker:
        visits: dict[str, Visit] = {}
        while True:
            page = tracker.visits.list(sort="created_at", descending=False, offset=len(visits), limit=500)
            visits |= {visit.id: visit for visit in page.items}
            if not page.items:
                break
        assert writer.added.keys() - writer.erasing <= visits.keys()
        assert not writer.erased & visits.keys()
        for visit in visits.values():
            assert visit.note == "whole"
            assert visit.photo.sha256 == writer.added.get(visit.id, visit.photo.sha256)
            assert tracker.visits.photo(visit.id)
            [kept] = visit.analyses
            assert kept.probabilities == given.probabilities
            if thoroughly:
                maps = tracker.visits.maps(kept.id)
                assert maps is not None
                assert np.array_equal(maps, given.maps)
        assert tracker.lesions.list().total <= 1
        shown = {visit.photo.sha256 for visit in visits.values()}
        assert tracker.counts().photos == len(shown)
    report = examine(place.data_dir, place.url)
    assert report.healthy, report
    if thoroughly:
        known = {photo(seed) for seed in range(40)}
        with Tracker(place.data_dir, place.url) as tracker:
            assert all(path.read_bytes() in known for path in tracker.photos.files())
