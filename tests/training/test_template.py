"""The graph that ships without weights, and what is made of it, against the route over PyTorch."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

torch = pytest.importorskip("torch", reason="needs the train extra")

from lesionlens.conversion import convert_weights  # noqa: E402
from lesionlens.conversion.template import ARCHITECTURE, INPUT_SIZE, TEMPLATE_PATH, shapes  # noqa: E402
from lesionlens.inference.bundle import Bundle  # noqa: E402
from lesionlens.training.export import export_graph  # noqa: E402
from lesionlens.training.model import create_model  # noqa: E402
from lesionlens.training.one_pass import OnePass  # noqa: E402
from lesionlens.training.template import without_weights  # noqa: E402

pytestmark = pytest.mark.train

OUTPUTS = ("logits", "maps", "features")


@pytest.fixture(scope="module")
def network() -> Any:
    """A B5 whose batch norms have seen something, as after training."""
    torch.manual_seed(0)
    model = create_model(ARCHITECTURE)
    model.train()
    with torch.no_grad():
        for _ in range(3):
            model(torch.randn(4, 3, 64, 64))
    return model.eval()


@pytest.fixture(scope="module")
def exported(network: Any) -> bytes:
    """The graph that the route over PyTorch makes."""
    return export_graph(network, INPUT_SIZE, half=False)


@pytest.fixture(scope="module")
def bundle(network: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bundle]:
    """The bundle that is made without PyTorch."""
    folder = tmp_path_factory.mktemp("b5")
    torch.save(network.state_dict(), folder / "model.pth")
    made = convert_weights(folder / "model.pth", folder / "bundle")
    (folder / "model.pth").unlink()
    yield made
    made.graph_path.unlink()


def test_the_shapes_are_those_of_the_state_dict(network: Any) -> None:
    assert dict(shapes()) == {key: tuple(tensor.shape) for key, tensor in network.state_dict().items()}


def test_the_shipped_graph_is_what_the_exporter_makes(exported: bytes) -> None:
    shipped = gzip.decompress(TEMPLATE_PATH.read_bytes())
    same = without_weights(exported) == shipped  # apart, for pytest would look for differences for minutes
    assert same, "make it anew: python -m lesionlens.training.template"
    assert TEMPLATE_PATH.stat().st_size < 100_000


def test_both_routes_make_the_same_graph(exported: bytes, bundle: Bundle) -> None:
    same = bundle.graph_path.read_bytes() == exported
    assert same, "the graphs differ, if only in rounding"


def test_the_bundle_answers_as_the_network_does(network: Any, bundle: Bundle) -> None:
    batch = np.random.default_rng(1).standard_normal((2, 3, INPUT_SIZE, INPUT_SIZE), dtype=np.float32)
    one_pass = OnePass(network, INPUT_SIZE)
    with torch.inference_mode():
        expected = [output.numpy() for output in one_pass(torch.from_numpy(batch))]
        assert np.allclose(expected[0], network(torch.from_numpy(batch)).numpy(), atol=1e-4)
    session = onnxruntime.InferenceSession(bundle.graph_path, providers=["CPUExecutionProvider"])
    for name, found, reference in zip(OUTPUTS, session.run(OUTPUTS, {"image": batch}), expected, strict=True):
        scale = float(np.abs(reference).max())
        assert scale > 1e-3, name
        np.testing.assert_allclose(found / scale, reference / scale, atol=1e-4, err_msg=name)


def test_files_of_pytorch_itself_are_read_alike(network: Any, tmp_path: Path) -> None:
    from safetensors.torch import save_file

    from weights_writer import read_back

    state = network.state_dict()
    some = {key: state[key] for key in ("conv_stem.weight", "bn1.num_batches_tracked", "classifier.bias")}
    stem = some["conv_stem.weight"]
    kinds = {
        "bfloat16": stem.bfloat16(),
        "half": stem.half(),
        "double": stem.double(),
        "transposed": stem.transpose(0, 1),
        "part": stem[3:5, 1],
        "parameter": torch.nn.Parameter(stem),
        "empty": torch.zeros(0, 3),
        "one": torch.tensor(2.5),
    }
    torch.save({"epoch": 3, "state_dict": {f"module.{k}": v for k, v in {**some, **kinds}.items()}}, tmp_path / "a.pth")
    save_file({key: tensor.detach().contiguous() for key, tensor in kinds.items()}, tmp_path / "a.safetensors")
    for path, tensors in ((tmp_path / "a.pth", {**some, **kinds}), (tmp_path / "a.safetensors", kinds)):
        found = read_back(path)
        assert set(found) == set(tensors)
        for key, tensor in tensors.items():
            np.testing.assert_array_equal(found[key], tensor.detach().float().numpy(), err_msg=f"{path.name}: {key}")
