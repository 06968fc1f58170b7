from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from drawn_lesions import dice, ellipse, photograph
from lesionlens.errors import DataError
from lesionlens.tracker.change import outline
from lesionlens.tracker.change.pixels import Stage, Stages

pytest.importorskip("sklearn", reason="fitting needs the evaluate extra (scikit-learn)")

from lesionlens.training.outline import main
from lesionlens.training.outline_examples import bare_skin, draw_examples, pictures_with_masks


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with twelve drawn lesions, their masks, and one picture that has none."""
    folder = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(1)
    lines = ["image,label,source,group,fold,width,height"]
    with tarfile.open(folder / "drawn.tar", "w") as tar:

        def add(name: str, image: Image.Image, kind: str) -> None:
            buffer = io.BytesIO()
            image.save(buffer, kind)
            member = tarfile.TarInfo(name)
            member.size = buffer.tell()
            buffer.seek(0)
            tar.addfile(member, buffer)

        for i in range(13):
            name = f"ISIC_{i:07d}"
            mask = ellipse((160, 160), tuple(rng.uniform(65, 95, 2)), tuple(rng.uniform(18, 45, 2)))
            add(f"ISIC_2019_Training_Input/{name}.jpg", photograph(mask, i), "JPEG")
            if i < 12:
                add(f"masks/{name}.png", Image.fromarray(mask), "PNG")
            lines.append(f"{name},NV,HAM,{i},{i % 2},160,160")
    (folder / "isic2019_folds.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def test_pictures_come_from_the_folds_asked_for_at_the_working_size(data: Path) -> None:
    found = list(pictures_with_masks(data, [1], 100))
    assert {s.fold for s, _, _ in found} == {1}
    assert len(found) == 6  # the thirteenth picture has no mask, and is of the other fold
    assert all(p.shape == (256, 256, 3) and m.shape == (256, 256) for _, p, m in found)
    assert [s.image for s, _, _ in found] == [s.image for s, _, _ in pictures_with_masks(data, [1], 100)]


def test_folds_without_masks_are_refused(data: Path) -> None:
    with pytest.raises(DataError, match="no picture of the folds 7"):
        list(pictures_with_masks(data, [7], 10))


def test_a_second_photograph_and_bare_skin_are_learned_from() -> None:
    mask = ellipse((256, 256), (128, 128), (30, 30))
    examples = draw_examples(3, np.asarray(photograph(mask)), mask, np.random.default_rng(0))
    first, second, skin = examples
    assert {e.picture for e in examples} == {3}
    assert first.mask.mean() == pytest.approx(mask.mean(), rel=0.05)
    assert second.mask.any()
    assert dice(first.mask, second.mask) < 0.999
    assert not skin.mask.any()
    assert skin.lab.shape == (128, 128, 3)


def test_a_picture_full_of_lesion_has_no_bare_skin() -> None:
    mask = np.ones((256, 256), dtype=bool)
    assert bare_skin(np.asarray(photograph(mask)), mask, np.random.default_rng(0)) is None


def test_what_is_fitted_outlines_lesions_and_says_what_it_was_fitted_on(data: Path, tmp_path: Path) -> None:
    path = tmp_path / "outline.npz"
    main(["--data", str(data), "--folds", "0", "1", "--pictures", "12", "--rows", "300", "--output", str(path)])
    with np.load(path, allow_pickle=False) as kept:
        arrays = {name: kept[name] for name in kept.files}
    stages = Stages(Stage.from_arrays(arrays, "first"), Stage.from_arrays(arrays, "second"), about=str(arrays["about"]))
    about = json.loads(stages.about)
    assert (about["folds"], about["lesions"], about["seed"]) == ([0, 1], 12, 0)
    assert "CC BY-NC 4.0" in about["licence"]
    mask = ellipse((256, 256), (128, 120), (50, 38), 20.0)
    assert dice(outline(photograph(mask, 99), stages).mask, mask) > 0.8
