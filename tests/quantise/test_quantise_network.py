"""Quantising whole bundles: what comes of it, what it says of itself, and when it is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnx", reason="needs the quantise extra")

import onnx
from small_network import SIZE, small_bundle, small_graph
from typer.testing import CliRunner

from lesionlens import Bundle, Classifier
from lesionlens.cli import app
from lesionlens.datasets import ImageSource, read_samples
from lesionlens.errors import QuantisationError
from lesionlens.inference.engines import available_engines
from lesionlens.quantise import quantise
from lesionlens.quantise.card import quantised_card
from lesionlens.quantise.graph import fold
from lesionlens.quantise.pictures import Pictures, draw
from lesionlens.quantise.ranges import measure_ranges, quantised_graph
from lesionlens.quantise.search import candidates, errors_by_part
from synthetic import lesion, write_data_folder


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_data_folder(tmp_path_factory.mktemp("drawn"), 10)


def operators(graph: Path | bytes) -> list[str]:
    model = onnx.load(graph) if isinstance(graph, Path) else onnx.load_from_string(graph)
    return [node.op_type for node in model.graph.node]


def drawn(data: Path, bundle: Bundle) -> Pictures:
    return draw(read_samples(data), bundle.manifest, fold=0, calibration=32, limit=None)


def test_the_graph_is_divided_into_parts_and_its_tail_left_alone(tmp_path: Path) -> None:
    graph = fold(small_bundle(tmp_path).graph_path)
    assert graph.tail[0] == "head"
    assert {"features", "logits", "product", "maps"} <= set(graph.tail)
    assert list(graph.parts) == ["stem", "blocks.0.0", "blocks.0.1"]
    assert "block_pw" in graph.parts["blocks.0.1"]
    assert set(graph.nodes_outside({"stem"})) == {*graph.tail, *graph.parts["blocks.0.0"], *graph.parts["blocks.0.1"]}


def test_the_part_that_int8_cannot_hold_is_found(tmp_path: Path) -> None:
    graph = fold(small_bundle(tmp_path, spread=2.5).graph_path)
    pictures = [np.random.default_rng(i).normal(size=(1, 3, SIZE, SIZE)).astype(np.float32) for i in range(4)]
    ranges = measure_ranges(graph, iter(pictures))
    errors = errors_by_part(graph, ranges, pictures, 1)
    assert next(iter(errors)) == "blocks.0.0"  # whose channels differ in size by five powers of ten
    assert list(errors.values()) == sorted(errors.values(), reverse=True)
    tried = [candidate.float_parts for candidate in candidates(graph, ranges, list(errors))]
    assert tried == [(), ("blocks.0.0",)]  # half of the parts at most


def test_a_quantised_bundle_answers_nearly_alike_and_says_what_it_is(tmp_path: Path, data: Path) -> None:
    source = small_bundle(tmp_path / "float", spread=0.0)
    steps: list[str] = []

    def watch(title: str, total: int) -> object:
        steps.append(title)
        assert total > 0
        return lambda _: None

    made = quantise(
        source,
        tmp_path / "out" / "int8",
        drawn(data, source),
        ImageSource(data),
        name="small-int8",
        threads=1,
        watch=watch,
    )
    assert made.comparison.failures == ()
    assert made.bundle is not None
    assert steps[0] == "Measuring ranges"
    loaded = Bundle.load(tmp_path / "out" / "int8")
    manifest, record = loaded.manifest, loaded.manifest.quantisation
    assert record == made.record
    assert (manifest.name, manifest.version, manifest.results) == ("small-int8", "1-int8", {})
    assert (record.precision, record.source_sha256) == ("int8", source.manifest.graph_sha256)
    assert (record.pictures, record.calibration_pictures, record.accepted) == (16, 32, True)
    assert "not this network's" in loaded.model_card
    assert loaded.model_card.endswith("# the float card")
    assert list((tmp_path / "out").iterdir()) == [tmp_path / "out" / "int8"]  # nothing half-written is left
    kinds = operators(loaded.graph_path)
    assert kinds.count("QuantizeLinear") >= 3
    picture = lesion(0, 3)
    for engine in available_engines():
        before, after = (
            Classifier(bundle, engine=engine, threads=1).analyse([picture])[0] for bundle in (source, loaded)
        )
        change = float(np.abs(before.probabilities - after.probabilities).max())
        assert 0 < change < 0.05  # 0 would mean that nothing was quantised


@pytest.mark.skipif("openvino" not in available_engines(), reason="needs the openvino extra")
def test_a_bundle_for_openvino_leaves_outputs_in_floating_point(tmp_path: Path, data: Path) -> None:
    source = small_bundle(tmp_path / "float", spread=0.0)
    kinds = {}
    for layout in ("onnxruntime", "openvino"):
        made = quantise(
            source, tmp_path / layout, drawn(data, source), ImageSource(data), name="s", layout=layout, threads=1
        )
        assert made.comparison.failures == ()
        assert made.bundle is not None
        assert f"placed for {layout}" in made.record.method
        kinds[layout] = operators(made.bundle.graph_path)
    assert 0 < kinds["openvino"].count("QuantizeLinear") < kinds["onnxruntime"].count("QuantizeLinear")


def test_maps_stay_the_exact_grad_cam_of_the_quantised_network(tmp_path: Path, data: Path) -> None:
    source = small_bundle(tmp_path / "float", spread=0.0)
    made = quantise(source, tmp_path / "int8", drawn(data, source), ImageSource(data), name="s", threads=1)
    assert made.bundle is not None
    [analysis] = Classifier(made.bundle, engine="onnxruntime", threads=1).analyse([lesion(2, 1)])
    weights = onnx.numpy_helper.to_array(
        next(t for t in small_graph(spread=0.0).graph.initializer if t.name == "linear.weight")
    )
    np.testing.assert_allclose(analysis.logits, weights @ analysis.features, rtol=1e-4, atol=1e-5)
    # Of a positive and a negative part the ReLU leaves the first: where a whole map is positive its mean is the logit.
    whole = [c for c in range(8) if (analysis.maps[c] > 0).all()]
    for c in whole:
        assert analysis.maps[c].mean() == pytest.approx(analysis.logits[c], rel=1e-3)
    assert (analysis.maps.mean((1, 2)) >= analysis.logits - 1e-3).all()


def test_quantising_twice_and_cards_of_others_are_refused(tmp_path: Path, data: Path) -> None:
    source = small_bundle(tmp_path / "float", spread=0.0)
    graph = fold(source.graph_path)
    pictures = [np.random.default_rng(0).normal(size=(1, 3, SIZE, SIZE)).astype(np.float32)]
    model = quantised_graph(graph, measure_ranges(graph, pictures), list(graph.tail))
    (tmp_path / "twice.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(QuantisationError, match="quantised already"):
        fold(tmp_path / "twice.onnx")
    with pytest.raises(QuantisationError, match="small is not quantised"):
        quantised_card(source.manifest, "")


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["quantise", *map(str, arguments)])
    return result.exit_code, result.output


def test_the_command_writes_a_bundle_and_prints_the_figures(tmp_path: Path, data: Path) -> None:
    source = small_bundle(tmp_path / "float", spread=0.0)
    code, text = run(source.path, tmp_path / "My int8", "--data", data, "--pictures", 32, "--limit", 12, "--threads", 1)
    assert code == 0, text
    assert "Same most probable diagnosis" in text
    assert "Next: lesionlens calibrate" in text
    assert Bundle.load(tmp_path / "My int8").manifest.name == "my-int8"
    code, text = run(source.path, tmp_path / "My int8", "--data", data)
    assert code == 1
    assert "exists already" in text


def test_the_command_refuses_answers_that_moved_too_far(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = small_bundle(tmp_path / "float", spread=0.0)
    # No network this small is bad enough in eight bits: the bar is raised instead, above what any network reaches.
    monkeypatch.setattr("lesionlens.quantise.compare.MIN_MAP_CORRELATION", 1.01)
    arguments = (source.path, tmp_path / "int8", "--data", data, "--pictures", 8, "--limit", 8, "--threads", 1)
    code, text = run(*arguments)
    assert code == 1
    assert "nothing was written: the heatmaps correlate by" in text
    assert "--force" in text
    assert not (tmp_path / "int8").exists()
    code, text = run(*arguments, "--force")
    assert code == 0, text
    assert "Not good enough" in text
    forced = Bundle.load(tmp_path / "int8")
    assert forced.manifest.quantisation is not None
    assert not forced.manifest.quantisation.accepted
    assert "outside what is accepted" in forced.model_card
