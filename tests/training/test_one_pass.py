"""The graph's maps are Grad-CAM: they agree with autograd, with the `grad-cam` package, and between engines."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the train extra")

from lesionlens.errors import ExportError  # noqa: E402
from lesionlens.inference.engines import available_engines, create_engine  # noqa: E402
from lesionlens.training.export import export_graph  # noqa: E402
from lesionlens.training.model import create_model  # noqa: E402
from lesionlens.training.one_pass import OnePass, find_tail  # noqa: E402

pytestmark = pytest.mark.train

NETWORKS = [
    ("test_efficientnet", 64),
    ("tf_efficientnet_lite2", 96),  # ReLU6
    ("efficientnet_b0", 96),  # SiLU, squeeze-excite
    ("efficientnet_b5", 96),
    ("legacy_xception", 96),  # norm and activation apart, separable last convolution
]


def network(architecture: str, seed: int = 0) -> torch.nn.Module:
    """A network with random weights whose norms have seen some data, so that no activation is dead or trivial."""
    torch.manual_seed(seed)
    model = create_model(architecture)
    generator = torch.Generator().manual_seed(seed)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.weight.data.uniform_(0.6, 1.4, generator=generator)
            module.bias.data.normal_(0.1, 0.3, generator=generator)
            module.momentum = 0.5
    model.train()
    size = dict(NETWORKS).get(architecture, 160)
    with torch.no_grad():
        for _ in range(4):
            model(torch.randn(4, 3, size, size, generator=generator))
    return model.eval()


def autograd_maps(model: torch.nn.Module, conv: str, x: torch.Tensor) -> torch.Tensor:
    """Grad-CAM by definition: forward, then a backward pass for each class."""
    kept: dict[str, torch.Tensor] = {}
    hook = model.get_submodule(conv).register_forward_hook(lambda m, i, o: kept.update(a=o))
    logits = model(x)
    hook.remove()
    maps = []
    for index in range(logits.shape[1]):
        (gradient,) = torch.autograd.grad(logits[:, index].sum(), kept["a"], retain_graph=True)
        alpha = gradient.mean((2, 3), keepdim=True)
        maps.append(torch.relu((alpha * kept["a"]).sum(1)))
    return torch.stack(maps, 1).detach()


def relative_error(ours: torch.Tensor, reference: torch.Tensor) -> float:
    return float((ours - reference).norm() / reference.norm())


@pytest.mark.parametrize(("architecture", "size"), NETWORKS)
def test_maps_of_every_class_equal_autograds(architecture: str, size: int) -> None:
    model = network(architecture)
    x = torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(1))
    one_pass = OnePass(model, size)
    with torch.no_grad():
        logits, maps, features = one_pass(x)
    reference = autograd_maps(model, one_pass.last_conv, x)
    assert reference.abs().sum((2, 3)).gt(0).any(), "a test on empty maps would show nothing"
    for index in range(8):
        if reference[:, index].norm() > 0:
            assert relative_error(maps[:, index], reference[:, index]) <= 1e-4
    torch.testing.assert_close(logits, model(x).detach(), rtol=1e-4, atol=1e-4)
    assert features.shape == (2, one_pass.linear.in_features)


@pytest.mark.parametrize(("architecture", "size"), NETWORKS[:3])
def test_maps_equal_those_of_the_grad_cam_package(architecture: str, size: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pytorch_grad_cam import GradCAM
        from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
    model = network(architecture)
    x = torch.randn(1, 3, size, size, generator=torch.Generator().manual_seed(2))
    one_pass = OnePass(model, size)
    with torch.no_grad():
        _, maps, _ = one_pass(x)
    with GradCAM(model, [model.get_submodule(one_pass.last_conv)]) as cam:
        for index in range(8):
            theirs = cam(x, [ClassifierOutputTarget(index)])[0]  # min–max scaled and enlarged to the input's size
            if theirs.max() == 0:
                continue
            import cv2

            ours = scaled(cv2.resize(scaled(maps[0, index].numpy()), (size, size)))
            assert np.abs(ours - theirs).max() <= 1e-3


def scaled(values: np.ndarray) -> np.ndarray:
    """Min–max scaled as the package does it, once before enlarging and once after."""
    return (values - values.min()) / (1e-7 + values.max() - values.min())


def test_a_chosen_class_changes_the_map() -> None:
    model = network("test_efficientnet")
    with torch.no_grad():
        _, maps, _ = OnePass(model, 64)(torch.randn(1, 3, 64, 64))
    assert len({maps[0, c].numpy().tobytes() for c in range(8)}) > 1


@pytest.mark.parametrize("architecture", ["tf_efficientnet_lite2", "legacy_xception"])
@pytest.mark.parametrize("half", [True, False])
def test_every_engine_gives_what_torch_gives(tmp_path: Path, architecture: str, half: bool) -> None:
    model = network(architecture)
    path = tmp_path / "model.onnx"
    path.write_bytes(export_graph(model, 96, half=half))
    x = torch.randn(3, 3, 96, 96, generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        expected = torch.softmax(model(x), 1).numpy()
        expected_maps = OnePass(model, 96)(x)[1].numpy()
    for name in available_engines():
        outputs = create_engine(path, name, threads=1).run(x.numpy())
        got = torch.softmax(torch.from_numpy(outputs.logits), 1).numpy()
        assert np.abs(got - expected).max() <= (5e-3 if half else 1e-4), name
        correlation = np.corrcoef(outputs.maps.ravel(), expected_maps.ravel())[0, 1]
        assert correlation > 0.999, name
        single = create_engine(path, name, threads=1).run(x.numpy()[:1])
        np.testing.assert_allclose(single.logits, outputs.logits[:1], atol=1e-4)


def test_half_precision_weights_halve_the_file() -> None:
    model = network("tf_efficientnet_lite2")
    assert len(export_graph(model, 96)) < 0.55 * len(export_graph(model, 96, half=False))


def test_the_graph_says_nothing_of_the_machine_it_was_made_on() -> None:
    graph = export_graph(network("test_efficientnet"), 64)
    for word in (b"site-packages", b"lesionlens/", b"/home", b"/root", b".py"):
        assert word not in graph


@pytest.mark.parametrize("architecture", ["test_vit", "test_convnext", "test_resnet"])
def test_networks_without_the_closed_form_get_a_clear_error(architecture: str) -> None:
    with pytest.raises(ExportError, match="convolution → batch norm → activation"):
        OnePass(network(architecture), 160)


def test_the_tail_of_efficientnet_is_conv_head() -> None:
    tail = find_tail(create_model("efficientnet_b0").eval(), 64)
    assert (tail.conv, tail.norm, tail.linear) == ("conv_head", "bn2", "classifier")
