"""The record of every lesion, opened."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import structlog
from sqlalchemy import func, select

from lesionlens.errors import InvalidRecordError, StoreError
from lesionlens.imaging import Limits
from lesionlens.tracker.database import address
from lesionlens.tracker.database.migrate import bring_up_to_date
from lesionlens.tracker.database.models import AnalysisRow, Kept, LesionRow, PersonRow, PhotoRow, VisitRow
from lesionlens.tracker.database.sessions import Database
from lesionlens.tracker.lesions import Lesions
from lesionlens.tracker.people import People
from lesionlens.tracker.photos import PhotoFiles, make_private_folder
from lesionlens.tracker.records import Counts, Erased
from lesionlens.tracker.removals import finish_removals
from lesionlens.tracker.repository import Store
from lesionlens.tracker.settings import TrackerSettings, load_tracker_settings
from lesionlens.tracker.visits import Visits

__all__ = ["PHOTO_FOLDER", "Tracker"]

PHOTO_FOLDER: Final = "photos"
_DEFAULT_LIMITS: Final = Limits()
_logger = structlog.get_logger("lesionlens.tracker")


class Tracker:
    """People, their lesions, and the visits of each, in a database and a folder of photos.

    Opening it makes what is missing and brings the tables up to date. One may be used from any number of threads, and
    several processes may each have one of the same data.

    Args:
        data_dir: Folder of the photos, and of the database unless `database_url` names another.
        database_url: `postgresql://…` or `sqlite:////…`; None for a file in the data folder.
        limits: Largest accepted photo.

    Attributes:
        people: The people.
        lesions: Their lesions.
        visits: The lesions' visits.
        photos: The photo files.
        store: What these work on, for the other parts of this package.

    Raises:
        SettingsError: The address of the database is not accepted.
        StoreError: The data folder or the database cannot be used, or a newer LesionLens made it.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder, Tracker(Path(folder)) as tracker:
        ...     person = tracker.people.create("Ada", skin_type=2)
        ...     lesion = tracker.lesions.create(person.id, "back", 0.4, 0.3, site="left shoulder")
        ...     [found] = tracker.lesions.near(person.id, "back", 0.41, 0.3)
        >>> found.lesion.site
        'left shoulder'
    """

    def __init__(self, data_dir: Path, database_url: str | None = None, *, limits: Limits = _DEFAULT_LIMITS) -> None:
        url = address.database_url(data_dir, database_url)
        self.data_dir = data_dir
        self.photos = PhotoFiles(data_dir / PHOTO_FOLDER)
        try:
            make_private_folder(self.photos.folder)
        except OSError as error:
            raise StoreError(
                f"the data folder {data_dir} cannot be used: {error.strerror or error}; name one that can be written "
                "in LESIONLENS_DATA_DIR"
            ) from error
        bring_up_to_date(url)
        self._database = Database(url)
        self.store = Store(self._database, self.photos, limits)
        self.people = People(self.store)
        self.lesions = Lesions(self.store)
        self.visits = Visits(self.store)
        try:
            finish_removals(self._database, self.photos)
        except StoreError as error:  # what was erased is gone from the records; its file must not keep anyone from them
            _logger.warning("a photo that was erased is still there", reason=str(error))

    @classmethod
    def from_settings(cls, settings: TrackerSettings | None = None, *, limits: Limits = _DEFAULT_LIMITS) -> Self:
        """Open the tracker that the environment names.

        Args:
            settings: Where it is; None reads `LESIONLENS_DATA_DIR` and `LESIONLENS_DATABASE_URL`.
            limits: Largest accepted photo.

        Raises:
            SettingsError: A setting is not accepted.
            StoreError: The data folder or the database cannot be used.
        """
        settings = settings or load_tracker_settings()
        url = settings.database_url.get_secret_value() if settings.database_url else None
        return cls(settings.data_dir, url, limits=limits)

    def counts(self) -> Counts:
        """Count what is stored."""
        with self._database.read() as session:

            def count(table: type[PersonRow | LesionRow | VisitRow | AnalysisRow | PhotoRow]) -> int:
                return session.scalar(select(func.count()).select_from(table)) or 0

            def deleted(table: type[Kept]) -> int:
                return session.scalar(select(func.count()).where(table.deleted_at.is_not(None))) or 0

            return Counts(
                people=count(PersonRow),
                lesions=count(LesionRow),
                visits=count(VisitRow),
                analyses=count(AnalysisRow),
                photos=count(PhotoRow),
                photo_bytes=int(session.scalar(select(func.coalesce(func.sum(PhotoRow.byte_size), 0))) or 0),
                deleted=sum(deleted(table) for table in (PersonRow, LesionRow, VisitRow)),
            )

    def purge(self, older_than: timedelta, *, now: datetime | None = None) -> Erased:
        """Erase for good what has been deleted for a while, with all that belongs to it.

        Args:
            older_than: How long ago a record must have been deleted, not negative.
            now: With a UTC offset; None for the present.

        Returns:
            How much was removed.

        Raises:
            InvalidRecordError: `older_than` is negative.
            StoreError: The records are gone, but a photo file could not be removed yet.
        """
        if older_than < timedelta(0):
            raise InvalidRecordError(("older_than", f"older_than is {older_than}; accepted: a time span, 0 or more"))
        before = (now or datetime.now(UTC)) - older_than
        erased = Erased()
        for table, repository in ((PersonRow, self.people), (LesionRow, self.lesions), (VisitRow, self.visits)):
            with self._database.read() as session:
                ids = list(session.scalars(select(table.id).where(table.deleted_at <= before).order_by(table.id)))
            for record_id in ids:
                erased += repository.erase_if_deleted(record_id, before)
        return erased

    def close(self) -> None:
        """Close the connections to the database; the tracker must not be used afterwards."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
