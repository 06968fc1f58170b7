"""Classifying many files: finding them, classifying them in batches, writing the results."""

from lesionlens.bulk.classify import classify_files
from lesionlens.bulk.find import Found, find_pictures
from lesionlens.bulk.heatmaps import replaced_pictures
from lesionlens.bulk.result import Result
from lesionlens.bulk.writers import FORMATS, Format, open_writer

__all__ = [
    "FORMATS",
    "Format",
    "Found",
    "Result",
    "classify_files",
    "find_pictures",
    "open_writer",
    "replaced_pictures",
]
