"""Pictures that well-known Python packages ship inside their wheels: photos of anything but skin, at no download.

They are read where they are installed and never copied. What a package shows was looked at, picture by picture, and
sorted by hand below, since a detector must not be praised for (or blamed over) pictures that are something else than
their family's name says.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import BinaryIO, Final, Literal, NamedTuple

import numpy as np
from PIL import Image

__all__ = [
    "GRAPHICS",
    "MEDICAL",
    "PACKAGES",
    "PHOTOS",
    "UNSEEN",
    "Kind",
    "Packaged",
    "crops",
    "package_versions",
    "packaged",
]

Kind = Literal["photo", "unseen", "graphic", "medical"]

PACKAGES: Final = {
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "matplotlib": "matplotlib",
    "pywt": "PyWavelets",
    "imgaug": "imgaug",
    "mahotas": "mahotas",
    "ultralytics": "ultralytics",
}
"""Import name and distribution of the packages that are looked through, as far as they are installed."""

_SAMPLES: Final = "matplotlib/mpl-data/sample_data"

PHOTOS: Final = (
    "skimage/data/astronaut.png",
    "skimage/data/brick.png",
    "skimage/data/camera.png",
    "skimage/data/chelsea.png",
    "skimage/data/clock_motion.png",
    "skimage/data/coffee.png",
    "skimage/data/coins.png",
    "skimage/data/grass.png",
    "skimage/data/gravel.png",
    "skimage/data/hubble_deep_field.jpg",
    "skimage/data/moon.png",
    "skimage/data/motorcycle_left.png",
    "skimage/data/rocket.jpg",
    "sklearn/datasets/images/china.jpg",
    "sklearn/datasets/images/flower.jpg",
    f"{_SAMPLES}/grace_hopper.jpg",
    "pywt/data/aero.npz",
    "pywt/data/ascent.npz",
)
"""Photos. Two are portraits: faces are skin, but no dermatoscope took them."""

UNSEEN: Final = (
    "imgaug/quokka.jpg",
    "mahotas/demos/data/DepartmentStore.jpg",
    "mahotas/demos/data/lena.jpg",
    "mahotas/demos/data/luispedro.jpg",
    "ultralytics/assets/bus.jpg",
    "ultralytics/assets/zidane.jpg",
)
"""Photos that nobody had looked at when the detectors were designed: those of `PHOTOS` had a part in that."""

GRAPHICS: Final = (
    "skimage/data/chessboard_GRAY.png",
    "skimage/data/chessboard_RGB.png",
    "skimage/data/color.png",
    "skimage/data/horse.png",
    "skimage/data/logo.png",
    "skimage/data/page.png",
    "skimage/data/text.png",
    f"{_SAMPLES}/Minduka_Present_Blue_Pack.png",
    f"{_SAMPLES}/logo2.png",
)
"""Drawings, logos, test charts, and photographed print."""

MEDICAL: Final = (
    "skimage/data/cell.png",
    "skimage/data/ihc.png",
    "skimage/data/microaneurysms.png",
    "skimage/data/phantom.png",
    "skimage/data/retina.jpg",
)
"""Medical pictures that are not of skin; the retina has a dark round border and reddish colours as dermoscopy has."""

# Left out: scikit-image's motorcycle_right.png and PyWavelets' camera.npz show what another picture shows, its
# multipage*.tif and no_time_for_that_tiny.gif are thumbnails of a few pixels, and its motorcycle_disp.npz and imgaug's
# depth map are no photos. Nothing was left out for what the detectors say of it.

_OF_KIND: Final[dict[Kind, tuple[str, ...]]] = {
    "photo": PHOTOS,
    "unseen": UNSEEN,
    "graphic": GRAPHICS,
    "medical": MEDICAL,
}


class Packaged(NamedTuple):
    """A picture of a package.

    Attributes:
        name: Package and file, such as `skimage/chelsea`; crops of one picture share it.
        image: RGB.
    """

    name: str
    image: Image.Image


def package_versions() -> dict[str, str]:
    """Return the versions of the installed packages that pictures are taken from."""
    versions = {}
    for distribution in PACKAGES.values():
        try:
            versions[distribution] = version(distribution)
        except PackageNotFoundError:
            continue
    return versions


def packaged(kind: Kind) -> Iterator[Packaged]:
    """Yield the pictures of a kind that are installed here, in a fixed order.

    Args:
        kind: `photo`, `unseen`, `graphic` or `medical`.
    """
    for path in _OF_KIND[kind]:
        package, _, inside = path.partition("/")
        file = _folder(package) / inside
        if not file.is_file():
            continue
        with file.open("rb") as stream:
            image = _first_array(stream) if file.suffix == ".npz" else _over_white(Image.open(stream))
        yield Packaged(f"{package}/{file.stem}", image)


def _folder(package: str) -> Path:
    """Return where a package is installed, without importing it; a folder that is not there for one that is not."""
    spec = find_spec(package)
    places = spec.submodule_search_locations if spec else None
    return Path(places[0]) if places else Path(package)


def _first_array(stream: BinaryIO) -> Image.Image:
    with np.load(stream, allow_pickle=False) as arrays:
        return Image.fromarray(arrays[arrays.files[0]].astype(np.uint8)).convert("RGB")


def _over_white(image: Image.Image) -> Image.Image:
    rgba = image.convert("RGBA")
    white = Image.new("RGB", rgba.size, "white")
    white.paste(rgba, mask=rgba)
    return white


def crops(picture: Packaged, count: int, rng: np.random.Generator) -> Iterator[Packaged]:
    """Yield the whole picture (its largest centred square) and square crops at random places.

    Args:
        picture: The picture.
        count: Number of pictures in all, at least 1.
        rng: Chooses side (40–100 % of the shorter side), place, and whether it is mirrored.
    """
    width, height = picture.image.size
    short = min(width, height)
    yield picture
    for _ in range(count - 1):
        side = round(short * rng.uniform(0.4, 1.0))
        left, top = int(rng.integers(width - side + 1)), int(rng.integers(height - side + 1))
        crop = picture.image.crop((left, top, left + side, top + side))
        yield Packaged(picture.name, crop.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if rng.random() < 0.5 else crop)
