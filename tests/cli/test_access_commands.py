"""`lesionlens password` and `lesionlens api-key`, as a person and as a script run them."""

from __future__ import annotations

import asyncio
import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from lesionlens.api.access.keys import find_key
from lesionlens.api.access.passwords import Password
from lesionlens.settings import load_settings

Run = Callable[..., Result]
PASSWORD = "correct horse battery"
_PROGRAM = "from lesionlens.cli import app; app()"


def matches(encoded: str, password: str) -> bool:
    settings = load_settings(password_hash=encoded)  # which looks at the whole of it
    assert settings.password_hash is not None
    return asyncio.run(Password(settings.password_hash.get_secret_value()).matches(password))


@pytest.mark.parametrize("answer", [PASSWORD, f"{PASSWORD}\n", f"{PASSWORD}\r\n", f"{PASSWORD}\nanother line\n"])
def test_a_script_sends_it_on_standard_input(run: Run, answer: str) -> None:
    result = run("password", answer=answer)
    assert result.exit_code == 0, result.output
    assert matches(result.stdout.strip(), PASSWORD)
    assert result.stdout.count("\n") == 1
    assert "LESIONLENS_PASSWORD_HASH='" in result.stderr
    assert PASSWORD not in result.output


def test_spaces_belong_to_a_password(run: Run) -> None:
    encoded = run("password", answer="  spaces around  \n").stdout.strip()
    assert matches(encoded, "  spaces around  ")
    assert not matches(encoded, "spaces around")


@pytest.mark.parametrize(("answer", "told"), [("", "0"), ("\n", "0"), ("hunter2\n", "7"), ("x" * 1025, "1025")])
def test_too_short_and_too_long_ones_are_refused(run: Run, answer: str, told: str) -> None:
    result = run("password", answer=answer)
    assert result.exit_code == 2
    assert f"the password has {told} characters; accepted: 8–1024" in result.stderr
    assert result.stdout == ""
    assert "hunter2" not in result.output


def test_bytes_that_are_no_text_are_refused() -> None:
    program = subprocess.run(
        [sys.executable, "-c", _PROGRAM, "password"], input=b"caf\xe9 au lait\n", capture_output=True, timeout=120
    )
    assert program.returncode == 2
    assert "UTF-8" in program.stderr.decode()
    assert program.stdout == b""
    assert b"Traceback" not in program.stderr


class Terminal:
    """The command with a terminal of its own, on which somebody types."""

    def __init__(self, output: Path) -> None:
        self._output = output
        self.shown = ""
        child, self._terminal = pty.fork()
        if child == 0:  # pragma: no cover – the command itself
            with output.open("wb") as file:
                os.dup2(file.fileno(), 1)
            os.execv(sys.executable, [sys.executable, "-c", _PROGRAM, "password"])
        self._child = child

    def answer(self, question: str, line: str) -> None:
        """Wait for a question and type a line."""
        self._wait_for(question)
        os.write(self._terminal, line.encode() + b"\n")

    def end(self) -> tuple[int, str]:
        """Wait for the end; return the exit status and what went to standard output."""
        self._wait_for(None)
        _, status = os.waitpid(self._child, 0)
        os.close(self._terminal)
        return os.waitstatus_to_exitcode(status), self._output.read_text()

    def _wait_for(self, question: str | None) -> None:
        begin, deadline = len(self.shown), time.monotonic() + 120
        while question is None or question not in self.shown[begin:]:
            assert time.monotonic() < deadline, self.shown
            if select.select([self._terminal], [], [], 1)[0]:
                try:
                    read = os.read(self._terminal, 1024)
                except OSError:  # the other end is closed
                    read = b""
                if not read:
                    assert question is None, self.shown
                    return
                self.shown += read.decode()


def test_a_person_is_asked_twice_and_nothing_is_shown(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path / "output")
    terminal.answer("Password: ", PASSWORD)
    terminal.answer("The same again: ", "something else")
    terminal.answer("Password: ", PASSWORD)
    terminal.answer("The same again: ", PASSWORD)
    status, output = terminal.end()
    assert status == 0, terminal.shown
    assert matches(output.strip(), PASSWORD)
    assert "horse" not in terminal.shown
    assert "something" not in terminal.shown


def test_an_api_key_is_shown_once_with_its_setting(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    result = run("api-key", "my-phone_2.0")
    assert result.exit_code == 0, result.output
    key, setting = result.stdout.splitlines()
    name, value = setting.split("=", 1)
    monkeypatch.setenv(name, value.strip("'"))
    known = load_settings().api_keys
    assert find_key(key, known) == "my-phone_2.0"
    assert key not in setting
    assert key not in result.stderr
    assert "shown only now" in result.stderr
    assert run("api-key", "my-phone_2.0").stdout.splitlines()[0] != key


@pytest.mark.parametrize("name", ["", "my phone", "a=b", "a,b", "é", "x" * 65])
def test_a_name_that_would_not_fit_the_setting_is_refused(run: Run, name: str) -> None:
    result = run("api-key", name)
    assert result.exit_code == 2
    assert "accepted: 1–64 letters, digits, '.', '_' and '-'" in result.stderr
    assert result.stdout == ""
