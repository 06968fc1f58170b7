"""Puts a running service under load and says how it held: `lesionlens loadtest`.

A load test is worth its figures only if it also looks at the answers: every one is compared with the answer that the
same photo got when it was sent alone.
"""

from __future__ import annotations

from lesionlens.loadtest.drive import Plan, run_load
from lesionlens.loadtest.patterns import PATTERNS, Pattern, clients_at
from lesionlens.loadtest.photos import drawn_photo, read_photos
from lesionlens.loadtest.samples import Sample
from lesionlens.loadtest.summary import Summary, summarise

__all__ = [
    "PATTERNS",
    "Pattern",
    "Plan",
    "Sample",
    "Summary",
    "clients_at",
    "drawn_photo",
    "read_photos",
    "run_load",
    "summarise",
]
