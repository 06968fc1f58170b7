"""From untrusted bytes to an upright RGB picture, and from there to the tensor that the network takes."""

from __future__ import annotations

from lesionlens.imaging.decode import Photo, decode
from lesionlens.imaging.limits import Limits
from lesionlens.imaging.preprocess import PreprocessSpec, preprocess

__all__ = ["Limits", "Photo", "PreprocessSpec", "decode", "preprocess"]
