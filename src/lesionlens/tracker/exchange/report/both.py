"""Writing a person's report, each lesion read once whatever number of forms it is written in."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Final, Literal, Protocol, get_args

from sqlalchemy.orm import Session

from lesionlens.errors import InvalidRecordError
from lesionlens.tracker.database.models import PersonRow
from lesionlens.tracker.exchange.report.content import Heading, LesionPart, read_heading, read_lesions
from lesionlens.tracker.exchange.report.html import HtmlReport
from lesionlens.tracker.people import People
from lesionlens.tracker.repository import Store
from lesionlens.tracker.tracker import Tracker

if TYPE_CHECKING:
    from lesionlens.tracker.exchange.report.pdf import PdfReport

__all__ = ["FORMATS", "ReportFormat", "write_both", "write_report"]

ReportFormat = Literal["html", "pdf"]
FORMATS: Final[tuple[str, ...]] = get_args(ReportFormat)


class _Report(Protocol):
    def start(self) -> None: ...

    def lesion(self, part: LesionPart) -> None: ...

    def end(self) -> None: ...


def write_report(tracker: Tracker, person_id: str, stream: IO[bytes], kind: ReportFormat) -> None:
    """Write a report to read: a person's lesions with their photos, and what models said of them over time.

    The same records give the same bytes with the same libraries; nothing says when the report was made. Deleted lesions
    and visits are not in it.

    Args:
        tracker: The store.
        person_id: Whose.
        stream: A binary file that can be written.
        kind: `html`, one file that loads nothing, or `pdf`.

    Raises:
        InvalidRecordError: There is no such form.
        RecordNotFoundError: There is no such person, or they are deleted.
        StoreError: The database cannot be read.
    """
    if kind not in FORMATS:
        raise InvalidRecordError(("format", f"format is {str(kind)[:40]!r}; accepted: {', '.join(FORMATS)}"))
    store = tracker.store
    with store.database.read() as session:
        person = People(store).load_row(session, person_id)
        if kind == "html":
            _write(store, session, person, HtmlReport(stream, read_heading(session, person)))
        else:
            with _pdf(read_heading(session, person)) as pdf:
                _write(store, session, person, pdf)
                stream.write(pdf.data())


def write_both(store: Store, session: Session, person: PersonRow, page: IO[bytes]) -> bytes:
    """Write a person's report as HTML, and return it as PDF.

    Args:
        store: Where photos are.
        session: A transaction in which the person was read.
        person: Whose.
        page: Takes the HTML.
    """
    heading = read_heading(session, person)
    with _pdf(heading) as pdf:
        _write(store, session, person, HtmlReport(page, heading), pdf)
        return pdf.data()


def _pdf(heading: Heading) -> PdfReport:
    # Imported when the first one is written: its libraries would take a sixth of the time in which the service starts.
    from lesionlens.tracker.exchange.report.pdf import PdfReport

    return PdfReport(heading)


def _write(store: Store, session: Session, person: PersonRow, *reports: _Report) -> None:
    for report in reports:
        report.start()
    for part in read_lesions(store, session, person.id):
        for report in reports:
            report.lesion(part)
    for report in reports:
        report.end()
