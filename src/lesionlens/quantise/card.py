"""What the model card of a quantised bundle says before the card of the one that it was made from."""

from __future__ import annotations

from lesionlens.errors import QuantisationError
from lesionlens.inference.bundle import Manifest

__all__ = ["quantised_card"]


def quantised_card(manifest: Manifest, source_card: str) -> str:
    """Write the card.

    Args:
        manifest: Of the quantised bundle.
        source_card: Card of the float bundle, Markdown.

    Raises:
        QuantisationError: The manifest is not that of a quantised bundle.
    """
    record = manifest.quantisation
    if record is None:
        raise QuantisationError(f"{manifest.name} is not quantised")
    verdict = (
        "within what is accepted (a drop of at most 0.5 points, 98 % of the answers, correlation 0.95)"
        if record.accepted
        else "**outside what is accepted; it was written all the same because that was asked for**"
    )
    return f"""# {manifest.name}

**A research tool, not a medical device.** Its answers are no diagnosis and must not decide anybody's care.

`{record.source_name}` {record.source_version} (SHA-256 of its graph `{record.source_sha256}`) with int8 products.
In floating point are: {", ".join(record.float_parts)}. The heatmap is the exact Grad-CAM of this network, not of that
one.

| Compared with the float bundle on {record.measured_on} | |
|---|---|
| Same most probable diagnosis | {record.agreement:.2%} |
| Correlation of the heatmaps, mean | {record.map_correlation:.4f} |
| Largest move of a probability, mean | {record.probability_change:.4f} |
| Balanced accuracy | {record.balanced_accuracy:.4f}, before {record.balanced_accuracy_before:.4f} |

This is {verdict}. Ranges: {record.calibration_pictures} pictures of the other folds; {record.method}.

Temperature, thresholds, prediction sets and reference statistics are those of the float bundle. `lesionlens calibrate`
fits them anew, `lesionlens evaluate --card` measures and writes a card of this network alone. What follows is the float
bundle's card: **its figures are not this network's.**

---

{source_card}"""
