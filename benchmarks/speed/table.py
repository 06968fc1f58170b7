"""The results as one Markdown table for docs/performance.md, and for the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from figures import Figure
from plan import Plan
from targets import TARGETS

__all__ = ["markdown", "put_into"]

_BEGIN, _END = "<!-- speed: begin -->\n", "<!-- speed: end -->"

_ROWS = (
    # What, in which unit, digits, key of ours, key of the baseline's, key of the ratio or other figure with a target.
    ("median of `/predict`, one client, 600 × 450", "ms", 0, "latency_ms", "naive_latency_ms", "latency_ratio"),
    ("answers at {clients} clients", "per s", 2, "throughput", "naive_throughput", "throughput_ratio"),
    ("median of `/predict`, one client, 12 MP", "ms", 0, "large_latency_ms", "naive_large_latency_ms", None),
    ("what 12 MP add", "ms", 0, "large_photo_ms", "naive_large_photo_ms", "large_photo_ms"),
    ("the network alone", "ms", 0, "network_ms", None, None),
    ("all but the network", "%", 1, "overhead_percent", None, "overhead_percent"),
    ("process start to first answer", "s", 2, "cold_start_s", "naive_cold_start_s", "cold_start_s"),
    ("… with the embedded `lite2`", "s", 2, "cold_start_lite2_s", None, "cold_start_lite2_s"),
    ("memory after {answers} answers (PSS)", "MiB", 0, "memory_mib", "naive_memory_mib", "memory_mib"),
)


def markdown(
    figures: Mapping[str, Figure],
    engines: Mapping[str, str],
    machine: Mapping[str, str],
    stages: Mapping[str, float],
    remarks: Sequence[str],
    plan: Plan,
) -> str:
    """Write the results.

    Args:
        figures: By key.
        engines: What computes, in words, by the name of the contender; the first is the service's default.
        machine: What it was measured on.
        stages: Mean milliseconds of each stage of a request.
        remarks: What else must be known of this run.
        plan: How much was measured.
    """
    default, *others = engines
    lines = [
        f"| EfficientNet-B5, 456 px | baseline | LesionLens ({engines[default]}) | ratio | target |",
        "|---|---|---|---|---|",
        *(_row(figures, *row).format(clients=plan.clients, answers=plan.memory_requests) for row in _ROWS),
        "",
    ]
    lines += [
        "| engine | network alone, ms | `/predict`, ms | × baseline | "
        f"per s, {plan.clients} clients | × baseline | overhead |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [_engine_row(figures, engines[name], "" if name == default else f"{name}.") for name in (default, *others)]
    lines += ["", "| stage of a request, one client, 600 × 450 | mean, ms |", "|---|---|"]
    lines += [f"| {stage} | {mean:.1f} |" for stage, mean in stages.items()]
    lines += ["", *(f"- {remark}" for remark in remarks)]
    lines += ["- " + "; ".join(f"{name} {value}" for name, value in machine.items())]
    return "\n".join(lines) + "\n"


def put_into(document: str, table: str) -> str:
    """Return a document with the results in their place: between the two comments that mark it.

    Args:
        document: Markdown with the comments `speed: begin` and `speed: end`.
        table: The results.

    Raises:
        ValueError: The document has no such place.
    """
    before, begin, rest = document.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise ValueError(f"the document has no place for the results, between {_BEGIN.strip()} and {_END}")
    return f"{before}{begin}\n{table}\n{end}{after}"


def _row(
    figures: Mapping[str, Figure], what: str, unit: str, digits: int, ours: str, naive: str | None, judged: str | None
) -> str:
    mine, theirs = figures[ours], figures.get(naive or "")
    ratio = "–"
    if judged and judged.endswith("_ratio"):
        ratio = f"**{figures[judged].text(1)}×**"
    elif theirs and mine.value > 0:
        ratio = f"{theirs.value / mine.value:.1f}×"
    baseline = f"{theirs.text(digits)} {unit}" if theirs else "–"
    return f"| {what} | {baseline} | {mine.text(digits)} {unit} | {ratio} | {_target(figures, judged)} |"


def _target(figures: Mapping[str, Figure], judged: str | None) -> str:
    for target in TARGETS:
        if target.figure == judged:
            sign = {">=": "≥", "<=": "≤"}[target.relation]
            return f"{sign} {target.bound:g}: {'met' if target.met(figures[target.figure].value) else '**missed**'}"
    return "–"


def _engine_row(figures: Mapping[str, Figure], name: str, prefix: str) -> str:
    cells = [
        name,
        figures[f"{prefix}network_ms"].text(),
        figures[f"{prefix}latency_ms"].text(),
        figures[f"{prefix}latency_ratio"].text(1),
        figures[f"{prefix}throughput"].text(1),
        figures[f"{prefix}throughput_ratio"].text(1),
        f"{figures[f'{prefix}overhead_percent'].text(1)} %",
    ]
    return f"| {' | '.join(cells)} |"
