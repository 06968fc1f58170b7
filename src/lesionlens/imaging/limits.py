"""How large a picture from outside may be."""

from __future__ import annotations

from dataclasses import dataclass

from lesionlens.errors import EmptyImageError, ImageTooLargeError, TooManyPixelsError

__all__ = ["Limits"]

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds that a picture must keep; all are checked before any pixel is decoded.

    Decoding a picture in full takes 8 to 12 bytes of memory per pixel, a WebP up to 20, so `max_pixels` bounds the
    memory of a request.

    Attributes:
        max_bytes: Largest file in bytes, at least 1.
        max_pixels: Largest width × height in pixels, at least 1.

    Raises:
        ValueError: A bound is below 1.
    """

    max_bytes: int = 20 * _MIB
    max_pixels: int = 100_000_000

    def __post_init__(self) -> None:
        for name in ("max_bytes", "max_pixels"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")

    def check_bytes(self, count: int) -> None:
        """Refuse a file by its length.

        Args:
            count: Length of the file in bytes.

        Raises:
            EmptyImageError: The file is empty.
            ImageTooLargeError: The file has more than `max_bytes`.
        """
        if count == 0:
            raise EmptyImageError("the file is empty; a picture was expected")
        if count > self.max_bytes:
            raise ImageTooLargeError(
                f"the file has {count / _MIB:.1f} MiB; at most {self.max_bytes / _MIB:g} MiB are accepted"
            )

    def check_pixels(self, width: int, height: int) -> None:
        """Refuse a picture by the size that its header claims.

        Args:
            width: Width in pixels.
            height: Height in pixels.

        Raises:
            TooManyPixelsError: The picture has more than `max_pixels`.
        """
        if width * height > self.max_pixels:
            raise TooManyPixelsError(
                f"the picture has {width} × {height} pixels; at most {self.max_pixels:,} pixels in all are accepted"
            )
