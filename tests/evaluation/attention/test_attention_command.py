"""`lesionlens evaluate --attention` from end to end, with the embedded model."""

from __future__ import annotations

import base64
import io
import re
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw
from typer.testing import CliRunner, Result

from lesionlens import DISCLAIMER, Classifier
from lesionlens.cli import app
from lesionlens.datasets import ImageSource, Sample, read_samples
from lesionlens.datasets.masks import MaskSource
from lesionlens.errors import DataError
from lesionlens.evaluation import Metrics
from lesionlens.evaluation.attention.run import examine
from lesionlens.evaluation.attention.sheet import outlined
from lesionlens.evaluation.card import render_model_card
from lesionlens.evaluation.run import choose
from lesionlens.inference.embedded import find_bundle

# Two of the 16 pictures of fold 0 get no mask, and one an empty one.
WITHOUT, EMPTY = {3, 8}, 5


def run(*args: object) -> Result:
    return CliRunner().invoke(app, ["evaluate", *map(str, args)], env={"COLUMNS": "80"})


def mask(side: int, empty: bool) -> bytes:
    drawn = Image.new("L", (side + 20, side))
    if not empty:
        ImageDraw.Draw(drawn).ellipse([side // 4, side // 4, side // 2, side // 2], fill=255)
    buffer = io.BytesIO()
    drawn.save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def masked_folder(data_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("masked") / "lesions"
    shutil.copytree(data_folder, folder)
    with tarfile.open(folder / "masks.tar", "w") as tar:
        for i in set(range(16)) - WITHOUT:
            data = mask(84 if i % 3 == 0 else 240, empty=i == EMPTY)
            member = tarfile.TarInfo(f"masks/ISIC_{i:07d}.png")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return folder


@pytest.fixture(scope="module")
def output(masked_folder: Path, embedded_model: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("attention")
    result = run(
        *("--model", embedded_model, "--data", masked_folder, "--output", folder, "--bootstrap", 20),
        *("--attention", "--attention-limit", 2),
    )
    assert result.exit_code == 0, result.output
    assert "Heatmaps (13 pictures with an outline of the lesion)" in result.output
    assert "from the middle outwards" in result.output
    assert max(map(len, result.output.splitlines())) <= 80
    return folder


@pytest.fixture(scope="module")
def metrics(output: Path) -> Metrics:
    return Metrics.load(output / "metrics.json")


def test_it_counts_what_it_looked_at(metrics: Metrics, embedded_model: str) -> None:
    attention = metrics.attention
    assert attention is not None
    assert (attention.n, attention.without_mask, attention.empty_masks) == (13, 2, 1)
    assert attention.side == find_bundle(embedded_model).manifest.preprocessing.size
    assert attention.bootstrap_resamples == 20
    assert sum(part.n for part in attention.parts if part.key in {"correct", "wrong"}) == 13
    assert sum(part.n for part in attention.parts if part.key.startswith("diagnosis:")) == 13
    assert attention.perturbation is not None
    assert (attention.perturbation.n, attention.perturbation.steps) == (2, 20)
    for ordering in attention.perturbation.orderings:
        assert len(ordering.insertion_curve) == len(ordering.deletion_curve) == 21
        assert ordering.insertion_curve[-1] == pytest.approx(ordering.deletion_curve[0])


def test_the_lesions_share_of_the_area_is_that_of_the_drawn_ellipse(metrics: Metrics) -> None:
    assert metrics.attention is not None
    whole = metrics.attention.part("all")
    assert whole is not None
    # An ellipse of a quarter of the shorter side, all of it inside the centred square.
    assert whole.energy.uniform.value == pytest.approx(np.pi / 4 * 0.25**2, rel=0.1)
    assert whole.pointing.uniform.value == pytest.approx(whole.energy.uniform.value)


def test_the_report_shows_every_picture_with_its_heatmap(output: Path) -> None:
    html = (output / "report.html").read_text(encoding="utf-8")
    section = html[html.index("<h2>Where it looks</h2>") : html.index("<h2>Worst mistakes</h2>")]
    assert section.count("<figure>") == 13 + 2  # and the two sorts of curves
    pictures = re.findall(r'src="data:image/jpeg;base64,([^"]+)"', section)
    assert len(pictures) == 2 * 13
    for photo, heatmap in zip(pictures[::2], pictures[1::2], strict=True):
        left, right = (Image.open(io.BytesIO(base64.b64decode(p))) for p in (photo, heatmap))
        assert left.size == right.size
        assert max(left.size) <= 208
        assert np.asarray(left).tolist() != np.asarray(right).tolist()
    assert section.count(DISCLAIMER) == 2
    assert "2 pictures have none" in section
    assert "ISIC_0000005" not in section  # its mask is empty
    assert len(html) < 2_500_000


def test_scoring_the_predictions_again_keeps_what_was_seen(output: Path, tmp_path: Path) -> None:
    result = run("--predictions", output / "predictions.csv", "--output", tmp_path, "--bootstrap", 20)
    assert result.exit_code == 0, result.output
    assert (tmp_path / "metrics.json").read_bytes() == (output / "metrics.json").read_bytes()
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Where it looks" in html
    assert "heatmaps to look at" not in html


def test_the_model_card_says_where_it_looks(metrics: Metrics, embedded_model: str) -> None:
    card = render_model_card(find_bundle(embedded_model).manifest, metrics)
    assert "\n### Heatmaps\n" in card
    assert "13 pictures" in card
    assert "| Share of the heat on the lesion |" in card
    assert "| from the middle outwards |" in card
    without = render_model_card(find_bundle(embedded_model).manifest, metrics.model_copy(update={"attention": None}))
    assert "### Heatmaps" not in without


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("--data", "{unmasked}"), "holds no lesion masks"),
        (("--predictions", "x.csv"), "--attention needs --data DIR"),
    ],
)
def test_what_cannot_be_done_is_explained(
    data_folder: Path, embedded_model: str, args: tuple[str, ...], message: str
) -> None:
    result = run("--attention", *(a.format(unmasked=data_folder) for a in args))
    assert result.exit_code != 0
    assert message in " ".join(result.output.split())
    assert "Traceback" not in result.output


def test_masks_of_other_pictures_are_of_no_use(masked_folder: Path, embedded_model: str) -> None:
    classifier, masks = Classifier(embedded_model), MaskSource(masked_folder)
    samples = [s for s in read_samples(masked_folder) if s.fold == 1]
    with pytest.raises(DataError, match="none of the 8 pictures has one of the 14 lesion masks"):
        examine(classifier, samples, ImageSource(masked_folder), masks)


def test_a_mask_that_does_not_fit_is_named(masked_folder: Path, embedded_model: str, tmp_path: Path) -> None:
    shutil.copytree(masked_folder, tmp_path, dirs_exist_ok=True)
    (tmp_path / "masks").mkdir()
    Image.new("L", (600, 450), 255).save(tmp_path / "masks" / "ISIC_0000001.png")
    sample = next(s for s in read_samples(tmp_path) if s.image == "ISIC_0000001")
    with pytest.raises(DataError, match=r"picture ISIC_0000001: the mask is 600 × 450 and the photo 260 × 240"):
        examine(Classifier(embedded_model), [sample], ImageSource(tmp_path), MaskSource(tmp_path))


def test_lesions_that_the_network_never_saw_are_no_measure(masked_folder: Path, embedded_model: str) -> None:
    sample = next(s for s in read_samples(masked_folder) if s.image == f"ISIC_{EMPTY:07d}")
    with pytest.raises(DataError, match="the network saw no lesion"):
        examine(Classifier(embedded_model), [sample], ImageSource(masked_folder), MaskSource(masked_folder))


def test_the_outline_runs_along_the_lesion_and_not_along_the_picture() -> None:
    lesion = np.zeros((40, 40), dtype=bool)
    lesion[10:30, :20] = True
    pixels = np.asarray(outlined(Image.new("RGB", (80, 80), (120, 120, 120)), lesion))
    assert (pixels[20:60, 39] == 255).all()
    assert (pixels[20:60, 40] == 0).all()
    assert (pixels[30:50, 0] == 120).all()  # the lesion runs out of the picture here
    assert (pixels[30:50, 45:] == 120).all()


def test_heat_lies_on_real_lesions(shared_data: Path, embedded_model: str) -> None:
    masks = MaskSource(shared_data)
    samples: list[Sample] = choose([s for s in read_samples(shared_data) if s.fold == 0 and s.image in masks], 0, 32)
    heatmaps = examine(
        Classifier(embedded_model), samples, ImageSource(shared_data), masks, limit=0, resamples=100, seed=1
    )
    whole = heatmaps.attention.part("all")
    assert whole is not None
    assert heatmaps.attention.n == 32
    assert heatmaps.attention.perturbation is None
    assert len(heatmaps.sheet) == len({tile.image for tile in heatmaps.sheet}) == 32
    assert whole.energy.over_uniform.low is not None
    assert whole.energy.over_uniform.low > 1.0  # beyond chance that more heat is on the lesion than beside it
    assert whole.pointing.over_uniform.low is not None
    assert whole.pointing.over_uniform.low > 1.0
    for displacement in (whole.displacement_right, whole.displacement_down):
        assert displacement.value is not None
        assert abs(displacement.value) < 0.1
