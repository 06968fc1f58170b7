"""Weights of others: what becomes a bundle, what is refused and why, and that nothing in a file is ever run."""

from __future__ import annotations

import io
import os
import pickle
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch", reason="needs the train extra")

from safetensors.torch import save_file  # noqa: E402

from lesionlens import CODES, Bundle, Classifier  # noqa: E402
from lesionlens.errors import ConversionError  # noqa: E402
from lesionlens.imaging import preprocess  # noqa: E402
from lesionlens.training.convert import convert_weights  # noqa: E402
from lesionlens.training.efficientnet import INPUT_SIZES, recognise  # noqa: E402
from lesionlens.training.model import create_model  # noqa: E402
from lesionlens.training.restricted import load_weights  # noqa: E402

pytestmark = pytest.mark.train

Weights = dict[str, Any]
SIZE = 64  # of the input in pixels: the conversion is the same at every size, and a small one is quick


@pytest.fixture(scope="module")
def network() -> Any:
    """An EfficientNet-B0 whose batch norms have seen something, as after training."""
    torch.manual_seed(0)
    model = create_model("efficientnet_b0")
    model.train()
    with torch.no_grad():
        for _ in range(3):
            model(torch.randn(4, 3, SIZE, SIZE))
    return model.eval()


@pytest.fixture(scope="module")
def weights(network: Any) -> Weights:
    return dict(network.state_dict())


@pytest.fixture
def save(tmp_path: Path) -> Callable[..., Path]:
    def write(content: object, name: str = "model.pth", **options: object) -> Path:
        torch.save(content, tmp_path / name, **options)
        return tmp_path / name

    return write


@pytest.fixture(scope="module")
def converted(weights: Weights, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder = tmp_path_factory.mktemp("converted")
    torch.save(weights, folder / "model.pth")
    return convert_weights(folder / "model.pth", folder / "My Bundle", input_size=SIZE)


def test_the_bundle_answers_as_the_network_did(converted: Bundle, network: Any, real_sample: dict[str, bytes]) -> None:
    classifier = Classifier(Bundle.load(converted.path), engine="onnxruntime")
    images = [Image.open(io.BytesIO(data)).convert("RGB") for data in real_sample.values()]
    batch = np.stack([preprocess(image, converted.manifest.preprocessing) for image in images])
    with torch.inference_mode():
        expected = network(torch.from_numpy(batch)).numpy()
    found = np.stack([analysis.logits for analysis in classifier.analyse(images)])
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert np.ptp(expected) > 1e-2


def test_the_manifest_says_how_it_is_served(converted: Bundle) -> None:
    manifest = converted.manifest
    assert (manifest.name, manifest.architecture, manifest.classes) == ("my-bundle", "efficientnet_b0", CODES)
    assert manifest.version.startswith("sha256-")
    assert (manifest.temperature, manifest.confidence_threshold) == (1.0, 0.5)
    assert manifest.training is None
    assert manifest.results == {}
    spec = manifest.preprocessing
    assert (spec.size, spec.fit, spec.interpolation) == (SIZE, "squash", "bilinear")
    assert (spec.mean, spec.std) == ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def test_the_card_claims_nothing(converted: Bundle) -> None:
    assert "research tool, not a medical device" in converted.model_card
    assert "has measured nothing" in converted.model_card


def test_nothing_but_the_bundle_is_left(converted: Bundle) -> None:
    assert sorted(p.name for p in converted.path.parent.iterdir()) == ["My Bundle", "model.pth"]
    assert sorted(p.name for p in converted.path.iterdir()) == ["MODEL_CARD.md", "manifest.json", "model.onnx"]


def test_the_same_weights_give_the_same_bundle_with_the_other_fit(
    converted: Bundle, save: Callable[..., Path], weights: Weights, tmp_path: Path
) -> None:
    wrapped = {"epoch": 3, "state_dict": {f"module.{key}": value for key, value in weights.items()}}
    path, output = save(wrapped), tmp_path / "out"
    shutil.copytree(converted.path, output)
    with pytest.raises(ConversionError, match="out exists already; name another folder or allow overwriting a bundle"):
        convert_weights(path, output)
    bundle = convert_weights(
        path, output, name="mine", architecture="efficientnet_b0", fit="center_crop", input_size=SIZE, overwrite=True
    )
    assert Bundle.load(output) == bundle
    assert sorted(p.name for p in tmp_path.iterdir()) == ["model.pth", "out"]
    assert bundle.manifest.graph_sha256 == converted.manifest.graph_sha256
    assert (bundle.manifest.name, bundle.manifest.preprocessing.fit) == ("mine", "center_crop")


def test_every_way_to_keep_tensors_is_read(save: Callable[..., Path], weights: Weights, tmp_path: Path) -> None:
    save_file({key: value.contiguous() for key, value in weights.items()}, tmp_path / "model.safetensors")
    prefixed = {f"module._orig_mod.{key}": value for key, value in weights.items()}
    halves = {key: value.half() if value.is_floating_point() else value for key, value in weights.items()}
    paths = {
        "zip": save(weights, "zip.pth"),
        "legacy": save(weights, "legacy.pth", _use_new_zipfile_serialization=False),
        "safetensors": tmp_path / "model.safetensors",
        "prefixes": save(prefixed, "prefixed.pt"),
        "wrapper": save({"optimizer": {"lr": 0.1}, "model": {"state_dict": weights}}, "wrapper.pth"),
    }
    for way, path in paths.items():
        loaded = load_weights(path)
        assert list(loaded) == list(weights) if way != "safetensors" else set(loaded) == set(weights), way
        assert all(torch.equal(loaded[key], value) for key, value in weights.items()), way
    loaded = load_weights(save(halves, "half.pth"))
    assert all(tensor.dtype != torch.float16 for tensor in loaded.values())


@pytest.mark.parametrize("name", INPUT_SIZES)
def test_each_network_of_the_family_is_recognised(name: str) -> None:
    with torch.device("meta"):
        assert recognise(create_model(name).state_dict()) == name


def test_weights_without_batch_counters_are_complete(weights: Weights) -> None:
    assert recognise({k: v for k, v in weights.items() if not k.endswith("num_batches_tracked")}) == "efficientnet_b0"


class _Evil:
    """What an attacker puts into a pickle."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.write_text, (self.path, "owned"))


class _Worse(_Evil):
    def __reduce__(self) -> tuple[Any, ...]:
        return (os.system, (f"touch {self.path}",))


@pytest.mark.parametrize("evil", [_Evil, _Worse])
@pytest.mark.parametrize("way", ["zip", "legacy", "bare", "inside"])
def test_code_in_a_file_is_never_run(
    save: Callable[..., Path], tmp_path: Path, weights: Weights, evil: type[_Evil], way: str
) -> None:
    trace = tmp_path / "owned"
    if way == "bare":
        path = tmp_path / "model.pth"
        path.write_bytes(pickle.dumps(evil(trace)))
    else:
        content = {**weights, "extra": evil(trace)} if way == "inside" else evil(trace)
        path = save(content, _use_new_zipfile_serialization=way != "legacy")
    with pytest.raises(
        ConversionError, match=r"only tensors are read|holds more than tensors|damaged, cut off"
    ) as error:
        convert_weights(path, tmp_path / "out")
    assert "weights_only=False" not in str(error.value)
    assert not trace.exists()
    assert not (tmp_path / "out").exists()


def test_a_whole_pickled_network_is_refused_with_advice(save: Callable[..., Path], network: Any) -> None:
    with pytest.raises(ConversionError, match=r"holds more than tensors \(timm\..*save model\.state_dict\(\) alone"):
        load_weights(save(network))


@pytest.mark.parametrize("keep", [0, 1, 100, 5000, 0.5, 0.999])
@pytest.mark.parametrize("way", ["zip", "legacy"])
def test_a_file_that_is_cut_off_says_so(save: Callable[..., Path], weights: Weights, keep: float, way: str) -> None:
    path = save(weights, _use_new_zipfile_serialization=way == "zip")
    data = path.read_bytes()
    path.write_bytes(data[: int(keep * len(data)) if isinstance(keep, float) else keep])
    with pytest.raises(ConversionError, match=r"model\.pth (is damaged, cut off|was not opened)"):
        load_weights(path)


def test_a_cut_off_safetensors_file_says_so(weights: Weights, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_file({"a": weights["conv_stem.weight"]}, path)
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(ConversionError, match="is not a whole safetensors file"):
        load_weights(path)


def test_other_files_are_told_apart(tmp_path: Path) -> None:
    page = tmp_path / "page.pth"
    page.write_text("<!doctype html><html>Sign in</html>")
    with pytest.raises(ConversionError, match=r"page\.pth"):
        load_weights(page)
    with zipfile.ZipFile(tmp_path / "photos.pth", "w") as archive:
        archive.writestr("photo.jpg", b"x")
    with pytest.raises(ConversionError, match=r"photos\.pth is damaged, cut off or no PyTorch file"):
        load_weights(tmp_path / "photos.pth")
    with pytest.raises(ConversionError, match="no weights file"):
        load_weights(tmp_path / "gone.pth")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([1, 2], "holds a list, not a state_dict"),
        ({}, "an empty dictionary"),
        ({"state_dict": {}}, "an empty dictionary"),
        ({"epoch": 3, "loss": 0.1}, "a dictionary whose epoch, loss are no tensors"),
    ],
)
def test_content_that_is_no_state_dict_is_named(save: Callable[..., Path], content: object, message: str) -> None:
    with pytest.raises(ConversionError, match=message):
        load_weights(save(content))


def test_wrappers_without_end_are_refused(save: Callable[..., Path], weights: Weights) -> None:
    itself: dict[str, object] = {}
    itself["state_dict"] = itself
    with pytest.raises(ConversionError, match="wraps its weights in more than 3 dictionaries"):
        load_weights(save(itself))
    with pytest.raises(ConversionError, match="more than 3 dictionaries"):
        load_weights(save({"model": {"net": {"weights": {"state_dict": weights}}}}))
    assert set(load_weights(save({"model": {"net": {"weights": weights}}}))) == set(weights)
    assert set(load_weights(save({f"{'module.' * 2000}a": torch.ones(2)}))) == {"a"}


def test_tensors_that_cannot_be_weights_are_named(save: Callable[..., Path], weights: Weights) -> None:
    broken = {**weights, "conv_stem.weight": torch.full_like(weights["conv_stem.weight"], float("nan"))}
    with pytest.raises(ConversionError, match=r"conv_stem\.weight holds values that are not finite"):
        load_weights(save(broken))
    with pytest.raises(ConversionError, match=r"a is sparse, quantised or complex"):
        load_weights(save({"a": torch.ones(2, dtype=torch.complex64)}))
    with pytest.raises(ConversionError, match="a has a shape but no values"):
        load_weights(save({"a": torch.ones(2, device="meta")}))


def test_another_number_of_classes_is_told(save: Callable[..., Path], tmp_path: Path) -> None:
    path = save(create_model("efficientnet_b0", num_classes=7).state_dict())
    for architecture in (None, "efficientnet_b0"):
        with pytest.raises(ConversionError, match="tell 7 classes apart; accepted are 8: MEL, NV"):
            convert_weights(path, tmp_path / "out", architecture=architecture)


def test_another_network_is_told_by_its_tensors(save: Callable[..., Path], weights: Weights, tmp_path: Path) -> None:
    with pytest.raises(
        ConversionError, match=r"not efficientnet_b5: \d+ of \d+ tensors .*conv_stem\.weight is 32×3×3×3"
    ):
        convert_weights(save(weights), tmp_path / "out", architecture="efficientnet_b5")
    with pytest.raises(ConversionError, match=r"no EfficientNet B0–B7: .*conv_stem\.weight is missing"):
        convert_weights(save({"layer1.weight": torch.ones(3, 3)}), tmp_path / "out")
    with pytest.raises(ConversionError, match="timm knows no architecture 'nonsense'"):
        convert_weights(save(weights), tmp_path / "out", architecture="nonsense")


def test_a_network_without_a_known_input_size_needs_one(save: Callable[..., Path], tmp_path: Path) -> None:
    path = save(create_model("resnet18").state_dict())
    with pytest.raises(ConversionError, match="the input size of resnet18 is not known here"):
        convert_weights(path, tmp_path / "out", architecture="resnet18")
    with pytest.raises(ConversionError, match="cannot be exported with exact Grad-CAM"):
        convert_weights(path, tmp_path / "out", architecture="resnet18", input_size=SIZE)
    assert not (tmp_path / "out").exists()


def test_a_name_that_manifests_do_not_take_is_named(
    save: Callable[..., Path], weights: Weights, tmp_path: Path
) -> None:
    with pytest.raises(ConversionError, match="name 'My Model' is not accepted"):
        convert_weights(save(weights), tmp_path / "out", name="My Model")


def test_only_a_bundle_is_ever_overwritten(save: Callable[..., Path], weights: Weights, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "photo.jpg").touch()
    with pytest.raises(ConversionError, match="photos exists already"):
        convert_weights(save(weights), tmp_path / "photos", overwrite=True)
    assert (tmp_path / "photos" / "photo.jpg").exists()
