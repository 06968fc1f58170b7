"""All that is measured of one lesion in one photograph."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from lesionlens.imaging.cielab import to_cielab
from lesionlens.tracker.change.asymmetry import asymmetry_of
from lesionlens.tracker.change.colours import colours_of, skin_around
from lesionlens.tracker.change.outline import Outline
from lesionlens.tracker.change.shape import shape_of
from lesionlens.tracker.change.working import to_working

__all__ = ["Measures", "measure", "measure_working", "skin_of"]


@dataclass(frozen=True, slots=True)
class Measures:
    """What is measured of a lesion; where each formula comes from stands in `shape`, `colours` and `asymmetry`.

    Lengths are shares of the longer side of the picture, areas shares of the picture, unless the name says otherwise.

    Attributes:
        area: Share of the picture, 0–1.
        area_pixels: Pixels of the picture at its own size.
        area_mm2: Square millimetres; None if no scale is known.
        equivalent_diameter: Diameter of the circle of the same area.
        equivalent_diameter_mm: Millimetres; None if no scale is known.
        longest_diameter: Greatest distance across.
        longest_diameter_mm: Millimetres; None if no scale is known.
        perimeter: Length of the outline.
        compactness: perimeter² / (4 π area), 1 for a circle; more for an irregular border.
        solidity: Share of the convex hull that is filled, 0–1; less for a notched border.
        shape_asymmetry: 0–1, folded along the principal axes.
        colour_asymmetry: CIELAB ΔE*ab, folded along the principal axes.
        colour_spread: CIELAB ΔE*ab, standard deviation of the colour.
        contrast: CIELAB ΔE*ab between lesion and skin; None if the picture shows no skin around the lesion.
        darkness: L* by which the lesion is darker than the skin; None likewise.
        colours: Those of the six colours of the ABCD rule that are there, most first.
    """

    area: float
    area_pixels: float
    area_mm2: float | None
    equivalent_diameter: float
    equivalent_diameter_mm: float | None
    longest_diameter: float
    longest_diameter_mm: float | None
    perimeter: float
    compactness: float
    solidity: float
    shape_asymmetry: float
    colour_asymmetry: float
    colour_spread: float
    contrast: float | None
    darkness: float | None
    colours: tuple[str, ...]

    @property
    def colour_count(self) -> int:
        """Number of the six colours, 0–6."""
        return len(self.colours)


def skin_of(pixels: npt.NDArray[np.uint8], outline: Outline) -> npt.NDArray[np.float32] | None:
    """Return the colour of the skin around a lesion.

    Args:
        pixels: uint8 `[H, W, 3]`, RGB, at the working size.
        outline: Where its lesion lies.

    Returns:
        float32 `[3]`, CIELAB; None if the picture shows no skin around the lesion.
    """
    return skin_around(to_cielab(pixels), outline.mask)


def measure(
    image: Image.Image,
    outline: Outline,
    *,
    mm_per_pixel: float | None = None,
    colour_shift: npt.NDArray[np.float32] | None = None,
) -> Measures:
    """Measure a lesion.

    Args:
        image: Upright RGB picture.
        outline: Where its lesion lies.
        mm_per_pixel: Millimetres that one pixel of `image` shows, greater than 0, from a ruler or the dermatoscope;
            None if unknown.
        colour_shift: float32 `[3]`, CIELAB, added before colours are named, to make up for other light; None for none.

    Raises:
        ValueError: No lesion was found, the outline is of a picture of another shape, or the scale is not above 0.
    """
    return measure_working(
        to_working(image), outline, max(image.size), mm_per_pixel=mm_per_pixel, colour_shift=colour_shift
    )


def measure_working(
    pixels: npt.NDArray[np.uint8],
    outline: Outline,
    own_side: int,
    *,
    mm_per_pixel: float | None = None,
    colour_shift: npt.NDArray[np.float32] | None = None,
) -> Measures:
    """Measure a lesion in a picture that is already at the working size.

    Args:
        pixels: uint8 `[H, W, 3]`, RGB, from `to_working`.
        outline: Where its lesion lies.
        own_side: Longer side in pixels of the picture at its own size.
        mm_per_pixel: As in `measure`, of one pixel of the picture at its own size.
        colour_shift: As in `measure`.

    Raises:
        ValueError: As in `measure`.
    """
    if not outline.found:
        raise ValueError(f"there is nothing to measure: {outline.reason}")
    if mm_per_pixel is not None and not 0.0 < mm_per_pixel < float("inf"):
        raise ValueError(f"the scale is {mm_per_pixel} mm per pixel; accepted: a number above 0")
    height, width = pixels.shape[:2]
    if outline.mask.shape != (height, width):
        raise ValueError(
            f"the outline has {outline.mask.shape[1]} × {outline.mask.shape[0]} pixels, but the picture at the working "
            f"size has {width} × {height}; expected the outline of this picture"
        )
    lab = to_cielab(pixels)
    shape = shape_of(outline.polygon * (width, height))
    skin = skin_around(lab, outline.mask)
    colours = colours_of(lab, outline.mask, skin, colour_shift)
    folded = asymmetry_of(lab, outline.mask)
    longer = float(max(width, height))
    mm = None if mm_per_pixel is None else own_side / longer * mm_per_pixel
    return Measures(
        area=shape.area / (width * height),
        area_pixels=shape.area * (own_side / longer) ** 2,
        area_mm2=None if mm is None else shape.area * mm**2,
        equivalent_diameter=shape.equivalent_diameter / longer,
        equivalent_diameter_mm=None if mm is None else shape.equivalent_diameter * mm,
        longest_diameter=shape.longest_diameter / longer,
        longest_diameter_mm=None if mm is None else shape.longest_diameter * mm,
        perimeter=shape.perimeter / longer,
        compactness=shape.compactness,
        solidity=shape.solidity,
        shape_asymmetry=folded.shape,
        colour_asymmetry=folded.colour,
        colour_spread=colours.spread,
        contrast=None if skin is None else colours.contrast,
        darkness=None if skin is None else colours.darkness,
        colours=colours.names,
    )
