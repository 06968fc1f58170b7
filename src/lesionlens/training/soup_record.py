"""What weights were averaged, kept with the run folder that holds their average."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from lesionlens.errors import DataError
from lesionlens.inference.records import Ingredient, StrictRecord

__all__ = ["SoupRecord"]


class SoupRecord(StrictRecord):
    """An average of weights.

    Attributes:
        ingredients: What was averaged; the shares sum to 1.
        batch_norm_pictures: Training pictures that the statistics of the batch norms were taken from afterwards.
    """

    ingredients: tuple[Ingredient, ...]
    batch_norm_pictures: Annotated[int, Field(ge=1)]

    def write(self, path: Path) -> None:
        """Keep the record as JSON."""
        path.write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> SoupRecord | None:
        """Return the record in a file; None if there is no such file.

        Raises:
            DataError: The file is not such a record.
        """
        if not path.is_file():
            return None
        try:
            return cls.model_validate_json(path.read_bytes())
        except ValidationError as error:
            raise DataError(f"{path} is not the record of averaged weights: {error}") from error
