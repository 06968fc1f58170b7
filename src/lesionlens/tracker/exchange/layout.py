"""How an export is laid out: names, the version of its schema, and how large its parts may be."""

from __future__ import annotations

import re
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from lesionlens import DISCLAIMER
from lesionlens.tracker.exchange.documents import Document

__all__ = [
    "FORMAT",
    "INDEX",
    "JSON_LIMIT",
    "LESION",
    "PERSON",
    "PHOTO",
    "README",
    "README_TEXT",
    "REPORT",
    "SCHEMA_VERSION",
    "VISIT",
    "Index",
    "Version",
    "lesion_name",
    "person_name",
    "photo_name",
    "report_name",
    "visit_name",
]

FORMAT: Final = "lesionlens-export"
SCHEMA_VERSION: Final = 1
"""Raised whenever a program that knows only the older schema would misread an export."""

JSON_LIMIT: Final = 64 * 1024 * 1024
"""Largest JSON file in an export, in bytes: a visit with thousands of analyses stays below it."""

INDEX: Final = "export.json"
README: Final = "README.txt"

_ID: Final = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
PERSON: Final = re.compile(rf"people/({_ID})/person\.json")
LESION: Final = re.compile(rf"people/{_ID}/lesions/({_ID})/lesion\.json")
VISIT: Final = re.compile(rf"people/{_ID}/lesions/{_ID}/visits/({_ID})\.json")
REPORT: Final = re.compile(rf"people/{_ID}/report\.(?:html|pdf)")
PHOTO: Final = re.compile(r"photos/([0-9a-f]{64})(?:\.[a-z]{2,5})?")

_ENDINGS: Final = {"image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp", "image/bmp": ".bmp"} | {
    "image/tiff": ".tiff"
}

README_TEXT: Final = f"""Records of skin lesions, exported by LesionLens.

{DISCLAIMER}

people/…/report.html, report.pdf   to read: one of each for every person
people/…/*.json                    the records, each in a file of its own, for programs
photos/                            the photos as they were taken, each named by the SHA-256 of its bytes
export.json                        the version of this layout, and how much there is

LesionLens imports this file with: lesionlens tracker import FILE
It holds health data and photos: keep it where nobody else can read it.
"""


class Version(BaseModel):
    """What tells the schema of an export, whatever else a newer one may say."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    format: Literal["lesionlens-export"]
    schema_version: int


class Index(Document):
    """The file `export.json`: tells an export from any other ZIP.

    Attributes:
        missing_photos: SHA-256 of photos that the store itself had lost.
    """

    format: Literal["lesionlens-export"]
    schema_version: int
    disclaimer: str
    counts: dict[str, int]
    missing_photos: list[str] = Field(default_factory=list)

    @classmethod
    def of(cls, counts: dict[str, int], missing_photos: list[str]) -> Index:
        """Make the index of an export."""
        values: dict[str, Any] = {"counts": counts, "missing_photos": missing_photos}
        return cls(format=FORMAT, schema_version=SCHEMA_VERSION, disclaimer=DISCLAIMER, **values)


def person_name(person_id: str) -> str:
    """Return the name of a person's file."""
    return f"people/{person_id}/person.json"


def lesion_name(person_id: str, lesion_id: str) -> str:
    """Return the name of a lesion's file."""
    return f"people/{person_id}/lesions/{lesion_id}/lesion.json"


def visit_name(person_id: str, lesion_id: str, visit_id: str) -> str:
    """Return the name of a visit's file."""
    return f"people/{person_id}/lesions/{lesion_id}/visits/{visit_id}.json"


def report_name(person_id: str, ending: str) -> str:
    """Return the name of a person's report; the ending is `html` or `pdf`."""
    return f"people/{person_id}/report.{ending}"


def photo_name(sha256: str, media_type: str) -> str:
    """Return the name of a photo."""
    return f"photos/{sha256}{_ENDINGS.get(media_type, '')}"
