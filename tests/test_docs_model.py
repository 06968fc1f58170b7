"""docs/model.md tells the truth: its code runs, and the commands, options and settings that it names exist."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.main import get_command

from lesionlens.cli import app
from lesionlens.conversion.template import TEMPLATE_PATH
from lesionlens.inference.embedded import find_bundle
from lesionlens.inference.lineage import trained_folds
from lesionlens.training.config import TrainConfig

DOC = Path(__file__).parents[1] / "docs" / "model.md"
TEXT = DOC.read_text(encoding="utf-8")


def commands() -> Iterator[str]:
    """Yield every command of the page, in blocks and in running text."""
    for block in re.findall(r"^```(?:sh|bash)\n(.*?)^```$", TEXT, flags=re.MULTILINE | re.DOTALL):
        yield from (line.split(" #")[0].strip() for line in block.splitlines() if line.strip())
    without_blocks = re.sub(r"^```.*?^```$", "", TEXT, flags=re.MULTILINE | re.DOTALL)
    yield from (
        code for code in re.findall(r"`([^`]+)`", without_blocks) if re.match(r"(lesionlens|torchrun) \S", code)
    )


@pytest.mark.parametrize("command", list(dict.fromkeys(commands())))
def test_a_command_and_its_options_exist(command: str) -> None:
    words = shlex.split(command)
    words = words[words.index("lesionlens") + 1 :]
    found = get_command(app)
    while words and words[0] in getattr(found, "commands", {}):
        found = found.commands[words.pop(0)]  # type: ignore[attr-defined]
    assert not hasattr(found, "commands"), f"{words[0]} is no command"
    known = {name for parameter in found.params for name in parameter.opts}
    assert {word for word in words if word.startswith("-")} <= known
    settings = [words[i + 1] for i, word in enumerate(words) if word == "--set"]
    assert {setting.partition("=")[0] for setting in settings} <= set(TrainConfig.model_fields)


def test_single_options_and_settings_exist() -> None:
    trained = {name for parameter in get_command(app).commands["train"].params for name in parameter.opts}  # type: ignore[attr-defined]
    for option in re.findall(r"`(--(?!tta|fit|model|card)[a-z-]+)[ `]", TEXT):
        assert option in trained, option
    for assignment in re.findall(r"--set '?([a-z_]+)=([^ '`]*)", TEXT):
        assert assignment[0] in TrainConfig.model_fields, assignment


def test_the_settings_of_the_shipped_model_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for block in re.findall(r"^```python\n(.*?)^```$", TEXT, flags=re.MULTILINE | re.DOTALL):
        exec(compile(block, str(DOC), "exec"), {})
    said = capsys.readouterr().out
    assert "lite2-1.json: from tf_efficientnet_lite2.imagenet.safetensors; export --balance 0.0" in said
    assert "lite2-2.json: from bundle lite2 1.0.0" in said
    assert "lite2-3.json: from bundle lite2 1.1.0" in said
    assert "average of 0.2 × bundle lite2 1.0.0" in said
    manifest = find_bundle("lite2").manifest
    for name in ("lite2-1.json", "lite2-2.json", "lite2-3.json"):
        config = TrainConfig(data=tmp_path, **json.loads((tmp_path / name).read_text(encoding="utf-8")))
        assert config.architecture == manifest.architecture
        assert config.train_folds == trained_folds(manifest)


def test_what_it_says_of_the_template_is_so() -> None:
    assert f"{TEMPLATE_PATH.stat().st_size / 1000:.0f} KB" in TEXT


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)", TEXT):
        assert (DOC.parent / target).exists(), target
    headings = {
        re.sub(r"[^\w\s-]", "", h).strip().lower().replace(" ", "-") for h in re.findall(r"^## (.+)$", TEXT, re.M)
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", TEXT)) <= headings
