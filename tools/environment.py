"""An environment with the serving install and nothing else, not even pip."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["CHECKOUT", "serving_environment"]

CHECKOUT = Path(__file__).resolve().parents[1]
"""Root of the checkout."""


@contextmanager
def serving_environment(existing: Path | None = None) -> Iterator[Path]:
    """Give the Python of an environment that has what `pip install .` installs.

    Args:
        existing: The Python of such an environment; None makes a new one, which is gone afterwards.

    Raises:
        subprocess.CalledProcessError: It could not be installed; pip has said why.
    """
    if existing is not None:
        yield existing
        return
    with tempfile.TemporaryDirectory(prefix="lesionlens-serving-") as folder:
        venv.create(folder, with_pip=False)
        python = Path(folder) / ("Scripts" if sys.platform == "win32" else "bin") / "python"
        # The pip of the environment that runs this; what it installs goes to the other one only.
        command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", str(CHECKOUT)]
        subprocess.run([*command, "--disable-pip-version-check"], check=True)  # noqa: S603 – nothing from outside
        yield python
