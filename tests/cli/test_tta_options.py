"""Test-time augmentation as an option of the commands and of the service."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from lesionlens import Classifier
from lesionlens.api.app import load_classifier
from lesionlens.errors import SettingsError
from lesionlens.evaluation.run import model_info
from lesionlens.settings import load_settings

Run = Callable[..., Result]


def test_classify_averages_views_and_its_results_say_so(run: Run, pictures: Path) -> None:
    answers = {}
    for count in (1, 2):
        result = run(
            "classify", pictures, "--tta", count, "--threads", 1, "--engine", "onnxruntime", "--format", "json"
        )
        assert result.exit_code in (0, 1), result.stderr
        answers[count] = json.loads(result.stdout)
    assert [answers[count]["model"]["engine"] for count in (1, 2)] == ["onnxruntime", "onnxruntime, tta 2"]
    once, twice = (
        [picture["probabilities"] for picture in answers[count]["results"] if not picture.get("error")]
        for count in (1, 2)
    )
    assert len(once) == len(twice) > 0
    assert once != twice


@pytest.mark.parametrize("command", [("classify", "photo.jpg"), ("evaluate", "--data", "."), ("serve",)])
def test_other_numbers_are_refused_by_every_command(run: Run, command: tuple[str, ...]) -> None:
    result = run(*command, "--tta", "3")
    assert result.exit_code == 2
    assert "'3' is not one of '1', '2', '4'" in " ".join(result.stderr.replace("│", " ").split())


def test_figures_of_several_views_do_not_go_into_a_bundle(run: Run, tmp_path: Path) -> None:
    result = run("evaluate", "--data", tmp_path, "--card", "--tta", "8")
    assert result.exit_code == 1
    assert "--card needs --tta 1: the figures in a bundle are those of one pass" in result.stderr


def test_the_service_takes_it_from_its_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LESIONLENS_TTA", raising=False)
    assert load_settings().tta == 1
    monkeypatch.setenv("LESIONLENS_TTA", "4")
    assert load_classifier(load_settings(engine="onnxruntime", threads=1)).tta == 4
    assert load_settings(tta=8).tta == 8
    for value in ("3", "many"):
        monkeypatch.setenv("LESIONLENS_TTA", value)
        with pytest.raises(SettingsError, match=f"LESIONLENS_TTA is '?{value}'?; accepted: `1`, `2`, `4` or `8`"):
            load_settings()


def test_the_figures_of_an_evaluation_say_it() -> None:
    single, two = (model_info(Classifier(engine="onnxruntime", threads=1, tta=n)).engine for n in (1, 2))
    assert two == f"{single}, tta 2"
