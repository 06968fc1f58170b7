"""Sex, age and body site from the official files."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from lesionlens.errors import DataError
from lesionlens.evaluation.groups.metadata import METADATA_NAMES, Person, read_people

ISIC, HAM = METADATA_NAMES
ISIC_HEADER = "image,age_approx,anatom_site_general,lesion_id,sex\n"
HAM_HEADER = "lesion_id,image_id,dx,dx_type,age,sex,localization\n"


def test_the_second_file_fills_what_the_first_one_leaves_empty(tmp_path: Path) -> None:
    (tmp_path / ISIC).write_text(ISIC_HEADER + "A,55,head/neck,L1,female\nB,,,L2,\nC,0.0, Anterior Torso ,,MALE\n")
    (tmp_path / HAM).write_text(
        HAM_HEADER + "L1,A,nv,histo,60.0,male,back\nL2,B,nv,histo,45.0,male,trunk\nL3,D,nv,histo,,unknown,unknown\n"
    )
    assert read_people(tmp_path) == {
        "A": Person("female", 55, "head/neck"),
        "B": Person("male", 45, "torso, side unknown"),
        "C": Person("male", 0, "anterior torso"),
        "D": Person(),
    }


def test_either_file_will_do_and_so_will_none(tmp_path: Path) -> None:
    assert read_people(tmp_path) == {}
    (tmp_path / "ham").mkdir()
    (tmp_path / "ham" / HAM).write_text(HAM_HEADER + "L1,A,nv,histo,60.0,male,genital\n")
    assert read_people(tmp_path) == {"A": Person("male", 60, "oral/genital")}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (ISIC_HEADER + "A,old,,,\n", r"Metadata\.csv, line 2, age: .*'old'; accepted: years, or empty"),
        ("picture,sex\nA,male\n", r"lacks the column image \(or image_id\)"),
        ("", "is not a CSV file"),
    ],
)
def test_a_damaged_file_is_explained(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / ISIC).write_text(text)
    with pytest.raises(DataError, match=message):
        read_people(tmp_path)


def test_the_official_files_are_understood(shared_data: Path) -> None:
    people = read_people(shared_data)
    assert people["ISIC_0000000"] == Person("female", 55, "anterior torso")
    assert {p.sex for p in people.values()} == {"female", "male", ""}
    assert {p.site for p in people.values()} == {
        *("anterior torso", "posterior torso", "lateral torso", "torso, side unknown", "head/neck", "palms/soles"),
        *("upper extremity", "lower extremity", "oral/genital", ""),
    }
    assert all(-1 <= p.age <= 90 for p in people.values())
    assert sum(p.sex != "" for p in people.values()) > 0.95 * len(people)


def test_the_sites_of_ham_are_those_that_isic_2019_made_of_them(shared_data: Path, tmp_path: Path) -> None:
    (tmp_path / HAM).symlink_to(shared_data / HAM)
    ham = read_people(tmp_path)
    official = pd.read_csv(shared_data / ISIC, dtype=str, keep_default_na=False)
    both = [
        (ham[image].site, site)
        for image, site in zip(official["image"], official["anatom_site_general"], strict=True)
        if site and image in ham and ham[image].site
    ]
    assert len(both) > 8000
    assert sum(mine == theirs for mine, theirs in both) == len(both)
