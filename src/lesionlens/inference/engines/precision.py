"""The arithmetic of the matrix products: which is asked for, and which a machine has."""

from __future__ import annotations

from typing import Final, Literal, get_args

from lesionlens.errors import EngineError

__all__ = ["PRECISIONS", "Precision", "PrecisionChoice", "resolve_precision"]

Precision = Literal["fp32", "bf16"]
PrecisionChoice = Literal["auto", "fp32", "bf16"]
PRECISIONS: Final[tuple[str, ...]] = get_args(PrecisionChoice)


def resolve_precision(choice: str) -> Precision:
    """Return the arithmetic that a choice stands for.

    `auto` is `fp32` on every machine, also where bf16 is quicker. Answers are kept and compared: with those of another
    visit, of another replica. bf16 moves a probability by 0.02 on the average and by up to 0.16 (docs/performance.md),
    so a precision that depended on the CPU would make a lesion change because the service moved.

    Args:
        choice: One of `PRECISIONS`.

    Raises:
        EngineError: It is none of them.
    """
    if choice not in PRECISIONS:
        raise EngineError(f"unknown precision {choice!r}; accepted: {', '.join(PRECISIONS)}")
    return "bf16" if choice == "bf16" else "fp32"
