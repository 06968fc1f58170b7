"""Made-up predictions, and a small data folder of made-up pictures in the official layout."""

from __future__ import annotations

import csv
import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
from made_predictions import made
from PIL import Image, ImageDraw

from lesionlens.evaluation import Predictions
from lesionlens.inference.embedded import DEFAULT_MODEL, embedded_models
from lesionlens.taxonomy import CODES


@pytest.fixture(scope="session")
def mixed() -> Predictions:
    """400 pictures of 200 lesions, all diagnoses, two sources, some ties, most answers right."""
    rng = np.random.default_rng(7)
    labels = np.concatenate([np.arange(8), rng.choice(8, 192, p=[0.2, 0.4, 0.15, 0.05, 0.1, 0.02, 0.03, 0.05])])
    labels = np.repeat(labels, 2)
    logits = rng.normal(size=(400, 8))
    logits[np.arange(400), labels] += 1.8
    logits[:40] = np.round(logits[:40])
    sources = np.where(np.arange(400) % 4 < 2, "HAM", "BCN")
    return made(
        labels.tolist(),
        logits,
        (np.arange(400) // 2).tolist(),
        sources.tolist(),
        np.where(sources == "HAM", 256, 84).tolist(),
    )


@pytest.fixture(scope="session")
def embedded_model() -> str:
    """Name of an embedded model: the default one if it is installed."""
    models = embedded_models()
    if not models:
        pytest.skip("no embedded model is installed")
    return DEFAULT_MODEL if DEFAULT_MODEL in models else next(iter(models))


def jpeg(label: int, side: int, seed: int) -> bytes:
    rng = np.random.default_rng(seed)
    picture = Image.new("RGB", (side + 20, side), tuple(int(v) for v in rng.integers(150, 230, 3)))
    ImageDraw.Draw(picture).ellipse([side // 4, side // 4, side // 2, side // 2], fill=(90 + 15 * label, 60, 40))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG")
    return buffer.getvalue()


@pytest.fixture(scope="session")
def data_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 pictures in a tar with a folds file: 16 in fold 0 (two of each diagnosis), 8 in fold 1."""
    folder = tmp_path_factory.mktemp("lesions")
    rows = []
    with tarfile.open(folder / "pictures.tar", "w") as tar:
        for i in range(24):
            label, side = i % 8, 84 if i % 3 == 0 else 240
            data = jpeg(label, side, i)
            member = tarfile.TarInfo(f"ISIC_2019_Training_Input/ISIC_{i:07d}.jpg")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
            source = "BCN" if side == 84 else "HAM"
            rows.append([f"ISIC_{i:07d}", CODES[label], source, "", i // 2, i // 16, side + 20, side])
    with (folder / "isic2019_folds.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["image", "label", "source", "lesion_id", "group", "fold", "width", "height"])
        writer.writerows(rows)
    return folder
