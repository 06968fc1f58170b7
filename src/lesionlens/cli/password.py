"""`lesionlens password` and `lesionlens api-key`: make what the service knows people and programs by."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from lesionlens.cli.app import app
from lesionlens.cli.console import EXIT_USAGE, errors_shown, fail

__all__ = ["api_key", "password"]


@app.command()
@errors_shown(EXIT_USAGE)
def password() -> None:
    """Hash a password for LESIONLENS_PASSWORD_HASH.

    It is asked for twice and not shown; where nobody can be asked, it is the first line of standard input.
    """
    from lesionlens.access_settings import LONGEST_PASSWORD, SHORTEST_PASSWORD, check_new_password
    from lesionlens.api.access.passwords import hash_password

    if sys.stdin.isatty():
        given = typer.prompt("Password", hide_input=True, confirmation_prompt="The same again", err=True)
    else:
        try:
            given = sys.stdin.readline().rstrip("\r\n")
        except UnicodeDecodeError:
            fail("the password on standard input is not in UTF-8", EXIT_USAGE)
    try:
        check_new_password(given)
    except ValueError as error:
        fail(f"the password {error}; accepted: {SHORTEST_PASSWORD}–{LONGEST_PASSWORD} characters in UTF-8", EXIT_USAGE)
    typer.echo(hash_password(given))
    typer.echo("Put it between single quotes: LESIONLENS_PASSWORD_HASH='$argon2id$…'", err=True)


@app.command("api-key")
@errors_shown(EXIT_USAGE)
def api_key(
    name: Annotated[str, typer.Argument(help="What the key is called: letters, digits, '.', '_' and '-'.")],
) -> None:
    """Make an API key for a program, and the setting by which the service knows it.

    The key is shown this once and kept nowhere. A program sends it in the header `Authorization: Bearer KEY`.
    """
    from lesionlens.access_settings import KEY_NAME
    from lesionlens.api.access.keys import hash_key, new_key

    if not KEY_NAME.fullmatch(name):
        fail(f"the name {name!r} is not accepted; accepted: 1–64 letters, digits, '.', '_' and '-'", EXIT_USAGE)
    key = new_key()
    typer.echo(key)
    typer.echo(f"LESIONLENS_API_KEYS='{name}={hash_key(key)}'")
    typer.echo(
        f"The first line is the key of {name}, shown only now. The second is for the service; several keys stand in it "
        "with spaces between them.",
        err=True,
    )
