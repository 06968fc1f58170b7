from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tracker_client import NOBODY, TrackerClient, drawn, keeping, opened, picture, problem

from lesionlens import Classifier
from serving import encode


def sideways() -> bytes:
    """A JPEG as a phone writes it that was held upright: turned, and told so."""
    return encode(picture().transpose(Image.Transpose.ROTATE_90), "JPEG", orientation=6, quality=95)


@pytest.mark.parametrize(("image_format", "media_type"), [("PNG", "image/png"), ("JPEG", "image/jpeg")])
def test_a_photo_comes_back_byte_for_byte(api: TrackerClient, image_format: str, media_type: str) -> None:
    data = encode(picture(), image_format)
    visit = api.visit(api.lesion()["id"], data, analyse="false")
    response = api.get(f"/v1/visits/{visit['id']}/photo")
    assert response.content == data
    assert response.headers["content-type"] == media_type
    assert response.headers["content-disposition"] == "inline"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert response.headers["etag"] == f'"{visit["photo"]["sha256"]}"'


def test_what_the_client_has_is_not_sent_again(api: TrackerClient) -> None:
    path = f"/v1/visits/{api.visit(api.lesion()['id'], analyse='false')['id']}/photo"
    etags = {query: api.get(f"{path}{query}").headers["etag"] for query in ("", "?side=64", "?side=65")}
    assert len(set(etags.values())) == 3
    for query, etag in etags.items():
        for sent in (etag, f"W/{etag}", f'"other", {etag}', "*"):
            response = api.get(f"{path}{query}", headers={"If-None-Match": sent})
            assert (response.status_code, response.content, response.headers["etag"]) == (304, b"", etag)
        assert api.get(f"{path}{query}", headers={"If-None-Match": '"other"'}).status_code == 200


def test_small_pictures_are_upright_and_say_nothing_of_the_camera(api: TrackerClient) -> None:
    visit = api.visit(api.lesion()["id"], sideways(), analyse="false")
    assert (visit["photo"]["width"], visit["photo"]["height"]) == (320, 256)
    for side, size in ((64, (64, 51)), (160, (160, 128)), (2048, (320, 256))):
        response = api.get(f"/v1/visits/{visit['id']}/photo?side={side}")
        small = opened(response)
        assert response.headers["content-type"] == "image/jpeg"
        assert (small.format, small.size) == ("JPEG", size)
        assert not small.getexif()
        expected = np.asarray(picture().resize(size, Image.Resampling.BOX), dtype=np.float64)
        assert np.abs(np.asarray(small, dtype=np.float64) - expected).mean() < 6.0
        assert api.get(f"/v1/visits/{visit['id']}/photo?side={side}").content == response.content


@pytest.mark.parametrize("query", ["side=63", "side=2049", "side=big", "size=64"])
def test_sizes_have_bounds(api: TrackerClient, query: str) -> None:
    problem(api.get(f"/v1/visits/{NOBODY}/photo?{query}"), 422, "invalid-parameter")


def test_a_damaged_photo_is_told_and_never_shown(
    classifier: Classifier, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with keeping(classifier, tmp_path) as api:
        visit = api.visit(api.lesion()["id"], analyse="false")
        [file] = [path for path in (tmp_path / "photos").rglob("*") if path.is_file()]
        file.write_bytes(drawn()[:-1] + b"x")
        for query in ("", "?side=64"):
            document = problem(api.get(f"/v1/visits/{visit['id']}/photo{query}"), 500, "store-failed")
            assert "missing or damaged" in document["detail"]
            assert str(tmp_path) not in str(document)
        problem(api.post(f"/v1/visits/{visit['id']}/analyses"), 500, "store-failed")
