"""The serving install: what is not among the package's own dependencies is not needed to serve."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

# A module that is None in `sys.modules` cannot be imported, and is not found by whoever looks for it first.
_PROGRAM = "import sys; sys.modules.update(dict.fromkeys({missing!r}))\n{work}"
# How the packages of the extras are imported, where that is not the name that they are installed by.
_IMPORTED_AS = {
    "isic-challenge-scoring": "isic_challenge_scoring",
    "scikit-learn": "sklearn",
    "scikit-image": "skimage",
    "pywavelets": "pywt",
    "grad-cam": "pytorch_grad_cam",
    "kubernetes-validate": "kubernetes_validate",
    "promql-parser": "promql_parser",
    "pyyaml": "yaml",
    "pypdfium2": "pypdfium2",
}


@pytest.fixture(scope="module")
def extras(repo_root: Path) -> set[str]:
    """Modules that only the extras install."""
    project = tomllib.loads((repo_root / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    def names(requirements: list[str]) -> set[str]:
        return {re.split(r"[\[<>=~! ;]", r)[0].lower() for r in requirements} - {"lesionlens"}

    optional = set().union(*map(names, project["optional-dependencies"].values()))
    packages = optional - names(project["dependencies"])
    return {_IMPORTED_AS.get(name, name.replace("-", "_")) for name in packages} | {"markupsafe", "torchvision"}


@pytest.mark.parametrize(
    "work",
    [
        "from lesionlens.cli import app; app(['--help'])",
        "from lesionlens.cli import app; app(['serve', '--help'])",
        "from lesionlens.cli import app; app(['models'])",
        "from lesionlens import Classifier; from lesionlens.api import create_app\n"
        "print(create_app(classifier=Classifier()).openapi()['info']['title'])",
    ],
    ids=["--help", "serve", "models", "service"],
)
def test_nothing_of_an_extra_is_needed(extras: set[str], work: str) -> None:
    assert {"torch", "httpx", "matplotlib", "onnx", "openvino"} <= extras
    program = _PROGRAM.format(missing=extras, work=work)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "LesionLens" in done.stdout or "lesionlens" in done.stdout or "lite2" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "extra"),
    [
        (["loadtest"], "loadtest"),
        (["evaluate", "--data", "."], "evaluate"),
        (["train", "x"], "train"),
        (["quantise", "lite2", "x", "--data", "."], "quantise"),
    ],
)
def test_a_command_of_an_extra_says_which(extras: set[str], arguments: list[str], extra: str) -> None:
    program = _PROGRAM.format(missing=extras, work=f"from lesionlens.cli import app; app({arguments!r})")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert f"pip install 'lesionlens[{extra}]'" in " ".join(done.stderr.split())
