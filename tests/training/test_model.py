"""Networks by name: Xception pools as its published weights expect, and the leading stages can be frozen."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs the train extra")

from lesionlens.errors import DataError  # noqa: E402
from lesionlens.training.model import create_model, freeze_stages, load_start  # noqa: E402

pytestmark = pytest.mark.train


@pytest.fixture(scope="module")
def xception() -> torch.nn.Module:
    return create_model("legacy_xception").eval()


@pytest.mark.parametrize("side", [6, 7])
def test_xceptions_pools_pad_right_and_bottom_first(xception: torch.nn.Module, side: int) -> None:
    pools = [xception.get_submodule(name) for name in ("block1.rep", "block2.rep", "block3.rep", "block12.rep")]
    values = torch.arange(side * side, dtype=torch.float32).reshape(1, 1, side, side) - 100.0
    # Windows begin at 0, 2, 4 where the side is even, and one earlier where it is odd; all values are negative, so that
    # padding with zeros would show.
    starts = range(0, side, 2) if side % 2 == 0 else range(-1, side, 2)
    expected = [
        [float(values[0, 0, max(y, 0) : y + 3, max(x, 0) : x + 3].max()) for x in starts if x + 2 < side + 1]
        for y in starts
        if y + 2 < side + 1
    ]
    for block in pools:
        assert block[-1](values)[0, 0].tolist() == expected


def test_a_frozen_xception_trains_from_the_second_block_on() -> None:
    model = create_model("legacy_xception")
    frozen = freeze_stages(model, 2)
    assert sum(1 for module in frozen for _ in module.parameters()) > 0
    still = {name.split(".")[0] for name, weight in model.named_parameters() if not weight.requires_grad}
    assert still == {"conv1", "bn1", "conv2", "bn2", "block1"}


def test_a_frozen_efficientnet_trains_from_its_later_stages_on() -> None:
    model = create_model("test_efficientnet")
    freeze_stages(model, 2)
    still = {".".join(name.split(".")[:2]) for name, weight in model.named_parameters() if not weight.requires_grad}
    assert still == {"conv_stem.weight", "bn1.weight", "bn1.bias", "blocks.0"}


def test_more_stages_than_there_are_is_an_error_that_says_how_many() -> None:
    with pytest.raises(DataError, match="freeze is 5, but this network has 4 leading stages"):
        freeze_stages(create_model("legacy_xception"), 5)
    with pytest.raises(DataError, match="EfficientNet family and Xception only"):
        freeze_stages(create_model("test_resnet"), 1)


def test_xception_starts_from_the_published_weights(repo_root: Path) -> None:
    file = repo_root.parent / "shared" / "weights" / "legacy_xception.imagenet.safetensors"
    if not file.is_file():
        pytest.skip("needs ../shared/weights")
    model = create_model("legacy_xception")
    load_start(model, file)
    assert not model.fc.weight.any()  # the eight diagnoses are learnt from nothing
    assert float(model.conv1.weight.detach().std()) > 0.05
