"""The modules of `benchmarks/speed`, and real services for them to measure."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from serving import classifier, server

__all__ = ["classifier", "server"]

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks" / "speed"


@pytest.fixture(scope="session")
def speed() -> Iterator[Callable[[str], ModuleType]]:
    """Function that imports a module of the benchmark, as the benchmark does: by its bare name."""
    pytest.importorskip("psutil", reason="the benchmark needs psutil: pip install 'lesionlens[bench]'")
    own = {path.stem for path in FOLDER.glob("*.py")} - {"__main__"}  # that one is whoever runs the tests
    before = {name: sys.modules.pop(name) for name in own & set(sys.modules)}
    sys.path.insert(0, str(FOLDER))
    yield importlib.import_module
    sys.path.remove(str(FOLDER))
    for name in own:
        sys.modules.pop(name, None)
    sys.modules.update(before)
