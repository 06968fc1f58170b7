"""Which Chromium these tests drive."""

from __future__ import annotations

from pathlib import Path

import pytest

from chromium import find_chromium


def test_the_one_in_the_environment_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "my-chromium"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("CHROMIUM", str(program))
    assert find_chromium() == str(program)


def test_one_that_is_not_there_fails_instead_of_being_skipped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CHROMIUM", str(tmp_path / "gone"))
    with pytest.raises(pytest.fail.Exception, match="gone"):
        find_chromium()


def test_where_none_is_installed_tests_are_skipped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(pytest.skip.Exception, match="no Chromium"):
        find_chromium()
