"""A small data folder in the official layout, drawn by the tests: eight diagnoses that differ in colour and shape."""

from __future__ import annotations

import csv
import io
import tarfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from lesionlens.taxonomy import CODES

_COLOURS = ("#201510", "#8a5a3c", "#d98a8a", "#e0b090", "#a98b60", "#b0705f", "#c02040", "#e0a0a0")


def lesion(label: int, seed: int, size: tuple[int, int] = (80, 64)) -> Image.Image:
    """Draw a blob on skin whose colour and outline say its class."""
    rng = np.random.default_rng((label, seed))
    width, height = size
    skin = np.clip(rng.normal((224, 182, 160), 6, (height, width, 3)), 0, 255).astype(np.uint8)
    image = Image.fromarray(skin)
    radius = min(size) * rng.uniform(0.22, 0.34)
    x, y = width / 2 + rng.uniform(-4, 4), height / 2 + rng.uniform(-4, 4)
    angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    reach = radius * (1 + 0.3 * np.sin((label + 1) * angles + rng.uniform(0, 6)))
    outline = [(x + r * np.cos(a), y + r * np.sin(a)) for r, a in zip(reach, angles, strict=True)]
    ImageDraw.Draw(image).polygon(outline, fill=_COLOURS[label])
    return image


def jpeg(image: Image.Image, quality: int = 90) -> bytes:
    """Return a picture as the bytes of a JPEG file."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def write_data_folder(folder: Path, per_class: int = 10, *, folds: int = 5) -> Path:
    """Write a tar of drawn lesions, a folds file and the official ground truth."""
    folder.mkdir(parents=True, exist_ok=True)
    rows, truth = [], []
    with tarfile.open(folder / "drawn.tar", "w") as tar:
        for label, code in enumerate(CODES):
            for i in range(per_class):
                name = f"ISIC_{label:03d}{i:04d}"
                data = jpeg(lesion(label, i))
                member = tarfile.TarInfo(f"ISIC_2019_Training_Input/{name}.jpg")
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
                group = f"{label}-{i // 2}"  # two pictures of each lesion
                rows.append((name, code, "DRAWN", group, (i // 2) % folds, 80, 64))
                truth.append([name, *("1.0" if c == label else "0.0" for c in range(len(CODES))), "0.0"])
    with (folder / "isic2019_folds.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("image", "label", "source", "group", "fold", "width", "height"))
        writer.writerows(rows)
    with (folder / "ISIC_2019_Training_GroundTruth.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("image", *("AK" if c == "AKIEC" else c for c in CODES), "UNK"))
        writer.writerows(truth)
    return folder
