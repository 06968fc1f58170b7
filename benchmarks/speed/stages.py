"""Where the time of a request goes, as the service's own metrics tell it."""

from __future__ import annotations

import urllib.request
from typing import Final

from prometheus_client.parser import text_string_to_metric_families

__all__ = ["StageTimes"]

_METRIC: Final = "lesionlens_stage_seconds"


class StageTimes:
    """Mean times of the stages between its making and `means`.

    Args:
        url: Where the service is.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._before = _totals(url)

    def means(self) -> dict[str, float]:
        """Return the mean milliseconds of each stage over the photos since then."""
        after = _totals(self._url)
        found = {}
        for stage, (seconds, count) in after.items():
            earlier_seconds, earlier_count = self._before.get(stage, (0.0, 0.0))
            if count > earlier_count:
                found[stage] = 1000.0 * (seconds - earlier_seconds) / (count - earlier_count)
        return found


def _totals(url: str) -> dict[str, tuple[float, float]]:
    """Return the seconds and the number of photos of each stage so far."""
    with urllib.request.urlopen(f"{url}/metrics", timeout=30) as answer:
        text = answer.read().decode()
    sums: dict[str, float] = {}
    counts: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == f"{_METRIC}_sum":
                sums[sample.labels["stage"]] = sample.value
            elif sample.name == f"{_METRIC}_count":
                counts[sample.labels["stage"]] = sample.value
    return {stage: (sums[stage], counts[stage]) for stage in sums}
