"""Classifying many files: finding them, classifying them in batches or in parts, writing the results."""

from lesionlens.bulk.classify import Options, classify_entries, classify_files
from lesionlens.bulk.entry import Entry, entries_of
from lesionlens.bulk.find import Found, find_pictures
from lesionlens.bulk.heatmaps import replaced_pictures
from lesionlens.bulk.job import Job, Target, absolute, in_order
from lesionlens.bulk.parts import part_size
from lesionlens.bulk.result import Count, Result
from lesionlens.bulk.run import Runner, run_here
from lesionlens.bulk.writers import FORMATS, Format, open_writer

__all__ = [
    "FORMATS",
    "Count",
    "Entry",
    "Format",
    "Found",
    "Job",
    "Options",
    "Result",
    "Runner",
    "Target",
    "absolute",
    "classify_entries",
    "classify_files",
    "entries_of",
    "find_pictures",
    "in_order",
    "open_writer",
    "part_size",
    "replaced_pictures",
    "run_here",
]
