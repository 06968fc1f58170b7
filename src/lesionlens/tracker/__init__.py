"""The record of every lesion: people, their lesions, and each visit with its photo and what models said of it.

What is accepted is on the disk before it is acknowledged, and nothing leaves the machine. `Tracker` opens it; the rest
of this package is what it hands out and takes in.
"""

from __future__ import annotations

from lesionlens.tracker.analyses import NewAnalysis
from lesionlens.tracker.fields import COLOURS, SEXES, VIEWS, LesionFields, PersonFields, VisitFields
from lesionlens.tracker.records import (
    Counts,
    Erased,
    Lesion,
    Neighbour,
    Page,
    Person,
    Photo,
    StoredAnalysis,
    Timeline,
    Visit,
)
from lesionlens.tracker.settings import TrackerSettings, load_tracker_settings
from lesionlens.tracker.tracker import Tracker

__all__ = [
    "COLOURS",
    "SEXES",
    "VIEWS",
    "Counts",
    "Erased",
    "Lesion",
    "LesionFields",
    "Neighbour",
    "NewAnalysis",
    "Page",
    "Person",
    "PersonFields",
    "Photo",
    "StoredAnalysis",
    "Timeline",
    "Tracker",
    "TrackerSettings",
    "Visit",
    "VisitFields",
    "load_tracker_settings",
]
