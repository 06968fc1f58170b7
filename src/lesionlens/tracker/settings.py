"""Where the tracker keeps its records, from the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import platformdirs
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from lesionlens.errors import SettingsError

__all__ = ["TrackerSettings", "load_tracker_settings"]

_PREFIX: Final = "LESIONLENS_"


class TrackerSettings(BaseSettings):
    """The store's settings; the field descriptions are the reference, and `docs/tracker.md` lists them.

    Make one with `load_tracker_settings`, which explains a wrong value in words.
    """

    model_config = SettingsConfigDict(env_prefix=_PREFIX, env_ignore_empty=True, frozen=True, extra="forbid")

    data_dir: Path = Field(
        default_factory=lambda: platformdirs.user_data_path("lesionlens", appauthor=False),
        description="Folder of the tracker's database and photos.",
        json_schema_extra={"accepted": "a folder that can be written, as an absolute path or below ~"},
        validate_default=True,
    )
    # It may hold a password, which must not appear where settings are printed.
    database_url: SecretStr | None = Field(
        default=None,
        description="Database of the tracker's records; an SQLite file in the data folder if it is not set.",
        json_schema_extra={
            "accepted": "postgresql://USER:PASSWORD@HOST:PORT/DATABASE, or sqlite:////ABSOLUTE/PATH of a file"
        },
    )

    @field_validator("data_dir")
    @classmethod
    def _make_absolute(cls, path: Path) -> Path:
        # A relative path would make the records seem to vanish when the service starts in another folder; and without a
        # home directory the default is relative, since ~ stays in it.
        path = path.expanduser()
        if not path.is_absolute():
            raise ValueError("not an absolute path")
        return path


def load_tracker_settings(**overrides: Any) -> TrackerSettings:
    """Read the settings from the environment.

    Args:
        **overrides: Settings by field name that take precedence over the environment.

    Raises:
        SettingsError: A value is not accepted, or there is no home directory and no folder was named; the message names
            the variable and what is accepted.
    """
    try:
        return TrackerSettings(**overrides)
    except (ValidationError, RuntimeError) as error:  # RuntimeError: `~` of a user without a home directory
        names = {str(p["loc"][0]) for p in error.errors()} if isinstance(error, ValidationError) else {"data_dir"}
        raise SettingsError("; ".join(_explain(name) for name in sorted(names))) from error


def _explain(name: str) -> str:
    field = TrackerSettings.model_fields.get(name)
    if field is None:
        return f"there is no setting {name!r}; known: {', '.join(TrackerSettings.model_fields)}"
    extra = field.json_schema_extra
    accepted = extra["accepted"] if isinstance(extra, dict) else field.description
    return f"{_PREFIX}{name.upper()} has a value that is not accepted; accepted: {accepted}"
