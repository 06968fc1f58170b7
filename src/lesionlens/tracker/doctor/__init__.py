"""Examining the store, and repairing what can be repaired without losing anything."""

from __future__ import annotations

from lesionlens.tracker.doctor.examine import examine
from lesionlens.tracker.doctor.findings import Finding, Report, State

__all__ = ["Finding", "Report", "State", "examine"]
