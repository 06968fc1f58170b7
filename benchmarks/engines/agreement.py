"""Whether the contenders say the same of the same photos."""

from __future__ import annotations

import numpy as np
from networks import Network
from passes import Contender

from lesionlens.quantise.compare import Answer, compare
from lesionlens.uncertainty import decide, softmax

__all__ = ["print_agreement"]


def print_agreement(network: Network, entries: list[Contender]) -> None:
    """Print agreement with the baseline; it is the same whatever the number of threads.

    The points lost are those of balanced accuracy, in percent; below 0 where it rose.
    """
    kind = " of the test fold" if network.trained else ": **never trained, so agreement says nothing**"
    print(f"\nAgreement with {entries[0].title} on {len(network.photos)} photos{kind}:\n")
    print("| network | same diagnosis | move of a probability: mean | most | heatmaps correlate | points lost |")
    print("|---|---|---|---|---|---|")
    most = entries[0].threads
    expected = _answers(network, entries[0])
    for entry in entries[1:]:
        if entry.threads != most:
            continue
        found = compare(expected, _answers(network, entry), network.labels or [0] * len(expected))
        lost = f"{100 * found.drop:+.2f}" if network.trained and network.labels else "–"
        print(
            f"| {entry.engine.info.name} {entry.precision} | {found.agreement:.2%} | {found.probability_change:.5f} "
            f"| {found.largest_change:.5f} | {found.map_correlation:.5f} | {lost} |",
            flush=True,
        )


def _answers(network: Network, entry: Contender) -> list[Answer]:
    manifest, answers = network.manifest, []
    for photo in network.photos:
        outputs = entry.engine.run(np.ascontiguousarray(photo[None]))
        probabilities = softmax(outputs.logits, manifest.temperature, manifest.logit_shift)
        predictions = decide(probabilities, manifest.confidence_threshold)
        answers.append(Answer(probabilities[0], int(predictions[0]), outputs.maps[0]))
    return answers
