"""The forms of the service that are measured: as it is by default, and each engine in each arithmetic apart."""

from __future__ import annotations

from typing import Final, NamedTuple

from machine import instructions

from lesionlens.inference.engines import available_engines

__all__ = ["OURS", "Contender", "contenders"]

OURS: Final = "lesionlens"
"""The service with its default settings; the targets are about it."""

_BF16: Final = ("avx512_bf16", "amx_bf16")


class Contender(NamedTuple):
    """One form of the service.

    Attributes:
        name: What it is called in the results.
        engine: For `--engine`.
        precision: For `LESIONLENS_PRECISION`.
    """

    name: str
    engine: str
    precision: str


def contenders() -> list[Contender]:
    """Return what can be measured here, the default first."""
    engines = available_engines()
    found = [Contender(OURS, "auto", "auto"), *(Contender(engine, engine, "fp32") for engine in engines)]
    if "openvino" in engines and any(flag in instructions() for flag in _BF16):
        found.append(Contender("openvino-bf16", "openvino", "bf16"))
    return found
