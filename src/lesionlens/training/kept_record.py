"""Records that a run folder keeps as JSON."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Self

from pydantic import ValidationError

from lesionlens.errors import DataError
from lesionlens.inference.records import StrictRecord

__all__ = ["KeptRecord"]


class KeptRecord(StrictRecord):
    """A record with a file of its own in a run folder."""

    about: ClassVar[str]
    """What it is a record of, for the message about a file that is none."""

    def write(self, path: Path) -> None:
        """Keep the record as JSON."""
        path.write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """Return the record in a file; None if there is no such file.

        Raises:
            DataError: The file is not such a record.
        """
        if not path.is_file():
            return None
        try:
            return cls.model_validate_json(path.read_bytes())
        except ValidationError as error:
            raise DataError(f"{path} is not the record of {cls.about}: {error}") from error
