"""A part of a list."""

from __future__ import annotations

from typing import Generic, TypeVar

from pydantic import Field

from lesionlens.api.schemas.base import Response

__all__ = ["Listing"]

T = TypeVar("T")


class Listing(Response, Generic[T]):
    """A part of a sorted list."""

    items: list[T]
    total: int = Field(description="Length of the whole list, counted in the same moment.")
    offset: int = Field(description="Number of records before these.")
    limit: int = Field(description="Most records that are given at once.")
