"""What calibration did, on a terminal."""

from __future__ import annotations

import math

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from lesionlens.calibration.conformal import SetFigures
from lesionlens.calibration.fit import Calibration, Fitted
from lesionlens.inference.bundle import Manifest
from lesionlens.inference.records import CalibrationRecord, Reliability
from lesionlens.taxonomy import CODES

__all__ = ["show"]


def show(fitted: Fitted, before: Manifest, console: Console) -> None:
    """Print what was chosen, how well it does, and what changed.

    Args:
        fitted: What was fitted.
        before: The manifest as it was.
        console: Where to print.
    """
    calibration, record = fitted.calibration, fitted.calibration.record
    console.print(
        f"\n[bold]{escape(before.name)} {escape(before.version)}[/], calibrated on {escape(record.measured_on)} "
        f"({record.lesions:,} lesions)."
    )
    console.print(_reliability(record))
    console.print(_choice(record))
    if calibration.rule and calibration.sets and calibration.sets_of_one_threshold:
        console.print(_sets(calibration.rule.coverage, calibration.sets, calibration.sets_of_one_threshold))
    elif calibration.rule is None:
        console.print("\nNo prediction sets: there are too few lesions for a promise.")
    if calibration.points:
        console.print(_points(calibration))
    else:
        console.print("\nNo thresholds on the malignant probability: the lesions are all malignant or all benign.")
    console.print(_changes(fitted, before))


def _table(title: str, *headings: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("")
    for heading in headings:
        table.add_column(heading, justify="right")
    return table


def _reliability(record: CalibrationRecord) -> Table:
    table = _table(
        "How well the probabilities fit", "negative\nlog-likelihood", "calibration\nerror (ECE)", "balanced\naccuracy"
    )
    rows: tuple[tuple[str, str, Reliability | None], ...] = (
        ("", "as the network gives them", record.uncalibrated),
        ("temperature", "one temperature", record.temperature),
        ("bias_corrected_temperature", "and a shift for each class", record.bias_corrected_temperature),
    )
    for method, title, figures in rows:
        chosen = method == record.method
        cells = ("–",) * 3 if figures is None else (f"{figures.nll:.4f}", f"{figures.ece:.4f}", _share(figures))
        table.add_row(title + " (used)" * chosen, *cells, style="bold" if chosen else None)
    return table


def _choice(record: CalibrationRecord) -> str:
    if record.gain is None or record.gain_error is None:
        return "There are too few lesions to compare ways of fitting: one temperature it is."
    used = record.method == "bias_corrected_temperature"
    enough = record.gain > record.gain_error
    verdict = "more than" if enough else "no more than"
    price = "" if used or not enough else ", but also the balanced accuracy"
    return (
        f"Each judged on lesions that it was not fitted on. The shifts lower the negative log-likelihood by "
        f"{record.gain:.4f}, {verdict} the standard error of {record.gain_error:.4f}{price}: they are "
        f"{'used' if used else 'left out'}."
    )


def _share(figures: Reliability) -> str:
    return "–" if figures.balanced_accuracy is None else f"{figures.balanced_accuracy:.1%}"


def _sets(coverage: float, used: SetFigures, other: SetFigures) -> Table:
    headings = ("hold the\ntruth", "least, by\ndiagnosis", "diagnoses\nin a set", "sets of\none")
    table = _table(f"Prediction sets, built for {coverage:.0%}, on lesions not fitted on", *headings)
    for title, figures in (("a threshold per diagnosis (used)", used), ("one threshold for all", other)):
        worst = min((share, code) for share, code in zip(figures.by_class, CODES, strict=True) if not math.isnan(share))
        cells = (f"{worst[0]:.1%} {worst[1]}", f"{figures.size:.2f}", f"{figures.singletons:.1%}")
        table.add_row(title, f"{figures.coverage:.1%}", *cells, style="bold" if figures is used else None)
    return table


def _points(calibration: Calibration) -> Table:
    table = _table("Malignant probability", "suspicious\nfrom", "malignant\nfound", "benign\nleft alone")
    for p in calibration.points:
        table.add_row(p.name, f"{p.threshold:.4f}", f"{p.sensitivity:.1%}", f"{p.specificity:.1%}")
    return table


def _changes(fitted: Fitted, before: Manifest) -> str:
    calibration = fitted.calibration

    def shift(values: tuple[float, ...] | None) -> str:
        return "none" if values is None else " ".join(f"{c} {v:+.2f}" for c, v in zip(CODES, values, strict=True))

    changes = [f"Temperature {before.temperature:.4f} → {calibration.scaling.temperature:.4f}."]
    if before.logit_shift or calibration.scaling.shift:
        changes.append(f"Shift {shift(before.logit_shift)} → {shift(calibration.scaling.shift)}.")
    if before.results and not calibration.apply(before).results:
        changes.append("The measured figures of before are not those of these probabilities and were taken out.")
    if fitted.reference is None:
        changes.append("Whether a picture is suitable will not be told: there are too few pictures for the statistics.")
    else:
        share = f"{fitted.reference.rule.false_alarms:.1%}"
        changes.append(f"Not suitable: {share} of {fitted.reference.rule.measured_on}.")
    return "\n".join(changes)
