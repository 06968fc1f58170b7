"""Users of LesionLens for locust: most look at photos, some ask for more, a few look at the model.

    pip install locust 'lesionlens[loadtest]'
    locust --locustfile benchmarks/locustfile.py --host http://localhost:5000 --users 64 --spawn-rate 8 --run-time 5m

`LOADTEST_PHOTOS` names a folder of pictures; without it a drawn one is sent. A request that a busy service turns away
in good order (429 or 503 with `Retry-After`) is no failure: the user waits as it is told. `lesionlens
loadtest` looks at every answer.
"""

from __future__ import annotations

import itertools
import os
import time
from pathlib import Path
from typing import Any

from locust import HttpUser, between, task

from lesionlens.loadtest.photos import read_photos

_FOLDER = os.environ.get("LOADTEST_PHOTOS")
_PHOTOS = itertools.cycle(read_photos([Path(_FOLDER)] if _FOLDER else []))


class Visitor(HttpUser):
    """Somebody with photos."""

    wait_time = between(0.5, 2)

    @task(10)
    def predict(self) -> None:
        """Send a photo as the SkinTracker app does."""
        self._send("/predict")

    @task(4)
    def analyse(self) -> None:
        """Send a photo as the page does."""
        self._send("/v1/analyses?maps=top")

    @task(1)
    def read_about_the_model(self) -> None:
        """Look at the model and its card."""
        self.client.get("/v1/model")
        self.client.get("/v1/model/card")

    def _send(self, path: str) -> None:
        files = {"file": ("photo.jpg", next(_PHOTOS), "image/jpeg")}
        with self.client.post(path, files=files, catch_response=True) as answer:
            wait: Any = answer.headers.get("Retry-After") if answer.headers else None
            if answer.status_code in (429, 503) and wait is not None:
                answer.success()
                time.sleep(float(wait))
