"""The Chromium that browser tests drive."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",  # whoever grants `camera` gets a picture that moves
)


def find_chromium() -> str:
    """Path of the Chromium in `CHROMIUM`, which must then work; else of an installed one, or the test is skipped."""
    wanted = os.environ.get("CHROMIUM")
    if wanted:
        found = shutil.which(wanted)
        if found is None:
            pytest.fail(f"CHROMIUM is {wanted!r}, where no program is")
        return found
    found = next((path for path in map(shutil.which, _NAMES) if path), None)
    if found is None:
        pytest.skip(f"no Chromium: none of {', '.join(_NAMES)} is installed, and CHROMIUM names none")
    return found


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium; a test is skipped only where neither it nor playwright is installed, and CHROMIUM is not set."""
    executable = find_chromium()
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        if os.environ.get("CHROMIUM"):
            raise
        pytest.skip("playwright is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=list(_ARGUMENTS))
        yield browser
        browser.close()
