"""A process that writes visits until it is killed, and tells of each only after it is recorded.

It imports the store once and then forks a child for each line that it reads, so that a child begins to write within
milliseconds of its start. A line is JSON: `data_dir`, `url`, `seed`. What it prints, one event a line:

    started PID
    added VISIT SHA256        after `add` has returned
    erasing VISIT             before `erase` is called
    erased VISIT              after it has returned
    dead                      the child has ended; nothing comes after this
"""

from __future__ import annotations

import json
import os
import random
import sys
from pathlib import Path
from typing import Any, NoReturn

from places import analysis, photo

from lesionlens.tracker import Tracker


def tell(*words: str) -> None:
    os.write(1, (" ".join(words) + "\n").encode())  # one write, so that a kill cannot leave half a line


def work(order: dict[str, Any]) -> NoReturn:
    rng = random.Random(order["seed"])
    with Tracker(Path(order["data_dir"]), order["url"]) as tracker:
        lesions = tracker.lesions.list().items
        lesion = lesions[0] if lesions else tracker.lesions.create(tracker.people.create("Ada").id, "back", 0.5, 0.5)
        mine: list[str] = []
        while True:
            # Photos come again and again, so that files are shared, erased and stored anew.
            visit = tracker.visits.add(lesion.id, photo(rng.randrange(40)), note="whole", analysis=analysis())
            tell("added", visit.id, visit.photo.sha256)
            mine.append(visit.id)
            if rng.random() < 0.4:
                victim = mine.pop(rng.randrange(len(mine)))
                tell("erasing", victim)
                tracker.visits.erase(victim)
                tell("erased", victim)


def main() -> None:
    for seed in range(40):
        photo(seed)  # drawn before any child is forked
    import alembic.command
    import alembic.runtime.environment  # noqa: F401  # else the first migration would spend its time on imports

    tell("ready")
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            work(json.loads(line))
        tell("started", str(child))
        os.waitpid(child, 0)
        tell("dead")


if __name__ == "__main__":
    main()
