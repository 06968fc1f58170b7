"""What the schemas of `/v1` share."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Probability", "Response", "Share"]

Probability = Annotated[float, Field(ge=0.0, le=1.0)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]


class Response(BaseModel):
    """A part of an answer."""

    model_config = ConfigDict(frozen=True)
