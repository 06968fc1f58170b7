"""`lesionlens keys`: the file of API keys that a running service reads again when it changes."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.table import Table
from rich.text import Text

from lesionlens.cli.app import app
from lesionlens.cli.console import EXIT_USAGE, errors_shown, fail, standard_output
from lesionlens.cli.new_file import new_file

if TYPE_CHECKING:
    from lesionlens.api.access.key_file import KeyEntry

__all__ = ["add", "list_", "revoke", "rotate"]

keys_app = typer.Typer(no_args_is_help=True, help="Make, list, replace and revoke API keys, while the service runs.")
app.add_typer(keys_app, name="keys")

_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_LENGTH: Final = re.compile(r"(\d{1,5})([mhdw])")
_WHEN: Final = "a length such as 90d or 12h, or a date such as 2027-01-31 (then it ends at 00:00 UTC)"

Name = Annotated[str, typer.Argument(help="What the key is called: letters, digits, '.', '_' and '-'.")]
File = Annotated[
    Path | None,
    typer.Option(help="The file of keys.", envvar="LESIONLENS_API_KEYS_FILE", dir_okay=False, show_default=False),
]


@keys_app.command()
@errors_shown(EXIT_USAGE)
def add(
    name: Name,
    scope: Annotated[
        list[str] | None,
        typer.Option(
            help="What it may do: analyse, records:read, records:write, export, metrics. Repeat it for several."
        ),
    ] = None,
    expires: Annotated[str | None, typer.Option(help=f"When it ends: {_WHEN}.")] = None,
    file: File = None,
) -> None:
    """Make a key. It is printed this once and kept nowhere; without --scope it may do everything."""
    from lesionlens.access_settings import KEY_NAME
    from lesionlens.api.access.key_file import KeyEntry
    from lesionlens.api.access.keys import hash_key, new_key

    if not KEY_NAME.fullmatch(name):
        fail(f"the name {name!r} is not accepted; accepted: 1–64 letters, digits, '.', '_' and '-'", EXIT_USAGE)
    now, scopes = _now(), _scopes(scope)
    ends = None if expires is None else _moment(expires, now)
    key = new_key()
    with _changing(file) as entries:
        if any(entry.name == name and not _ended(entry, now) for entry in entries):
            fail(f"there is a key {name!r} already; `lesionlens keys rotate {name}` replaces it", EXIT_USAGE)
        entries[:] = [entry for entry in entries if entry.name != name]
        entries.append(KeyEntry(name=name, sha256=hash_key(key), scopes=scopes, created=now, expires=ends))
    typer.echo(key)
    _say(f"That is the key of {name}, shown only now. It may do: {', '.join(scopes or ['everything'])}.")


@keys_app.command("list")
@errors_shown(EXIT_USAGE)
def list_(file: File = None) -> None:
    """List the keys: what each may do, when it was made and when it ends."""
    from lesionlens.api.access.key_file import read_key_file

    now = _now()
    table = Table("name", "may", "made", "ends")
    for entry in read_key_file(_path(file)):
        ends = "never" if entry.expires is None else f"{_shown(entry.expires)}{' (over)' if _ended(entry, now) else ''}"
        table.add_row(*map(Text, (entry.name, ", ".join(entry.scopes or ["everything"]), _shown(entry.created), ends)))
    standard_output().print(table)


@keys_app.command()
@errors_shown(EXIT_USAGE)
def rotate(
    name: Name,
    grace: Annotated[str, typer.Option(help="For how long the old key stays good, such as 7d, 12h or 0d.")] = "7d",
    file: File = None,
) -> None:
    """Replace a key by a new one that may do the same. The old one stays good for a while, so both work meanwhile."""
    from lesionlens.api.access.keys import hash_key, new_key

    now = _now()
    until = now + _length(grace, "--grace")
    key = new_key()
    with _changing(file) as entries:
        good = [entry for entry in entries if entry.name == name and not _ended(entry, now)]
        if not good:
            fail(f"there is no key {name!r} that is still good; {_known(entries, now)}", EXIT_USAGE)
        newest = max(good, key=lambda entry: entry.created)
        entries[:] = [entry for entry in entries if entry.name != name]
        entries += [old.model_copy(update={"expires": min(old.expires or until, until)}) for old in good]
        entries.append(newest.model_copy(update={"sha256": hash_key(key), "created": now}))
    typer.echo(key)
    _say(f"That is the new key of {name}, shown only now. The old one ends at {_shown(until)}, if it did not before.")


@keys_app.command()
@errors_shown(EXIT_USAGE)
def revoke(name: Name, file: File = None) -> None:
    """End a key at once, with those that it replaced."""
    now = _now()
    with _changing(file) as entries:
        left = [entry for entry in entries if entry.name != name]
        if len(left) == len(entries):
            fail(f"there is no key {name!r}; {_known(entries, now)}", EXIT_USAGE)
        entries[:] = left
    _say(f"The key {name} is worth nothing any more.")


def _path(file: Path | None) -> Path:
    if file is None:
        fail("which file? Set LESIONLENS_API_KEYS_FILE, as for the service, or give --file", EXIT_USAGE)
    return file.expanduser()


@contextmanager
def _changing(file: Path | None) -> Iterator[list[KeyEntry]]:
    """Give the keys of a file to be changed, and write them when the block ends without an error.

    A reader sees the file of before or that of after, never a part; and of two commands at once the second waits.
    """
    from lesionlens.api.access.key_file import format_entries, read_key_file

    path = _path(file).resolve()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _alone_in(path.parent):
        before = path.stat() if path.exists() else None
        entries = [] if before is None else list(read_key_file(path))
        yield entries
        with new_file(path) as stream:
            if before is not None and sys.platform != "win32" and before.st_uid != os.geteuid():
                # Otherwise the service could not read what root, say, has changed.
                os.fchown(stream.fileno(), before.st_uid, before.st_gid)
            stream.write(format_entries(entries).encode())


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Let no other command change the keys of a folder meanwhile, where the operating system can."""
    if sys.platform == "win32":
        yield
        return
    import fcntl

    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _scopes(given: list[str] | None) -> tuple[str, ...] | None:
    from lesionlens.api.access.scopes import Scope

    if not given:
        return None
    for name in given:
        if name not in list(Scope):
            fail(f"there is no scope {name!r}; accepted: {', '.join(Scope)}", EXIT_USAGE)
    return tuple(scope for scope in Scope if scope in given)


def _moment(given: str, now: datetime) -> datetime:
    """Return when something ends that was given as a length or a date; UTC where no time zone is named."""
    if _LENGTH.fullmatch(given):
        return now + _length(given, "--expires")
    try:
        moment = datetime.fromisoformat(given)
    except ValueError:
        fail(f"--expires is {given!r}; accepted: {_WHEN}", EXIT_USAGE)
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    if moment <= now:
        fail(f"--expires is {given!r}, which is over; accepted: {_WHEN}, to come", EXIT_USAGE)
    return moment


def _length(given: str, option: str) -> timedelta:
    match = _LENGTH.fullmatch(given)
    if match is None:
        fail(f"{option} is {given!r}; accepted: a number with m, h, d or w for minutes, hours, days, weeks", EXIT_USAGE)
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def _known(entries: list[KeyEntry], now: datetime) -> str:
    names = sorted({entry.name for entry in entries if not _ended(entry, now)})
    return f"known: {', '.join(names)}" if names else "the file has none"


def _ended(entry: KeyEntry, now: datetime) -> bool:
    return entry.expires is not None and entry.expires <= now


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def _shown(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _say(words: str) -> None:
    typer.echo(words, err=True)
