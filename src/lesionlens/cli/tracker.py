"""`lesionlens tracker export`, `import`, `report`, `reanalyse` and `status`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.progress import MofNCompleteColumn
from rich.table import Table
from rich.text import Text

from lesionlens.cli.app import app
from lesionlens.cli.console import EXIT_FAILED, EXIT_USAGE, errors_shown, fail, progress_bar, standard_output
from lesionlens.cli.new_file import new_file
from lesionlens.inference.embedded import DEFAULT_MODEL

if TYPE_CHECKING:
    from collections.abc import Callable

    from lesionlens.tracker import Tracker
    from lesionlens.tracker.exchange.outcome import Exported, Imported

__all__ = ["export", "import_", "reanalyse", "report", "status"]

tracker_app = typer.Typer(no_args_is_help=True, help="Export, import, read and re-analyse the tracker's records.")
app.add_typer(tracker_app, name="tracker")

_SHOWN: Final = 20  # of what was left out; --json lists all

Person = Annotated[str | None, typer.Option(help="Id of a person, or their label if no other has it; all by default.")]


@tracker_app.command()
@errors_shown()
def export(
    file: Annotated[Path, typer.Argument(help="ZIP file to write; one that is there is replaced.", dir_okay=False)],
    person: Person = None,
) -> None:
    """Write all records, the photos, and a report for each person to a ZIP file.

    It holds health data, not encrypted: only you can read the file, so keep it where that stays so.
    """
    from lesionlens.tracker.exchange import export as write_export

    with _opened() as tracker, new_file(file) as stream, _told("Exporting") as progress:
        done = write_export(tracker, stream, _person_id(tracker, person), progress=progress)
    standard_output().print(Text(f"{file}: {_counted(done)}"), soft_wrap=True)
    _disclaim()
    if done.missing_photos:
        fail(
            f"the files of {len(done.missing_photos)} photos are lost or damaged, so the export lacks them; all the "
            "rest is in it. lesionlens doctor looks for them"
        )


@tracker_app.command("import")
@errors_shown()
def import_(
    file: Annotated[
        Path, typer.Argument(help="An export, or the SkinTracker app's storage as JSON.", exists=True, dir_okay=False)
    ],
    person: Annotated[
        str | None,
        typer.Option(help="SkinTracker only: whose moles these are, by id or label; a new person by default."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of words.")] = False,
) -> None:
    """Take in an export of LesionLens, or the browser storage of the SkinTracker app.

    What is there already is left as it is, so an import may be repeated. Exit code: 0 if everything is in, 1 if
    something was left out.
    """
    import json
    from dataclasses import asdict

    from lesionlens.tracker.exchange import import_file

    with _opened() as tracker, file.open("rb") as stream, _told("Importing") as progress:
        done = import_file(tracker, stream, _person_id(tracker, person), progress=progress)
    if as_json:
        typer.echo(json.dumps(asdict(done), indent=2, ensure_ascii=False))
    else:
        screen = standard_output()
        screen.print(
            f"Added: {_counted(done)}. Already there: {done.already_there}. Left out: {len(done.skipped)}.",
            soft_wrap=True,
        )
        for skipped in done.skipped[:_SHOWN]:
            screen.print(Text(f"  {skipped.what}: {skipped.why}"), soft_wrap=True)
        if len(done.skipped) > _SHOWN:
            screen.print(f"  … and {len(done.skipped) - _SHOWN} more (--json lists all)")
    if done.skipped:
        raise typer.Exit(EXIT_FAILED)


def _counted(done: Exported | Imported) -> str:
    """Say how many records of each kind there are."""
    kinds = (
        (done.people, "person", "people"),
        (done.lesions, "lesion", "lesions"),
        (done.visits, "visit", "visits"),
        (done.analyses, "analysis", "analyses"),
        (done.photos, "photo", "photos"),
    )
    return ", ".join(f"{number} {one if number == 1 else many}" for number, one, many in kinds)


@tracker_app.command()
@errors_shown()
def report(
    person: Annotated[str, typer.Argument(help="Id of a person, or their label if no other has it.")],
    file: Annotated[Path, typer.Argument(help="File to write: .html or .pdf.", dir_okay=False)],
) -> None:
    """Write a report to read: a person's lesions, photos and answers over time."""
    from lesionlens.tracker.exchange import write_report

    ending = file.suffix.lower()
    if ending not in (".html", ".htm", ".pdf"):
        fail(f"cannot tell a format from {str(file)!r}; end it in .html or .pdf", EXIT_USAGE)
    with _opened() as tracker, new_file(file) as stream:
        person_id = _person_id(tracker, person)
        write_report(tracker, person_id or "", stream, "pdf" if ending == ".pdf" else "html")
    standard_output().print(Text(str(file)), soft_wrap=True)
    _disclaim()


@tracker_app.command()
@errors_shown()
def reanalyse(
    person: Person = None,
    model: Annotated[
        str, typer.Option(help="Name of an embedded model, folder of a bundle, or file of weights.")
    ] = DEFAULT_MODEL,
    engine: Annotated[str, typer.Option(help="auto, onnxruntime or openvino.")] = "auto",
    threads: Annotated[int, typer.Option(min=0, help="Compute threads; 0 for one per CPU.")] = 0,
) -> None:
    """Have a model look at all photos that it has not seen; earlier answers stay beside the new ones.

    May be interrupted: started again, it goes on where it stopped.
    """
    from lesionlens import Classifier
    from lesionlens.inference.find_model import find_model
    from lesionlens.tracker.reanalysis import reanalyse as analyse_again

    with errors_shown(EXIT_USAGE):
        classifier = Classifier(find_model(model), engine=engine, threads=threads)
    with _opened() as tracker, _told("Analysing") as progress:
        done = analyse_again(tracker, classifier, _person_id(tracker, person), progress=progress)
    described = classifier.description
    screen = standard_output()
    screen.print(
        f"{done.analysed} visits analysed. Model: {described['name']} {described['version']} ({described['engine']})",
        markup=False,
    )
    _disclaim()
    for visit, why in done.failed.items():
        screen.print(Text(f"  visit {visit}: {why}"), soft_wrap=True)
    if done.failed:
        fail(f"the photos of {len(done.failed)} visits could not be used")


@tracker_app.command()
@errors_shown()
def status(as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False) -> None:
    """Say how much is recorded, where it lies, and what waits for the default model."""
    import json
    from dataclasses import asdict

    from lesionlens.inference.find_model import find_model

    manifest = find_model(DEFAULT_MODEL).manifest
    with _opened() as tracker:
        counts = asdict(tracker.counts())
        waiting = tracker.visits.list(not_analysed_by=manifest.graph_sha256, limit=1).total
        due = len(tracker.lesions.due())
        database = tracker.store.database.url.render_as_string(hide_password=True)
        folder = str(tracker.data_dir)
    if as_json:
        facts = {"data_dir": folder, "database": database, **counts, "due": due, "not_analysed": waiting}
        typer.echo(json.dumps(facts, indent=2, ensure_ascii=False))
        return
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in (
        ("Data folder", folder),
        ("Database", database),
        *((name.capitalize(), f"{counts[name]:,}") for name in ("people", "lesions", "visits", "analyses")),
        ("Photos", f"{counts['photos']:,} ({counts['photo_bytes'] / 1e6:,.1f} MB)"),
        ("Deleted", f"{counts['deleted']:,} that can be undeleted"),
        ("Due", f"{due:,} lesions whose next photo is due"),
        ("To analyse", f"{waiting:,} visits that {manifest.name} {manifest.version} has not seen"),
    ):
        table.add_row(name, Text(value))
    standard_output().print(table)


@contextmanager
def _opened() -> Iterator[Tracker]:
    """Open the records that the service keeps, with the bounds on photos that it has."""
    from lesionlens.imaging import Limits
    from lesionlens.settings import load_settings
    from lesionlens.tracker import Tracker

    with errors_shown(EXIT_USAGE):
        settings = load_settings()
        tracker = Tracker.from_settings(limits=Limits(settings.max_upload_bytes, settings.max_pixels))
    with tracker:
        yield tracker


def _disclaim() -> None:
    from lesionlens import DISCLAIMER

    standard_output().print(Text(DISCLAIMER, style="bold"))


def _person_id(tracker: Tracker, person: str | None) -> str | None:
    """Return the id of the person whom a user named by id or label."""
    from lesionlens.tracker.ids import is_id

    if person is None or is_id(person):
        return person
    found, offset = list[str](), 0
    while (page := tracker.people.list(offset=offset, limit=500)).items:
        found += [p.id for p in page.items if p.label.casefold() == person.strip().casefold()]
        offset += len(page.items)
    if not found:
        fail(f"there is no person {person[:60]!r}; name one by id or label", EXIT_USAGE)
    if len(found) > 1:
        fail(f"{len(found)} people are called {person[:60]!r}; name one by id: {', '.join(found)}", EXIT_USAGE)
    return found[0]


@contextmanager
def _told(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar while something runs."""
    with progress_bar(MofNCompleteColumn()) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
