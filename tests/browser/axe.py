"""axe-core, the field's checker of accessible pages, fetched once into a cache outside the repository."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

VERSION = "4.10.3"
_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
_RUN = """async (tags) => {
  const { violations } = await axe.run(document, { runOnly: tags });
  return violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((n) => n.target.join(" ")).join("; ")}`);
}"""


@cache
def _script() -> str:
    """Text of axe-core; the test is skipped where it can be neither found nor fetched, except in CI."""
    cache_home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache_home / "lesionlens-tests" / f"axe-core-{VERSION}"
    script = folder / "node_modules" / "axe-core" / "axe.min.js"
    if not script.is_file():
        reason = _fetch(folder)
        if reason and os.environ.get("CI"):
            pytest.fail(f"axe-core could not be fetched: {reason}")
        if reason:
            pytest.skip(f"axe-core could not be fetched: {reason}")
    return script.read_text(encoding="utf-8")


def _fetch(folder: Path) -> str | None:
    npm = shutil.which("npm")
    if npm is None:
        return "npm is not installed"
    folder.mkdir(parents=True, exist_ok=True)
    command = [npm, "install", "--prefix", str(folder), "--ignore-scripts", "--no-audit", "--no-fund"]
    try:
        subprocess.run([*command, f"axe-core@{VERSION}"], check=True, capture_output=True, text=True, timeout=120)
    except subprocess.CalledProcessError as error:
        return str(error.stderr).strip().splitlines()[-1]
    except subprocess.TimeoutExpired:
        return "npm took longer than 120 s"
    return None


def violations(page: Any) -> list[str]:
    """What breaks WCAG 2.2 A or AA on a page as it is now shown, in words."""
    # The page's own rules on scripts keep out what is added to it; the debugger is not bound by them.
    page.evaluate(_script() + "; undefined")
    found: list[str] = page.evaluate(_RUN, _TAGS)
    return found
