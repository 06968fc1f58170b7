"""Column types that mean the same in SQLite and PostgreSQL."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, DateTime, String
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

__all__ = ["Json", "UtcDateTime", "exact_text", "sort_key"]

Json = JSON(none_as_null=True)
"""A JSON value, in which Python's None is the database's NULL."""


class UtcDateTime(TypeDecorator[datetime]):
    """A moment with microseconds, always in UTC: SQLite keeps no time zone, and PostgreSQL answers in the session's."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Take a time with any UTC offset."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Give it back in UTC."""
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def exact_text(length: int) -> TypeEngine[str]:
    """Return a text type that is compared by code points in both databases, whatever language the server speaks.

    Args:
        length: In characters; enforced by PostgreSQL only.
    """
    return String(length).with_variant(String(length, collation="C"), "postgresql")


def sort_key(text: str) -> str:
    """Return what a label is sorted by: without regard to case and accents, the same in both databases.

    Args:
        text: Any text; its key has at most four times its length.
    """
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in plain if not unicodedata.combining(c))[: 4 * len(text)]
