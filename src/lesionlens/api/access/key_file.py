"""The file of API keys: one JSON object a line, with the hash of a key, its scopes and its end.

    # API keys of LesionLens. It holds hashes and no keys; `lesionlens keys` changes it.
    {"name":"backup","sha256":"5f1c…","scopes":["export"],"created":"2026-11-02T09:00:00Z","expires":null}

Lines and not one document, so that an error can name the line, and a person can see in a diff what was changed. Several
lines may have the same name: those are a key and the ones that it replaced.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from lesionlens.access_settings import KEY_NAME
from lesionlens.api.access.scopes import ALL_SCOPES, Scope
from lesionlens.errors import SettingsError

__all__ = ["KeyEntry", "format_entries", "parse_entries", "read_key_file"]

_LARGEST: Final = 1024 * 1024  # some thousand keys; it is read between two requests
_FIRST_LINE: Final = "# API keys of LesionLens. It holds hashes and no keys; `lesionlens keys` changes it."
_ACCEPTED: Final = "lines as `lesionlens keys` writes them"


class KeyEntry(BaseModel):
    """A line of the file.

    Attributes:
        name: What the key is called.
        sha256: SHA-256 of the key in lower-case hexadecimal.
        scopes: What it may do; None for everything.
        created: When it was made.
        expires: When it ends; None if it does not.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: Annotated[str, Field(pattern=f"^{KEY_NAME.pattern}$")]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", repr=False)]
    scopes: Annotated[tuple[Scope, ...], Field(min_length=1)] | None = None
    created: AwareDatetime
    expires: AwareDatetime | None = None

    @property
    def rights(self) -> frozenset[Scope]:
        """What the key may do."""
        return ALL_SCOPES if self.scopes is None else frozenset(self.scopes)


def parse_entries(text: str, path: Path) -> tuple[KeyEntry, ...]:
    """Read the lines of a file of API keys.

    Args:
        text: What it holds.
        path: Where it lies, for the message.

    Raises:
        SettingsError: A line is none of a key; the message names file and line, and never shows a hash.
    """
    entries: dict[str, KeyEntry] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            entry = KeyEntry.model_validate_json(line)
        except ValidationError as error:
            why = "; ".join(_explain(problem["loc"], problem["msg"]) for problem in error.errors())
            raise SettingsError(f"{path}, line {number}: {why}; accepted: {_ACCEPTED}") from None
        if entry.sha256 in entries:
            raise SettingsError(f"{path}, line {number}: the same key twice; accepted: {_ACCEPTED}")
        entries[entry.sha256] = entry
    return tuple(entries.values())


def read_key_file(path: Path) -> tuple[KeyEntry, ...]:
    """Read a file of API keys.

    Args:
        path: The file.

    Raises:
        SettingsError: It cannot be read, or a line of it is damaged; the message names the file and the line.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except FileNotFoundError as error:
        raise SettingsError(
            f"{path} is not there; `lesionlens keys add NAME --file {path}` makes it with a first key"
        ) from error
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror or error}") from error
    if len(data) > _LARGEST:
        raise SettingsError(f"{path} is larger than {_LARGEST} bytes; accepted: {_ACCEPTED}")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise SettingsError(f"{path}, line {line}: not in UTF-8; accepted: {_ACCEPTED}") from None
    return parse_entries(text, path)


def format_entries(entries: Iterable[KeyEntry]) -> str:
    """Return the text of a file with these keys."""
    return "".join(f"{line}\n" for line in (_FIRST_LINE, *(entry.model_dump_json() for entry in entries)))


def _explain(location: tuple[int | str, ...], message: str) -> str:
    where = ".".join(str(part) for part in location)
    # Of the JSON of one line; beside the line of the file its own would confuse.
    words = (message[:1].lower() + message[1:]).replace(" at line 1 column ", " at column ")
    return f"{where}: {words}" if where else words
