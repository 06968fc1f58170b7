"""Engines agree, are chosen among those installed, and say what is wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from lesionlens.errors import EngineError
from lesionlens.inference.embedded import find_bundle
from lesionlens.inference.engines import Outputs, available_engines, create_engine
from lesionlens.inference.engines.onnxruntime import _options, choose_providers
from lesionlens.inference.threads import usable_cpus
from lesionlens.uncertainty import softmax


@pytest.fixture(scope="module")
def batch() -> np.ndarray:
    size = find_bundle().manifest.preprocessing.size
    return np.random.default_rng(0).normal(size=(3, 3, size, size)).astype(np.float32)


def run(name: str, batch: np.ndarray) -> Outputs:
    return create_engine(find_bundle().graph_path, name, threads=1).run(batch)


def test_all_installed_engines_agree(batch: np.ndarray) -> None:
    names = available_engines()
    if len(names) < 2:
        pytest.skip(f"only {', '.join(names)} is installed")
    results = [run(name, batch) for name in names]
    for other in results[1:]:
        assert np.abs(softmax(other.logits) - softmax(results[0].logits)).max() <= 1e-3
        np.testing.assert_allclose(other.features, results[0].features, atol=1e-3)
        np.testing.assert_allclose(other.maps, results[0].maps, atol=1e-3 * results[0].maps.max())


@pytest.mark.parametrize("name", available_engines())
def test_an_engine_gives_the_three_outputs_and_does_not_mind_the_batch(name: str, batch: np.ndarray) -> None:
    together = run(name, batch)
    assert together.logits.shape == (3, 8)
    assert together.maps.shape[:2] == (3, 8)
    assert together.features.ndim == 2
    assert all(output.dtype == np.float32 for output in together)
    assert (together.maps >= 0).all()
    alone = run(name, batch[1:2])
    np.testing.assert_allclose(alone.logits[0], together.logits[1], atol=1e-4)


@pytest.mark.parametrize(
    ("available", "chosen"),
    [
        (["CPUExecutionProvider"], ["CPUExecutionProvider"]),
        (["AzureExecutionProvider", "CPUExecutionProvider"], ["CPUExecutionProvider"]),
        (
            ["TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"],
            [("CUDAExecutionProvider", {"use_tf32": "0"}), "CPUExecutionProvider"],
        ),
    ],
)
def test_a_card_is_used_where_the_build_can_and_in_fp32(available: list[str], chosen: list[object]) -> None:
    assert choose_providers(available) == chosen
    assert set(onnxruntime.get_all_providers()) >= {"CUDAExecutionProvider", "CPUExecutionProvider"}


@pytest.mark.parametrize(("quota", "threads", "spins"), [(None, 1, True), (1.5, 1, False), (None, 10_000, False)])
def test_threads_spin_only_where_cpus_are_their_own(
    monkeypatch: pytest.MonkeyPatch, quota: float | None, threads: int, spins: bool
) -> None:
    monkeypatch.setattr("lesionlens.inference.engines.onnxruntime.cpu_quota", lambda: quota)
    options = _options(threads)
    assert options.get_session_config_entry("session.force_spinning_stop") == "1"
    if spins:
        with pytest.raises(RuntimeError, match="allow_spinning"):  # ONNX Runtime's default: it spins
            options.get_session_config_entry("session.intra_op.allow_spinning")
    else:
        assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"


def test_auto_takes_an_installed_engine() -> None:
    engine = create_engine(find_bundle().graph_path)
    assert engine.info.name == available_engines()[0]
    assert engine.info.threads == usable_cpus()


def test_wrong_names_and_graphs_are_told(tmp_path: Path, batch: np.ndarray) -> None:
    with pytest.raises(EngineError, match="accepted: auto, onnxruntime, openvino"):
        create_engine(find_bundle().graph_path, "tensorrt")
    (tmp_path / "model.onnx").write_bytes(b"no graph")
    for name in available_engines():
        with pytest.raises(EngineError, match=r"cannot load model\.onnx"):
            create_engine(tmp_path / "model.onnx", name)
        with pytest.raises(EngineError, match="failed on a batch of shape"):
            run(name, batch[:, :2])


def test_an_engine_that_is_not_installed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(EngineError, match="'openvino' is not installed; installed: none"):
        create_engine(find_bundle().graph_path, "openvino")
    with pytest.raises(EngineError, match="no inference engine is installed"):
        create_engine(find_bundle().graph_path)
