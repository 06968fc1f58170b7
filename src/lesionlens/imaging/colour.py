"""From whatever colours a file holds to 8-bit sRGB."""

from __future__ import annotations

import io
from typing import Final

import numpy as np
from PIL import Image, ImageChops, ImageCms
from PIL.TiffImagePlugin import BITSPERSAMPLE, PHOTOMETRIC_INTERPRETATION, TiffImageFile

from lesionlens.errors import UnsupportedImageError
from lesionlens.imaging.profile import is_sound

__all__ = ["to_rgb"]

_MAX_PROFILE_BYTES: Final = 4 * 1024 * 1024  # CMYK profiles have up to 3 MB
_MODE_OF_SPACE: Final = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}
_WHITE_IS_ZERO: Final = 0
_SIMPLE_MODES: Final = ("1", "P", "RGBX", "YCbCr")  # that `convert` turns into RGB as they should be


def to_rgb(image: Image.Image) -> Image.Image:
    """Convert a loaded picture to 8-bit RGB.

    Transparent parts are laid over white. Of 16 bits the upper 8 are kept. An embedded colour profile is followed, to
    sRGB; one that is broken or made for other colours than the picture's is ignored.

    Args:
        image: A loaded picture as Pillow's readers give it.

    Returns:
        A new picture in RGB mode without metadata.

    Raises:
        UnsupportedImageError: The picture has 32-bit, floating-point or Lab pixels.
    """
    flat = _flatten(image)
    rgb = _to_srgb(flat, image.info.get("icc_profile")) or flat.convert("RGB")
    rgb = rgb.copy() if rgb is image else rgb
    rgb.info.clear()  # the profile no longer holds, and the place where a photo was taken is nobody's business
    return rgb


def _flatten(image: Image.Image) -> Image.Image:
    """Return an opaque picture in mode L, RGB or CMYK."""
    if image.mode.startswith("I;16"):
        return _upper_bits(image)
    if image.mode == "CMYK":
        # Pillow takes every CMYK JPEG for one of Adobe's, which hold inverted values; without their mark it is not.
        return ImageChops.invert(image) if image.format == "JPEG" and "adobe" not in image.info else image
    if image.has_transparency_data:
        return _over_white(image)
    if image.mode in ("L", "RGB"):
        return image
    if image.mode in _SIMPLE_MODES:
        return image.convert("RGB")
    raise UnsupportedImageError(
        f"pictures with pixels of kind {image.mode!r} are not accepted; accepted: 8 or 16 bits per colour, "
        "greyscale, palette, RGB or CMYK"
    )


def _over_white(image: Image.Image) -> Image.Image:
    key = image.info.get("transparency")
    if isinstance(key, tuple) and max(key) > 255:  # the see-through colour of a 16-bit PNG, whose pixels now have 8
        image.info["transparency"] = tuple(value >> 8 for value in key)
    if image.mode == "La":
        image = image.convert("LA")
    rgba = image if image.mode == "RGBA" else image.convert("RGBA")
    white = Image.new("RGB", rgba.size, "white")
    white.paste(rgba, mask=rgba)
    return white


def _upper_bits(image: Image.Image) -> Image.Image:
    """Return the upper 8 bits of 16-bit grey (12-bit, in some TIFF files), which `convert` would clip."""
    values = np.asarray(image)
    bits, inverted = 16, False
    if isinstance(image, TiffImageFile):
        bits = int(image.tag_v2.get(BITSPERSAMPLE, (16,))[0])
        inverted = image.tag_v2.get(PHOTOMETRIC_INTERPRETATION) == _WHITE_IS_ZERO
    grey = (values >> (bits - 8)).astype(np.uint8)
    if inverted:
        grey = 255 - grey
    key = image.info.get("transparency")
    if isinstance(key, int):
        grey[values == key] = 255
    return Image.fromarray(grey)


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image | None:
    """Return the picture in sRGB; None where its profile says nothing that is usable or needed."""
    if not profile or len(profile) > _MAX_PROFILE_BYTES or not is_sound(profile):
        return None
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "sRGB" in ImageCms.getProfileDescription(source):
            return None
        mode = _MODE_OF_SPACE.get(source.profile.xcolor_space.strip())
        if mode is None or (image.mode, mode) not in {(image.mode, image.mode), ("L", "RGB")}:
            return None
        return ImageCms.profileToProfile(
            image if image.mode == mode else image.convert(mode),
            source,
            ImageCms.createProfile("sRGB"),
            outputMode="RGB",
        )
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError, AttributeError):
        return None
