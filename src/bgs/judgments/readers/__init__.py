"""Readers of judgments in the formats of other programs: each turns a file into the columns of the trial table."""

from bgs.judgments.readers.reading import ReaderInputs, Reading, each_once, read_ids
from bgs.judgments.readers.registry import FORMATS, Format, find_format, read_judgments
from bgs.judgments.readers.salmon import ROLES

__all__ = [
    "FORMATS",
    "ROLES",
    "Format",
    "ReaderInputs",
    "Reading",
    "each_once",
    "find_format",
    "read_ids",
    "read_judgments",
]
