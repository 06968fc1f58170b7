"""What the schemas of the tracker share."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import ConfigDict, Field

from lesionlens.api.schemas.base import Response

__all__ = ["Id", "Kept"]

Id = Annotated[str, Field(description="UUID in lower case.", examples=["0199c2f4-7a51-7d3e-9b1a-2f6c8d4e5a70"])]


class Kept(Response):
    """What people, lesions and visits have in common."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    id: Id
    note: str = Field(description="At most 10,000 characters.")
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = Field(description="null unless it is deleted and can be undeleted.")
