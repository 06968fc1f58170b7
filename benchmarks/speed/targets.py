"""What is to be reached, in one place. Every target is a row of the table, and `--assert` holds the figures to them."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

__all__ = ["AGREEMENT", "TARGETS", "AgreementLimits", "Target"]


class Target(NamedTuple):
    """One target.

    Attributes:
        figure: Key of the figure that it is about (`figures.summarise`).
        relation: Whether the figure must be at least or at most the bound.
        bound: In the figure's own unit.
    """

    figure: str
    relation: Literal[">=", "<="]
    bound: float

    def met(self, value: float) -> bool:
        """Say whether a value reaches the target."""
        return value >= self.bound if self.relation == ">=" else value <= self.bound


class AgreementLimits(NamedTuple):
    """How far the answers of the service and of the baseline may be apart.

    Attributes:
        probability: Largest difference of a probability.
        heat: Least correlation of the heatmaps.
    """

    probability: float
    heat: float


TARGETS: Final = (
    Target("latency_ratio", ">=", 15.0),
    Target("throughput_ratio", ">=", 15.0),
    Target("large_photo_ms", "<=", 40.0),
    Target("overhead_percent", "<=", 15.0),
    Target("cold_start_s", "<=", 3.0),
    Target("cold_start_lite2_s", "<=", 3.0),
    Target("memory_mib", "<=", 700.0),
)
"""For EfficientNet-B5 at 456 pixels on two CPU cores, with the engine that `auto` takes."""

AGREEMENT: Final = {
    "fp32": AgreementLimits(probability=1e-3, heat=0.99),
    # Of a network that was never trained: its answers hang on small differences of large sums more than those of a
    # trained one. What a lower precision costs a trained network is measured by benchmarks/engines.
    "other": AgreementLimits(probability=5e-2, heat=0.95),
}
"""By the engine's precision; beyond these limits the comparison is void."""
