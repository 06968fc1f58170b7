"""The drawings to try the page with."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lesionlens import DIAGNOSES
from serving import Running

pytestmark = pytest.mark.browser

DRAW = """async () => {
  const { samples } = await import("/static/samples/samples.js");
  const told = [];
  for (const { name, note, draw } of samples()) {
    const blob = await draw();
    const bytes = [...new Uint8Array(await blob.arrayBuffer())];
    told.push({ name, note, type: blob.type, data: btoa(bytes.map((byte) => String.fromCharCode(byte)).join("")) });
  }
  return told;
}"""


def drawings(page: Any) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = page.evaluate(DRAW)
    return [each | {"data": base64.b64decode(each["data"])} for each in told]


def test_four_drawings_the_same_each_time(visit: Callable[..., Any], server: Running) -> None:
    first, second = drawings(visit(server).page), drawings(visit(server).page)
    assert first == second
    assert len({each["data"] for each in first}) == len({each["name"] for each in first}) == 4
    for each in first:
        picture = Image.open(io.BytesIO(each["data"]))
        assert (each["type"], picture.format, picture.size) == ("image/jpeg", "JPEG", (512, 512))


def test_nobody_can_take_them_for_photos(visit: Callable[..., Any], server: Running) -> None:
    for each in drawings(visit(server).page):
        assert each["note"].startswith("Synthetic drawing, no photo")
        assert not any(kind.name.lower() in each["name"].lower() for kind in DIAGNOSES)  # it is no example of one
        pixels = np.asarray(Image.open(io.BytesIO(each["data"])).convert("L"), dtype=float)
        left, right = pixels[488:506, 8:160], pixels[488:506, -160:-8]  # the other corner is the same without words
        assert np.abs(np.diff(left, axis=1)).mean() > 3 * np.abs(np.diff(right, axis=1)).mean()
        assert left.max() > right.max() + 40


def test_the_service_takes_them_for_dermoscopic(visit: Callable[..., Any], server: Running) -> None:
    for each in drawings(visit(server).page):
        answer = server.post("/v1/analyses", files={"file": ("a.jpg", each["data"])}).json()
        assert answer["suitability"]["suitable"], (each["name"], answer["suitability"])
        assert answer["quality"]["hints"] == [], each["name"]
