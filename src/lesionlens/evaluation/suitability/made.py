"""Pictures of nothing: noise, gradients, flat colours, textures and documents, drawn from a seed.

Every function takes a random generator and gives one square RGB picture of `SIDE` pixels.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

__all__ = ["FAMILIES", "SIDE", "document", "flat", "gradient", "noise", "texture"]

Floats = npt.NDArray[np.float64]

SIDE: Final = 320
_WORDS: Final = [
    *("dear", "madam", "we", "received", "your", "letter", "of", "monday", "and", "will", "answer", "within", "two"),
    *("weeks", "please", "keep", "this", "page", "total", "amount", "is", "due", "on", "the", "last", "day", "month"),
    *("invoice", "number", "date", "signature", "address", "telephone", "table", "contents", "chapter", "appendix"),
    *(
        "minutes",
        "meeting",
        "agenda",
        "report",
        "summary",
        "order",
        "delivery",
        "garden",
        "kitchen",
        "window",
        "street",
    ),
]


def noise(rng: np.random.Generator) -> Image.Image:
    """Draw noise: uniform, normal around a colour, or salt and pepper, in grains of 1–8 pixels."""
    grain = int(rng.choice([1, 2, 4, 8]))
    cells = SIDE // grain
    match int(rng.integers(3)):
        case 0:
            values = rng.uniform(0, 255, (cells, cells, 3))
        case 1:
            values = rng.normal(rng.uniform(60, 200, 3), rng.uniform(15, 60), (cells, cells, 3))
        case _:
            values = np.where(rng.random((cells, cells, 1)) < rng.uniform(0.1, 0.5), 255.0, 0.0).repeat(3, axis=2)
    return _image(values.repeat(grain, axis=0).repeat(grain, axis=1))


def gradient(rng: np.random.Generator) -> Image.Image:
    """Draw a smooth passage between two colours, straight or round."""
    start, end = rng.uniform(0, 255, (2, 3))
    y, x = np.mgrid[0:SIDE, 0:SIDE] / (SIDE - 1)
    if rng.random() < 0.5:
        angle = rng.uniform(0, 2 * np.pi)
        position = x * np.cos(angle) + y * np.sin(angle)
    else:
        position = np.hypot(x - rng.uniform(0.2, 0.8), y - rng.uniform(0.2, 0.8))
    position = (position - position.min()) / np.ptp(position)
    return _image(start + (end - start) * position[..., None])


def flat(rng: np.random.Generator) -> Image.Image:
    """Draw one colour everywhere: any, black, white, grey, or that of skin."""
    skin = rng.uniform((120, 80, 60), (240, 200, 185))
    colours = (rng.uniform(0, 255, 3), np.zeros(3), np.full(3, 255.0), np.full(3, rng.uniform(30, 225)), skin)
    return Image.new(
        "RGB", (SIDE, SIDE), tuple(int(v) for v in colours[int(rng.choice(5, p=[0.4, 0.05, 0.05, 0.1, 0.4]))])
    )


def texture(rng: np.random.Generator) -> Image.Image:
    """Draw a texture in two colours: stripes, checks, cells, clouds (1/f noise) or brushed metal."""
    low, high = rng.uniform(0, 255, (2, 3))
    y, x = np.mgrid[0:SIDE, 0:SIDE] / SIDE
    match int(rng.integers(5)):
        case 0:
            angle, lines = rng.uniform(0, np.pi), rng.uniform(4, 40)
            values = np.sin(2 * np.pi * lines * (x * np.cos(angle) + y * np.sin(angle)))
        case 1:
            squares = rng.uniform(3, 20)
            values = (np.floor(x * squares) + np.floor(y * squares)) % 2
        case 2:
            points = rng.random((int(rng.integers(20, 120)), 2))
            distances = np.sort(np.hypot(x[..., None] - points[:, 0], y[..., None] - points[:, 1]), axis=-1)
            values = distances[..., 1] - distances[..., 0]
        case 3:
            values = _fractal(rng, rng.uniform(0.6, 1.8))
        case _:
            rows = rng.normal(size=(SIDE, 1)).repeat(SIDE, axis=1)
            values = rows + 0.3 * rng.normal(size=(SIDE, SIDE))
    values = (values - values.min()) / np.ptp(values)
    return _image(low + (high - low) * values[..., None])


def document(rng: np.random.Generator) -> Image.Image:
    """Draw part of a printed page: lines of words, a table or a bar chart, on white or tinted paper."""
    paper = rng.uniform(215, 256, 3) if rng.random() < 0.5 else np.full(3, 255.0)
    ink = rng.uniform(0, 90, 3)
    page = Image.new("RGB", (SIDE, SIDE), tuple(int(v) for v in paper))
    draw, colour = ImageDraw.Draw(page), tuple(int(v) for v in ink)
    kind = int(rng.integers(3))
    if kind == 2:
        _chart(draw, colour, rng)
        return page
    size = int(rng.integers(9, 26))
    font = ImageFont.load_default(size)
    for row, y in enumerate(range(int(rng.integers(12)), SIDE, round(size * 1.5))):
        if kind == 0:
            draw.text((8, y), " ".join(rng.choice(_WORDS, 14)), fill=colour, font=font)
        else:
            for column in range(4):
                text = str(rng.choice(_WORDS)) if row == 0 or column == 0 else f"{rng.uniform(0, 999):.2f}"
                draw.text((8 + column * SIDE // 4, y), text, fill=colour, font=font)
            draw.line([(0, y - 2), (SIDE, y - 2)], fill=colour)
    return page


def _chart(draw: ImageDraw.ImageDraw, ink: tuple[int, ...], rng: np.random.Generator) -> None:
    bars = int(rng.integers(4, 12))
    width = (SIDE - 60) / bars
    draw.line([(30, 20), (30, SIDE - 30), (SIDE - 10, SIDE - 30)], fill=ink, width=2)
    for i, share in enumerate(rng.random(bars)):
        left, top = 34 + i * width, SIDE - 31 - share * (SIDE - 70)
        draw.rectangle([left, top, left + 0.7 * width, SIDE - 31], fill=tuple(int(v) for v in rng.uniform(0, 255, 3)))
        draw.text((left, SIDE - 26), str(i + 1), fill=ink, font=ImageFont.load_default(12))


def _fractal(rng: np.random.Generator, exponent: float) -> Floats:
    frequency = np.hypot(np.fft.fftfreq(SIDE)[:, None], np.fft.fftfreq(SIDE)[None])
    frequency[0, 0] = np.inf
    spectrum = np.fft.fft2(rng.normal(size=(SIDE, SIDE))) / frequency**exponent
    return np.asarray(np.fft.ifft2(spectrum).real)


def _image(values: Floats) -> Image.Image:
    return Image.fromarray(np.clip(np.rint(values), 0, 255).astype(np.uint8))


FAMILIES: Final[dict[str, Callable[[np.random.Generator], Image.Image]]] = {
    "noise": noise,
    "gradient": gradient,
    "flat": flat,
    "texture": texture,
    "document": document,
}
"""What draws each family."""
