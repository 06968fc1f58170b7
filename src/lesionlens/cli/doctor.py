"""`lesionlens doctor`: examine the tracker's records and photos."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.table import Table
from rich.text import Text

from lesionlens.cli.app import app
from lesionlens.cli.console import EXIT_FAILED, EXIT_USAGE, errors_shown, standard_output

if TYPE_CHECKING:
    from lesionlens.inference.engines.report import ComputeReport
    from lesionlens.tracker.doctor import Report

__all__ = ["doctor"]

_STYLES: Final = {"fine": "green", "note": "cyan", "repaired": "yellow", "wrong": "bold red"}
_SHOWN: Final = 20  # details of a finding; --json has them all


@app.command()
@errors_shown(EXIT_USAGE)
def doctor(
    repair: Annotated[
        bool, typer.Option("--repair", help="Repair what can be repaired; nothing that a record needs is removed.")
    ] = False,
    photos_from: Annotated[
        Path | None,
        typer.Option(
            help="With --repair: a backup to look for lost and damaged photos in, to the bottom of the folder.",
            exists=True,
            file_okay=False,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Examine the tracker's database and photos, and repair them; say what can compute here."""
    import json
    from dataclasses import asdict

    from lesionlens.inference.engines.report import report_compute
    from lesionlens.tracker.doctor import examine
    from lesionlens.tracker.settings import load_tracker_settings

    settings = load_tracker_settings()
    url = settings.database_url.get_secret_value() if settings.database_url else None
    report = examine(settings.data_dir, url, repair=repair, photos_from=photos_from)
    if as_json:
        findings = [asdict(finding) for finding in report.findings]
        found = {"healthy": report.healthy, "findings": findings, "compute": asdict(report_compute())}
        typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        _show(report, settings.data_dir)
        _show_compute(report_compute())
    if not report.healthy:
        raise typer.Exit(EXIT_FAILED)


def _show(report: Report, data_dir: Path) -> None:
    screen = standard_output()
    screen.print(Text(f"The records in {data_dir}", style="bold"), soft_wrap=True)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("Check", "State", "Found"):
        table.add_column(title, overflow="fold")
    for finding in report.findings:
        table.add_row(finding.check, Text(finding.state, style=_STYLES[finding.state]), Text(finding.message))
    screen.print(table)
    for finding in report.findings:
        if finding.details and finding.state != "fine":
            screen.print(Text(f"\n{finding.check}:", style="bold"))
            for detail in finding.details[:_SHOWN]:
                screen.print(Text(f"  {detail}"), soft_wrap=True)
            if len(finding.details) > _SHOWN:
                screen.print(f"  … and {len(finding.details) - _SHOWN} more (--json lists all)")


def _show_compute(report: ComputeReport) -> None:
    screen = standard_output()
    ration = "" if report.quota is None else f", rationed to the time of {report.quota:g}"
    screen.print(Text(f"\nThe engines, on {report.cpus} CPUs{ration}", style="bold"), soft_wrap=True)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("Engine", "Version", "Computes on", "Precision"):
        table.add_column(title, overflow="fold")
    for engine in report.engines:
        table.add_row(engine.name, Text(engine.version), ", ".join(engine.computes_on), ", ".join(engine.precisions))
    screen.print(table)
