"""Classifying many files: finding them, classifying them in batches, writing the results."""

from lesionlens.bulk.classify import classify_files
from lesionlens.bulk.find import find_pictures
from lesionlens.bulk.result import Result
from lesionlens.bulk.writers import FORMATS, Format, open_writer

__all__ = ["FORMATS", "Format", "Result", "classify_files", "find_pictures", "open_writer"]
