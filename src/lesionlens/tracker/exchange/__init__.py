"""Records on their way out of a store and into another: exports, imports, and reports to read.

`docs/exchange.md` describes the files.
"""

from __future__ import annotations

from lesionlens.tracker.exchange.export import export
from lesionlens.tracker.exchange.outcome import Exported, Imported, Skipped
from lesionlens.tracker.exchange.reading import import_file
from lesionlens.tracker.exchange.report.both import write_report

__all__ = ["Exported", "Imported", "Skipped", "export", "import_file", "write_report"]
