"""Sex, age and body site of the people in the pictures, from the official files of the ISIC archive."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

import pandas as pd

from lesionlens.errors import DataError

__all__ = ["METADATA_NAMES", "Person", "read_people"]

METADATA_NAMES: Final = ("ISIC_2019_Training_Metadata.csv", "HAM10000_metadata.csv")
"""The files that are read where a data folder has them; the first one that knows a trait is believed."""

_NAMES: Final = {
    "image_id": "image",
    "age_approx": "age",
    "anatom_site_general": "site",
    "localization": "site",
}
# HAM10000 is more exact. ISIC 2019 took it over like this, except that it left "trunk" and "genital" empty.
_GENERAL_SITES: Final = {
    **dict.fromkeys(("scalp", "face", "ear", "neck"), "head/neck"),
    **dict.fromkeys(("chest", "abdomen"), "anterior torso"),
    "back": "posterior torso",
    "trunk": "torso, side unknown",
    "hand": "upper extremity",
    "foot": "lower extremity",
    "acral": "palms/soles",
    "genital": "oral/genital",
}
_UNKNOWN: Final = ("", "unknown", "nan", "n/a")


class Person(NamedTuple):
    """What the official files say of the person in a picture.

    Attributes:
        sex: `female` or `male`; empty if unknown.
        age: Years, rounded to five in the archive; −1 if unknown.
        site: General part of the body; empty if unknown.
    """

    sex: str = ""
    age: int = -1
    site: str = ""


def read_people(data: Path) -> dict[str, Person]:
    """Read the metadata files of a data folder.

    Args:
        data: The data folder; none of the files needs to be there.

    Returns:
        The people by picture; empty without any file.

    Raises:
        DataError: A file cannot be read, lacks the column of the pictures, or has an age that is not a number.
    """
    people: dict[str, Person] = {}
    for name in METADATA_NAMES:
        path = next((p for p in (data / name, *sorted(data.glob(f"*/{name}"))) if p.is_file()), None)
        for image, person in _read(path) if path else ():
            known = people.get(image, Person())
            people[image] = Person(
                sex=known.sex or person.sex,
                age=known.age if known.age >= 0 else person.age,
                site=known.site or person.site,
            )
    return people


def _read(path: Path) -> Iterator[tuple[str, Person]]:
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except OSError as error:
        raise DataError(f"cannot read {path.name}: {error.strerror}") from error
    except (ValueError, pd.errors.ParserError) as error:
        raise DataError(f"{path.name} is not a CSV file: {error}") from error
    table = table.rename(columns=_NAMES)
    if "image" not in table.columns:
        raise DataError(f"{path.name} lacks the column image (or image_id)")
    for line, row in enumerate(table.to_dict("records"), start=2):
        try:
            yield str(row["image"]), _person(row)
        except ValueError as error:
            raise DataError(f"{path.name}, line {line}, age: {error}; accepted: years, or empty") from error


def _person(row: Mapping[object, object]) -> Person:
    sex, age, site = (str(row.get(name, "")).strip().lower() for name in ("sex", "age", "site"))
    return Person(
        sex="" if sex in _UNKNOWN else sex,
        age=-1 if age in _UNKNOWN else round(float(age)),
        site="" if site in _UNKNOWN else _GENERAL_SITES.get(site, site),
    )
