from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tracker_client import NOBODY, TrackerClient, drawn, opened, picture, problem

from lesionlens import DISCLAIMER
from lesionlens.api.comparing import Comparisons
from lesionlens.api.pool import Pool
from lesionlens.imaging import Limits
from serving import encode

DAYS = ("2026-01-01T12:00:00Z", "2026-04-01T12:00:00Z")


def two_visits(api: TrackerClient, *photos: bytes) -> dict[str, str]:
    """Record two photos of one lesion; returns the parameters that name them."""
    lesion = api.lesion()["id"]
    made = [api.visit(lesion, data, taken_at=day, analyse="false") for data, day in zip(photos, DAYS, strict=True)]
    return {"before": made[0]["id"], "after": made[1]["id"]}


@pytest.fixture(scope="module")
def turned(api: TrackerClient) -> dict[str, str]:
    """A lesion photographed twice, the second time with the camera turned by 15 degrees."""
    photo = picture(60, 3).rotate(15, Image.Resampling.BICUBIC, fillcolor=(224, 182, 160))
    return two_visits(api, drawn(60, 3), encode(photo))


@pytest.fixture(scope="module")
def comparison(api: TrackerClient, turned: dict[str, str]) -> dict[str, Any]:
    response = api.get("/v1/comparisons", params=turned)
    assert response.status_code == 200, response.text
    assert response.headers["cache-control"] == "no-store"
    answer: dict[str, Any] = response.json()
    return answer


def test_a_turned_photo_is_laid_on_the_earlier_one(comparison: dict[str, Any], turned: dict[str, str]) -> None:
    assert {name: comparison[name] for name in turned} == turned
    registration = comparison["registration"]
    assert registration["success"], registration["reason"]
    assert registration["reason"] is None
    assert registration["turn_degrees"] == pytest.approx(15, abs=0.5)
    assert registration["zoom"] == pytest.approx(1, abs=0.02)


def test_the_measures_of_an_unchanged_lesion_claim_nothing(comparison: dict[str, Any]) -> None:
    assert comparison["disclaimer"] == DISCLAIMER
    assert DISCLAIMER not in comparison["statements"]
    assert comparison["statements"]
    assert all(sentence.endswith(".") for sentence in comparison["statements"])
    area = next(d for d in comparison["differences"] if d["name"] == "area")
    assert (area["changed"], area["comparable"], area["verdict"]) == (False, True, "no clear change")
    assert area["difference"] == pytest.approx(area["after"] - area["before"])
    assert area["relative"] == pytest.approx(area["after"] / area["before"] - 1)
    assert abs(area["change"]) < area["threshold"]


def test_outlines_are_shares_of_each_photo(comparison: dict[str, Any]) -> None:
    for which in ("before", "after"):
        outline = comparison["outlines"][which]
        assert outline["found"], outline["reason"]
        points = np.array(outline["polygon"])
        assert points.shape[1] == 2
        assert points.min() >= 0
        assert points.max() <= 1
        assert points.mean(axis=0) == pytest.approx([0.5, 0.5], abs=0.04)


def test_the_aligned_picture_lies_on_the_earlier_one(api: TrackerClient, comparison: dict[str, Any]) -> None:
    pictures = {name: opened(api.get(path)) for name, path in comparison["pictures"].items()}
    assert {name: image.size for name, image in pictures.items()} == dict.fromkeys(pictures, (320, 256))
    middle = (80, 64, 240, 192)
    before, after, aligned, blended = (
        np.asarray(pictures[name].crop(middle), dtype=np.float64) for name in ("before", "after", "aligned", "blended")
    )
    assert np.abs(aligned - before).mean() < 0.5 * np.abs(after - before).mean()
    assert np.abs(blended - (before + aligned) / 2).mean() < 3
    small = {name: opened(api.get(f"{comparison['pictures'][name]}&side=100")).size for name in ("before", "aligned")}
    assert small == {"before": (100, 80), "aligned": (100, 80)}


def test_a_lesion_that_grew_is_told(api: TrackerClient) -> None:
    answer = api.get("/v1/comparisons", params=two_visits(api, drawn(45, 3), drawn(75, 3))).json()
    area = next(d for d in answer["differences"] if d["name"] == "area")
    assert answer["registration"]["method"] == "skin"
    assert (area["changed"], area["verdict"]) == (True, "larger")
    assert area["relative"] == pytest.approx((75 / 45) ** 2 - 1, rel=0.1)
    assert answer["statements"][0].startswith("The area is larger by 1")


def test_photos_that_do_not_fit_together_are_told(api: TrackerClient) -> None:
    skin = encode(Image.new("RGB", (300, 300), (224, 182, 160)))
    answer = api.get("/v1/comparisons", params=two_visits(api, drawn(), skin)).json()
    assert not answer["registration"]["success"]
    assert answer["registration"]["reason"]
    assert answer["differences"] == []
    assert answer["outlines"]["after"] | {"confidence": 0} == {
        "found": False,
        "reason": answer["outlines"]["after"]["reason"],
        "confidence": 0,
        "polygon": [],
    }
    assert any("No lesion was found in the later photograph" in sentence for sentence in answer["statements"])


def test_a_pair_is_compared_once(api: TrackerClient, turned: dict[str, str], comparison: dict[str, Any]) -> None:
    comparisons = api.server.state.tracking.comparisons
    known = len(comparisons._known._values)
    assert api.get("/v1/comparisons", params=turned).json() == comparison
    assert len(comparisons._known._values) == known
    assert not comparisons._under_way


def test_a_photo_that_is_erased_while_it_is_compared_is_not_remembered() -> None:
    async def main() -> int:
        async def load() -> tuple[bytes, bytes]:
            comparisons.forget()
            return drawn(), drawn()

        compared = await comparisons.of(("a", "b"), load)
        assert compared.size > 0
        return comparisons._known.held

    pool = Pool("test", 1, 1, "comparisons")
    comparisons = Comparisons(pool, Limits())
    assert asyncio.run(main()) == 0
    pool.close()


def test_what_cannot_be_compared_is_refused(api: TrackerClient, turned: dict[str, str]) -> None:
    other = api.visit(api.lesion()["id"], taken_at=DAYS[1], analyse="false")["id"]
    document = problem(api.get("/v1/comparisons", params=turned | {"after": other}), 409, "conflict")
    assert "different lesions" in document["detail"]
    swapped = {"before": turned["after"], "after": turned["before"]}
    assert (
        "the earlier one first"
        in problem(api.get("/v1/comparisons", params=swapped), 422, "invalid-parameter")["detail"]
    )
    problem(api.get("/v1/comparisons", params=turned | {"after": NOBODY}), 404, "not-found")
    problem(api.get("/v1/comparisons", params={"before": turned["before"]}), 422, "invalid-parameter")
    problem(api.get("/v1/comparisons/picture", params=turned | {"which": "both"}), 422, "invalid-parameter")
    strip = encode(Image.new("RGB", (900, 60), (224, 182, 160)))
    document = problem(api.get("/v1/comparisons", params=two_visits(api, drawn(), strip)), 409, "conflict")
    assert "too thin" in document["detail"]
