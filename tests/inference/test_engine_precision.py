"""Which arithmetic an engine computes in, that it says so, and that it refuses what it cannot do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lesionlens import Classifier
from lesionlens.errors import EngineError
from lesionlens.imaging import Limits
from lesionlens.inference.embedded import find_bundle
from lesionlens.inference.engines import available_engines, create_engine
from lesionlens.inference.engines.base import EngineInfo
from lesionlens.inference.engines.precision import PRECISIONS, resolve_precision
from lesionlens.prepare import prepare

needs_openvino = pytest.mark.skipif("openvino" not in available_engines(), reason="needs the openvino extra")


def has_bf16() -> bool:
    from lesionlens.inference.engines.openvino import has_bf16

    return has_bf16()


def require_bf16() -> None:
    if not has_bf16():
        pytest.skip("this CPU has no bf16")


@pytest.mark.parametrize(("choice", "meant"), [("auto", "fp32"), ("fp32", "fp32"), ("bf16", "bf16")])
def test_auto_means_the_same_on_every_machine(choice: str, meant: str) -> None:
    assert choice in PRECISIONS
    assert resolve_precision(choice) == meant


def test_an_unknown_precision_is_told() -> None:
    with pytest.raises(EngineError, match="unknown precision 'fp8'; accepted: auto, fp32, bf16"):
        create_engine(find_bundle().graph_path, precision="fp8")


def test_onnxruntime_refuses_bf16_and_says_what_has_it() -> None:
    with pytest.raises(EngineError, match=r"fp32, not in bf16; take the engine openvino .*lesionlens\[openvino\]"):
        create_engine(find_bundle().graph_path, "onnxruntime", precision="bf16")


def test_bf16_without_openvino_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object() if name == "onnxruntime" else None)
    with pytest.raises(EngineError, match=r"'openvino' is not installed; .*pip install 'lesionlens\[openvino\]'"):
        create_engine(find_bundle().graph_path, precision="bf16")


@needs_openvino
def test_a_cpu_without_bf16_is_refused_rather_than_answered_in_fp32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lesionlens.inference.engines.openvino.has_bf16", lambda: False)
    with pytest.raises(EngineError, match="neither AVX-512 BF16 nor AMX"):
        create_engine(find_bundle().graph_path, precision="bf16")


@needs_openvino
def test_bf16_is_near_fp32_and_says_what_it_is(real_sample: dict[str, bytes]) -> None:
    require_bf16()
    exact, quick = Classifier(threads=1), Classifier(threads=1, precision="bf16")
    spec = exact.manifest.preprocessing
    pictures = [prepare(data, spec, limits=Limits()) for data in real_sample.values()]
    batch, sizes = np.stack([p.tensor for p in pictures]), [p.decoded_size for p in pictures]
    differences = []
    for before, after in zip(exact.analyse_tensors(batch, sizes), quick.analyse_tensors(batch, sizes), strict=True):
        differences.append(np.abs(before.probabilities - after.probabilities).max())
        heat = [a.maps[before.top].ravel() for a in (before, after)]
        assert np.corrcoef(*heat)[0, 1] > 0.9
    # Not the same: else it was not computed in bf16, and the speed would be a deception.
    assert 1e-4 < float(np.mean(differences)) < 0.06
    assert quick.engine_info.precision == "bf16"
    assert quick.description["engine"] == "openvino, bf16"
    assert exact.description["engine"] == exact.engine_info.name


@needs_openvino
def test_an_engine_in_fp32_computes_in_fp32_where_the_cpu_has_bf16() -> None:
    require_bf16()
    from lesionlens.inference.engines.openvino import OpenVinoEngine

    engine = OpenVinoEngine(find_bundle().graph_path, 1)
    assert "float32" in str(engine._model.get_property("INFERENCE_PRECISION_HINT"))
    assert engine.info.label == "openvino"


@pytest.mark.parametrize(("precision", "label"), [("fp32", "openvino"), ("bf16", "openvino, bf16")])
def test_the_label_names_what_changes_answers(precision: str, label: str) -> None:
    assert EngineInfo("openvino", "1", "cpu", precision, 4).label == label


@pytest.fixture
def blank() -> np.ndarray:
    size = find_bundle().manifest.preprocessing.size
    return np.random.default_rng(1).normal(size=(1, 3, size, size)).astype(np.float32)


@needs_openvino
def test_what_was_compiled_is_kept_and_gives_the_same_answers(tmp_path: Path, blank: np.ndarray) -> None:
    from lesionlens.inference.engines.openvino import OpenVinoEngine

    folder, graph = tmp_path / "a" / "b", find_bundle().graph_path
    first = OpenVinoEngine(graph, 1, cache_dir=folder)
    second = OpenVinoEngine(graph, 1, cache_dir=folder)
    assert not first._model.get_property("LOADED_FROM_CACHE")
    assert second._model.get_property("LOADED_FROM_CACHE")
    np.testing.assert_array_equal(second.run(blank).logits, first.run(blank).logits)


def _half(folder: Path) -> None:
    [kept] = folder.glob("*.blob")
    kept.chmod(0o600)
    kept.write_bytes(kept.read_bytes()[: kept.stat().st_size // 2])


def _in_the_way(folder: Path) -> None:
    for kept in folder.glob("*"):
        kept.unlink()
    folder.rmdir()
    folder.write_text("a file")


@needs_openvino
@pytest.mark.parametrize("spoil", [_half, _in_the_way])
def test_a_spoiled_cache_does_no_harm(spoil: Callable[[Path], None], tmp_path: Path, blank: np.ndarray) -> None:
    graph, folder = find_bundle().graph_path, tmp_path / "openvino"
    expected = create_engine(graph, "openvino", 1, cache_dir=tmp_path).run(blank)
    spoil(folder)
    found = create_engine(graph, "openvino", 1, cache_dir=tmp_path).run(blank)
    np.testing.assert_array_equal(found.logits, expected.logits)
