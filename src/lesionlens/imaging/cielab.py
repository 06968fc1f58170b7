"""From sRGB to CIELAB, in which equal steps look about equal to a person and lightness stands apart from colour."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

__all__ = ["to_cielab"]

Floats = npt.NDArray[np.float32]


def _linear(encoded: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Undo the sRGB transfer function (IEC 61966-2-1)."""
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


_LINEAR: Final[Floats] = _linear(np.arange(256) / 255.0).astype(np.float32)
# Linear sRGB to CIE XYZ under D65 (IEC 61966-2-1), each row divided by its sum, which is the white point: so white is
# exactly (1, 1, 1) and neutral greys have exactly a* = b* = 0.
_TO_XYZ: Final = np.array(
    [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]], dtype=np.float64
)
_TO_RELATIVE_XYZ: Final[Floats] = (_TO_XYZ / _TO_XYZ.sum(axis=1, keepdims=True)).T.astype(np.float32)
_EDGE: Final = (6.0 / 29.0) ** 3


def to_cielab(pixels: npt.NDArray[np.uint8]) -> Floats:
    """Convert sRGB to CIELAB (CIE 15:2004, § 8.2.1) under the white point of sRGB, D65 with the 2° observer.

    Args:
        pixels: uint8 `[..., 3]`, RGB.

    Returns:
        float32 `[..., 3]`: L* 0–100, a* and b* about −128 to 128.

    Example:
        >>> [[round(float(v), 1) for v in to_cielab(np.array([255, 0, 0], dtype=np.uint8))]]
        [[53.2, 80.1, 67.2]]
    """
    relative = _LINEAR[pixels] @ _TO_RELATIVE_XYZ
    f = np.where(relative > _EDGE, np.cbrt(relative), relative * np.float32(841.0 / 108.0) + np.float32(4.0 / 29.0))
    x, y, z = f[..., 0], f[..., 1], f[..., 2]
    return np.stack([116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)], axis=-1)
