"""What weights were averaged, kept with the run folder that holds their average."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from lesionlens.inference.records import Ingredient
from lesionlens.training.kept_record import KeptRecord

__all__ = ["SoupRecord"]


class SoupRecord(KeptRecord):
    """An average of weights.

    Attributes:
        ingredients: What was averaged; the shares sum to 1.
        batch_norm_pictures: Training pictures that the statistics of the batch norms were taken from afterwards.
    """

    about: ClassVar[str] = "averaged weights"

    ingredients: tuple[Ingredient, ...]
    batch_norm_pictures: Annotated[int, Field(ge=1)]
