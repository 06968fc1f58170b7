"""The answers shown in the API reference, the README and docs/api.md are those that the service gives today.

After a change of the model or of the answers, write them anew:

    LESIONLENS_WRITE_EXAMPLES=1 python -m pytest tests/api/test_examples.py
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from lesionlens import DISCLAIMER
from lesionlens.api import examples
from lesionlens.api.schemas import AnalysisResponse, Problem
from serving import Running, as_file, encode

WRITE = os.environ.get("LESIONLENS_WRITE_EXAMPLES") == "1"
VOLATILE = ("id", "request_id", "timings_ms")  # another with each answer
STORED = Path(examples.__file__).with_name("examples.json")
NEVUS = "ISIC_0024306"


@pytest.fixture(scope="module")
def nevus(real_sample: dict[str, bytes]) -> bytes:
    return real_sample[NEVUS]


@pytest.fixture(scope="module")
def answers(server: Running, nevus: bytes) -> dict[str, Any]:
    """What the service answers, shortened as the examples are."""
    analysis = server.post("/v1/analyses?maps=top", files=as_file(nevus)).json()
    for values in analysis["maps"].values():
        del values["values"][1:]
    prediction = server.post("/predict", files=as_file(nevus)).json()
    prediction["gradcam"] = f"{prediction['gradcam'][:32]}…"
    gif = encode(Image.new("P", (8, 8)), "GIF")
    problem = server.post("/v1/analyses", files=as_file(gif, "a.gif", "image/gif")).json()
    return {"analysis": analysis, "prediction": prediction, "problem": problem}


def assert_same(shown: Any, real: Any, where: str) -> None:
    """Equal, but for what changes with each answer and for last digits, which another processor computes otherwise."""
    assert type(shown) is type(real), where
    if isinstance(real, dict):
        assert list(shown) == list(real), where
        for name in real:
            if name not in VOLATILE:
                assert_same(shown[name], real[name], f"{where}.{name}")
    elif isinstance(real, list):
        assert len(shown) == len(real), where
        for i, (one, other) in enumerate(zip(shown, real, strict=True)):
            assert_same(one, other, f"{where}[{i}]")
    elif isinstance(real, float):
        assert shown == pytest.approx(real, rel=0.02, abs=2e-3), where
    else:
        assert digits_removed(shown) == digits_removed(real), where


def digits_removed(value: Any) -> Any:
    """Sentences with figures in them are compared by their words."""
    return re.sub(r"\d+(\.\d+)?", "0", value) if isinstance(value, str) and " " in value else value


def in_text(file: Path, number: int, real: dict[str, Any], *, text: str | None = None) -> dict[str, Any]:
    """Return the JSON block with that number in a Markdown file, after writing it anew if that is asked for."""
    page = file.read_text(encoding="utf-8")
    block = list(re.finditer(r"(?<=^```json\n).*?(?=^```$)", page, re.MULTILINE | re.DOTALL))[number]
    if WRITE:
        written = text or json.dumps(real, indent=2, ensure_ascii=False)
        file.write_text(f"{page[: block.start()]}{written}\n{page[block.end() :]}", encoding="utf-8")
        return real
    shown: dict[str, Any] = json.loads(block.group())
    return shown


def test_the_reference_shows_what_the_service_answers(answers: dict[str, Any]) -> None:
    if WRITE:
        STORED.write_text(json.dumps(answers, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    stored = json.loads(STORED.read_text(encoding="utf-8"))
    assert_same(stored, answers, "examples.json")
    assert stored["analysis"]["disclaimer"] == DISCLAIMER


def test_the_examples_are_whole_by_the_schema() -> None:
    stored = json.loads(STORED.read_text(encoding="utf-8"))
    assert list(AnalysisResponse.model_fields) == list(stored["analysis"])
    AnalysisResponse.model_validate(stored["analysis"])
    assert Problem.model_validate(stored["problem"]).status == 415
    assert stored["prediction"]["probabilities"][8] == (stored["prediction"]["max_confidence"] < 0.5)


def test_the_readme_shows_what_the_service_answers(answers: dict[str, Any], repo_root: Path) -> None:
    real = answers["prediction"]
    rounded = {
        **real,
        "probabilities": [round(p, 4) for p in real["probabilities"]],
        "max_confidence": round(real["max_confidence"], 4),
    }
    text = json.dumps(rounded, indent=2, ensure_ascii=False)
    text = re.sub(r"\[[^]]*\]", lambda found: " ".join(found.group().split()), text)  # the eight on one line
    text = text.replace("[ ", "[").replace(" ]", "]")
    assert_same(in_text(repo_root / "README.md", 0, rounded, text=text), rounded, "README.md")


def test_the_api_page_shows_an_answer_that_is_not_to_be_relied_on(server: Running, repo_root: Path) -> None:
    gradient = encode(Image.linear_gradient("L").convert("RGB"))
    answer = server.post("/v1/analyses", files=as_file(gradient)).json()
    if answer["suitability"] is None:
        pytest.skip("the embedded model has no statistics of the pictures it was trained on")
    assert not answer["suitability"]["suitable"]
    members = ("prediction", "confident", "confidence", "suitability")
    excerpt = {name: answer[name] for name in members}
    assert_same(in_text(repo_root / "docs" / "api.md", 0, excerpt), excerpt, "docs/api.md")


def test_the_api_page_shows_a_problem_as_the_service_does(answers: dict[str, Any], repo_root: Path) -> None:
    assert_same(in_text(repo_root / "docs" / "api.md", 1, answers["problem"]), answers["problem"], "docs/api.md")
