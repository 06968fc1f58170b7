"""The baseline of the speed benchmark is correct: it answers as the service does, only slower."""

from __future__ import annotations

import base64
import io
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lesionlens import Classifier
from lesionlens.imaging import decode
from serving import draw_lesion, encode

pytestmark = pytest.mark.train

Speed = Callable[[str], ModuleType]

ARCHITECTURE, LAYER, SIZE = "tf_efficientnet_lite0", "conv_head", 96
PHOTOS = [encode(draw_lesion(600, 450, seed), "JPEG", quality=92, orientation=6) for seed in range(4)]


@pytest.fixture(scope="module")
def weights(speed: Speed, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small network made as the benchmark makes B5."""
    import torch

    path: Path = tmp_path_factory.mktemp("speed") / "model.pth"
    torch.save(speed("weights").make_network(ARCHITECTURE, SIZE).state_dict(), path)
    return path


@pytest.fixture(scope="module")
def baseline(speed: Speed, weights: Path) -> Any:
    """The baseline's Flask app."""
    pytest.importorskip("flask", reason="the baseline needs flask: pip install 'lesionlens[bench]'")
    module = speed("naive_server")
    return module.create_app(module.NaiveGradCam(weights, ARCHITECTURE, LAYER), SIZE)


@pytest.fixture(scope="module")
def ours(weights: Path) -> Classifier:
    """The same weights, converted as `lesionlens convert` does."""
    from lesionlens.conversion import convert_weights

    bundle = convert_weights(weights, weights.parent / "bundle", architecture=ARCHITECTURE, input_size=SIZE)
    return Classifier(bundle, engine="onnxruntime", threads=1)


def _ask(app: Any, photo: bytes) -> Any:
    return app.test_client().post("/predict", data={"file": (io.BytesIO(photo), "image.jpg")})


def test_both_give_the_same_answer_and_the_same_heatmap(baseline: Any, ours: Classifier) -> None:
    for photo in PHOTOS:
        answer = _ask(baseline, photo).get_json()
        image = decode(photo).image
        [analysis] = ours.analyse([image])
        assert np.allclose(answer["probabilities"][:8], analysis.probabilities, atol=1e-3)
        assert answer["prediction"] == analysis.prediction
        assert answer["probabilities"][8] == (1.0 if analysis.prediction == 8 else 0.0)
        with Image.open(io.BytesIO(base64.b64decode(answer["gradcam"]))) as picture:
            theirs = np.asarray(picture, dtype=np.int16)
        with Image.open(io.BytesIO(analysis.overlay_png(image, max_side=512))) as picture:
            mine = np.asarray(picture, dtype=np.int16)
        assert theirs.shape == mine.shape == (512, 384, 3)  # upright
        assert np.abs(theirs - mine).mean() < 1.0


def test_the_network_answers_photos_differently(ours: Classifier) -> None:
    answers = np.stack([analysis.probabilities for analysis in ours.analyse([decode(p).image for p in PHOTOS])])
    assert answers.max() > 0.3
    assert np.ptp(answers, axis=0).max() > 0.02


def test_the_weights_are_the_same_on_every_call(speed: Speed, weights: Path) -> None:
    import torch

    again = speed("weights").make_network(ARCHITECTURE, SIZE).state_dict()
    for name, tensor in torch.load(weights, weights_only=True).items():
        assert torch.equal(tensor, again[name]), name


def test_it_survives_several_clients_at_once(baseline: Any) -> None:
    alone = [_ask(baseline, photo).get_json() for photo in PHOTOS]
    with ThreadPoolExecutor(4) as clients:
        together = list(clients.map(lambda photo: _ask(baseline, photo).get_json(), PHOTOS))
    for one, other in zip(alone, together, strict=True):
        assert np.allclose(one["probabilities"], other["probabilities"], atol=1e-5)


def test_what_is_no_photo_is_refused(baseline: Any) -> None:
    assert _ask(baseline, b"no photo").status_code == 400
    assert baseline.test_client().post("/predict").status_code == 400


def test_without_a_card_nothing_is_measured_and_it_says_so(speed: Speed, repo_root: Path) -> None:
    import torch

    pytest.importorskip("flask", reason="the baseline needs flask: pip install 'lesionlens[bench]'")
    if torch.cuda.is_available():
        pytest.skip("there is a card here")
    run = subprocess.run(
        [sys.executable, str(repo_root / "benchmarks" / "speed" / "gpu.py")],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert run.returncode == 2
    assert "Nothing was measured" in run.stderr
    assert "card" in run.stderr
