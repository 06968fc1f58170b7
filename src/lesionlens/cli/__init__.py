"""The `lesionlens` command.

Each command lives in a module of its own and imports what it needs when it runs, so that `lesionlens --help` is quick
and the serving install never misses torch.
"""

from __future__ import annotations

from lesionlens.cli.app import app

__all__ = ["app"]
